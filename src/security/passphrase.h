// A secret under a passphrase: how the root key travels with a copy of the lake. Bytes:
// docs/formats/sealed.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::security {

inline constexpr size_t kPassphraseBytesMin = 12;
inline constexpr size_t kPassphraseBytesMax = 1024;

/// invalid_argument: shorter or longer than may be.
Status check_passphrase(std::string_view passphrase);

/// scrypt over a fresh salt, then AES-256-GCM bound to `name`. Takes a fraction of a second and
/// 64 MiB, on purpose. exhausted: no memory for it.
Result<std::string> seal_with_passphrase(std::string_view name, std::string_view secret,
                                         std::string_view passphrase);
/// unauthenticated: another passphrase or name, or changed bytes. corrupted: not sealed bytes.
Result<std::string> unseal_with_passphrase(std::string_view name, std::string_view sealed,
                                           std::string_view passphrase);

}  // namespace tarn::security

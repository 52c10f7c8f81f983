// The root key and what it guards: every secret at rest is sealed with a key that comes from
// DIR/root.key, so that a copy of the store without that file gives no secret away. Bytes:
// docs/formats/sealed.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/disk.h"

namespace tarn::security {

/// Owner: wiring. Lane: any (immutable after open). Destruction wipes the keys from memory.
class Keyring {
 public:
    /// Reads `directory`/root.key (0600, 32 bytes), or makes it when the store is new.
    /// Errors: not_found when the store exists and the file does not (its secrets can't be read
    /// without it); corrupted when the file has the wrong size; permission_denied when others may
    /// read it.
    static Result<std::unique_ptr<Keyring>> open(io::Disk& disk, const std::string& directory,
                                                 bool store_exists);
    /// For tests and for tools that hold a key already. Precondition: root is 32 bytes.
    explicit Keyring(std::string_view root);
    ~Keyring();
    Keyring(const Keyring&) = delete;
    Keyring& operator=(const Keyring&) = delete;

    /// AES-256-GCM under a fresh random nonce. `name` is the record's name and is bound to the
    /// result: sealed bytes that are moved to another record do not open.
    std::string seal(std::string_view name, std::string_view secret) const;
    /// corrupted: not sealed by this root key, under another name, of an unknown version, or
    /// changed.
    Result<std::string> unseal(std::string_view name, std::string_view sealed) const;

    /// 32 bytes that only this root key and this purpose give (RFC 5869): for keyed hashes that
    /// must survive a restart.
    std::string derive(std::string_view purpose) const;

 private:
    std::string root_;
    std::string sealing_key_;
};

}  // namespace tarn::security

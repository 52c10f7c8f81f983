// What a peer's address allows.
#pragma once

#include <string_view>

namespace tarn::net {

/// An address of this machine only: 127.0.0.0/8 or ::1, as Transport::peer_address() writes it.
/// Secrets may travel readable from there. Stricter than classify_address on purpose: an address
/// that merely embeds a loopback one (6to4, NAT64) is not local.
bool is_loopback(std::string_view address);

}  // namespace tarn::net

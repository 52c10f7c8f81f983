// One HTTP request to the outside (webhooks). Follows no redirect; the address that the name
// resolved to is shown to the caller before the connection is made to that very address, so that a
// name can't change in between (DNS rebinding).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::net {

/// What an address is for: only `global` ones are the open internet.
enum class AddressKind { global, loopback, private_use, link_local, other_special };
/// RFC 6890 and its registries, IPv4 and IPv6, IPv4-mapped, 6to4 and NAT64 forms unwrapped.
/// Anything unreadable is other_special.
AddressKind classify_address(const std::string& address);

struct HttpCall {
    std::string method = "POST";
    std::string url;  // http or https
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds total_timeout{15'000};
    size_t response_bytes_max = 64 * 1024;
    std::string ca_file;  // empty: the system's
    /// Asked for each address before connecting to it; false refuses. Empty: only
    /// AddressKind::global passes.
    std::function<bool(const std::string& address, uint16_t port)> may_connect;
    /// Once true the call ends within about a second: `cancelled`. Null: it runs to its end.
    const std::atomic<bool>* cancel = nullptr;
};

struct HttpReply {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    std::string address;  // that answered
};

/// Blocks: lanes only. Any status is a reply. Errors: invalid_argument (URL, method, header),
/// permission_denied (address refused), timed_out, unavailable (name, connection, TLS), exhausted
/// (response too large), cancelled.
Result<HttpReply> http_call(const HttpCall& call);

}  // namespace tarn::net

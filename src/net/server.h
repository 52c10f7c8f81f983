// Listeners and the loops that drive their connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "net/session.h"
#include "net/tls.h"

namespace tarn::net {

enum class TlsMode {
    none,      // plain; start_tls is possible when the listener has a certificate
    required,  // the first byte belongs to a handshake
    sniff,  // a first byte of 0x16 opens a handshake, any other is plain; for protocols where the
            // client speaks first
};

struct ListenerOptions {
    std::string door;                   // label of metrics and log lines: "s3", "postgres"
    std::string address = "127.0.0.1";  // an IPv4 or IPv6 address, not a name
    uint16_t port = 0;                  // 0: a free one
    SessionFactory factory;
    std::shared_ptr<TlsContext> tls;  // may be null with TlsMode::none
    TlsMode tls_mode = TlsMode::none;
    size_t connections_max = 20'000;  // beyond it new ones wait in the kernel's queue
    std::chrono::milliseconds handshake_timeout{10'000};
    std::chrono::milliseconds send_stall_timeout{
        60'000};  // peer takes no byte of what waits for so long: closed
};

struct ServerOptions {
    size_t loops = 1;
    std::chrono::milliseconds tick{200};  // precision of deadlines
    Metrics* metrics = nullptr;           // outlives the server
};

/// Owner: the wiring. add_listener, start, drain and stop are called by one thread, not a loop.
class Server {
 public:
    static std::unique_ptr<Server> create(ServerOptions options);
    /// stop().
    virtual ~Server() = default;

    /// Binds and listens; connections are accepted from start() on. Returns the port. Fails with
    /// invalid_argument (address) or already_exists (port in use).
    virtual Result<uint16_t> add_listener(ListenerOptions options) = 0;
    virtual Status start() = 0;
    /// Accepts no more, asks each session to end (Session::on_drain) and waits for them. True when
    /// all ended in time.
    virtual bool drain(std::chrono::milliseconds deadline) = 0;
    /// Closes what is left (Session::on_close) and joins the loops. Idempotent.
    virtual void stop() = 0;
    virtual size_t connections() const = 0;
};

}  // namespace tarn::net

// A connection as its protocol sees it. Transport is used on the connection's loop by its session;
// Wire is the part that any thread may use, also after the connection has gone. Both are seams:
// fake_transport.h is the twin for tests without sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::net {

/// on_drained is told when the bytes that wait to be sent, having been more than this, are no
/// longer.
inline constexpr size_t kLowWaterBytes = 64 * 1024;

/// Handle to a connection. Lane: any, never blocks. Held as shared_ptr it outlives the connection:
/// every call on a closed connection does nothing and says so.
class Wire {
 public:
    virtual ~Wire() = default;

    /// Queues bytes behind those that wait; gathers what waits into one system call. Takes any
    /// amount: the caller bounds itself by unsent_bytes(). False when the connection has closed or
    /// is about to (close_after_send).
    virtual bool send(std::string bytes) = 0;
    /// Two pieces in one system call (a head and its body).
    virtual bool send(std::string first, std::string second) = 0;
    /// Bytes accepted by send and not yet taken by the kernel.
    virtual size_t unsent_bytes() const = 0;
    /// Runs fn on the connection's loop, with the session alive; fn is dropped when the connection
    /// closes first. False when it has closed already. fn must not block.
    virtual bool post(std::function<void()> fn) = 0;
    /// Refuses further sends, sends what waits, then closes; what the peer still sends meanwhile is
    /// thrown away.
    virtual void close_after_send() = 0;
    /// Closes now; on_close follows on the loop.
    virtual void abort() = 0;
    virtual bool closed() const = 0;
    /// on_deadline is told once when so much time has passed without another call; 0 = none.
    /// Precision: the server's tick.
    virtual void set_deadline(std::chrono::milliseconds from_now) = 0;
};

using TimerId = uint64_t;

/// Lane: the connection's loop only, except for what Wire offers. Lives from the session's making
/// to the end of on_close.
class Transport : public Wire {
 public:
    /// The handle for other lanes.
    virtual std::shared_ptr<Wire> wire() = 0;

    /// Stops on_bytes until resume_reading; the kernel's window then holds the peer back.
    /// Idempotent. After resume on_bytes is called from the loop, never from inside resume_reading.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;

    /// Calls fn once after the time; never after the connection has closed.
    virtual TimerId after(std::chrono::milliseconds from_now, std::function<void()> fn) = 0;
    virtual void cancel(TimerId timer) = 0;

    /// What was sent before goes out in the clear, the next byte received belongs to the handshake
    /// (PostgreSQL's SSLRequest, STARTTLS). The session must have consumed all it was given: bytes
    /// behind the request are an attack. Fails with invalid_argument when the listener has no
    /// certificate or the connection is encrypted already.
    virtual Status start_tls() = 0;
    virtual bool tls_available() const = 0;
    virtual bool is_tls() const = 0;

    /// Without port: "127.0.0.1", "::1". IPv4 addresses that arrive mapped into IPv6 are shown as
    /// IPv4.
    virtual const std::string& peer_address() const = 0;
    virtual uint16_t peer_port() const = 0;
    virtual const std::string& local_address() const = 0;
    virtual uint16_t local_port() const = 0;
};

}  // namespace tarn::net

// A protocol's side of one connection: a state machine without I/O. The loop hands it bytes, it
// answers through its Transport.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "net/transport.h"

namespace tarn::net {

/// Owned by its connection. Lane: the connection's loop, one call at a time; no call may block or
/// throw. No call comes after on_close; the session is destroyed right after it.
class Session {
 public:
    virtual ~Session() = default;

    /// Bytes as they came, at most 64 KiB, decrypted. The session takes them all; what it cannot
    /// use yet it keeps, within bounds of its own, and calls pause_reading.
    virtual void on_bytes(std::string_view bytes) = 0;
    /// Fewer than kLowWaterBytes wait again, after more did.
    virtual void on_drained() {}
    /// The peer will send no more. The connection can still send; unless told otherwise it sends
    /// what waits and closes.
    virtual void on_eof() = 0;
    /// Wire::set_deadline ran out. The default closes at once.
    virtual void on_deadline() = 0;
    /// The server is asked to stop: end what is idle now and the rest as soon as it is complete.
    virtual void on_drain() = 0;
    /// The connection has gone, for whatever reason. Wake those who wait for it.
    virtual void on_close() {}
};

/// Makes the session of a new connection; called on its loop, the transport may be used at once (a
/// greeting). The transport outlives the session.
using SessionFactory = std::function<std::unique_ptr<Session>(Transport&)>;

}  // namespace tarn::net

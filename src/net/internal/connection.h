// One accepted socket with its session: reads, writes, TLS, deadlines, closing.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/metrics.h"
#include "net/server.h"
#include "net/transport.h"

namespace tarn::net {

class Loop;

/// What the connections of one listener share. Outlived by nothing: connections hold it.
struct Door {
    ListenerOptions options;
    std::atomic<size_t> open{0};
    std::function<void()> on_closed;  // any loop; lets a full listener accept again
    Counter* accepted = nullptr;
    Counter* received_bytes = nullptr;
    Counter* sent_bytes = nullptr;
    Gauge* connections = nullptr;
};

/// Owned by its loop, and by the Wires handed out. Lane: the loop's, but for what Wire offers.
class Connection : public Transport {
 public:
    /// Takes the descriptor.
    static std::shared_ptr<Connection> adopt(Loop& loop, int descriptor, bool ipv6,
                                             std::shared_ptr<Door> door);

    virtual void start() = 0;
    virtual void tick(int64_t now_ms) = 0;
    virtual void drain() = 0;
    /// Closes at once and tells the session. Idempotent.
    virtual void close_now() = 0;

    size_t place_in_loop = 0;  // the loop's bookkeeping
};

}  // namespace tarn::net

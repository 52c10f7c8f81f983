// Transport's twin for tests: no socket, no loop. Records what a session sends; posted functions
// and timers run when told.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "base/mutex.h"
#include "net/transport.h"

namespace tarn::net {

/// Lane: loop calls from the test's thread; Wire's calls from any. Must be owned by a shared_ptr.
class FakeTransport final : public Transport, public std::enable_shared_from_this<FakeTransport> {
 public:
    bool send(std::string bytes) override;
    bool send(std::string first, std::string second) override;
    size_t unsent_bytes() const override;
    bool post(std::function<void()> fn) override;
    void close_after_send() override;
    void abort() override;
    bool closed() const override;
    void set_deadline(std::chrono::milliseconds from_now) override;

    std::shared_ptr<Wire> wire() override { return shared_from_this(); }
    void pause_reading() override { reading_ = false; }
    void resume_reading() override { reading_ = true; }
    TimerId after(std::chrono::milliseconds from_now, std::function<void()> fn) override;
    void cancel(TimerId timer) override { timers_.erase(timer); }
    Status start_tls() override;
    bool tls_available() const override { return has_certificate; }
    bool is_tls() const override { return tls_; }
    const std::string& peer_address() const override { return peer; }
    uint16_t peer_port() const override { return 50000; }
    const std::string& local_address() const override { return local; }
    uint16_t local_port() const override { return 4566; }

    /// All that was sent since the last call.
    std::string take_sent();
    /// Runs what was posted, in order, until nothing is left.
    void run_posted();
    /// Runs the earliest timer; false when there is none.
    bool fire_timer();
    bool reading() const { return reading_; }
    bool closing() const;
    std::chrono::milliseconds deadline() const;

    // Set by the test.
    bool has_certificate = false;
    bool hold_sends = false;  // what is sent counts as unsent until take_sent
    std::string peer = "127.0.0.1";
    std::string local = "127.0.0.1";

 private:
    struct Timer {
        std::chrono::milliseconds at;
        std::function<void()> fn;
    };

    mutable Mutex mutex_;
    std::string sent_ TARN_GUARDED_BY(mutex_);
    std::deque<std::function<void()>> posted_ TARN_GUARDED_BY(mutex_);
    bool closing_ TARN_GUARDED_BY(mutex_) = false;
    bool closed_ TARN_GUARDED_BY(mutex_) = false;
    std::chrono::milliseconds deadline_ TARN_GUARDED_BY(mutex_){0};
    bool reading_ = true;
    bool tls_ = false;
    TimerId next_timer_ = 1;
    std::map<TimerId, Timer> timers_;
};

}  // namespace tarn::net

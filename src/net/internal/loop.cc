#include "net/internal/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>

#include "base/assert.h"
#include "base/lane.h"
#include "base/log.h"
#include "net/internal/connection.h"

namespace tarn::net {

namespace asio = boost::asio;

int64_t steady_ms() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count() + 1;
}

struct Loop::Ticker {
    explicit Ticker(asio::io_context& io) : timer(io), work(io.get_executor()) {}
    asio::steady_timer timer;
    asio::executor_work_guard<asio::io_context::executor_type> work;
};

Loop::Loop(std::string name, std::chrono::milliseconds tick)
    : name_(std::move(name)),
      tick_(tick),
      io_(std::make_unique<asio::io_context>(1)),
      ticker_(std::make_unique<Ticker>(*io_)),
      received_(new char[kScratchBytes]),
      decrypted_(new char[kScratchBytes]) {}

Loop::~Loop() {
    stop();
    ticker_.reset();
}

void Loop::start() {
    thread_ = std::thread([this] {
        name_thread(name_);
        mark_loop_thread();
        tick();
        for (;;) {
            try {
                io_->run();
                return;
            } catch (const std::exception& escaped) {
                log_error("net", "an exception reached the loop", {{"what", escaped.what()}});
            }
        }
    });
}

void Loop::stop() {
    if (!thread_.joinable()) return;
    run([this] { close_all(); });
    io_->stop();
    thread_.join();
}

void Loop::post(std::function<void()> fn) {
    asio::post(*io_, std::move(fn));
}

bool Loop::run(std::function<void()> fn) {
    if (!thread_.joinable()) return false;
    TARN_ASSERT(std::this_thread::get_id() != thread_.get_id());
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
    post([&] {
        fn();
        std::lock_guard<std::mutex> lock(mutex);
        done = true;
        wake.notify_one();
    });
    std::unique_lock<std::mutex> lock(mutex);
    wake.wait(lock, [&] { return done; });
    return true;
}

void Loop::add(std::shared_ptr<Connection> connection) {
    connection->place_in_loop = connections_.size();
    connections_.push_back(std::move(connection));
}

void Loop::remove(Connection& connection) {
    const size_t at = connection.place_in_loop;
    TARN_ASSERT(at < connections_.size() && connections_[at].get() == &connection);
    auto keep = std::move(connections_[at]);
    if (at + 1 != connections_.size()) {
        connections_[at] = std::move(connections_.back());
        connections_[at]->place_in_loop = at;
    }
    connections_.pop_back();
    load_.fetch_sub(1, std::memory_order_relaxed);
}

// A call may remove the connection at hand, which puts the last one, already seen, in its place.
void Loop::tick() {
    const int64_t now = steady_ms();
    for (size_t i = connections_.size(); i-- > 0;) {
        auto keep = connections_[i];
        keep->tick(now);
    }
    ticker_->timer.expires_after(tick_);
    ticker_->timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) tick();
    });
}

void Loop::drain_all() {
    for (size_t i = connections_.size(); i-- > 0;) {
        auto keep = connections_[i];
        keep->drain();
    }
}

void Loop::close_all() {
    ticker_->timer.cancel();
    while (!connections_.empty()) {
        auto keep = connections_.back();
        keep->close_now();
    }
}

}  // namespace tarn::net

// One loop: a thread that runs an io_context, with the connections it owns and the buffers they
// share.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tarn::net {

class Connection;

inline constexpr size_t kScratchBytes = 256 * 1024;

/// Milliseconds of the steady clock; never 0.
int64_t steady_ms();

/// Owner: the server. add, remove and the scratch buffers belong to the loop's thread; the rest to
/// any.
class Loop {
 public:
    Loop(std::string name, std::chrono::milliseconds tick);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void start();
    /// Closes every connection and joins. Nothing may be posted afterwards but by closed
    /// connections, which do not.
    void stop();
    void post(std::function<void()> fn);
    /// Posts and waits; false when the loop does not run.
    bool run(std::function<void()> fn);
    boost::asio::io_context& io() { return *io_; }

    void add(std::shared_ptr<Connection> connection);
    void remove(Connection& connection);
    void drain_all();
    size_t load() const { return load_.load(std::memory_order_relaxed); }
    /// Counts a connection that is on its way here.
    void expect_one() { load_.fetch_add(1, std::memory_order_relaxed); }

    char* received_scratch() { return received_.get(); }
    char* decrypted_scratch() { return decrypted_.get(); }

 private:
    struct Ticker;

    void tick();
    void close_all();

    const std::string name_;
    const std::chrono::milliseconds tick_;
    std::unique_ptr<boost::asio::io_context> io_;
    std::unique_ptr<Ticker> ticker_;
    std::unique_ptr<char[]> received_;
    std::unique_ptr<char[]> decrypted_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::atomic<size_t> load_{0};
    std::thread thread_;
};

}  // namespace tarn::net

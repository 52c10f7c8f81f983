#include "net/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/lane.h"
#include "base/log.h"
#include "base/mutex.h"
#include "net/internal/connection.h"
#include "net/internal/loop.h"

namespace tarn::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kAcceptsPerTurn = 64;
constexpr auto kAcceptBackOff = std::chrono::milliseconds(100);  // out of descriptors or memory

using PickLoop = std::function<Loop&()>;

/// Lane: the first loop's, but for the constructor, open and the door's counter.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
    Listener(Loop& home, PickLoop pick, std::shared_ptr<Door> door)
        : home_(home),
          pick_(std::move(pick)),
          door_(std::move(door)),
          acceptor_(std::in_place, home.io()),
          back_off_(std::in_place, home.io()) {}

    Result<uint16_t> open();
    void accept();
    void close() {
        acceptor_.reset();
        back_off_.reset();
    }
    Door& door() { return *door_; }

 private:
    void accept_waiting();
    void hand_over(int descriptor);
    void retry_later();

    Loop& home_;
    const PickLoop pick_;
    const std::shared_ptr<Door> door_;
    std::optional<tcp::acceptor> acceptor_;
    std::optional<asio::steady_timer> back_off_;
    bool ipv6_ = false;
    bool waiting_ = false;
};

Result<uint16_t> Listener::open() {
    const auto& options = door_->options;
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error)
        return Error(Code::invalid_argument, "not an IPv4 or IPv6 address: " + options.address);
    ipv6_ = address.is_v6();
    const tcp::endpoint endpoint(address, options.port);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && ipv6_) acceptor_->set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(4096, error);
    if (!error) acceptor_->non_blocking(true, error);
    if (error) {
        const auto code =
            error == asio::error::address_in_use ? Code::already_exists : Code::invalid_argument;
        return Error(code, "can't listen on " + options.address + " port " +
                               std::to_string(options.port) + ": " + error.message());
    }
    return acceptor_->local_endpoint(error).port();
}

void Listener::accept() {
    if (!acceptor_ || waiting_ || door_->open.load() >= door_->options.connections_max) return;
    waiting_ = true;
    acceptor_->async_wait(tcp::acceptor::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                              self->waiting_ = false;
                              if (!error) self->accept_waiting();
                          });
}

void Listener::accept_waiting() {
    for (int i = 0; acceptor_ && i < kAcceptsPerTurn; ++i) {
        if (door_->open.load() >= door_->options.connections_max) return;
        const int descriptor =
            ::accept4(acceptor_->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0) {
            hand_over(descriptor);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_warning("net", "can't accept",
                        {{"door", door_->options.door}, {"why", std::strerror(errno)}});
            return retry_later();
        }  // else the peer gave up before it was accepted
    }
    accept();
}

void Listener::hand_over(int descriptor) {
    door_->open.fetch_add(1);
    if (door_->accepted != nullptr) {
        door_->accepted->add();
        door_->connections->add(1);
    }
    Loop& loop = pick_();
    loop.expect_one();
    auto adopt = [&loop, descriptor, ipv6 = ipv6_, door = door_] {
        auto connection = Connection::adopt(loop, descriptor, ipv6, door);
        loop.add(connection);
        connection->start();
    };
    if (&loop == &home_)
        adopt();
    else
        loop.post(std::move(adopt));
}

void Listener::retry_later() {
    back_off_->expires_after(kAcceptBackOff);
    back_off_->async_wait([self = shared_from_this()](const error_code& error) {
        if (!error) self->accept();
    });
}

class AsioServer final : public Server {
 public:
    explicit AsioServer(ServerOptions options) : options_(options) {
        for (size_t i = 0; i < std::max<size_t>(1, options_.loops); ++i)
            loops_.push_back(std::make_unique<Loop>("loop-" + std::to_string(i), options_.tick));
    }
    ~AsioServer() override { stop(); }

    Result<uint16_t> add_listener(ListenerOptions options) override;
    Status start() override;
    bool drain(std::chrono::milliseconds deadline) override;
    void stop() override;
    size_t connections() const override {
        size_t open = 0;
        for (const auto& listener : listeners_) open += listener->door().open.load();
        return open;
    }

 private:
    std::shared_ptr<Door> make_door(ListenerOptions options);
    Loop& least_loaded();
    void stop_accepting();

    const ServerOptions options_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::shared_ptr<Listener>> listeners_;
    bool started_ = false;
    bool stopped_ = false;
    Mutex mutex_;
    Condition closed_one_;
};

Result<uint16_t> AsioServer::add_listener(ListenerOptions options) {
    if (!options.factory)
        return Error(Code::invalid_argument, "a listener needs a session factory");
    if (options.tls_mode != TlsMode::none && !options.tls)
        return Error(Code::invalid_argument, "door " + options.door + ": TLS needs a certificate");
    auto door = make_door(std::move(options));
    auto listener = std::make_shared<Listener>(
        *loops_[0], [this]() -> Loop& { return least_loaded(); }, door);
    door->on_closed = [this, &home = *loops_[0], weak = std::weak_ptr<Listener>(listener)] {
        if (auto full = weak.lock();
            full && full->door().open.load() + 1 >= full->door().options.connections_max)
            home.post([full] { full->accept(); });
        MutexLock lock(mutex_);
        closed_one_.notify_all();
    };
    TARN_TRY(port, listener->open());
    listeners_.push_back(listener);
    if (started_) loops_[0]->post([listener] { listener->accept(); });
    return port;
}

std::shared_ptr<Door> AsioServer::make_door(ListenerOptions options) {
    auto door = std::make_shared<Door>();
    door->options = std::move(options);
    if (Metrics* metrics = options_.metrics) {
        const MetricLabels labels = {{"door", door->options.door}};
        door->accepted = &metrics->counter("tarn_net_accepted_total",
                                           "connections accepted since the start", labels);
        door->connections = &metrics->gauge("tarn_net_connections", "connections open", labels);
        door->received_bytes = &metrics->counter("tarn_net_received_bytes_total",
                                                 "bytes received, TLS included", labels);
        door->sent_bytes =
            &metrics->counter("tarn_net_sent_bytes_total", "bytes sent, TLS included", labels);
    }
    return door;
}

Loop& AsioServer::least_loaded() {
    Loop* least = loops_[0].get();
    for (const auto& loop : loops_)
        if (loop->load() < least->load()) least = loop.get();
    return *least;
}

Status AsioServer::start() {
    if (started_) return Error(Code::invalid_argument, "the server has been started already");
    started_ = true;
    for (const auto& loop : loops_) loop->start();
    for (const auto& listener : listeners_) loops_[0]->post([listener] { listener->accept(); });
    return {};
}

void AsioServer::stop_accepting() {
    auto close = [this] {
        for (const auto& listener : listeners_) listener->close();
    };
    if (!loops_[0]->run(close)) close();
}

bool AsioServer::drain(std::chrono::milliseconds deadline) {
    assert_may_block();
    if (!started_ || stopped_) return true;
    const auto until = std::chrono::steady_clock::now() + deadline;
    stop_accepting();
    for (const auto& loop : loops_) loop->run([&loop] { loop->drain_all(); });
    MutexLock lock(mutex_);
    while (connections() > 0)
        if (!closed_one_.wait_until(mutex_, until)) return connections() == 0;
    return true;
}

void AsioServer::stop() {
    assert_may_block();
    if (stopped_) return;
    stopped_ = true;
    stop_accepting();
    for (const auto& loop : loops_) loop->stop();
}

}  // namespace

std::unique_ptr<Server> Server::create(ServerOptions options) {
    return std::make_unique<AsioServer>(options);
}

}  // namespace tarn::net

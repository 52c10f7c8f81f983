#include "net/internal/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <map>
#include <optional>

#include "base/log.h"
#include "base/mutex.h"
#include "net/internal/loop.h"
#include "net/internal/send_queue.h"
#include "net/internal/tls_engine.h"

namespace tarn::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int64_t kLingerMs = 2'000;
constexpr size_t kSealedBytesMax = 256 * 1024;  // ciphertext made ahead of the kernel
constexpr int kReadRounds = 8;  // of the scratch buffer before other connections have their turn
constexpr uint8_t kTlsHandshakeRecord = 0x16;

std::string address_text(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    return address.to_string();
}

/// Who writes: with the queue unarmed any thread that sends writes at once, under the mutex,
/// without blocking. What the kernel refuses arms a wait on the loop, which then writes alone. With
/// TLS, and while a session's call runs (corked), sends only queue and the loop writes.
class SocketConnection final : public Connection,
                               public std::enable_shared_from_this<SocketConnection> {
 public:
    SocketConnection(Loop& loop, tcp::socket socket, std::shared_ptr<Door> door)
        : loop_(loop), door_(std::move(door)), socket_(std::move(socket)) {
        descriptor_ = socket_->native_handle();  // -1 when it could not be adopted
    }

    // Connection
    void start() override;
    void tick(int64_t now_ms) override;
    void drain() override {
        with_session([](Session& session) { session.on_drain(); });
    }
    void close_now() override;

    // Wire
    bool send(std::string bytes) override { return send(std::move(bytes), {}); }
    bool send(std::string first, std::string second) override;
    size_t unsent_bytes() const override { return unsent_.load(std::memory_order_relaxed); }
    bool post(std::function<void()> fn) override;
    void close_after_send() override;
    void abort() override;
    bool closed() const override {
        MutexLock lock(mutex_);
        return closed_;
    }
    void set_deadline(std::chrono::milliseconds from_now) override {
        deadline_ms_.store(from_now.count() > 0 ? steady_ms() + from_now.count() : 0,
                           std::memory_order_relaxed);
    }

    // Transport
    std::shared_ptr<Wire> wire() override { return shared_from_this(); }
    void pause_reading() override { reading_ = false; }
    void resume_reading() override;
    TimerId after(std::chrono::milliseconds from_now, std::function<void()> fn) override;
    void cancel(TimerId timer) override { timers_.erase(timer); }
    Status start_tls() override;
    bool tls_available() const override { return door_->options.tls != nullptr; }
    bool is_tls() const override { return tls_ != nullptr; }
    const std::string& peer_address() const override { return peer_address_; }
    uint16_t peer_port() const override { return peer_port_; }
    const std::string& local_address() const override { return local_address_; }
    uint16_t local_port() const override { return local_port_; }

 private:
    bool learn_addresses();
    template <typename Call>
    void with_session(Call call);
    bool post_locked(void (SocketConnection::*member)()) TARN_REQUIRES(mutex_);
    void write_locked() TARN_REQUIRES(mutex_);
    void wait_writable();
    void flush();
    void notify_drained();
    void seal();
    void finish_send();
    void read_more();
    void on_read(const error_code& error, size_t size);
    void continue_reading();
    void received(std::string_view bytes);
    void deliver(std::string_view bytes);
    void open_tls();
    void got_eof();

    Loop& loop_;
    const std::shared_ptr<Door> door_;
    std::string peer_address_, local_address_;
    uint16_t peer_port_ = 0, local_port_ = 0;
    std::atomic<size_t> unsent_{0};
    std::atomic<int64_t> deadline_ms_{0};
    std::atomic<int64_t> stalled_since_ms_{0};

    mutable Mutex mutex_;
    SendQueue clear_ TARN_GUARDED_BY(mutex_);  // waits for encryption
    SendQueue queue_ TARN_GUARDED_BY(mutex_);  // waits for the kernel
    int descriptor_ TARN_GUARDED_BY(mutex_) = -1;
    int corks_ TARN_GUARDED_BY(mutex_) = 0;
    bool encrypts_ TARN_GUARDED_BY(mutex_) = false;
    bool armed_ TARN_GUARDED_BY(mutex_) = false;
    bool flush_posted_ TARN_GUARDED_BY(mutex_) = false;
    bool drained_posted_ TARN_GUARDED_BY(mutex_) = false;
    bool above_low_water_ TARN_GUARDED_BY(mutex_) = false;
    bool failed_ TARN_GUARDED_BY(mutex_) = false;
    bool closing_ TARN_GUARDED_BY(mutex_) = false;
    bool closed_ TARN_GUARDED_BY(mutex_) = false;

    // The loop's alone.
    std::optional<tcp::socket> socket_;  // gone once closed: it must not outlive the io_context
    std::unique_ptr<Session> session_;
    std::unique_ptr<TlsEngine> tls_;
    std::map<TimerId, asio::steady_timer> timers_;
    TimerId next_timer_ = 1;
    int64_t tls_deadline_ms_ = 0;
    int64_t linger_until_ms_ = 0;
    size_t held_ = 0;  // bytes of small_ that arrived while paused
    bool undecided_ = false;
    bool reading_ = true;
    bool read_pending_ = false;
    bool eof_ = false;
    bool sent_all_ = false;  // and said so to the peer
    bool gone_ = false;
    std::array<char, 2048> small_;
};

void SocketConnection::start() {
    if (!learn_addresses()) return close_now();
    const ListenerOptions& options = door_->options;
    if (options.tls_mode == TlsMode::required) open_tls();
    undecided_ = options.tls_mode == TlsMode::sniff;
    if (undecided_) tls_deadline_ms_ = 0;
    if (gone_) return;
    session_ = options.factory(*this);
    if (!session_) return close_now();
    read_more();
}

bool SocketConnection::learn_addresses() {
    error_code error;
    const auto peer = socket_->remote_endpoint(error);
    if (error) return false;
    const auto local = socket_->local_endpoint(error);
    if (error) return false;
    peer_address_ = address_text(peer.address());
    peer_port_ = peer.port();
    local_address_ = address_text(local.address());
    local_port_ = local.port();
    return true;
}

// What a session sends within one call leaves in one gathered write.
template <typename Call>
void SocketConnection::with_session(Call call) {
    if (gone_ || !session_) return;
    {
        MutexLock lock(mutex_);
        ++corks_;
    }
    call(*session_);
    {
        MutexLock lock(mutex_);
        if (--corks_ > 0 || (clear_.empty() && queue_.empty())) return;
    }
    flush();
}

void SocketConnection::tick(int64_t now_ms) {
    const auto passed = [now_ms](int64_t deadline) { return deadline != 0 && now_ms >= deadline; };
    if (passed(tls_deadline_ms_) || passed(linger_until_ms_)) return close_now();
    const int64_t stalled = stalled_since_ms_.load(std::memory_order_relaxed);
    if (stalled != 0 && now_ms - stalled >= door_->options.send_stall_timeout.count())
        return close_now();
    int64_t deadline = deadline_ms_.load(std::memory_order_relaxed);
    if (passed(deadline) && deadline_ms_.compare_exchange_strong(deadline, 0))
        with_session([](Session& session) { session.on_deadline(); });
}

void SocketConnection::close_now() {
    if (gone_) return;
    gone_ = true;
    auto self = shared_from_this();
    {
        MutexLock lock(mutex_);
        closed_ = closing_ = true;
        descriptor_ = -1;
        clear_.clear();
        queue_.clear();
        unsent_ = 0;
        error_code ignored;
        socket_->close(ignored);
    }
    socket_.reset();
    timers_.clear();
    tls_.reset();
    if (session_) session_->on_close();
    session_.reset();
    loop_.remove(*this);
    if (door_->connections != nullptr) door_->connections->add(-1);
    door_->open.fetch_sub(1);
    door_->on_closed();
}

// ---- sending

bool SocketConnection::send(std::string first, std::string second) {
    MutexLock lock(mutex_);
    if (closing_) return false;
    unsent_.fetch_add(first.size() + second.size(), std::memory_order_relaxed);
    SendQueue& queue = encrypts_ ? clear_ : queue_;
    queue.push(std::move(first));
    queue.push(std::move(second));
    if (corks_ > 0) {
        above_low_water_ = above_low_water_ || unsent_bytes() > kLowWaterBytes;
        return true;
    }
    if (!encrypts_) {
        if (!armed_) write_locked();
    } else if (!flush_posted_) {
        flush_posted_ = post_locked(&SocketConnection::flush);
    }
    above_low_water_ = above_low_water_ || unsent_bytes() > kLowWaterBytes;
    return true;
}

bool SocketConnection::post_locked(void (SocketConnection::*member)()) {
    if (closed_) return false;
    asio::post(loop_.io(), [self = shared_from_this(), member] { (self.get()->*member)(); });
    return true;
}

void SocketConnection::write_locked() {
    if (failed_ || closed_) return;
    size_t written = 0;
    const auto outcome = queue_.write_to(descriptor_, written);
    unsent_.fetch_sub(written, std::memory_order_relaxed);
    if (door_->sent_bytes != nullptr && written > 0)
        door_->sent_bytes->add(static_cast<double>(written));
    if (outcome == SendQueue::Outcome::failed) {
        failed_ = true;
        post_locked(&SocketConnection::close_now);
        return;
    }
    if (outcome == SendQueue::Outcome::emptied) {
        stalled_since_ms_.store(0, std::memory_order_relaxed);
    } else {
        if (written > 0 || stalled_since_ms_.load(std::memory_order_relaxed) == 0)
            stalled_since_ms_.store(steady_ms(), std::memory_order_relaxed);
        if (!armed_) armed_ = post_locked(&SocketConnection::wait_writable);
    }
    if (above_low_water_ && unsent_bytes() <= kLowWaterBytes && !drained_posted_)
        drained_posted_ = post_locked(&SocketConnection::notify_drained);
}

void SocketConnection::wait_writable() {
    if (gone_) return;
    socket_->async_wait(tcp::socket::wait_write,
                        [self = shared_from_this()](const error_code& error) {
                            if (self->gone_) return;
                            if (error) return self->close_now();
                            {
                                MutexLock lock(self->mutex_);
                                self->armed_ = false;
                            }
                            self->flush();
                        });
}

void SocketConnection::notify_drained() {
    {
        MutexLock lock(mutex_);
        drained_posted_ = false;
        if (unsent_bytes() > kLowWaterBytes) return;
        above_low_water_ = false;
    }
    with_session([](Session& session) { session.on_drained(); });
}

void SocketConnection::flush() {
    if (gone_) return;
    bool finished = false;
    for (;;) {
        seal();
        MutexLock lock(mutex_);
        flush_posted_ = false;
        if (!armed_) write_locked();
        finished = closing_ && clear_.empty() && queue_.empty();
        const bool can_seal = tls_ && tls_->established() && !clear_.empty();
        if (armed_ || failed_ || !can_seal) break;
    }
    if (finished) finish_send();
}

/// Encrypts what waits, up to a bound ahead of the kernel, and fetches what the engine itself has
/// to say.
void SocketConnection::seal() {
    if (!tls_) return;
    std::string sealed;
    while (tls_->established()) {
        std::string piece;
        {
            MutexLock lock(mutex_);
            if (clear_.empty() || queue_.bytes() + sealed.size() > kSealedBytesMax) break;
            piece = clear_.pop();
        }
        const bool ok = tls_->write(piece);
        unsent_.fetch_sub(piece.size(), std::memory_order_relaxed);
        if (!ok) return abort();
        tls_->take_output(sealed);
    }
    tls_->take_output(sealed);
    MutexLock lock(mutex_);
    unsent_.fetch_add(sealed.size(), std::memory_order_relaxed);
    queue_.push(std::move(sealed));
}

bool SocketConnection::post(std::function<void()> fn) {
    MutexLock lock(mutex_);
    if (closed_) return false;
    asio::post(loop_.io(), [self = shared_from_this(), fn = std::move(fn)] {
        self->with_session([&fn](Session&) { fn(); });
    });
    return true;
}

void SocketConnection::close_after_send() {
    MutexLock lock(mutex_);
    if (closing_) return;
    closing_ = true;
    post_locked(&SocketConnection::flush);
}

void SocketConnection::abort() {
    MutexLock lock(mutex_);
    closing_ = true;
    post_locked(&SocketConnection::close_now);
}

/// All is sent: say so, and wait shortly for the peer's own end. Closing at once would let the
/// kernel answer bytes that are still on their way with a reset, which can destroy the answer
/// before the peer has read it.
void SocketConnection::finish_send() {
    if (sent_all_) return;
    sent_all_ = true;
    if (tls_) {
        tls_->close_notify();
        seal();
        MutexLock lock(mutex_);
        if (!armed_) write_locked();
    }
    error_code ignored;
    socket_->shutdown(tcp::socket::shutdown_send, ignored);
    if (eof_) return close_now();
    linger_until_ms_ = steady_ms() + kLingerMs;
    held_ = 0;
    reading_ = true;
    read_more();
}

// ---- receiving

void SocketConnection::resume_reading() {
    if (reading_) return;
    reading_ = true;
    MutexLock lock(mutex_);
    post_locked(&SocketConnection::continue_reading);
}

void SocketConnection::continue_reading() {
    if (gone_ || !reading_) return;
    if (held_ > 0) {
        const std::string held(small_.data(), std::exchange(held_, 0));
        received(held);
    } else if (tls_) {
        received({});
    }
    read_more();
}

void SocketConnection::read_more() {
    if (gone_ || read_pending_ || !reading_ || eof_ || held_ > 0) return;
    read_pending_ = true;
    socket_->async_read_some(asio::buffer(small_),
                             [self = shared_from_this()](const error_code& error, size_t size) {
                                 self->on_read(error, size);
                             });
}

void SocketConnection::on_read(const error_code& error, size_t size) {
    read_pending_ = false;
    if (gone_) return;
    if (error == asio::error::eof) return got_eof();
    if (error) return close_now();
    if (!reading_) {
        held_ = size;
        return;
    }
    char* scratch = loop_.received_scratch();
    std::memcpy(scratch, small_.data(), size);
    bool more = size == small_.size();
    for (int round = 0; round < kReadRounds && reading_; ++round) {
        if (more) {
            const ssize_t got = ::recv(socket_->native_handle(), scratch + size,
                                       kScratchBytes - size, MSG_DONTWAIT);
            if (got > 0) size += static_cast<size_t>(got);
            // An end or an error is found again, and dealt with, by the next read.
        }
        if (size == 0) break;
        more = size == kScratchBytes;
        received({scratch, size});
        size = 0;
        if (gone_ || !more) break;
    }
    read_more();
}

void SocketConnection::received(std::string_view bytes) {
    if (door_->received_bytes != nullptr && !bytes.empty())
        door_->received_bytes->add(static_cast<double>(bytes.size()));
    if (linger_until_ms_ != 0) return;
    if (undecided_ && !bytes.empty()) {
        undecided_ = false;
        if (static_cast<uint8_t>(bytes[0]) == kTlsHandshakeRecord) open_tls();
        if (gone_) return;
    }
    if (!tls_) return deliver(bytes);
    tls_->feed(bytes);
    auto step = TlsEngine::Step::bytes;
    while (step == TlsEngine::Step::bytes && reading_ && !gone_) {
        size_t size = 0;
        step = tls_->read(loop_.decrypted_scratch(), kScratchBytes, size);
        if (step == TlsEngine::Step::bytes) deliver({loop_.decrypted_scratch(), size});
    }
    if (gone_) return;
    if (tls_->established()) tls_deadline_ms_ = 0;
    flush();  // the handshake's own messages, an alert, and what waited for its end
    if (gone_) return;
    if (step == TlsEngine::Step::failed) {
        log_debug(
            "net", "TLS failed",
            {{"door", door_->options.door}, {"peer", peer_address_}, {"why", tls_->failure()}});
        return close_now();
    }
    if (step == TlsEngine::Step::peer_closed) got_eof();
}

void SocketConnection::deliver(std::string_view bytes) {
    if (bytes.empty()) return;
    {
        MutexLock lock(mutex_);
        if (closing_) return;
    }
    with_session([bytes](Session& session) { session.on_bytes(bytes); });
}

void SocketConnection::got_eof() {
    if (eof_) return;
    eof_ = true;
    // Before the end of a handshake there is nobody to talk to any more.
    if (sent_all_ || undecided_ || (tls_ && !tls_->established())) return close_now();
    with_session([](Session& session) { session.on_eof(); });
}

// ---- TLS and timers

void SocketConnection::open_tls() {
    auto engine = TlsEngine::create(*door_->options.tls);
    if (!engine.ok()) {
        log_error("net", engine.error().message, {{"door", door_->options.door}});
        return close_now();
    }
    tls_ = std::move(engine).value();
    tls_deadline_ms_ = steady_ms() + door_->options.handshake_timeout.count();
    MutexLock lock(mutex_);
    encrypts_ = true;
}

Status SocketConnection::start_tls() {
    if (!tls_available()) return Error(Code::invalid_argument, "this listener has no certificate");
    if (tls_) return Error(Code::invalid_argument, "the connection is encrypted already");
    undecided_ = false;
    open_tls();
    return {};
}

TimerId SocketConnection::after(std::chrono::milliseconds from_now, std::function<void()> fn) {
    const TimerId id = next_timer_++;
    if (gone_) return id;
    auto& timer = timers_.try_emplace(id, loop_.io()).first->second;
    timer.expires_after(from_now);
    timer.async_wait([self = shared_from_this(), id, fn = std::move(fn)](const error_code& error) {
        if (error || self->timers_.erase(id) == 0) return;
        self->with_session([&fn](Session&) { fn(); });
    });
    return id;
}

}  // namespace

std::shared_ptr<Connection> Connection::adopt(Loop& loop, int descriptor, bool ipv6,
                                              std::shared_ptr<Door> door) {
    tcp::socket socket(loop.io());
    error_code error;
    // Cannot fail but for want of memory in the kernel; start() then finds a socket without a peer
    // and closes it.
    if (socket.assign(ipv6 ? tcp::v6() : tcp::v4(), descriptor, error)) ::close(descriptor);
    socket.non_blocking(true, error);
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::keep_alive(true), error);
    return std::make_shared<SocketConnection>(loop, std::move(socket), std::move(door));
}

}  // namespace tarn::net

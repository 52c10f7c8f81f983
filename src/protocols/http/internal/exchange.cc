#include "protocols/http/internal/exchange.h"

#include <cstdio>
#include <exception>
#include <optional>

#include "base/log.h"

namespace tarn::http {
namespace {

constexpr uint64_t kLeastBytesPerSecond = 4 * 1024;  // of a peer that makes a handler wait
constexpr size_t kJoinBytesMax = 16 * 1024;  // bodies up to this are copied behind their head

Error gone_error() {
    return Error(Code::cancelled, "the peer has closed the connection");
}

std::string chunk_head(size_t size) {
    char digits[24];
    const int count = std::snprintf(digits, sizeof digits, "%zx\r\n", size);
    return std::string(digits, static_cast<size_t>(count));
}

/// Closes when the last handle goes.
class DetachedStream final : public ResponseStream {
 public:
    explicit DetachedStream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    ~DetachedStream() override { exchange_->stream_close(); }
    bool write(std::string bytes) override { return exchange_->stream_write(std::move(bytes)); }
    void close() override { exchange_->stream_close(); }
    void on_close(std::function<void()> fn) override { exchange_->stream_on_close(std::move(fn)); }
    bool closed() const override { return exchange_->stream_closed(); }

 private:
    const std::shared_ptr<Exchange> exchange_;
};

class SuspendedExchange final : public Suspended {
 public:
    explicit SuspendedExchange(std::shared_ptr<Exchange> exchange)
        : exchange_(std::move(exchange)) {}
    ~SuspendedExchange() override {
        if (exchange_ != nullptr) exchange_->abandon();
    }
    void resume(std::function<void()> rest) override {
        std::exchange(exchange_, nullptr)->resume(std::move(rest));
    }

 private:
    std::shared_ptr<Exchange> exchange_;  // null once resumed
};

}  // namespace

Exchange::Exchange(std::shared_ptr<const Service::Shared> service, std::shared_ptr<net::Wire> wire,
                   ExchangeOwner& owner, RequestHead head, Peer peer)
    : service_(std::move(service)),
      wire_(std::move(wire)),
      owner_(owner),
      begun_(std::chrono::steady_clock::now()),
      request_(std::move(head), std::move(peer), this),
      body_(service_->options.body_buffer_bytes),
      owes_continue_(request_.head().expects_continue) {}

// ---- the loop's side

bool Exchange::finished() const {
    MutexLock lock(mutex_);
    return finished_;
}

bool Exchange::finished_or_call_later() {
    MutexLock lock(mutex_);
    owner_waits_ = !finished_;
    return finished_;
}

bool Exchange::closing() const {
    MutexLock lock(mutex_);
    return closing_;
}

bool Exchange::detached() const {
    MutexLock lock(mutex_);
    return detached_;
}

void Exchange::on_drained() {
    MutexLock lock(mutex_);
    changed_.notify_all();
}

void Exchange::on_gone() {
    {
        MutexLock lock(mutex_);
        gone_ = true;
        changed_.notify_all();
    }
    body_.fail(gone_error());
    call_on_close();
}

void Exchange::on_drain() {
    bool end_stream = false;
    {
        MutexLock lock(mutex_);
        draining_ = true;
        end_stream = detached_ && !finished_;
    }
    if (end_stream) stream_close();
}

void Exchange::refuse(Refusal::Kind kind, int status, std::string_view message) {
    Response response = service_->refuse({kind, status, message, &request_.head()});
    const auto sent = respond(response.status, response.headers, std::move(response.body));
    if (!sent.ok()) wire_->abort();
}

// ---- the lane's side

bool Exchange::run_on(Lane& lane) {
    lane_ = &lane;
    auto job = [self = shared_from_this()] {
        self->run([&] { self->service_->handler(self->request_, self->responder_); });
        // Its rest may run by now: nothing else of it may be touched here.
        if (!self->suspended_) self->conclude();
    };
    SpareLane* const spare = service_->options.spare;
    return spare != nullptr ? spare->submit(lane, std::move(job)) : lane.try_submit(std::move(job));
}

template <typename Call>
void Exchange::run(Call call) {
    try {
        call();
    } catch (const std::exception& escaped) {
        log_error("http", "a handler ended by an exception",
                  {{"door", service_->options.door},
                   {"method", request_.method()},
                   {"what", escaped.what()}});
    }
}

std::shared_ptr<Suspended> Exchange::suspend() {
    suspended_ = true;
    return std::make_shared<SuspendedExchange>(shared_from_this());
}

void Exchange::resume(std::function<void()> rest) {
    rest_ = std::move(rest);
    SpareLane* const spare = service_->options.spare;
    Lane* const lane = spare != nullptr ? spare->choose(lane_) : lane_;
    const bool taken = lane->resume([self = shared_from_this()] {
        self->run(std::exchange(self->rest_, nullptr));
        self->conclude();
    });
    if (taken) return;
    rest_ = nullptr;  // the server has stopped
    abandon();
}

void Exchange::conclude() {
    {
        MutexLock lock(mutex_);
        if (finished_ || detached_) return;
    }
    Status done;
    if (status_ == 0)
        done =
            respond(500, {{"Content-Type", "text/plain"}}, "the request could not be completed\n");
    else if (bodiless_ || left_ == 0u)
        done = end();
    else
        done = fail_answer("the handler returned before the answer's end");
    if (!done.ok()) wire_->abort();
}

/// What was sent must not look whole: only an aborted connection says so.
Status Exchange::fail_answer(std::string_view why) {
    {
        MutexLock lock(mutex_);
        finished_ = closing_ = true;
        if (gone_) return gone_error();
    }
    wire_->abort();
    log_warning("http", "an answer was cut off", {{"door", service_->options.door}, {"why", why}});
    return Error(Code::internal, std::string(why));
}

bool Exchange::Patience::ended(std::chrono::milliseconds pause) const {
    return waited > pause + std::chrono::seconds(moved_bytes / kLeastBytesPerSecond);
}

Result<std::string> Exchange::read(size_t max) {
    if (owes_continue_) {
        owes_continue_ = false;
        if (status_ == 0) wire_->send("HTTP/1.1 100 Continue\r\n\r\n");
    }
    bool resume = false;
    const auto pause = service_->options.body_timeout;
    std::optional<SpareLane::Wait> wait;
    if (!body_.ready()) wait.emplace(service_->options.spare);
    const auto begun = std::chrono::steady_clock::now();
    auto piece = body_.read(max, pause, resume);
    if (wait) incoming_.waited += std::chrono::steady_clock::now() - begun;
    if (piece.ok()) incoming_.moved_bytes += piece->size();
    if (piece.ok() && !piece->empty() && incoming_.ended(pause))
        piece = Error(Code::timed_out, "the request's body comes too slowly");
    if (!piece.ok()) close_ = true;
    if (resume) wire_->post([&owner = owner_] { owner.on_body_room(); });
    return piece;
}

/// Without a body there is nothing to wait with, but a client that asked wants its 100 all the
/// same: botocore 1.29 takes a final status in its place for the answer to the connection's next
/// request, too (RFC 9110 10.1.1 lets a server send it).
void Exchange::continue_without_body() {
    if (!owes_continue_ || request_.head().has_body()) return;
    owes_continue_ = false;
    wire_->send("HTTP/1.1 100 Continue\r\n\r\n");
}

Status Exchange::check_head_allowed(int status) const {
    if (status_ != 0) return Error(Code::internal, "the answer's head has been sent already");
    if (status < 200 || status > 599) return Error(Code::internal, "not a final status");
    return {};
}

/// An unread body that is too long to throw away, or whose sender still waits to be told to go on,
/// ends the connection.
bool Exchange::must_close() {
    if (close_ || !request_.head().keep_alive) return true;
    {
        MutexLock lock(mutex_);
        if (draining_) return true;
    }
    if (owes_continue_) return true;
    if (body_.complete()) return false;
    return request_.content_length().value_or(0) > service_->options.drain_bytes;
}

ConnectionField Exchange::connection_field() {
    close_ = must_close();
    if (close_) return ConnectionField::close;
    return request_.head().minor_version == 0 ? ConnectionField::keep_alive : ConnectionField::none;
}

Status Exchange::respond(int status, const ResponseHeaders& headers, std::string body) {
    TARN_CHECK_OK(check_head_allowed(status));
    continue_without_body();
    status_ = status;
    ResponseFraming framing;
    if (status_has_body(status)) framing.content_length = body.size();
    framing.connection = connection_field();
    bodiless_ = !status_has_body(status) || request_.method() == "HEAD";
    if (bodiless_) body.clear();
    const bool join = body.size() <= kJoinBytesMax;
    std::string head =
        format_response_head(status, headers, framing, service_->now(), join ? body.size() : 0);
    if (join) {
        head += body;
        body = std::string();
    }
    return finish(std::move(head), std::move(body));
}

Status Exchange::send_head(int status, const ResponseHeaders& headers,
                           std::optional<uint64_t> content_length) {
    TARN_CHECK_OK(check_head_allowed(status));
    continue_without_body();
    status_ = status;
    bodiless_ = !status_has_body(status) || request_.method() == "HEAD";
    ResponseFraming framing;
    if (status != 204) framing.content_length = content_length;
    if (!content_length && !bodiless_) {
        if (request_.head().minor_version == 0)
            close_ = true;  // its end is the connection's
        else
            chunked_ = framing.chunked = true;
    }
    framing.connection = connection_field();
    if (!bodiless_) left_ = content_length;
    held_head_ = format_response_head(status, headers, framing, service_->now());
    return {};
}

/// What goes before a piece of the body: the head if it still waits, and the chunk's frame.
std::string Exchange::take_prefix(size_t chunk_size) {
    std::string prefix = std::exchange(held_head_, {});
    if (!chunked_) return prefix;
    if (wrote_chunk_) prefix += "\r\n";
    wrote_chunk_ = true;
    prefix += chunk_head(chunk_size);
    return prefix;
}

Status Exchange::send_piece(std::string bytes) {
    std::string prefix = take_prefix(bytes.size());
    if (prefix.empty() ? wire_->send(std::move(bytes))
                       : wire_->send(std::move(prefix), std::move(bytes)))
        return {};
    return gone_error();
}

Status Exchange::write(std::string bytes) {
    if (status_ == 0) return Error(Code::internal, "a body before its head");
    if (bodiless_ || bytes.empty()) return peer_gone() ? Status(gone_error()) : Status();
    if (left_) {
        if (bytes.size() > *left_)
            return fail_answer("the body is longer than its declared length");
        *left_ -= bytes.size();
    }
    outgoing_.moved_bytes += bytes.size();
    TARN_CHECK_OK(send_piece(std::move(bytes)));
    const size_t bound = service_->options.unsent_bytes_max;
    if (wire_->unsent_bytes() <= bound) return peer_gone() ? Status(gone_error()) : Status();
    assert_may_block();
    const SpareLane::Wait wait(service_->options.spare);
    const auto begun = std::chrono::steady_clock::now();
    {
        // A peer that takes nothing meets the connection's stall timeout; the pause bounds what a
        // missed call could cost.
        MutexLock lock(mutex_);
        while (!gone_ && wire_->unsent_bytes() > bound) {
            changed_.wait_for(mutex_, std::chrono::seconds(1));
            Patience now = outgoing_;
            now.waited += std::chrono::steady_clock::now() - begun;
            if (now.ended(service_->options.body_timeout)) break;
        }
        if (gone_) return gone_error();
    }
    outgoing_.waited += std::chrono::steady_clock::now() - begun;
    if (wire_->unsent_bytes() <= bound) return {};
    static_cast<void>(fail_answer("the peer takes it too slowly"));
    return Error(Code::timed_out, "the answer is taken too slowly");
}

Status Exchange::end() {
    if (status_ == 0) return Error(Code::internal, "an end without a head");
    if (left_.value_or(0) > 0 && !bodiless_)
        return fail_answer("the body is shorter than its declared length");
    std::string last = std::exchange(held_head_, {});
    if (chunked_) last += wrote_chunk_ ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
    return finish(std::move(last), {});
}

// The last bytes leave under the mutex: the next request may arrive at once, and the loop must then
// find this exchange finished, or wait for the moment that it takes. send never blocks.
Status Exchange::finish(std::string first, std::string second) {
    const bool whole = body_.complete();
    if (!whole) body_.discard();
    bool sent = true;
    {
        MutexLock lock(mutex_);
        if (finished_) return Error(Code::internal, "the answer has ended already");
        finished_ = true;
        closing_ = close_ || draining_ || gone_;
        if (!closing_) wire_->set_deadline(service_->options.keep_alive_timeout);
        if (!first.empty() || !second.empty())
            sent = wire_->send(std::move(first), std::move(second));
        sent = sent && !gone_;
        if (closing_)
            wire_->close_after_send();
        else if (owner_waits_ || !whole)
            wire_->post([&owner = owner_] { owner.on_exchange_finished(); });
    }
    service_->count(status_, begun_);
    return sent ? Status() : Status(gone_error());
}

bool Exchange::peer_gone() const {
    MutexLock lock(mutex_);
    return gone_;
}

// ---- the detached answer

Result<std::shared_ptr<ResponseStream>> Exchange::detach(size_t unsent_bytes_max) {
    if (status_ == 0 || left_)
        return Error(Code::internal, "only an answer without a length can be detached");
    stream_bytes_max_ = unsent_bytes_max;
    bool over = bodiless_;
    {
        MutexLock lock(mutex_);
        if (gone_) return gone_error();
        if (finished_ || detached_)
            return Error(Code::internal, "the answer has ended or been detached already");
        detached_ = true;
        over = over || draining_;
        if (!over && !wire_->send(std::exchange(held_head_, {}))) return gone_error();
    }
    auto stream = std::make_shared<DetachedStream>(shared_from_this());
    if (over) stream->close();
    return std::shared_ptr<ResponseStream>(std::move(stream));
}

bool Exchange::stream_write(std::string bytes) {
    if (bytes.empty()) return !stream_closed();
    MutexLock one_at_a_time(stream_mutex_);
    if (stream_closed()) return false;
    if (wire_->unsent_bytes() + bytes.size() <= stream_bytes_max_ &&
        send_piece(std::move(bytes)).ok())
        return true;
    // on_gone follows and tells the stream's owner.
    const auto ended = fail_answer("the reader of a stream lags behind or has gone");
    return ended.ok();
}

void Exchange::stream_close() {
    {
        MutexLock one_at_a_time(stream_mutex_);
        if (stream_closed()) return;
        const auto ended = end();
        if (!ended.ok()) wire_->abort();
    }
    call_on_close();
}

void Exchange::stream_on_close(std::function<void()> fn) {
    {
        MutexLock lock(mutex_);
        if (!finished_ && !gone_) {
            on_close_ = std::move(fn);
            return;
        }
    }
    if (fn) fn();
}

bool Exchange::stream_closed() const {
    MutexLock lock(mutex_);
    return finished_ || gone_;
}

void Exchange::call_on_close() {
    std::function<void()> fn;
    {
        MutexLock lock(mutex_);
        fn = std::exchange(on_close_, nullptr);
    }
    if (fn) fn();
}

}  // namespace tarn::http

// One request and its answer: the part that the loop (Session) and the lane (the handler) share.
#pragma once

#include <functional>
#include <memory>

#include "net/transport.h"
#include "protocols/http/internal/body_buffer.h"
#include "protocols/http/internal/response_head.h"
#include "protocols/http/internal/shared.h"

namespace tarn::http {

/// Who is told, on the loop, when an exchange needs its connection: the session.
class ExchangeOwner {
 public:
    virtual ~ExchangeOwner() = default;
    virtual void on_body_room() = 0;
    virtual void on_exchange_finished() = 0;
};

/// Held by the session until it is finished, by the lane's job, and by a detached stream.
class Exchange final : public BodySource,
                       public ResponseSink,
                       public std::enable_shared_from_this<Exchange> {
 public:
    Exchange(std::shared_ptr<const Service::Shared> service, std::shared_ptr<net::Wire> wire,
             ExchangeOwner& owner, RequestHead head, Peer peer);

    // ---- the loop's
    BodyBuffer& body() { return body_; }
    const RequestHead& head() const { return request_.head(); }
    bool finished() const;
    /// True when it has finished already; otherwise on_exchange_finished will come.
    bool finished_or_call_later();
    /// The answer is complete, and the connection will not be used again.
    bool closing() const;
    bool detached() const;
    void on_drained();
    void on_gone();
    /// The server stops: no further request on this connection.
    void on_drain();
    /// Answers in the handler's stead.
    void refuse(Refusal::Kind kind, int status, std::string_view message);

    // ---- the lane's
    /// Runs the handler and completes what it left undone. False: the lane is full.
    [[nodiscard]] bool run_on(Lane& lane);
    /// What it was suspended for has come. Lane: any.
    void resume(std::function<void()> rest);
    /// It never will.
    void abandon() { wire_->abort(); }

    // BodySource
    Result<std::string> read(size_t max) override;
    const Headers& trailers() const override { return body_.trailers(); }

    // ResponseSink
    Status respond(int status, const ResponseHeaders& headers, std::string body) override;
    Status send_head(int status, const ResponseHeaders& headers,
                     std::optional<uint64_t> content_length) override;
    Status write(std::string bytes) override;
    Status end() override;
    Result<std::shared_ptr<ResponseStream>> detach(size_t unsent_bytes_max) override;
    std::shared_ptr<Suspended> suspend() override;
    void close_connection() override { close_ = true; }
    bool head_sent() const override { return status_ != 0; }
    bool peer_gone() const override;

    // ---- a detached stream's; any lane
    bool stream_write(std::string bytes);
    void stream_close();
    void stream_on_close(std::function<void()> fn);
    bool stream_closed() const;

 private:
    /// Calls what is the door's own.
    template <typename Call>
    void run(Call call);
    void continue_without_body();
    Status check_head_allowed(int status) const;
    bool must_close();
    ConnectionField connection_field();
    std::string take_prefix(size_t chunk_size);
    Status send_piece(std::string bytes);
    /// Sends the last bytes of the answer and hands the connection back.
    Status finish(std::string first, std::string second);
    Status fail_answer(std::string_view why);
    void conclude();
    void call_on_close();

    /// What the peer made the handler wait in one direction. It may take a pause, and a second for
    /// every few KiB: one byte now and then does not hold a thread for hours.
    struct Patience {
        std::chrono::steady_clock::duration waited{};
        uint64_t moved_bytes = 0;

        bool ended(std::chrono::milliseconds pause) const;
    };

    const std::shared_ptr<const Service::Shared> service_;
    const std::shared_ptr<net::Wire> wire_;
    ExchangeOwner&
        owner_;  // touched only by functions that run on the loop while the session lives
    const std::chrono::steady_clock::time_point begun_;
    Request request_;
    Responder responder_{this};
    BodyBuffer body_;
    Lane* lane_ = nullptr;  // that the handler began on
    bool suspended_ = false;      // written and read by the thread of the handler's call
    std::function<void()> rest_;  // of a handler that was suspended

    // The lane's; a stream's once detached, under stream_mutex_.
    std::string held_head_;
    int status_ = 0;
    bool bodiless_ = false;
    bool chunked_ = false;
    bool wrote_chunk_ = false;
    bool close_ = false;
    bool owes_continue_ = false;
    Patience incoming_, outgoing_;
    std::optional<uint64_t> left_;
    size_t stream_bytes_max_ = 0;
    Mutex stream_mutex_;  // before mutex_

    mutable Mutex mutex_;
    Condition changed_;
    bool finished_ TARN_GUARDED_BY(mutex_) = false;
    bool gone_ TARN_GUARDED_BY(mutex_) = false;
    bool draining_ TARN_GUARDED_BY(mutex_) = false;
    bool detached_ TARN_GUARDED_BY(mutex_) = false;
    bool owner_waits_ TARN_GUARDED_BY(mutex_) = false;
    bool closing_ TARN_GUARDED_BY(mutex_) = false;
    std::function<void()> on_close_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::http

// The answer to one request, and the handle for answers that go on for long (server-sent events).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/http/headers.h"

namespace tarn::http {

/// A complete answer as a value.
struct Response {
    int status = 200;
    ResponseHeaders headers;
    std::string body;
};

/// An answer that was detached from its handler's call. Lane: any, never blocks; outlives the
/// connection safely. The last handle to go closes the stream.
class ResponseStream {
 public:
    virtual ~ResponseStream() = default;
    /// False when the peer has gone, close was called, or the piece would make more than the bound
    /// wait: then the stream is closed, for a subscriber that lags has lost something.
    virtual bool write(std::string bytes) = 0;
    /// Ends the answer after what was written.
    virtual void close() = 0;
    /// fn is called once, when the stream has ended for whatever reason: on the connection's loop
    /// (must not block), or at once on the calling thread when it has ended already. Replaces a
    /// former fn.
    virtual void on_close(std::function<void()> fn) = 0;
    virtual bool closed() const = 0;
};

/// A request that waits for something without a thread, between its handler's return and its
/// answer. Lane: any, never blocks. The last handle that goes without resume() aborts the
/// connection.
class Suspended {
 public:
    virtual ~Suspended() = default;
    /// Runs the rest of the handler on its lane, with the request and the responder alive. Once.
    virtual void resume(std::function<void()> rest) = 0;
};

/// Where a response goes: the connection, or a test's record.
class ResponseSink {
 public:
    virtual ~ResponseSink() = default;
    virtual Status respond(int status, const ResponseHeaders& headers, std::string body) = 0;
    virtual Status send_head(int status, const ResponseHeaders& headers,
                             std::optional<uint64_t> content_length) = 0;
    virtual Status write(std::string bytes) = 0;
    virtual Status end() = 0;
    virtual Result<std::shared_ptr<ResponseStream>> detach(size_t unsent_bytes_max) = 0;
    virtual std::shared_ptr<Suspended> suspend() = 0;
    virtual void close_connection() = 0;
    virtual bool head_sent() const = 0;
    virtual bool peer_gone() const = 0;
};

/// Owned by the server for the time of the handler's call, and on to the end of its rest when it was
/// suspended. Lane: the handler's. Every call fails with cancelled when the peer has gone. A handler that returns without an answer causes a 500,
/// one that ends a body early an aborted connection.
class Responder {
 public:
    explicit Responder(ResponseSink* sink) : sink_(sink) {}
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;

    /// The whole answer, head and body in one send. To HEAD the body's length is told and the body
    /// left out.
    Status respond(int status, const ResponseHeaders& headers, std::string body) {
        return sink_->respond(status, headers, std::move(body));
    }
    Status respond(Response response) {
        return sink_->respond(response.status, response.headers, std::move(response.body));
    }
    /// Without a length the body is chunked (HTTP/1.0: ended by closing). Answers to HEAD, and 204
    /// and 304, have no body: write then throws the bytes away, so handlers need not care. The head
    /// is held back and goes with the first write.
    Status send_head(int status, const ResponseHeaders& headers,
                     std::optional<uint64_t> content_length) {
        return sink_->send_head(status, headers, content_length);
    }
    /// Blocks while more than 1 MiB waits to be sent; timed_out when the peer takes nothing for too
    /// long.
    Status write(std::string bytes) { return sink_->write(std::move(bytes)); }
    Status end() { return sink_->end(); }

    /// After send_head without a length: the answer goes on after the handler has returned, without
    /// its lane.
    Result<std::shared_ptr<ResponseStream>> detach(size_t unsent_bytes_max = 1024 * 1024) {
        return sink_->detach(unsent_bytes_max);
    }
    /// The handler returns without an answer and without touching the request again; its rest gives
    /// the answer. Once a request.
    std::shared_ptr<Suspended> suspend() { return sink_->suspend(); }
    /// The connection ends after this answer. Call before the head is sent, so that it says so.
    void close_connection() { sink_->close_connection(); }
    bool head_sent() const { return sink_->head_sent(); }
    bool peer_gone() const { return sink_->peer_gone(); }

 private:
    ResponseSink* sink_;
};

/// "Not Found" for 404; "" for codes without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace tarn::http

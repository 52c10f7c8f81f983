#include "protocols/http/fake_exchange.h"

#include "base/mutex.h"
#include "protocols/http/internal/body_parser.h"
#include "protocols/http/internal/head_parser.h"

namespace tarn::http {
namespace {

class TextBody final : public BodySource {
 public:
    Result<std::string> read(size_t max) override {
        std::string piece = text.substr(at, max);
        at += piece.size();
        return piece;
    }
    const Headers& trailers() const override { return trailing; }

    std::string text;
    size_t at = 0;
    Headers trailing;
};

struct Recorded {
    int status = 0;
    Headers headers;
    std::string body;
    std::optional<uint64_t> declared_length;
    bool ended = false;
    std::function<void()> on_close;
};

class RecordedStream final : public ResponseStream {
 public:
    explicit RecordedStream(Recorded& record) : record_(record) {}
    bool write(std::string bytes) override {
        if (!record_.ended) record_.body += bytes;
        return !record_.ended;
    }
    void close() override {
        if (std::exchange(record_.ended, true)) return;
        if (record_.on_close) record_.on_close();
    }
    void on_close(std::function<void()> fn) override {
        if (record_.ended)
            fn();
        else
            record_.on_close = std::move(fn);
    }
    bool closed() const override { return record_.ended; }

 private:
    Recorded& record_;
};

/// Where a suspended handler's rest goes.
struct Rest {
    Mutex mutex;
    Condition changed;
    bool ended TARN_GUARDED_BY(mutex) = false;  // run is there, or never will be
    std::function<void()> run TARN_GUARDED_BY(mutex);
};

class RestHandle final : public Suspended {
 public:
    explicit RestHandle(std::shared_ptr<Rest> rest) : rest_(std::move(rest)) {}
    ~RestHandle() override { resume({}); }
    void resume(std::function<void()> run) override {
        MutexLock lock(rest_->mutex);
        if (std::exchange(rest_->ended, true)) return;
        rest_->run = std::move(run);
        rest_->changed.notify_all();
    }

 private:
    const std::shared_ptr<Rest> rest_;
};

class Record final : public ResponseSink {
 public:
    Status respond(int status, const ResponseHeaders& headers, std::string body) override {
        const uint64_t size = body.size();
        TARN_CHECK_OK(send_head(status, headers, size));
        TARN_CHECK_OK(write(std::move(body)));
        return end();
    }
    Status send_head(int status, const ResponseHeaders& headers,
                     std::optional<uint64_t> length) override {
        if (recorded.status != 0)
            return Error(Code::internal, "the answer's head has been sent already");
        recorded.status = status;
        recorded.declared_length = length;
        std::string_view rest = headers.wire();
        while (!rest.empty()) {
            const size_t end = rest.find("\r\n");
            const auto line = rest.substr(0, end);
            const size_t colon = line.find(": ");
            recorded.headers.add(line.substr(0, colon), line.substr(colon + 2));
            rest.remove_prefix(end + 2);
        }
        return {};
    }
    Status write(std::string bytes) override {
        if (recorded.status == 0 || recorded.ended)
            return Error(Code::internal, "a body outside an answer");
        if (!bodiless) recorded.body += bytes;
        return {};
    }
    Status end() override {
        if (recorded.status == 0 || recorded.ended)
            return Error(Code::internal, "an end outside an answer");
        if (!bodiless && recorded.declared_length &&
            recorded.body.size() != *recorded.declared_length)
            return Error(Code::internal, "the body's length differs from the declared one");
        recorded.ended = true;
        return {};
    }
    Result<std::shared_ptr<ResponseStream>> detach(size_t) override {
        if (recorded.status == 0 || recorded.declared_length)
            return Error(Code::internal, "only an answer without a length can be detached");
        stream = std::make_shared<RecordedStream>(recorded);
        return stream;
    }
    std::shared_ptr<Suspended> suspend() override {
        suspended = std::make_shared<Rest>();
        return std::make_shared<RestHandle>(suspended);
    }
    void close_connection() override {}
    bool head_sent() const override { return recorded.status != 0; }
    bool peer_gone() const override { return false; }

    Recorded recorded;
    bool bodiless = false;
    std::shared_ptr<ResponseStream> stream;
    std::shared_ptr<Rest> suspended;  // null: it was not
};

std::string message_text(
    const std::string& method, const std::string& target,
    std::initializer_list<std::pair<std::string_view, std::string_view>> headers,
    const std::string& body) {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    bool has_host = false;
    bool has_length = false;
    for (const auto& [name, value] : headers) {
        text.append(name).append(": ").append(value).append("\r\n");
        has_host = has_host || equal_ignoring_case(name, "host");
        has_length = has_length || equal_ignoring_case(name, "content-length");
    }
    if (!has_host) text += "Host: localhost\r\n";
    if (!has_length && !body.empty())
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
}

RequestHead parse_message(std::string_view message, TextBody& body) {
    HeadParser heads;
    TARN_ASSERT(heads.feed(message) == HeadParser::Step::complete);
    RequestHead head = heads.take();
    BodyParser bodies(head);
    std::string_view data;
    auto step = BodyParser::Step::data;
    while ((step = bodies.next(message, data)) == BodyParser::Step::data) body.text += data;
    TARN_ASSERT(step == BodyParser::Step::complete);
    body.trailing = std::move(bodies.trailers());
    return head;
}

}  // namespace

struct FakeExchange::Impl {
    explicit Impl(std::string_view message)
        : request(parse_message(message, body), Peer{"127.0.0.1", 50000, 4566, false}, &body),
          responder(&record) {
        record.bodiless = request.method() == "HEAD";
    }

    TextBody body;
    Record record;
    Request request;
    Responder responder;
};

FakeExchange::FakeExchange(
    std::string method, std::string target,
    std::initializer_list<std::pair<std::string_view, std::string_view>> headers, std::string body)
    : impl_(std::make_unique<Impl>(message_text(method, target, headers, body))) {}

FakeExchange::FakeExchange(std::string_view message) : impl_(std::make_unique<Impl>(message)) {}

FakeExchange::~FakeExchange() = default;

void FakeExchange::run_rest() {
    const auto rest = impl_->record.suspended;
    if (rest == nullptr) return;
    std::function<void()> run;
    {
        MutexLock lock(rest->mutex);
        while (!rest->ended) rest->changed.wait(rest->mutex);
        run = std::move(rest->run);
    }
    if (run) run();
}

Request& FakeExchange::request() {
    return impl_->request;
}
Responder& FakeExchange::responder() {
    return impl_->responder;
}
int FakeExchange::status() const {
    return impl_->record.recorded.status;
}
std::string FakeExchange::header(std::string_view name) const {
    return std::string(impl_->record.recorded.headers.get(name));
}
const Headers& FakeExchange::headers() const {
    return impl_->record.recorded.headers;
}
const std::string& FakeExchange::body() const {
    return impl_->record.recorded.body;
}
std::optional<uint64_t> FakeExchange::declared_length() const {
    return impl_->record.recorded.declared_length;
}
bool FakeExchange::ended() const {
    return impl_->record.recorded.ended;
}
std::shared_ptr<ResponseStream> FakeExchange::stream() const {
    return impl_->record.stream;
}

}  // namespace tarn::http

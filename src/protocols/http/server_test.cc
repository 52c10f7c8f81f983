#include "protocols/http/server.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <thread>

#include "net/fake_transport.h"
#include "protocols/http/fake_exchange.h"

namespace tarn::http {
namespace {

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

/// A session over a transport that is no socket; the handler runs on a lane of one thread.
class Http : public testing::Test {
 protected:
    void open(Handler handler, std::function<void(ServiceOptions&)> adjust = nullptr) {
        ServiceOptions options;
        options.lane = lane_.get();
        options.clock = &clock_;
        options.body_timeout = std::chrono::milliseconds(50);
        if (adjust) adjust(options);
        service_ = std::make_unique<Service>(options, std::move(handler));
        transport_ = std::make_shared<net::FakeTransport>();
        session_ = service_->factory()(*transport_);
    }
    void TearDown() override {
        lane_->stop();
        if (session_) session_->on_close();
    }
    /// Waits for the lane, then runs what it left to the loop, until nothing is left.
    void settle() {
        for (int i = 0; i < 8; ++i) {
            std::promise<void> passed;
            ASSERT_TRUE(lane_->try_submit([&] { passed.set_value(); }));
            passed.get_future().wait();
            transport_->run_posted();
        }
    }
    std::string exchange(std::string_view bytes) {
        session_->on_bytes(bytes);
        settle();
        return transport_->take_sent();
    }
    static std::string answer(std::string_view body, std::string_view more = "") {
        return "HTTP/1.1 200 OK\r\nDate: Sun, 15 Jun 2025 15:06:40 GMT\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + std::string(more) + "\r\n" +
               std::string(body);
    }
    static Handler echo_path() {
        return [](Request& request, Responder& responder) {
            ASSERT_TRUE(responder.respond(200, {}, std::string(request.path())).ok());
        };
    }
    static Handler count_body() {
        return [](Request& request, Responder& responder) {
            auto body = request.read_all(1 << 20);
            const auto text = body.ok() ? std::to_string(body->size())
                                        : std::string(to_string(body.error().code));
            EXPECT_TRUE(responder.respond(200, {}, text).ok());
        };
    }

    ManualClock clock_;
    std::unique_ptr<Lane> lane_ = std::make_unique<Lane>(LaneOptions{"test", 1, 16});
    std::unique_ptr<Service> service_;
    std::shared_ptr<net::FakeTransport> transport_;
    std::unique_ptr<net::Session> session_;
};

TEST_F(Http, answers_and_keeps_the_connection) {
    open(echo_path());
    EXPECT_EQ(exchange(kGet), answer("/x"));
    EXPECT_EQ(transport_->deadline(), std::chrono::seconds(75));
    EXPECT_EQ(exchange("GET /y HT"), "");
    EXPECT_EQ(transport_->deadline(), std::chrono::seconds(10));
    EXPECT_EQ(exchange("TP/1.1\r\nHost: h\r\n\r\n"), answer("/y"));
    EXPECT_FALSE(transport_->closing());
}

TEST_F(Http, pipelined_requests_are_answered_in_turn) {
    open(echo_path());
    std::string requests, answers;
    for (const char* path : {"/1", "/2", "/3", "/4"}) {
        requests += std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
        answers += answer(path);
    }
    EXPECT_EQ(exchange(requests), answers);
    EXPECT_TRUE(transport_->reading());
}

TEST_F(Http, closes_when_asked_to) {
    open(echo_path());
    EXPECT_EQ(exchange("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              answer("/x", "Connection: close\r\n"));
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, http_1_0) {
    open([](Request&, Responder& responder) {
        ASSERT_TRUE(responder.send_head(200, {}, std::nullopt).ok());
        ASSERT_TRUE(responder.write("until the end").ok());
        ASSERT_TRUE(responder.end().ok());
    });
    const auto sent = exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(sent.find("Connection: close\r\n\r\nuntil the end"), std::string::npos) << sent;
    EXPECT_TRUE(transport_->closing());
    open(echo_path());
    EXPECT_EQ(exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              answer("/", "Connection: keep-alive\r\n"));
}

TEST_F(Http, chunks_what_has_no_length) {
    open([](Request&, Responder& responder) {
        ASSERT_TRUE(responder.send_head(200, {{"A", "b"}}, std::nullopt).ok());
        ASSERT_TRUE(responder.write("0123456789abcdef").ok());
        ASSERT_TRUE(responder.write("").ok());
        ASSERT_TRUE(responder.write("x").ok());
        ASSERT_TRUE(responder.end().ok());
    });
    const auto sent = exchange(kGet);
    EXPECT_NE(sent.find("A: b\r\nTransfer-Encoding: "
                        "chunked\r\n\r\n10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n"),
              std::string::npos)
        << sent;
    EXPECT_FALSE(transport_->closing());
}

TEST_F(Http, head_204_and_304_have_no_body) {
    int status = 200;
    open([&](Request&, Responder& responder) {
        ASSERT_TRUE(
            responder
                .send_head(status, {}, status == 204 ? std::nullopt : std::optional<uint64_t>(5))
                .ok());
        ASSERT_TRUE(responder.write("hello").ok());
        ASSERT_TRUE(responder.end().ok());
    });
    const auto ends_after_head = [](const std::string& sent) {
        return sent.find("\r\n\r\n") + 4 == sent.size();
    };
    auto sent = exchange("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(ends_after_head(sent));
    EXPECT_NE(sent.find("Content-Length: 5"), std::string::npos);
    status = 204;
    sent = exchange(kGet);
    EXPECT_TRUE(ends_after_head(sent));
    EXPECT_EQ(sent.find("Content-Length"), std::string::npos);
    EXPECT_EQ(sent.find("Transfer-Encoding"), std::string::npos);
    status = 304;
    EXPECT_TRUE(ends_after_head(exchange(kGet)));
    EXPECT_FALSE(transport_->closing());
}

TEST_F(Http, bodies) {
    open(count_body());
    EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"), "");
    EXPECT_EQ(exchange("llo"), answer("5"));
    const std::string large(300'000, 'x');
    EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + large),
              answer("300000"));
    EXPECT_TRUE(transport_->reading());
    EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
                       std::string(kGet)),
              answer("5") + answer("0"));
}

TEST_F(Http, a_full_buffer_holds_the_peer_back) {
    std::promise<void> go;
    auto gone = go.get_future().share();
    open([&](Request& request, Responder& responder) {
        gone.wait();
        auto body = request.read_all(1 << 20);
        EXPECT_TRUE(body.ok() && responder.respond(200, {}, std::to_string(body->size())).ok());
    });
    session_->on_bytes("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n");
    session_->on_bytes(std::string(500'000, 'x'));
    EXPECT_TRUE(transport_->reading());
    session_->on_bytes(std::string(20'000, 'x'));
    EXPECT_TRUE(transport_->reading());
    session_->on_bytes(std::string(70'000, 'x'));
    EXPECT_FALSE(transport_->reading());
    go.set_value();
    while (!transport_->reading()) transport_->run_posted();
    EXPECT_EQ(exchange(std::string(10'000, 'x')), answer("600000"));
}

TEST_F(Http, expect_continue) {
    bool read = true;
    open(
        [&](Request& request, Responder& responder) {
            if (read) {
                EXPECT_EQ(*request.read_all(10), "hello");
            }
            ASSERT_TRUE(responder.respond(200, {}, "").ok());
        },
        [](ServiceOptions& options) { options.body_timeout = std::chrono::seconds(10); });
    const char* head =
        "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    session_->on_bytes(head);
    std::string sent;
    while (sent.empty()) sent = transport_->take_sent();
    EXPECT_EQ(sent, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(exchange("hello"), answer(""));
    read = false;
    EXPECT_EQ(exchange(head), answer("", "Connection: close\r\n"));
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, expect_continue_without_a_body_is_answered_with_both) {
    open(echo_path());
    EXPECT_EQ(
        exchange("PUT /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n" + answer("/e"));
    EXPECT_FALSE(transport_->closing());
}

TEST_F(Http, the_rest_of_an_unread_body_is_thrown_away_up_to_a_bound) {
    open([](Request& request, Responder& responder) {
        ASSERT_TRUE(responder.respond(200, {}, std::string(request.path())).ok());
    });
    EXPECT_EQ(exchange("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"),
              answer("/a"));
    EXPECT_EQ(exchange(std::string(100'000, 'x') + kGet), answer("/x"));
    EXPECT_EQ(exchange("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
              answer("/b"));
    EXPECT_EQ(exchange("50000\r\n" + std::string(300'000, 'x')), "");
    EXPECT_TRUE(transport_->closing());
    open(echo_path());
    EXPECT_EQ(exchange("PUT /c HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"),
              answer("/c", "Connection: close\r\n"));
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, refusals_are_in_the_doors_words) {
    open(echo_path(), [](ServiceOptions& options) {
        options.refuse = [](const Refusal& refusal) {
            return Response{refusal.status, {{"Content-Type", "text/xml"}}, "<Error/>"};
        };
    });
    const auto sent = exchange("GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n");
    EXPECT_EQ(sent.find("HTTP/1.1 400 Bad Request\r\n"), 0u);
    EXPECT_NE(sent.find("text/xml"), std::string::npos);
    EXPECT_NE(sent.find("Connection: close\r\n\r\n<Error/>"), std::string::npos);
    EXPECT_TRUE(transport_->closing());
    EXPECT_EQ(exchange(kGet), "");
}

TEST_F(Http, a_full_lane_is_busy) {
    std::promise<void> release;
    auto released = release.get_future().share();
    open(echo_path());
    while (lane_->try_submit([released] { released.wait(); })) {
    }
    session_->on_bytes(kGet);
    EXPECT_EQ(transport_->take_sent().find("HTTP/1.1 503 Service Unavailable\r\n"), 0u);
    release.set_value();
    while (lane_->queued() > 0) std::this_thread::yield();
    EXPECT_EQ(exchange(kGet), answer("/x"));
}

TEST_F(Http, broken_chunks_reach_the_handler) {
    open(count_body());
    const auto sent =
        exchange("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX");
    EXPECT_NE(sent.find("invalid_argument"), std::string::npos) << sent;
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, a_body_that_stops_coming_times_out) {
    open(count_body());
    const auto sent =
        exchange("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
    EXPECT_NE(sent.find("timed_out"), std::string::npos) << sent;
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, deadlines) {
    open(echo_path());
    session_->on_deadline();
    EXPECT_TRUE(transport_->closing());
    EXPECT_EQ(transport_->take_sent(), "");
    for (const char* partial :
         {"GET / HT", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe"}) {
        open(echo_path());
        EXPECT_EQ(exchange(partial), "");
        session_->on_deadline();
        EXPECT_EQ(transport_->take_sent().find("HTTP/1.1 408 Request Timeout\r\n"), 0u);
        EXPECT_TRUE(transport_->closing());
    }
}

TEST_F(Http, handlers_that_fail) {
    open([](Request& request, Responder& responder) {
        if (request.path() == "/throw") throw std::runtime_error("told by the test");
        if (request.path() == "/nothing") return;
        if (request.path() == "/late") {
            EXPECT_TRUE(responder.send_head(200, {}, 2).ok());
            EXPECT_TRUE(responder.write("ok").ok());
            return;
        }
        EXPECT_TRUE(responder.send_head(200, {}, 10).ok());
        EXPECT_EQ(responder.respond(200, {}, "").error().code, Code::internal);
        EXPECT_TRUE(responder.write("short").ok());
    });
    EXPECT_EQ(exchange("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n").find("HTTP/1.1 500 "), 0u);
    EXPECT_EQ(exchange("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").find("HTTP/1.1 500 "), 0u);
    EXPECT_EQ(exchange("GET /late HTTP/1.1\r\nHost: h\r\n\r\n"), answer("ok"));
    EXPECT_FALSE(transport_->closed());
    EXPECT_EQ(exchange("GET /short HTTP/1.1\r\nHost: h\r\n\r\n"),
              answer("0123456789").substr(0, answer("0123456789").size() - 10) + "short");
    EXPECT_TRUE(transport_->closed());
}

TEST_F(Http, a_suspended_handler_answers_later_and_holds_no_thread) {
    std::vector<std::shared_ptr<Suspended>> waiting;
    Responder* last = nullptr;
    open([&](Request&, Responder& responder) {
        waiting.push_back(responder.suspend());
        last = &responder;
    });
    EXPECT_EQ(exchange(std::string(kGet) + kGet), "");  // settles: the lane's one thread is free
    for (const size_t turn : {0u, 1u}) {
        ASSERT_EQ(waiting.size(), turn + 1);
        waiting[turn]->resume([&] { EXPECT_TRUE(last->respond(200, {}, "late").ok()); });
        settle();
        EXPECT_EQ(transport_->take_sent(), answer("late"));
    }
    EXPECT_FALSE(transport_->closed());
}

TEST_F(Http, a_suspended_handler_that_is_forgotten_aborts_its_connection) {
    std::shared_ptr<Suspended> waiting;
    open([&](Request&, Responder& responder) { waiting = responder.suspend(); });
    EXPECT_EQ(exchange(kGet), "");
    EXPECT_FALSE(transport_->closed());
    waiting.reset();
    EXPECT_TRUE(transport_->closed());
}

TEST_F(Http, a_suspended_handler_whose_rest_says_nothing_is_a_failure) {
    std::shared_ptr<Suspended> waiting;
    open([&](Request&, Responder& responder) { waiting = responder.suspend(); });
    EXPECT_EQ(exchange(kGet), "");
    waiting->resume([] { throw std::runtime_error("told by the test"); });
    settle();
    EXPECT_EQ(transport_->take_sent().find("HTTP/1.1 500 "), 0u);
}

TEST_F(Http, a_stream_lives_without_its_handler) {
    std::shared_ptr<ResponseStream> stream;
    open([&](Request&, Responder& responder) {
        ASSERT_TRUE(
            responder.send_head(200, {{"Content-Type", "text/event-stream"}}, std::nullopt).ok());
        auto detached = responder.detach(100);
        ASSERT_TRUE(detached.ok());
        stream = *detached;
    });
    EXPECT_NE(exchange(kGet).find("text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"),
              std::string::npos);
    EXPECT_TRUE(stream->write("data: 1\n\n"));
    EXPECT_EQ(transport_->take_sent(), "9\r\ndata: 1\n\n");
    int closed = 0;
    stream->on_close([&] { ++closed; });
    stream->close();
    EXPECT_EQ(transport_->take_sent(), "\r\n0\r\n\r\n");
    EXPECT_EQ(closed, 1);
    EXPECT_FALSE(stream->write("more"));
    EXPECT_NE(exchange(kGet), "");
    transport_->hold_sends = true;
    EXPECT_TRUE(stream->write(std::string(60, 'x')));
    EXPECT_FALSE(stream->write(std::string(60, 'x')));
    EXPECT_TRUE(transport_->closed());
}

TEST_F(Http, a_stream_ends_with_its_reader) {
    std::shared_ptr<ResponseStream> stream;
    open([&](Request&, Responder& responder) {
        ASSERT_TRUE(responder.send_head(200, {}, std::nullopt).ok());
        stream = *responder.detach();
    });
    EXPECT_NE(exchange(kGet), "");
    int closed = 0;
    stream->on_close([&] { ++closed; });
    session_->on_eof();
    EXPECT_TRUE(transport_->closed());
    session_->on_close();
    session_.reset();
    EXPECT_EQ(closed, 1);
    EXPECT_TRUE(stream->closed());
    EXPECT_FALSE(stream->write("x"));
    stream->on_close([&] { ++closed; });
    EXPECT_EQ(closed, 2);
}

/// Also those that were in the lane's queue before anybody waited.
TEST(SpareLaneTest, TakesOverWhatWaitsBehindThoseThatWait) {
    Lane usual({"usual", 1, 2});
    SpareLane spare(1, 1);
    std::binary_semaphore begin(0), go_on(0), done(0);
    ASSERT_TRUE(spare.submit(usual, [&] {
        begin.acquire();
        const SpareLane::Wait wait(&spare);
        go_on.acquire();
    }));
    while (usual.queued() > 0) std::this_thread::yield();
    std::atomic<int> runs = 0;
    ASSERT_TRUE(spare.submit(usual, [&] {
        ++runs;
        done.release();
    }));
    ASSERT_TRUE(spare.submit(usual, [&] { ++runs; }));
    EXPECT_FALSE(spare.submit(usual, [&] { ++runs; })) << "its queue is full";
    begin.release();
    ASSERT_TRUE(done.try_acquire_for(std::chrono::seconds(30)));
    go_on.release();
    usual.stop();
    spare.stop();
    EXPECT_EQ(runs, 2);
}

TEST_F(Http, others_do_not_wait_for_a_handler_that_waits_for_its_peer) {
    SpareLane spare(1, 1);
    open(count_body(), [&](ServiceOptions& options) {
        options.spare = &spare;
        options.body_timeout = std::chrono::minutes(5);
    });
    session_->on_bytes("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nx");
    while (spare.choose(lane_.get()) == lane_.get()) std::this_thread::yield();

    const auto other = std::make_shared<net::FakeTransport>();
    const auto session = service_->factory()(*other);
    session->on_bytes(kGet);
    std::string answered;
    while (answered.empty()) {
        other->run_posted();
        answered = other->take_sent();
    }
    EXPECT_NE(answered.find("200 OK"), std::string::npos);

    session_->on_bytes(std::string(99'999, 'x'));
    settle();
    EXPECT_NE(transport_->take_sent().find("100000"), std::string::npos);
    EXPECT_EQ(spare.choose(lane_.get()), lane_.get());
    spare.stop();
    session->on_close();
}

TEST_F(Http, draining_ends_after_the_answer) {
    open(echo_path());
    session_->on_drain();
    EXPECT_TRUE(transport_->closing());
    open(echo_path());
    EXPECT_EQ(exchange("GET /x HT"), "");
    session_->on_drain();
    EXPECT_FALSE(transport_->closing());
    EXPECT_EQ(exchange("TP/1.1\r\nHost: h\r\n\r\n"), answer("/x", "Connection: close\r\n"));
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Http, a_peer_that_leaves_wakes_the_handler) {
    std::promise<Code> seen;
    open(
        [&](Request& request, Responder& responder) {
            seen.set_value(request.read_all(100'000).error().code);
            EXPECT_EQ(responder.respond(200, {}, "").error().code, Code::cancelled);
        },
        [](ServiceOptions& options) { options.body_timeout = std::chrono::seconds(10); });
    session_->on_bytes("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    transport_->abort();
    session_->on_close();
    session_.reset();
    EXPECT_EQ(seen.get_future().get(), Code::cancelled);
}

TEST(FakeExchange, records) {
    FakeExchange exchange("PUT", "/b/k?acl&x=%20", {{"X-A", "1"}}, "hello");
    EXPECT_EQ(exchange.request().query_value("x"), " ");
    EXPECT_TRUE(exchange.request().has_query_parameter("acl"));
    EXPECT_EQ(exchange.request().header("x-a"), "1");
    EXPECT_EQ(exchange.request().read_all(4).error().code, Code::exhausted);
    EXPECT_TRUE(exchange.responder().respond(201, {{"ETag", "\"e\""}}, "made").ok());
    EXPECT_EQ(exchange.status(), 201);
    EXPECT_EQ(exchange.header("etag"), "\"e\"");
    EXPECT_EQ(exchange.body(), "made");
    EXPECT_TRUE(exchange.ended());
}

}  // namespace
}  // namespace tarn::http

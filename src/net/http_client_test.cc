#include "net/http_client.h"

#include <gtest/gtest.h>

#include "net/internal/test_client.h"

namespace tarn::net {
namespace {

/// Answers every request with the same bytes and keeps what was asked.
struct Canned {
    explicit Canned(std::string answer) {
        SessionCalls calls;
        calls.bytes = [this, answer](Transport& transport, std::string_view bytes) {
            asked += bytes;
            if (answer.empty() || asked.find("\r\n\r\n") == std::string::npos) return;
            transport.send(answer);
            transport.close_after_send();
        };
        server = std::make_unique<TestServer>(calls);
        call.url = "http://127.0.0.1:" + std::to_string(server->port) + "/hook?x=1";
        call.may_connect = [](const std::string& address, uint16_t) {
            return address == "127.0.0.1";
        };
    }

    std::string asked;
    std::unique_ptr<TestServer> server;
    HttpCall call;
};

TEST(HttpClient, posts) {
    Canned canned("HTTP/1.1 202 Accepted\r\nX-Thing:  a b \r\nContent-Length: 2\r\n\r\nok");
    canned.call.headers = {{"Content-Type", "application/json"}, {"webhook-id", "msg_1"}};
    canned.call.body = "{}";
    auto reply = http_call(canned.call);
    ASSERT_TRUE(reply.ok()) << reply.error().message;
    EXPECT_EQ(reply->status, 202);
    EXPECT_EQ(reply->body, "ok");
    EXPECT_EQ(reply->address, "127.0.0.1");
    EXPECT_EQ(reply->headers.front(), (std::pair<std::string, std::string>("x-thing", "a b")));
    canned.server->server->stop();
    EXPECT_EQ(canned.asked.find("POST /hook?x=1 HTTP/1.1\r\n"), 0u);
    EXPECT_NE(canned.asked.find("webhook-id: msg_1\r\n"), std::string::npos);
    EXPECT_EQ(canned.asked.find("Expect"), std::string::npos);
}

TEST(HttpClient, does_not_go_to_itself_unless_told) {
    Canned canned("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    canned.call.may_connect = nullptr;
    EXPECT_EQ(http_call(canned.call).error().code, Code::permission_denied);
    canned.call.url = "http://localhost:" + std::to_string(canned.server->port) + "/";
    EXPECT_EQ(http_call(canned.call).error().code, Code::permission_denied);
    canned.call.url = "http://0x7f.1:" + std::to_string(canned.server->port) + "/";
    EXPECT_EQ(http_call(canned.call).error().code, Code::permission_denied);
    canned.server->server->stop();
    EXPECT_EQ(canned.asked, "");
}

TEST(HttpClient, follows_no_redirect) {
    Canned canned(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    auto reply = http_call(canned.call);
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->status, 302);
}

TEST(HttpClient, bounds_the_answer) {
    Canned canned("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'));
    EXPECT_EQ(http_call(canned.call).error().code, Code::exhausted);
}

TEST(HttpClient, gives_up) {
    Canned canned("");
    canned.call.total_timeout = std::chrono::milliseconds(30);
    EXPECT_EQ(http_call(canned.call).error().code, Code::timed_out);
}

TEST(HttpClient, is_cancelled) {
    Canned canned("");
    const std::atomic<bool> cancel{true};
    canned.call.cancel = &cancel;
    EXPECT_EQ(http_call(canned.call).error().code, Code::cancelled);
}

TEST(HttpClient, refuses_what_it_cannot_send) {
    Canned canned("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    auto call = canned.call;
    call.headers = {{"X", "a\r\nY: b"}};
    EXPECT_EQ(http_call(call).error().code, Code::invalid_argument);
    call = canned.call;
    call.method = "GET /";
    EXPECT_EQ(http_call(call).error().code, Code::invalid_argument);
    for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "", "http://"}) {
        call = canned.call;
        call.url = url;
        EXPECT_EQ(http_call(call).error().code, Code::invalid_argument) << url;
    }
    call = canned.call;
    call.url = "http://127.0.0.1:1/";
    EXPECT_EQ(http_call(call).error().code, Code::unavailable);
}

}  // namespace
}  // namespace tarn::net

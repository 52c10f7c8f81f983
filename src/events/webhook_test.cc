#include "events/internal/webhook.h"

#include <gtest/gtest.h>

namespace tarn::events {
namespace {

using Kind = Verdict::Kind;

// The example that Standard Webhooks' own libraries test with.
TEST(Webhook, signs_as_published) {
    const auto signature =
        sign_webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                     1614265330, R"({"test": 2432232314})");
    ASSERT_TRUE(signature.ok());
    EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Webhook, secrets) {
    EXPECT_EQ(decode_secret(make_secret())->size(), 32u);
    EXPECT_NE(make_secret(), make_secret());
    EXPECT_TRUE(decode_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").ok());
    for (const char* bad : {"", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all, really not!"})
        EXPECT_EQ(decode_secret(bad).error().code, Code::invalid_argument) << bad;
}

TEST(Webhook, urls_show_no_secret) {
    const auto url =
        parse_webhook_url("https://me:p%40ss@hooks.example.com:8443/T1/B2/token?key=1#frag");
    ASSERT_TRUE(url.ok());
    EXPECT_EQ(url->host, "https://hooks.example.com:8443");
    EXPECT_EQ(url->where, "https://hooks.example.com:8443/...");
    EXPECT_EQ(url->url, "https://hooks.example.com:8443/T1/B2/token?key=1");
    EXPECT_EQ(url->userinfo, "me:p@ss");
    EXPECT_EQ(url->target.size(), 16u);
    EXPECT_EQ(parse_webhook_url("http://h")->url, "http://h/");
    EXPECT_NE(parse_webhook_url("http://h/a")->target, parse_webhook_url("http://h/b")->target);
    for (const char* bad : {"", "h/x", "ftp://h/", "https://", "https://:80/", "https:///x",
                            "http://a b/", "http://h\r\nX: y/", "https://a|b/", "http://a%zz@h/"})
        EXPECT_FALSE(parse_webhook_url(bad).ok()) << bad;
    const auto bad = parse_webhook_url("ftp://user:secret@h/token");
    EXPECT_EQ(bad.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(bad.error().message.find("token"), std::string::npos);
}

net::HttpReply answer(int status, std::string retry_after = "") {
    net::HttpReply reply;
    reply.status = status;
    if (!retry_after.empty()) reply.headers = {{"retry-after", retry_after}};
    return reply;
}

TEST(Webhook, judges) {
    const Timestamp now = *parse_time("2026-11-20T17:30:00Z");
    for (const int status : {200, 202, 204})
        EXPECT_EQ(judge(answer(status), now).kind, Kind::delivered);
    for (const int status : {301, 302, 307, 400, 401, 403, 404, 422})
        EXPECT_EQ(judge(answer(status), now).kind, Kind::refused) << status;
    for (const int status : {408, 409, 425, 429, 500, 502, 503, 504})
        EXPECT_EQ(judge(answer(status), now).kind, Kind::again) << status;
    EXPECT_EQ(judge(answer(410), now).kind, Kind::gone);
    EXPECT_EQ(judge(answer(503, "7"), now).pause, std::chrono::seconds(7));
    EXPECT_EQ(judge(answer(429, "Fri, 20 Nov 2026 17:31:00 GMT"), now).pause,
              std::chrono::seconds(60));
    EXPECT_EQ(judge(answer(429, "soon"), now).pause, std::nullopt);
    EXPECT_EQ(judge(answer(429, "-5"), now).pause, std::nullopt);
    EXPECT_TRUE(judge(Error(Code::timed_out, "x"), now).receiver_down);
    EXPECT_EQ(judge(Error(Code::unavailable, "x"), now).kind, Kind::again);
    EXPECT_EQ(judge(Error(Code::permission_denied, "10.0.0.1"), now).kind, Kind::refused);
}

TEST(Webhook, pauses_grow_and_are_bounded) {
    const DeliveryOptions options;
    std::chrono::milliseconds before{0};
    for (uint32_t failures = 1; failures <= options.pauses.size(); ++failures) {
        const auto pause = pause_after(options, failures, {}, 0);
        EXPECT_GT(pause, before);
        before = pause;
    }
    EXPECT_EQ(pause_after(options, 1000, {}, 0), std::chrono::hours(1));
    EXPECT_LE(pause_after(options, 1000, {}, 999'999'999), std::chrono::minutes(66));
    EXPECT_EQ(pause_after(options, 1, {Kind::again, std::chrono::seconds(90), true}, 0),
              std::chrono::seconds(90));
    EXPECT_EQ(pause_after(options, 1, {Kind::again, std::chrono::hours(100), true}, 0),
              std::chrono::hours(1));
    EXPECT_EQ(pause_after(options, 3, {Kind::again, std::chrono::seconds(1), true}, 0),
              std::chrono::seconds(30));
}

}  // namespace
}  // namespace tarn::events

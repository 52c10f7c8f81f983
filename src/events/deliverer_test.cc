// The outbox without sockets: a fake call, a clock that is moved by hand.
#include "events/internal/deliverer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "io/disk.h"

namespace tarn::events {
namespace {

using ::testing::ElementsAre;

class DelivererTest : public ::testing::Test {
 protected:
    DelivererTest()
        : folder_(std::filesystem::temp_directory_path() / ("events-" + random_hex(6))) {
        options_.threads = 0;
        options_.waiting_max = 4;
        meta::LocalStoreOptions store;
        store.directory = folder_;
        store.free_bytes_min = 0;
        store_ = meta::LocalStore::open(disk_, clock_, metrics_, store).value();
        open();
    }
    ~DelivererTest() override {
        deliverer_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        deliverer_ = std::make_unique<Deliverer>(
            DelivererParts{
                *store_, clock_, metrics_,
                [this](const std::string&, const std::string& target) -> Result<Receiver> {
                    if (target != url_.target || !off_.empty())
                        return Error(Code::not_found, "off");
                    return Receiver{url_, secret_, false};
                },
                [this](const std::string&, const std::string& why, meta::Batch& batch) {
                    off_ = why;
                    batch.put("et/off", why);
                },
                [this](const net::HttpCall& call) { return answer(call); }},
            options_);
        ASSERT_TRUE(deliverer_->start().ok());
    }
    Result<net::HttpReply> answer(const net::HttpCall& call) {
        sent_.push_back(call);
        sent_ids_.push_back(call.headers.at(2).second);
        if (answers_.empty()) return net::HttpReply{200, {}, "ok", "1.2.3.4"};
        auto next = answers_.front();
        answers_.erase(answers_.begin());
        return next;
    }
    void queue(const std::string& id, const std::string& key = "k", bool tell = true) {
        DeliveryRecord record;
        record.key_id = key;
        record.delivery = {id,
                           "rule",
                           "alert.opened",
                           "{}",
                           url_.target,
                           url_.where,
                           Delivery::State::waiting,
                           clock_.now(),
                           clock_.now(),
                           0,
                           {},
                           "{\"n\":\"" + id + "\"}"};
        meta::Batch batch;
        batch.put(delivery_key("rule", id), to_json(record)).put(waiting_key(id), "rule");
        ASSERT_TRUE(store_->commit(std::move(batch)).ok());
        if (tell) deliverer_->add({{id, "rule", key, url_.target, url_.host, clock_.now()}});
    }
    Delivery stored(const std::string& id) {
        return parse_delivery(store_->get(delivery_key("rule", id)).value()->value, id)->delivery;
    }
    void run() {
        while (deliverer_->run_one()) {
        }
    }
    static net::HttpReply status(int status, std::string body = "") {
        return {status, {}, std::move(body), ""};
    }

    const std::filesystem::path folder_;
    io::RealDisk disk_;
    ManualClock clock_;
    Metrics metrics_;
    DeliveryOptions options_;
    WebhookUrl url_ = *parse_webhook_url("https://user:pw@example.com/secret-path");
    const std::string secret_ = make_secret();
    std::string off_;
    std::vector<Result<net::HttpReply>> answers_;
    std::vector<net::HttpCall> sent_;
    std::vector<std::string> sent_ids_;
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<Deliverer> deliverer_;
};

TEST_F(DelivererTest, delivers_signed_and_only_once) {
    queue("msg_1");
    run();
    ASSERT_EQ(sent_.size(), 1u);
    const std::map<std::string, std::string> headers(sent_[0].headers.begin(),
                                                     sent_[0].headers.end());
    EXPECT_EQ(headers.at("webhook-timestamp"), std::to_string(clock_.now().seconds()));
    EXPECT_EQ(headers.at("webhook-signature"),
              *sign_webhook(secret_, "msg_1", clock_.now().seconds(), sent_[0].body));
    EXPECT_EQ(headers.at("Authorization"), "Basic dXNlcjpwdw==");
    EXPECT_EQ(sent_[0].url, "https://example.com/secret-path");
    EXPECT_FALSE(sent_[0].may_connect("127.0.0.1", 1));
    EXPECT_FALSE(sent_[0].may_connect("169.254.169.254", 80));
    EXPECT_TRUE(sent_[0].may_connect("93.184.216.34", 443));
    const auto record = stored("msg_1");
    EXPECT_EQ(record.state, Delivery::State::delivered);
    EXPECT_EQ(record.attempts.at(0).status, 200);
    EXPECT_FALSE(store_->get(waiting_key("msg_1")).value());
    open();
    run();
    EXPECT_EQ(sent_.size(), 1u) << "nothing is sent again after a restart";
}

TEST_F(DelivererTest, retries_with_the_same_id_and_growing_pauses) {
    answers_ = {status(500, std::string(5000, 'x')),
                Error(Code::timed_out, "https://example.com/secret-path: late"), status(503)};
    queue("msg_1");
    run();
    EXPECT_EQ(sent_.size(), 1u) << "not again at once";
    EXPECT_EQ(stored("msg_1").attempts.at(0).answer.size(), 1024u);
    clock_.advance(std::chrono::milliseconds(900));
    run();
    EXPECT_EQ(sent_.size(), 1u);
    clock_.advance(std::chrono::milliseconds(300));
    run();
    EXPECT_EQ(sent_.size(), 2u);
    EXPECT_EQ(stored("msg_1").attempts.at(1).answer.find("secret-path"), std::string::npos);
    clock_.advance(std::chrono::seconds(3));
    run();
    EXPECT_EQ(sent_.size(), 2u);
    // A restart in between keeps the place.
    open();
    run();
    EXPECT_EQ(sent_.size(), 2u);
    clock_.advance(std::chrono::seconds(3));
    run();
    clock_.advance(std::chrono::seconds(40));
    run();
    EXPECT_THAT(sent_ids_, ElementsAre("msg_1", "msg_1", "msg_1", "msg_1"));
    EXPECT_EQ(stored("msg_1").state, Delivery::State::delivered);
    EXPECT_EQ(stored("msg_1").attempt_count, 4u);
}

TEST_F(DelivererTest, an_error_shows_the_url_without_its_path) {
    for (const auto& [url, shown] : std::map<std::string, std::string>{
             {"https://example.com/", "https://example.com/"},
             {"https://example.com/.", "https://example.com/..."},
             {"https://example.com/x", "https://example.com/..."}}) {
        url_ = *parse_webhook_url(url);
        answers_ = {Error(Code::unavailable, url + ": down; " + url)};
        const std::string id = "msg_" + url_.target;
        queue(id, url);
        run();
        EXPECT_EQ(stored(id).attempts.at(0).answer, shown + ": down; " + shown);
    }
}

TEST_F(DelivererTest, gives_up_in_the_end) {
    options_.give_up_after = std::chrono::hours(2);
    open();
    for (int i = 0; i < 1000; ++i) answers_.push_back(status(500));
    queue("msg_1");
    for (int i = 0; i < 30; ++i) {
        run();
        clock_.advance(std::chrono::minutes(10));
    }
    EXPECT_EQ(stored("msg_1").state, Delivery::State::failed);
    EXPECT_EQ(stored("msg_1").attempts.size(), std::min<size_t>(sent_.size(), 10));
    EXPECT_LT(sent_.size(), 12u);
    EXPECT_FALSE(store_->get(waiting_key("msg_1")).value());
}

TEST_F(DelivererTest, a_refusal_ends_after_few_tries) {
    for (int i = 0; i < 10; ++i) answers_.push_back(status(400));
    queue("msg_1");
    for (int i = 0; i < 10; ++i) {
        run();
        clock_.advance(std::chrono::minutes(10));
    }
    EXPECT_EQ(sent_.size(), 3u);
    EXPECT_EQ(stored("msg_1").state, Delivery::State::failed);
}

TEST_F(DelivererTest, gone_switches_the_webhook_off) {
    answers_ = {status(410)};
    queue("msg_1");
    queue("msg_2");
    run();
    EXPECT_EQ(sent_.size(), 1u);
    EXPECT_EQ(stored("msg_1").state, Delivery::State::failed);
    EXPECT_EQ(stored("msg_2").state, Delivery::State::failed) << "what waits for it is over";
    EXPECT_NE(store_->get("et/off").value()->value.find("410"), std::string::npos);
}

TEST_F(DelivererTest, more_than_fits_in_memory_keeps_its_order) {
    for (int i = 10; i < 30; ++i) queue("msg_" + std::to_string(i), i % 2 == 0 ? "even" : "odd");
    for (int i = 0; i < 20; ++i) {
        run();
        ASSERT_TRUE(deliverer_->load_more().ok());
    }
    ASSERT_EQ(sent_ids_.size(), 20u);
    std::vector<std::string> even;
    for (const auto& id : sent_ids_)
        if ((id.back() - '0') % 2 == 0) even.push_back(id);
    EXPECT_TRUE(std::is_sorted(even.begin(), even.end()));
    EXPECT_EQ(std::set<std::string>(sent_ids_.begin(), sent_ids_.end()).size(), 20u);
    queue("msg_99");
    run();
    EXPECT_EQ(sent_ids_.back(), "msg_99");
}

TEST_F(DelivererTest, a_rule_that_is_gone_tells_nothing) {
    queue("msg_1");
    ASSERT_TRUE(store_->commit(meta::Batch().erase(delivery_key("rule", "msg_1"))).ok());
    run();
    EXPECT_TRUE(sent_.empty());
    EXPECT_FALSE(store_->get(waiting_key("msg_1")).value());
}

}  // namespace
}  // namespace tarn::events

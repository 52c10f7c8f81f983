// Rules over a real lake in a folder: store, objects, catalog, SQL; a receiver on the loopback.
#include "events/alerts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "codec/text.h"
#include "events/internal/records.h"
#include "events/internal/test_receiver.h"
#include "meta/keys.h"
#include "query/test_lake.h"

namespace tarn::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

using query::must;

/// Lets a test look at the disk before and after each commit.
class WatchedStore final : public meta::Store {
 public:
    explicit WatchedStore(meta::Store& store) : store_(store) {}
    /// Deliverers commit beside the evaluation: one at a time is told.
    void watch(std::function<void()> around) {
        const std::lock_guard lock(mutex_);
        around_ = std::move(around);
    }

    Result<std::optional<meta::Record>> get(std::string_view key) const override {
        return store_.get(key);
    }
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override {
        return store_.scan(std::move(range));
    }
    std::shared_ptr<const meta::Snapshot> snapshot() const override { return store_.snapshot(); }
    Result<meta::Commit> commit(meta::Batch batch) override {
        tell();
        auto done = store_.commit(std::move(batch));
        tell();
        return done;
    }
    void commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) override {
        store_.commit(std::move(batch), std::move(done));
    }
    meta::Version last_version() const override { return store_.last_version(); }
    bool healthy() const override { return store_.healthy(); }

 private:
    void tell() {
        const std::lock_guard lock(mutex_);
        if (around_) around_();
    }

    meta::Store& store_;
    std::mutex mutex_;
    std::function<void()> around_;
};

/// The whole of a lake that rules need.
struct TestLake : query::TestLake {
    TestLake(const std::filesystem::path& folder, const Clock& clock)
        : query::TestLake(folder, clock, {.owner = system(), .around = [](meta::Store& store) {
                                              return std::make_unique<WatchedStore>(store);
                                          }}) {
        tables::CreateDatabase main;
        main.name = "main";
        main.if_absent = true;
        must(catalog->create_database(system(), main));
    }
    static security::Caller system() {
        auto caller = query::test_caller("tarn", security::Principal::Kind::system);
        caller.principal.arn = "arn:aws:iam::000000000000:system/tarn";
        return caller;
    }
    WatchedStore& watched() { return static_cast<WatchedStore&>(*around); }

    const security::Keyring keyring{std::string(32, 'k')};
};

/// A run of the graph, as far as a rule looks at it.
class TestRun final : public flows::StepRun {
 public:
    explicit TestRun(TestLake& lake) : lake_(lake) {}
    Timestamp started() const override { return {}; }
    const std::vector<flows::InputState>& inputs() const override { return inputs_; }
    Status commit(std::vector<tables::TableChange>, meta::Batch extra) override {
        TARN_CHECK_OK(lake_.store().commit(std::move(extra)));
        return ok_status();
    }
    void progress(const std::string&, uint64_t, uint64_t) override {}
    bool cancelled() const override { return false; }

 private:
    TestLake& lake_;
    const std::vector<flows::InputState> inputs_;
};

class AlertsTest : public ::testing::Test {
 protected:
    AlertsTest() {
        options_.delivery.threads = 2;
        options_.delivery.pauses = {std::chrono::milliseconds(20)};
        lake_ = std::make_unique<TestLake>(root_ / "lake", clock_);
        lake_->run("create table risk (shelf_id text, p double, hours integer)");
        open();
    }
    void open() {
        alerts_.reset();
        alerts_ = make(*lake_);
    }
    std::unique_ptr<Alerts> make(TestLake& lake) {
        return std::make_unique<Alerts>(
            AlertsParts{lake.store(), *lake.engine, *lake.catalog, clock_, lake.metrics,
                        lake.keyring, nullptr, TestLake::system},
            options_);
    }
    AlertSpec spec() const {
        AlertSpec out;
        out.name = "empty";
        out.when = "select * from risk where p > 0.8";
        out.one_per = {"shelf_id"};
        out.to = {{receiver_.url(), "", true}};
        return out;
    }
    void configure() { must(alerts_->configure({spec()}, "beverages")); }
    Result<flows::StepResult> evaluate() {
        TestRun run(*lake_);
        return alerts_->steps().at(0)->run(run);
    }
    /// Waits until nothing is to be told any more.
    void settle() { settle(*alerts_); }
    static void settle(const Alerts& alerts) {
        for (int i = 0; i < 500; ++i) {
            bool waiting = false;
            for (const auto& delivery : must(alerts.deliveries("empty", 1000)))
                waiting |= delivery.state == Delivery::State::waiting;
            if (!waiting) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        FAIL() << "deliveries do not end";
    }
    std::vector<std::string> told() {
        settle();
        std::vector<std::string> out;
        for (const auto& message : receiver_.messages()) {
            const auto body = Json::parse(message.body);
            out.push_back(body["type"].get<std::string>() + " " + body["data"]["key"].dump());
        }
        return out;
    }

    const query::TestFolder folder_{"alerts"};
    const std::filesystem::path& root_ = folder_.path();
    SystemClock clock_;
    AlertsOptions options_;
    TestReceiver receiver_;
    std::unique_ptr<TestLake> lake_;
    std::unique_ptr<Alerts> alerts_;
};

TEST_F(AlertsTest, opens_once_and_tells_recovery) {
    configure();
    const auto step = alerts_->steps().at(0);
    EXPECT_EQ(step->name(), "alerts.empty");
    EXPECT_THAT(step->inputs(), ElementsAre(flows::TableRef{"main", "risk"}));
    EXPECT_TRUE(step->quiet());
    lake_->run("insert into risk values ('s1', 0.9, 3), ('s2', 0.1, 90)");
    ASSERT_TRUE(evaluate().ok());
    ASSERT_TRUE(evaluate().ok());
    EXPECT_THAT(told(), ElementsAre(R"(alert.opened {"shelf_id":"s1"})"));
    const auto message = receiver_.messages().at(0);
    const auto body = Json::parse(message.body);
    EXPECT_EQ(body["data"]["rule"], "empty");
    EXPECT_EQ(body["data"]["lake"], "beverages");
    EXPECT_EQ(body["data"]["row"]["hours"], 3);
    EXPECT_EQ(body["data"]["row"]["p"], 0.9);
    const auto status = alerts_->status().at(0);
    EXPECT_EQ(status.open, 1u);
    EXPECT_TRUE(status.webhooks.at(0).secret_made_here);
    EXPECT_THAT(status.webhooks.at(0).where, HasSubstr("127.0.0.1"));
    const auto secret = must(alerts_->webhook_secret("empty", status.webhooks.at(0).target));
    EXPECT_EQ(message.headers.at("webhook-signature"),
              *sign_webhook(secret, message.headers.at("webhook-id"),
                            std::stoll(message.headers.at("webhook-timestamp")), message.body));
    // The row of now is shown, and told with the recovery.
    lake_->run("update risk set hours = 1 where shelf_id = 's1'");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_THAT(alerts_->open().at(0).row, HasSubstr("\"hours\":1"));
    lake_->run("delete from risk where shelf_id = 's1'");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_THAT(told(), ElementsAre(R"(alert.opened {"shelf_id":"s1"})",
                                    R"(alert.recovered {"shelf_id":"s1"})"));
    const auto recovered = Json::parse(receiver_.messages().at(1).body);
    EXPECT_EQ(recovered["data"]["alert_id"], body["data"]["alert_id"]);
    EXPECT_EQ(recovered["data"]["row"]["hours"], 1);
    EXPECT_TRUE(recovered["data"].contains("recovered_at"));
    EXPECT_TRUE(alerts_->open().empty());
    const auto history = must(alerts_->history("empty"));
    ASSERT_EQ(history.size(), 2u);
    EXPECT_EQ(history[0].kind, AlertEvent::Kind::recovered);
    EXPECT_EQ(history[1].kind, AlertEvent::Kind::opened);
}

TEST_F(AlertsTest, a_rule_that_fails_recovers_nobody) {
    configure();
    lake_->run("insert into risk values ('s1', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    lake_->run("drop table risk");
    EXPECT_FALSE(evaluate().ok());
    EXPECT_EQ(alerts_->open().size(), 1u);
    EXPECT_FALSE(alerts_->status().at(0).error.empty());
    lake_->run("create table risk (shelf_id text, p double)");
    lake_->run("insert into risk values ('s1', 0.95)");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_EQ(alerts_->status().at(0).error, "");
    EXPECT_EQ(told().size(), 1u) << "still the same alert";
}

TEST_F(AlertsTest, state_outlives_a_restart) {
    configure();
    lake_->run("insert into risk values ('s1', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    settle();
    const auto before = alerts_->open().at(0);
    open();
    configure();
    EXPECT_EQ(alerts_->open().at(0).id, before.id);
    ASSERT_TRUE(evaluate().ok());
    lake_->run("insert into risk values ('s2', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_THAT(told(), ElementsAre(R"(alert.opened {"shelf_id":"s1"})",
                                    R"(alert.opened {"shelf_id":"s2"})"));
    // The made secret stays.
    const auto target = alerts_->status().at(0).webhooks.at(0).target;
    const auto first = receiver_.messages().at(0);
    EXPECT_EQ(first.headers.at("webhook-signature"),
              *sign_webhook(must(alerts_->webhook_secret("empty", target)),
                            first.headers.at("webhook-id"),
                            std::stoll(first.headers.at("webhook-timestamp")), first.body));
}

TEST_F(AlertsTest, silence_and_test_messages) {
    configure();
    auto ann = TestLake::system();
    ann.principal.name = "ann";
    must(alerts_->silence(ann, "empty", R"({"shelf_id":"s1"})",
                          clock_.now().plus(std::chrono::hours(1))));
    lake_->run("insert into risk values ('s1', 0.9, 3), ('s2', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_THAT(told(), ElementsAre(R"(alert.opened {"shelf_id":"s2"})"));
    EXPECT_TRUE(alerts_->open().at(0).silenced_until || alerts_->open().at(1).silenced_until);
    must(alerts_->silence(ann, "empty", R"({"shelf_id":"s1"})", Timestamp{0}));
    ASSERT_TRUE(evaluate().ok());
    EXPECT_EQ(told().size(), 2u);
    EXPECT_EQ(must(alerts_->test_fire(ann, "empty")).size(), 1u);
    EXPECT_EQ(told().at(2), "alert.test {}");
    EXPECT_EQ(alerts_->silence(ann, "nope", "", Timestamp{0}).error().code, Code::not_found);
}

TEST_F(AlertsTest, stays_open_between_two_thresholds) {
    auto one = spec();
    one.stays = "select * from risk where p > 0.5";
    must(alerts_->configure({one}, "beverages"));
    lake_->run("insert into risk values ('s1', 0.9, 3), ('s2', 0.6, 9)");
    ASSERT_TRUE(evaluate().ok());
    for (const char* p : {"0.79", "0.81", "0.6"}) {
        lake_->run(std::string("update risk set p = ") + p + " where shelf_id = 's1'");
        ASSERT_TRUE(evaluate().ok());
    }
    EXPECT_THAT(told(), ElementsAre(R"(alert.opened {"shelf_id":"s1"})"));
    EXPECT_THAT(alerts_->open().at(0).row, HasSubstr("0.6")) << "the row of now";
    lake_->run("update risk set p = 0.4");
    ASSERT_TRUE(evaluate().ok());
    EXPECT_EQ(told().at(1), R"(alert.recovered {"shelf_id":"s1"})");
    one.stays = "select p from risk";
    EXPECT_THAT(alerts_->check({one}).error().message, HasSubstr("while"));
    one.stays = "select from";
    EXPECT_FALSE(alerts_->check({one}).ok());
}

TEST_F(AlertsTest, a_webhook_added_later_is_told_of_what_is_open) {
    configure();
    must(alerts_->silence(TestLake::system(), "empty", R"({"shelf_id":"s2"})",
                          clock_.now().plus(std::chrono::hours(1))));
    ASSERT_EQ(must(alerts_->silences("empty")).size(), 1u);
    EXPECT_EQ(must(alerts_->silences("empty"))[0].key, R"({"shelf_id":"s2"})");
    EXPECT_EQ(alerts_->silences("nope").error().code, Code::not_found);
    lake_->run("insert into risk values ('s1', 0.9, 3), ('s2', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    settle();
    TestReceiver second;
    auto both = spec();
    both.to.push_back({second.url("/second"), "", true});
    must(alerts_->configure({both}, "beverages"));
    settle();
    ASSERT_EQ(second.messages().size(), 1u) << "not of the silenced one";
    const auto told_first = Json::parse(receiver_.messages().at(0).body);
    const auto told_second = Json::parse(second.messages().at(0).body);
    EXPECT_EQ(told_second["type"], "alert.opened");
    EXPECT_EQ(told_second["data"]["alert_id"], told_first["data"]["alert_id"]);
    EXPECT_EQ(told_second["data"]["since"], told_first["data"]["since"]);
    // Once: not by the same file again, nor by a restart; and the first one hears nothing twice.
    must(alerts_->configure({both}, "beverages"));
    open();
    must(alerts_->configure({both}, "beverages"));
    settle();
    EXPECT_EQ(second.messages().size(), 1u);
    EXPECT_EQ(receiver_.messages().size(), 1u);
}

TEST_F(AlertsTest, a_private_address_is_refused) {
    auto one = spec();
    one.to[0].allow_private = false;
    must(alerts_->configure({one}));
    must(alerts_->test_fire(TestLake::system(), "empty"));
    settle();
    EXPECT_TRUE(receiver_.messages().empty());
    const auto delivery = must(alerts_->deliveries("empty")).at(0);
    EXPECT_EQ(delivery.state, Delivery::State::failed);
    EXPECT_THAT(delivery.attempts.at(0).answer, HasSubstr("not allowed"));
    EXPECT_EQ(delivery.attempts.at(0).answer.find("/hook"), std::string::npos);
}

TEST_F(AlertsTest, what_is_not_declared_any_more_is_gone) {
    configure();
    lake_->run("insert into risk values ('s1', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    settle();
    const auto old = alerts_->steps().at(0);
    must(alerts_->configure({}));
    EXPECT_TRUE(alerts_->open().empty());
    EXPECT_TRUE(must(alerts_->deliveries("empty")).empty());
    TestRun run(*lake_);
    lake_->run("insert into risk values ('s3', 0.9, 3)");
    EXPECT_FALSE(old->run(run).ok()) << "a run that was under way changes nothing";
    EXPECT_FALSE(lake_->store().get(open_key("empty", R"({"shelf_id":"s3"})")).value());
    configure();
    ASSERT_TRUE(evaluate().ok());
    EXPECT_EQ(alerts_->open().size(), 2u);
}

TEST_F(AlertsTest, says_what_is_wrong_with_a_rule) {
    const auto refused = [&](const std::function<void(AlertSpec&)>& change) {
        auto one = spec();
        change(one);
        const auto status = alerts_->check({one});
        return status.ok() ? "" : status.error().message;
    };
    EXPECT_THAT(refused([](auto& s) { s.when = "selec 1"; }), HasSubstr("empty"));
    EXPECT_THAT(refused([](auto& s) { s.one_per = {"nope"}; }), HasSubstr("nope"));
    EXPECT_THAT(refused([](auto& s) { s.to[0].url = "ftp://h/secret"; }), HasSubstr("http"));
    EXPECT_THAT(refused([](auto& s) { s.to[0].secret = "whsec_short"; }), HasSubstr("whsec_"));
    EXPECT_THAT(refused([](auto& s) { s.to.push_back(s.to[0]); }), HasSubstr("twice"));
    EXPECT_THAT(refused([](auto& s) { s.check_every = std::chrono::seconds(0); }),
                HasSubstr("check_every"));
    EXPECT_EQ(refused([](auto&) {}), "");
    EXPECT_EQ(refused([](auto& s) { s.when = "select * from not_there"; }), "");
    EXPECT_THAT(refused([](auto& s) { s.when = "select nope from risk"; }), HasSubstr("nope"));
    // One that can't run does not stop the others, and loses nothing that it has open.
    auto good = spec(), bad = spec();
    good.name = "good";
    must(alerts_->configure({bad, good}));
    lake_->run("insert into risk values ('s1', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    bad.to[0].url = "nonsense";
    must(alerts_->configure({bad, good}));
    ASSERT_EQ(alerts_->steps().size(), 1u);
    EXPECT_EQ(alerts_->steps()[0]->name(), "alerts.good");
    EXPECT_THAT(alerts_->status().at(1).error, HasSubstr("https://"));
    must(alerts_->configure({spec(), good}));
    EXPECT_EQ(alerts_->open("empty").size(), 1u);
}

TEST_F(AlertsTest, replays_over_history) {
    for (int i = 0; i < 5; ++i) {
        lake_->run("insert into risk values ('s1', 0.9, 3)");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        lake_->run("delete from risk");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    lake_->run("insert into risk values ('s2', 0.9, 3)");
    auto replay = must(alerts_->replay(spec(), 1));
    EXPECT_EQ(replay.note, "");
    EXPECT_EQ(replay.states, 11u);
    EXPECT_EQ(replay.evaluations, 11u);
    EXPECT_EQ(replay.fired, 6u);
    EXPECT_EQ(replay.recovered, 5u);
    EXPECT_EQ(replay.open_at_end, 1u);
    auto other = spec();
    other.when = "select * from main.risk r where r.p > 0.8 and now() > '2000-01-01'::timestamptz";
    EXPECT_EQ(must(alerts_->replay(other, 1)).fired, 6u);
    lake_->run("create view seen as select * from risk");
    other.when = "select * from seen";
    EXPECT_THAT(must(alerts_->replay(other, 1)).note, HasSubstr("view"));
    other.when = "select * from not_there";
    EXPECT_THAT(must(alerts_->replay(other, 1)).note, HasSubstr("no history"));
}

/// The process dies before or after any commit: the message of an alert that is open is there, and
/// nobody is told of one alert under two ids.
TEST_F(AlertsTest, survives_the_end_of_the_process_anywhere) {
    configure();
    std::vector<std::filesystem::path> images;
    lake_->watched().watch([&] {
        if (images.size() >= 12) return;
        images.push_back(root_ / ("image" + std::to_string(images.size())));
        // Of a folder in use: what is renamed meanwhile may be listed twice.
        std::filesystem::copy(root_ / "lake", images.back(),
                              std::filesystem::copy_options::recursive |
                                  std::filesystem::copy_options::overwrite_existing);
    });
    lake_->run("insert into risk values ('s1', 0.9, 3), ('s2', 0.9, 3)");
    ASSERT_TRUE(evaluate().ok());
    settle();
    lake_->run("delete from risk where shelf_id = 's1'");
    ASSERT_TRUE(evaluate().ok());
    settle();
    lake_->watched().watch(nullptr);
    ASSERT_EQ(images.size(), 12u);
    for (const auto& image : images) {
        TestLake lake(image, clock_);
        auto alerts = make(lake);
        must(alerts->configure({spec()}, "beverages"));
        const auto deliveries = must(alerts->deliveries("empty", 1000));
        for (const auto& open : alerts->open())
            EXPECT_TRUE(std::any_of(deliveries.begin(), deliveries.end(),
                                    [&](const auto& delivery) {
                                        return delivery.type == "alert.opened" &&
                                               delivery.body.find(open.id) != std::string::npos;
                                    }))
                << image;
        TestRun run(lake);
        ASSERT_TRUE(alerts->steps().at(0)->run(run).ok());
        settle(*alerts);
    }
    // Each (alert, type) has come under one id, however often.
    std::map<std::string, std::set<std::string>> ids;
    for (const auto& message : receiver_.messages()) {
        const auto body = Json::parse(message.body);
        ids[body["type"].get<std::string>() + body["data"]["alert_id"].get<std::string>()].insert(
            message.headers.at("webhook-id"));
    }
    for (const auto& [what, of] : ids) EXPECT_EQ(of.size(), 1u) << what;
}

}  // namespace
}  // namespace tarn::events

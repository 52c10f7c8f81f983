#include "security/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "security/audit_chain.h"
#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class AuditTest : public testing::Test {
 protected:
    AuditTest() { open({}); }
    void open(AuditOptions options) {
        trail_.reset();
        trail_ = std::make_unique<AuditTrail>(*store_, store_.clock, store_.metrics, options);
    }
    Caller caller(std::string action = "s3:GetObject", std::string resource = "arn:aws:s3:::b/k") {
        Caller made;
        made.principal.name = "ann";
        made.principal.arn = "arn:aws:iam::123456789012:user/ann";
        made.principal.access_key_id = "AKIAEXAMPLE";
        made.request_id = "REQUEST";
        made.door = "s3";
        made.source_ip = "10.0.0.1";
        made.user_agent = "test/1";
        made.action = std::move(action);
        made.resource = std::move(resource);
        made.at = store_.clock.now();
        return made;
    }
    void record(const Caller& who, const AuditResult& result = {}) {
        ASSERT_TRUE(trail_->record(who, result).ok());
    }
    std::vector<AuditRecord> read(const AuditQuery& query = {}) {
        auto page = trail_->read(query);
        EXPECT_TRUE(page.ok()) << page.error().message;
        return std::move(page).value().records;
    }
    std::vector<std::string> actions(const AuditQuery& query = {}) {
        std::vector<std::string> names;
        for (const auto& one : read(query)) names.push_back(one.action);
        return names;
    }

    TestStore store_;
    std::unique_ptr<AuditTrail> trail_;
};

TEST_F(AuditTest, KeepsAllThatIsAsked) {
    record(caller(), {AuditOutcome::denied, "AccessDenied", 42});
    EXPECT_TRUE(read().empty()) << "queued, not yet committed";
    ASSERT_TRUE(trail_->flush().ok());
    const auto records = read();
    ASSERT_EQ(records.size(), 1u);
    const AuditRecord& one = records[0];
    EXPECT_EQ(one.offset, 0u);
    EXPECT_EQ(one.at, store_.clock.now());
    EXPECT_EQ(one.request_id, "REQUEST");
    EXPECT_EQ(one.principal, "arn:aws:iam::123456789012:user/ann");
    EXPECT_EQ(one.access_key_id, "AKIAEXAMPLE");
    EXPECT_EQ(one.door, "s3");
    EXPECT_EQ(one.source_ip, "10.0.0.1");
    EXPECT_EQ(one.user_agent, "test/1");
    EXPECT_EQ(one.action, "s3:GetObject");
    EXPECT_EQ(one.resource, "arn:aws:s3:::b/k");
    EXPECT_EQ(one.outcome, AuditOutcome::denied);
    EXPECT_EQ(one.error_code, "AccessDenied");
    EXPECT_EQ(one.bytes, 42u);
    EXPECT_EQ(one.count, 1u);
    EXPECT_EQ(one.to_json(),
              R"({"time":")" + format_iso8601(one.at) + R"(","at":)" +
                  std::to_string(one.at.micros) +
                  R"(,"request_id":"REQUEST","principal":"arn:aws:iam::123456789012:user/ann",)"
                  R"("access_key_id":"AKIAEXAMPLE","door":"s3","source_ip":"10.0.0.1",)"
                  R"("user_agent":"test/1","action":"s3:GetObject","resource":"arn:aws:s3:::b/k",)"
                  R"("outcome":"denied","error":"AccessDenied","bytes":42})");
}

TEST_F(AuditTest, AChangeAndItsRecordAreOne) {
    meta::Batch good;
    good.put("x", "1");
    trail_->attach(good, caller("s3:PutObject"));
    ASSERT_TRUE(store_->commit(std::move(good)).ok());
    meta::Batch bad;
    bad.require_absent("x", Error(Code::conflict, "there"));
    trail_->attach(bad, caller("s3:DeleteObject"));
    EXPECT_FALSE(store_->commit(std::move(bad)).ok());
    EXPECT_THAT(actions(), testing::ElementsAre("s3:PutObject"));
}

TEST_F(AuditTest, BoundsWhatComesFromOutside) {
    Caller who = caller();
    who.user_agent = std::string(100'000, 'u');
    who.resource = "arn:aws:s3:::b/" + std::string(5000, 'k');
    who.action = "bad \"utf8\" \xff\n";
    who.request_id = std::string(255, 'r') + "é";
    record(who);
    record(caller());
    ASSERT_TRUE(trail_->flush().ok());
    const auto records = read();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[1].user_agent.size(), 256u);
    EXPECT_EQ(records[1].resource.size(), 2048u);
    EXPECT_EQ(records[1].request_id, std::string(255, 'r'));
    EXPECT_EQ(records[1].action, "bad \"utf8\" \xef\xbf\xbd\n");
}

TEST_F(AuditTest, ResultsFollowFromErrors) {
    EXPECT_EQ(AuditResult::of(ok_status()).outcome, AuditOutcome::allowed);
    const auto denied = AuditResult::of(Error(Code::permission_denied, "m", "AccessDenied"));
    EXPECT_EQ(denied.outcome, AuditOutcome::denied);
    EXPECT_EQ(denied.error_code, "AccessDenied");
    EXPECT_EQ(AuditResult::of(Error(Code::unauthenticated, "m")).outcome, AuditOutcome::denied);
    const auto failed = AuditResult::of(Error(Code::not_found, "m"));
    EXPECT_EQ(failed.outcome, AuditOutcome::failed);
    EXPECT_EQ(failed.error_code, "not_found");
}

TEST_F(AuditTest, PagesFromTheNewestDown) {
    for (int i = 0; i < 1000; ++i) record(caller("a:" + std::to_string(i)));
    ASSERT_TRUE(trail_->flush().ok());
    AuditQuery query;
    query.records_max = 70;
    int next = 999, pages = 0;
    for (;; ++pages) {
        const auto page = trail_->read(query).value();
        for (const auto& one : page.records) {
            EXPECT_EQ(one.action, "a:" + std::to_string(next));
            EXPECT_EQ(one.offset, static_cast<uint64_t>(next));
            --next;
        }
        if (!page.next) break;
        query.before = page.next;
    }
    EXPECT_EQ(next, -1);
    EXPECT_EQ(pages, 14);
}

TEST_F(AuditTest, Filters) {
    record(caller("s3:GetObject", "arn:aws:s3:::lake/a"));
    record(caller("s3:PutObject", "arn:aws:s3:::lake/b"));
    record(caller("tarn:Select", "arn:tarn:table/lake.c"), {AuditOutcome::denied, "x", 0});
    auto other = caller("iam:CreateUser", "*");
    other.principal.arn = "arn:aws:iam::123456789012:root";
    record(other, {AuditOutcome::failed, "x", 0});
    ASSERT_TRUE(trail_->flush().ok());
    AuditQuery query;
    query.action = "s3:*";
    EXPECT_THAT(actions(query), testing::ElementsAre("s3:PutObject", "s3:GetObject"));
    query = {};
    query.resource = "arn:aws:s3:::*/a";
    EXPECT_THAT(actions(query), testing::ElementsAre("s3:GetObject"));
    query = {};
    query.outcome = AuditOutcome::denied;
    EXPECT_THAT(actions(query), testing::ElementsAre("tarn:Select"));
    query = {};
    query.principal = "root";
    EXPECT_THAT(actions(query), testing::ElementsAre("iam:CreateUser"));
    query.principal = "arn:aws:iam::123456789012:user/ann";
    EXPECT_EQ(read(query).size(), 3u);
    query.principal = "nn";
    EXPECT_TRUE(read(query).empty());
}

TEST_F(AuditTest, FindsATime) {
    const Timestamp start = store_.clock.now();
    for (int i = 0; i < 300; ++i) {
        record(caller("a:" + std::to_string(i)));
        if (i % 3 == 0) {
            EXPECT_TRUE(trail_->flush().ok());
        }
        store_.clock.advance(minutes(1));
    }
    ASSERT_TRUE(trail_->flush().ok());
    AuditQuery query;
    query.records_max = 1000;
    query.scan_max = 20;
    query.from = start.plus(minutes(100));
    query.to = start.plus(minutes(103));
    EXPECT_THAT(actions(query), testing::ElementsAre("a:102", "a:101", "a:100"));
    query.from = start.plus(-hours(2));
    query.to = start.plus(minutes(1));
    EXPECT_THAT(actions(query), testing::ElementsAre("a:0"));
    query.to = start;
    EXPECT_TRUE(read(query).empty());
    query.from = start.plus(minutes(299));
    query.to = start.plus(hours(1000));
    EXPECT_THAT(actions(query), testing::ElementsAre("a:299"));
}

TEST_F(AuditTest, ALongSearchEndsWithAPlaceToGoOn) {
    for (int i = 0; i < 50; ++i) record(caller(i == 0 ? "rare" : "common"));
    ASSERT_TRUE(trail_->flush().ok());
    AuditQuery query;
    query.action = "rare";
    query.scan_max = 20;
    int pages = 1;
    auto page = trail_->read(query).value();
    for (; page.records.empty(); ++pages) {
        ASSERT_TRUE(page.next.has_value());
        query.before = page.next;
        page = trail_->read(query).value();
    }
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(page.records.size(), 1u);
}

TEST_F(AuditTest, IsNeverSilentWhenFull) {
    AuditOptions options;
    options.queue_records_max = 10;
    options.wait_max = milliseconds(1);
    open(options);
    for (int i = 0; i < 10; ++i) record(caller());
    EXPECT_EQ(trail_->try_record(caller(), {}).error().code, Code::exhausted);
    EXPECT_EQ(trail_->record(caller(), {}).error().code, Code::exhausted);
    EXPECT_EQ(trail_->count("c1", caller(), 1).error().code, Code::exhausted);
    ASSERT_TRUE(trail_->flush().ok());
    EXPECT_TRUE(trail_->try_record(caller(), {}).ok());
    ASSERT_TRUE(trail_->flush().ok());
    EXPECT_EQ(read().size(), 11u);
}

TEST_F(AuditTest, AWaiterGetsTheRoomThatACommitMakes) {
    AuditOptions options;
    options.queue_records_max = 10;
    options.wait_max = seconds(60);
    options.flush_interval = hours(1);
    open(options);
    trail_->start();
    for (int i = 0; i < 100; ++i) record(caller());
    ASSERT_TRUE(trail_->stop().ok());
    EXPECT_EQ(read().size(), 100u);
}

TEST_F(AuditTest, CountsFloodsByMinute) {
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(trail_->count("c1", caller("mqtt:Publish", "topic/a"), 10).ok());
        ASSERT_TRUE(trail_->count("c2", caller("mqtt:Publish", "topic/a"), 1).ok());
    }
    store_.clock.advance(minutes(1));
    ASSERT_TRUE(trail_->count("c1", caller("mqtt:Publish", "topic/a"), 7).ok());
    ASSERT_TRUE(trail_->flush().ok());
    const auto records = read();
    ASSERT_EQ(records.size(), 3u);
    uint64_t count = 0, bytes = 0;
    for (const auto& one : records) {
        count += one.count;
        bytes += one.bytes;
    }
    EXPECT_EQ(count, 1001u);
    EXPECT_EQ(bytes, 5507u);
}

TEST_F(AuditTest, BoundsCounters) {
    AuditOptions options;
    options.counters_max = 3;
    open(options);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(trail_->count("c" + std::to_string(i), caller(), 1).ok());
    EXPECT_TRUE(trail_->count("c0", caller(), 1).ok());
    EXPECT_EQ(trail_->count("c3", caller(), 1).error().code, Code::exhausted);
}

TEST_F(AuditTest, StoppingCommitsWhatWaits) {
    trail_->start();
    record(caller());
    ASSERT_TRUE(trail_->count("c", caller(), 1).ok());
    trail_.reset();
    store_.open();
    open({});
    EXPECT_EQ(read().size(), 2u);
}

TEST_F(AuditTest, ForgetsWhatIsOld) {
    const Keyring keyring(std::string(32, 'k'));
    const auto chain = AuditChain::open(*store_, keyring, store_.clock, store_.metrics,
                                        AuditChainOptions())
                           .value();
    for (int day = 0; day < 100; ++day) {
        record(caller("a:" + std::to_string(day)));
        record(caller("a:" + std::to_string(day)));
        ASSERT_TRUE(trail_->flush().ok());
        ASSERT_TRUE(chain->sign().ok());
        store_.clock.advance(hours(24));
    }
    EXPECT_EQ(trail_->expire(4, caller("expired"), *chain).value(), 4u);
    uint64_t removed = 4;
    for (;;) {
        const auto more = trail_->expire(6, caller("expired"), *chain).value();
        if (more == 0) break;
        removed += more;
    }
    EXPECT_EQ(removed, 20u);
    AuditQuery query;
    query.records_max = 1000;
    query.action = "a:*";
    EXPECT_EQ(read(query).size(), 180u);
    query.action = "expired";
    EXPECT_EQ(read(query).size(), 4u) << "each removal is on record";
    record(caller());
    ASSERT_TRUE(trail_->flush().ok());
    EXPECT_EQ(read()[0].offset, 204u) << "offsets go on";
}

}  // namespace
}  // namespace tarn::security

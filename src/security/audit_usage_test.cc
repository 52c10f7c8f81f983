#include "security/audit_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "security/audit_chain.h"
#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class AuditUsageTest : public testing::Test {
 protected:
    AuditUsageTest() { restart(); }
    void restart() {
        usage_.reset();
        trail_.reset();
        store_.open();
        trail_ =
            std::make_unique<AuditTrail>(*store_, store_.clock, store_.metrics, AuditOptions());
        usage_ = AuditUsage::open(*store_, store_.clock).value();
    }
    void record(const std::string& who, const std::string& action, const std::string& resource,
                const AuditResult& result = {}) {
        Caller caller;
        caller.principal.arn = "arn:aws:iam::123456789012:user/" + who;
        caller.door = "http";
        caller.action = action;
        caller.resource = resource;
        caller.at = store_.clock.now();
        ASSERT_TRUE(trail_->record(caller, result).ok());
    }
    void read(const std::string& who, const std::string& table) {
        record(who, "tarn:Select",
               "arn:aws:tarn:us-east-1:123456789012:table/main/" + table + "#*");
    }
    UsageSums since(hours span) {
        EXPECT_TRUE(trail_->flush().ok());
        auto report = usage_->since(span);
        EXPECT_TRUE(report.ok()) << report.error().message;
        EXPECT_FALSE(report->behind);
        return std::move(report).value().sums;
    }

    TestStore store_;
    std::unique_ptr<AuditTrail> trail_;
    std::unique_ptr<AuditUsage> usage_;
};

TEST_F(AuditUsageTest, CountsReadsByWhoWhatAndOutcome) {
    read("ann", "sales");
    read("ann", "sales");
    record("ann", "tarn:Select",
           "arn:aws:tarn:r:1:table/main/sales#a arn:aws:tarn:r:1:table/erp/stock#*",
           {AuditOutcome::allowed, {}, 42});
    record("ann", "tarn:Insert", "arn:aws:tarn:r:1:table/main/sales");
    record("ben", "s3:GetObject", "arn:aws:s3:::bucket/a \"quoted\\\" key",
           {AuditOutcome::denied, "AccessDenied", 0});
    record("ben", "tarn:GetDashboard", "arn:aws:tarn:r:1:lake", {AuditOutcome::failed, "io", 0});
    const UsageSums sums = since(hours(1));
    ASSERT_EQ(sums.readers.size(), 2u);
    EXPECT_EQ(sums.records, 5u);
    const ReadSums& ann = sums.readers.at("ann");
    EXPECT_EQ(ann.times, 3u);
    EXPECT_EQ(ann.bytes, 42u);
    EXPECT_EQ(ann.last, store_.clock.now());
    EXPECT_THAT(ann.doors, testing::ElementsAre(testing::Pair("http", 3)));
    EXPECT_THAT(ann.what, testing::ElementsAre(testing::Pair("table/erp/stock", 1),
                                               testing::Pair("table/main/sales", 3)));
    const ReadSums& ben = sums.readers.at("ben");
    EXPECT_EQ(ben.times, 0u);
    EXPECT_EQ(ben.refused, 1u);
    EXPECT_EQ(ben.failed, 1u);
    EXPECT_THAT(ben.what, testing::ElementsAre(testing::Pair("bucket", 1)));
}

TEST_F(AuditUsageTest, GoesOnAfterARestartAndCountsNothingTwice) {
    for (int hour = 0; hour < 5; ++hour) {
        for (int i = 0; i < 30; ++i) read("ann", "sales");
        ASSERT_TRUE(trail_->flush().ok());
        if (hour % 2 == 0) ASSERT_TRUE(usage_->advance().ok());
        read("ben", "stock");
        EXPECT_EQ(since(hours(24)).readers.at("ann").times, 30u * (hour + 1));
        restart();
        EXPECT_EQ(since(hours(24)).readers.at("ann").times, 30u * (hour + 1));
        EXPECT_EQ(since(hours(24)).readers.at("ben").times, 1u * (hour + 1));
        store_.clock.advance(hours(1));
    }
    ASSERT_TRUE(usage_->advance().ok());
    restart();
    EXPECT_EQ(since(hours(24)).readers.at("ann").times, 150u);
    EXPECT_EQ(since(hours(2)).readers.at("ann").times, 60u);
}

TEST_F(AuditUsageTest, BeginsWithAWholeHourAndSaysWhich) {
    store_.clock.set({1'750'000'000'000'000 / 3'600'000'000 * 3'600'000'000});
    read("ann", "sales");
    store_.clock.advance(minutes(59));
    read("ann", "sales");
    store_.clock.advance(minutes(61) + minutes(30));
    read("ann", "sales");
    EXPECT_EQ(since(hours(2)).readers.at("ann").times, 3u);
    EXPECT_EQ(since(hours(1)).readers.at("ann").times, 1u);
    const auto report = usage_->since(hours(1));
    EXPECT_EQ(report->from.micros % 3'600'000'000, 0);
    EXPECT_EQ(report->from, store_.clock.now().plus(-minutes(90)));
}

TEST_F(AuditUsageTest, ForgetsWhatIsOver) {
    read("ann", "sales");
    EXPECT_EQ(since(AuditUsage::kKept).readers.size(), 1u);
    ASSERT_TRUE(usage_->advance().ok());
    store_.clock.advance(AuditUsage::kKept + hours(1));
    read("ben", "sales");
    ASSERT_TRUE(trail_->flush().ok());
    ASSERT_TRUE(usage_->advance().ok());
    const auto all = since(AuditUsage::kKept * 10);
    EXPECT_FALSE(all.readers.contains("ann"));
    EXPECT_TRUE(all.readers.contains("ben"));
}

TEST_F(AuditUsageTest, ForgetsWhatRetentionTook) {
    const Keyring keyring(std::string(32, 'k'));
    AuditOptions options;
    options.keep_time = hours(2);
    AuditTrail trail(*store_, store_.clock, store_.metrics, options);
    const auto chain = AuditChain::open(*store_, keyring, store_.clock, store_.metrics,
                                        AuditChainOptions())
                           .value();
    read("ann", "sales");
    ASSERT_TRUE(trail_->flush().ok());
    ASSERT_TRUE(usage_->advance().ok());
    ASSERT_TRUE(chain->sign().ok());
    store_.clock.advance(hours(5));
    read("ben", "sales");
    ASSERT_TRUE(trail_->flush().ok());
    Caller by;
    by.action = "tarn:ExpireAuditRecords";
    by.at = store_.clock.now();
    ASSERT_EQ(trail.expire(100, by, *chain).value(), 1u);
    ASSERT_TRUE(usage_->advance().ok());
    const auto left = since(hours(24));
    EXPECT_FALSE(left.readers.contains("ann"));
    EXPECT_EQ(left.readers.at("ben").times, 1u);
}

TEST_F(AuditUsageTest, IsBoundedAndSaysWhatItLeftOut) {
    for (size_t i = 0; i < AuditUsage::kThingsPerHour + 10; ++i)
        read("ann", "t" + std::to_string(i));
    for (size_t i = 0; i < AuditUsage::kReadersPerHour + 10; ++i)
        read("reader" + std::to_string(i), "t0");
    const auto sums = since(hours(1));
    EXPECT_TRUE(sums.truncated);
    EXPECT_EQ(sums.readers.size(), AuditUsage::kReadersPerHour);
    EXPECT_EQ(sums.readers.at("ann").times, AuditUsage::kThingsPerHour + 10);
    size_t things = 0;
    for (const auto& [name, reader] : sums.readers)
        things += reader.what.size() + reader.doors.size();
    EXPECT_EQ(things, AuditUsage::kThingsPerHour);
    ASSERT_TRUE(usage_->advance().ok());
    restart();
    EXPECT_TRUE(since(hours(1)).truncated);
}

}  // namespace
}  // namespace tarn::security

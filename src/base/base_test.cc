#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <set>

#include "base/bytes.h"
#include "base/lane.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace tarn {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return Error(Code::invalid_argument, "odd", "not_even");
    return n / 2;
}

Result<int> quarter(int n) {
    TARN_TRY(once, half(n));
    TARN_TRY(twice, half(once));
    return twice;
}

Status only_even(int n) {
    TARN_CHECK_OK(half(n));
    return ok_status();
}

TEST(Result, TryPassesValuesAndErrors) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(quarter(6).error().code, Code::invalid_argument);
    EXPECT_EQ(quarter(6).error().reason, "not_even");
    EXPECT_TRUE(only_even(2).ok());
    EXPECT_EQ(only_even(3).error().message, "odd");
}

TEST(Result, ReadingTheValueOfAFailureIsABug) {
    EXPECT_DEATH({ static_cast<void>(half(1).value()); }, "bug: ok");
}

TEST(Result, WithinSaysWhere) {
    EXPECT_EQ(Error(Code::io, "short read").within("segment 3").message, "segment 3: short read");
}

TEST(Bytes, ReaderNeverReadsPastTheEnd) {
    std::string bytes;
    append_le<uint32_t>(bytes, 0x01020304);
    append_be<uint16_t>(bytes, 0x0506);
    ByteReader in(bytes);
    EXPECT_EQ(in.take_le<uint32_t>(), 0x01020304u);
    EXPECT_EQ(in.take_be<uint16_t>(), 0x0506);
    EXPECT_EQ(in.take_le<uint8_t>(), std::nullopt);
    EXPECT_FALSE(ByteReader("ab").take(3).has_value());
}

TEST(Bytes, ConstantTimeCompareIsACompare) {
    EXPECT_TRUE(equal_constant_time("secret", "secret"));
    EXPECT_FALSE(equal_constant_time("secret", "secreT"));
    EXPECT_FALSE(equal_constant_time("secret", "secret1"));
    EXPECT_TRUE(equal_constant_time("", ""));
}

TEST(Time, FormatsAndParsesTheThreeForms) {
    const Timestamp at = from_civil({2026, 11, 20, 17, 30, 5, 123'000});
    EXPECT_EQ(format_iso8601(at), "2026-11-20T17:30:05.123Z");
    EXPECT_EQ(format_iso8601_basic(at), "20261120T173005Z");
    EXPECT_EQ(format_http_date(at), "Fri, 20 Nov 2026 17:30:05 GMT");
    EXPECT_EQ(parse_time("2026-11-20T17:30:05.123Z").value(), at);
    EXPECT_EQ(parse_time("20261120T173005Z").value().seconds(), at.seconds());
    EXPECT_EQ(parse_time("Fri, 20 Nov 2026 17:30:05 GMT").value().seconds(), at.seconds());
    EXPECT_EQ(parse_time("Fri, 20 Nov 2026 17:30:05 -0000").value().seconds(), at.seconds());
    EXPECT_EQ(parse_time("2026-11-20T18:30:05.123+01:00").value(), at);
    EXPECT_EQ(parse_time("2026-11-20 12:30:05.123-0500").value(), at);
}

TEST(Time, RefusesWhatIsNotATime) {
    for (const auto* text :
         {"", "now", "2026-13-01T00:00:00Z", "2026-11-20T25:00:00Z", "2026-11-20T17:30:05Zx",
          "Fri, 20 Nux 2026 17:30:05 GMT", "2026-11-2", "20261120T1730", "9999-12-31T23:59:60Z",
          "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"})
        EXPECT_FALSE(parse_time(text).ok()) << text;
}

TEST(Time, CivilIsTheInverseOfFromCivilOverFourCenturies) {
    for (int64_t day = days_from_civil(1850, 1, 1); day < days_from_civil(2250, 1, 1); day += 13) {
        const Timestamp at{day * 86'400'000'000 + 12'345'678};
        EXPECT_EQ(from_civil(civil(at)), at);
    }
    EXPECT_EQ(days_from_civil(1970, 1, 1), 0);
    EXPECT_EQ(days_from_civil(2000, 3, 1), 11'017);
    EXPECT_EQ(civil({-1}).second, 59);
    EXPECT_EQ(civil({-1}).year, 1969);
}

TEST(Random, UuidHasItsFormAndIsNew) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const std::string uuid = random_uuid();
        EXPECT_THAT(uuid, ::testing::MatchesRegex(
                              "[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
        EXPECT_EQ(uuid.size(), 36u);
        EXPECT_TRUE(seen.insert(uuid).second);
    }
}

TEST(Random, SameSeedSameRun) {
    EXPECT_EQ(Random(7).bytes(64), Random(7).bytes(64));
    EXPECT_NE(Random(7).bytes(64), Random(8).bytes(64));
}

TEST(Lane, RunsWhatItTookEvenWhenStopped) {
    std::atomic<int> ran{0};
    Lane lane({"test", 2, 100});
    int taken = 0;
    for (int i = 0; i < 50; ++i) taken += lane.try_submit([&] { ++ran; }) ? 1 : 0;
    lane.stop();
    EXPECT_EQ(ran, taken);
    EXPECT_EQ(taken, 50);
    EXPECT_FALSE(lane.try_submit([] {}));
}

TEST(Lane, RunsTheRestOfWhatBeganBeforeWhatIsNew) {
    Mutex gate;
    gate.lock();
    Lane lane({"rests", 1, 2});
    std::atomic<bool> busy{false};
    std::string order;
    EXPECT_TRUE(lane.try_submit([&] {
        busy = true;
        MutexLock lock(gate);
    }));
    while (!busy) std::this_thread::yield();
    EXPECT_TRUE(lane.try_submit([&] { order += "1"; }));
    EXPECT_TRUE(lane.try_submit([&] { order += "2"; }));
    EXPECT_TRUE(
        lane.resume([&] { order += "a"; }));  // the queue is full, which is not its business
    EXPECT_TRUE(lane.resume([&] { order += "b"; }));
    gate.unlock();
    lane.stop();
    EXPECT_EQ(order, "ab12");
    EXPECT_FALSE(lane.resume([] {}));
}

TEST(Lane, JobsThatWaitForEachOtherAllGetAThread) {
    constexpr int kThreads = 8;
    Lane lane({"wakes", kThreads, 100});
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> met{0};
        std::atomic<int> left{kThreads};
        for (int i = 0; i < kThreads; ++i)
            ASSERT_TRUE(lane.try_submit([&] {
                ++met;
                while (met < kThreads) std::this_thread::yield();
                --left;
            }));
        while (left > 0) std::this_thread::yield();
    }
}

TEST(Lane, DeclinesWhenFull) {
    Mutex gate;
    gate.lock();
    Lane lane({"full", 1, 2});
    std::atomic<bool> busy{false};
    EXPECT_TRUE(lane.try_submit([&] {
        busy = true;
        MutexLock lock(gate);
    }));
    while (!busy) std::this_thread::yield();
    EXPECT_TRUE(lane.try_submit([] {}));
    EXPECT_TRUE(lane.try_submit([] {}));
    EXPECT_FALSE(lane.try_submit([] {}));
    gate.unlock();
    lane.stop();
}

TEST(Lane, AnExceptionEndsTheJobNotTheLane) {
    std::atomic<bool> ran{false};
    Lane lane({"throws", 1, 10});
    ASSERT_TRUE(lane.try_submit([] { throw std::runtime_error("escaped"); }));
    ASSERT_TRUE(lane.try_submit([&] { ran = true; }));
    lane.stop();
    EXPECT_TRUE(ran);
}

TEST(Lane, APatientThreadIsAsItWasAfterwards) {
    ASSERT_EQ(sched_getscheduler(0), SCHED_OTHER);
    {
        const PatientThread patient;
        EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
        { const PatientThread again; }
        EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
    }
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(Lane, BlockingOnALoopIsABug) {
    EXPECT_DEATH(
        {
            mark_loop_thread();
            assert_may_block();
        },
        "on_loop");
}

TEST(Metrics, TheSameNameAndLabelsAreOneHandle) {
    Metrics metrics;
    metrics.counter("tarn_test_total", "tests", {{"door", "s3"}}).add(2);
    metrics.counter("tarn_test_total", "tests", {{"door", "s3"}}).add();
    metrics.gauge("tarn_test_bytes", "bytes").set(7);
    metrics.histogram("tarn_test_seconds", "seconds", latency_bounds()).observe(0.002);
    const std::string text = metrics.render();
    EXPECT_THAT(text, ::testing::HasSubstr("tarn_test_total{door=\"s3\"} 3"));
    EXPECT_THAT(text, ::testing::HasSubstr("tarn_test_bytes 7"));
    EXPECT_THAT(text, ::testing::HasSubstr("tarn_test_seconds_count 1"));
}

}  // namespace
}  // namespace tarn

// A power failure at any operation, by seed: what was acknowledged is present, what is present was
// attempted, in order, once; also when the recovery itself is cut off. TARN_CRASH_POINTS sets the
// number of failures, TARN_CRASH_SEED the run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "base/random.h"
#include "io/faulty_disk.h"
#include "wal/internal/map_index.h"
#include "wal/log.h"

namespace tarn::wal {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

LogOptions options() {
    LogOptions options;
    options.directory = "/lake/wal";
    options.lake_id = "00112233445566778899aabbccddeeff";
    options.segment_bytes = 48 << 10;
    return options;
}

/// The body that belongs to a record.
std::string body_of(const std::string& record) {
    Random random(std::hash<std::string>()(record));
    return random.bytes(random.below(5000));
}

/// What the callers know, with the number of disk operations at which they came to know it.
class History {
 public:
    explicit History(const io::FaultyDisk& disk) : disk_(disk) {}

    void attempted(const std::string& record) {
        MutexLock lock(mutex_);
        attempted_[record] = disk_.operation_count();
    }
    void acknowledged(const std::string& record, Sequence sequence) {
        MutexLock lock(mutex_);
        acknowledged_[record] = {disk_.operation_count(), sequence};
    }
    /// What a flush of the index would have saved.
    void saved(std::vector<MapIndex::Entry> entries) {
        MutexLock lock(mutex_);
        saved_[disk_.operation_count()] = std::move(entries);
    }

    std::vector<MapIndex::Entry> saved_before(size_t operations) const {
        MutexLock lock(mutex_);
        const auto after = saved_.upper_bound(operations);
        return after == saved_.begin() ? std::vector<MapIndex::Entry>() : std::prev(after)->second;
    }

    void check(size_t operations, const std::vector<MapIndex::Entry>& present,
               const Log& log) const {
        MutexLock lock(mutex_);
        std::map<std::string, Sequence> by_record;
        Sequence expected = 1;
        for (const auto& entry : present) {
            EXPECT_EQ(entry.sequence, expected++);
            EXPECT_TRUE(by_record.emplace(entry.record, entry.sequence).second)
                << entry.record << " is there twice";
            const auto attempt = attempted_.find(entry.record);
            ASSERT_TRUE(attempt != attempted_.end()) << entry.record << " was never attempted";
            EXPECT_LE(attempt->second, operations);
            ASSERT_EQ(entry.bodies.size(), 1u);
            const auto body = log.read(entry.bodies.front(), 0, ~0u);
            ASSERT_TRUE(body.ok()) << body.error().message;
            EXPECT_TRUE(*body == body_of(entry.record)) << entry.record;
        }
        for (const auto& [record, acknowledgement] : acknowledged_) {
            if (acknowledgement.first > operations) continue;
            const auto found = by_record.find(record);
            ASSERT_TRUE(found != by_record.end()) << record << " was acknowledged and is lost";
            EXPECT_EQ(found->second, acknowledgement.second);
        }
    }

 private:
    const io::FaultyDisk& disk_;
    mutable Mutex mutex_;
    std::map<std::string, size_t> attempted_ TARN_GUARDED_BY(mutex_);
    std::map<std::string, std::pair<size_t, Sequence>> acknowledged_ TARN_GUARDED_BY(mutex_);
    std::map<size_t, std::vector<MapIndex::Entry>> saved_ TARN_GUARDED_BY(mutex_);
};

/// Four writers, some hundred changes each.
void write_some(Log& log, History& history, const std::string& name, int changes) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0; i < changes; ++i) {
                const std::string record = name + std::to_string(writer) + "-" + std::to_string(i);
                history.attempted(record);
                const auto committed = log.commit({record, {body_of(record)}});
                ASSERT_TRUE(committed.ok()) << committed.error().message;
                history.acknowledged(record, committed->sequence);
            }
        });
    }
    for (auto& writer : writers) writer.join();
}

/// Opens what a failure has left, checks it, goes on writing, cuts that off too, and checks again.
void check_after(const io::FaultyDisk& before, size_t operations, const History& history,
                 uint64_t seed) {
    SystemClock clock;
    Metrics metrics;
    Random random(seed);
    const auto disk = before.crash(operations, seed);
    const auto saved = history.saved_before(operations);
    std::vector<MapIndex::Entry> found;
    {
        MapIndex index(saved);
        auto log = Log::open(*disk, index, clock, metrics, options());
        ASSERT_TRUE(log.ok()) << log.error().message;
        history.check(operations, index.entries(), **log);
        found = index.entries();
        for (int i = 0; i < 3; ++i)
            ASSERT_TRUE((*log)->commit({"again" + std::to_string(i), {"x"}}).ok());
    }
    // A second failure anywhere in that recovery and the writes after it loses nothing that was
    // found.
    const size_t second = random.below(disk->operation_count() + 1);
    const auto again = disk->crash(second, seed + 1);
    MapIndex index(saved);
    auto log = Log::open(*again, index, clock, metrics, options());
    ASSERT_TRUE(log.ok()) << log.error().message << " after the second failure, at " << second;
    ASSERT_GE(index.entries().size(), found.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(index.entries()[i], found[i]);
    for (size_t i = found.size(); i < index.entries().size(); ++i)
        EXPECT_EQ(index.entries()[i].record, "again" + std::to_string(i - found.size()));
}

TEST(LogCrash, NothingAcknowledgedIsLostAndNothingIsInvented) {
    const uint64_t points = from_environment("TARN_CRASH_POINTS", 300);
    const uint64_t seed = from_environment("TARN_CRASH_SEED", 1);
    SystemClock clock;
    Metrics metrics;
    io::FaultyDisk disk;
    History history(disk);
    MapIndex index;
    for (const std::string name : {"a", "b", "c"}) {
        MapIndex reopened(index.entries());
        history.saved(index.entries());
        auto log = Log::open(disk, reopened, clock, metrics, options());
        ASSERT_TRUE(log.ok()) << log.error().message;
        write_some(**log, history, name, 25);
        log->reset();
        index = reopened;
    }
    EXPECT_GT(disk.crash(disk.operation_count(), 0)->list("/lake/wal").value().size(), 5u);
    Random random(seed);
    for (uint64_t point = 0; point < points && !testing::Test::HasFailure(); ++point) {
        const size_t operations = random.below(disk.operation_count() + 1);
        SCOPED_TRACE("failure after operation " + std::to_string(operations) + ", seed " +
                     std::to_string(seed + point));
        check_after(disk, operations, history, seed + point);
    }
}

// What a process wrote and could not sync is still shown by the kernel to the next one; before
// anybody sees it again it must be durable.
TEST(LogCrash, WhatAFailedProcessLeftBecomesDurableBeforeItIsShown) {
    SystemClock clock;
    Metrics metrics;
    io::FaultyDisk disk;
    {
        MapIndex index;
        auto log = Log::open(disk, index, clock, metrics, options());
        ASSERT_TRUE(log.ok());
        ASSERT_TRUE((*log)->commit({"one", {}}).ok());
        disk.add_fault({io::FaultyDisk::Call::sync, "", 0, io::FaultyDisk::kForever});
        EXPECT_EQ((*log)->commit({"two", {}}).error().code, Code::io);
    }
    // The same disk, as the next process finds it: the page cache has the second frame.
    disk.clear_faults();
    MapIndex index;
    auto log = Log::open(disk, index, clock, metrics, options());
    ASSERT_TRUE(log.ok()) << log.error().message;
    const size_t shown = disk.operation_count();
    for (uint64_t seed = 0; seed < 40; ++seed) {
        const auto after = disk.crash(shown, seed);
        MapIndex later;
        auto reopened = Log::open(*after, later, clock, metrics, options());
        ASSERT_TRUE(reopened.ok()) << reopened.error().message;
        EXPECT_TRUE(later.entries() == index.entries()) << seed;
    }
}

}  // namespace
}  // namespace tarn::wal

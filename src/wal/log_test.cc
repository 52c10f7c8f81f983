#include "wal/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>

#include "base/random.h"
#include "io/faulty_disk.h"
#include "wal/internal/format.h"
#include "wal/internal/map_index.h"
#include "wal/internal/segment.h"

namespace tarn::wal {
namespace {

using Call = io::FaultyDisk::Call;
using testing::HasSubstr;

const std::string kFolder = "/lake/wal";
const std::string kFirst = kFolder + "/00000001.wal";

class LogTest : public testing::Test {
 protected:
    LogTest() {
        options_.directory = kFolder;
        options_.lake_id = "00112233445566778899aabbccddeeff";
        options_.segment_bytes = 64 << 10;
        options_.free_bytes_min = 1 << 20;
    }

    /// The log over a new index, which holds `saved` already.
    Status open(std::vector<MapIndex::Entry> saved = {}) {
        log_.reset();
        index_ = std::make_unique<MapIndex>(std::move(saved));
        auto log = Log::open(*disk_, *index_, clock_, metrics_, options_);
        if (!log.ok()) return std::move(log).error();
        log_ = std::move(log).value();
        return {};
    }
    void use(std::unique_ptr<io::FaultyDisk> disk) {
        log_.reset();
        disk_ = std::move(disk);
    }
    Code commit(const std::string& record, std::vector<std::string> bodies = {},
                bool urgent = false) {
        const auto committed = log_->commit({record, std::move(bodies)}, urgent);
        if (committed.ok()) return kCommitted;
        return committed.error().code;
    }
    void commit_many(int count, size_t body_bytes) {
        for (int i = 0; i < count; ++i)
            ASSERT_EQ(commit("r" + std::to_string(i), {std::string(body_bytes, 'b')}), kCommitted);
    }
    std::vector<std::string> records() const {
        std::vector<std::string> all;
        for (const auto& entry : index_->entries()) all.push_back(entry.record);
        return all;
    }

    static constexpr Code kCommitted = static_cast<Code>(-1);
    SystemClock clock_;
    Metrics metrics_;
    std::unique_ptr<io::FaultyDisk> disk_ = std::make_unique<io::FaultyDisk>();
    LogOptions options_;
    std::unique_ptr<MapIndex> index_;
    std::unique_ptr<Log> log_;
};

TEST_F(LogTest, CommitsAreAnsweredAndReadBack) {
    ASSERT_TRUE(open().ok());
    const auto first = log_->commit({"one", {"body", "", "another"}});
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first->sequence, 1u);
    EXPECT_EQ(first->offsets, std::vector<uint64_t>{10});
    EXPECT_EQ(commit("refuse"), Code::precondition_failed);
    const auto nothing = log_->commit({"nothing", {}});
    ASSERT_TRUE(nothing.ok());
    EXPECT_EQ(nothing->offsets, std::vector<uint64_t>{7});
    EXPECT_EQ(log_->commit({"two", {}})->sequence, 2u);
    EXPECT_EQ(log_->last_applied(), 2u);
    EXPECT_EQ(records(), (std::vector<std::string>{"one", "two"}));
    const auto bodies = index_->entries()[0].bodies;
    ASSERT_EQ(bodies.size(), 3u);
    EXPECT_EQ(log_->read(bodies[0], 0, 100).value(), "body");
    EXPECT_EQ(log_->read(bodies[1], 0, 100).value(), "");
    EXPECT_EQ(log_->read(bodies[2], 2, 3).value(), "oth");
    EXPECT_EQ(log_->read(bodies[2], 8, 1).error().code, Code::out_of_range);
    BodyRef wrong = bodies[0];
    ++wrong.crc32c;
    EXPECT_EQ(log_->read(wrong, 0, 100).error().code, Code::corrupted);
}

TEST_F(LogTest, ReplayGivesTheIndexWhatItDoesNotHold) {
    ASSERT_TRUE(open().ok());
    commit_many(100, 2000);
    const auto entries = index_->entries();
    const std::string chain = log_->chain_head();
    EXPECT_EQ(chain.size(), 64u);
    for (const size_t saved : {size_t{0}, size_t{1}, size_t{30}, size_t{99}, size_t{100}}) {
        const std::vector<MapIndex::Entry> held(entries.begin(), entries.begin() + saved);
        ASSERT_TRUE(open(held).ok()) << saved;
        EXPECT_TRUE(index_->entries() == entries);
        EXPECT_EQ(log_->chain_head(), chain);
        EXPECT_EQ(log_->last_applied(), 100u);
        for (const auto& entry : entries)
            EXPECT_EQ(log_->read(entry.bodies[0], 0, 9999).value(), std::string(2000, 'b'));
    }
    EXPECT_EQ(log_->commit({"next", {}})->sequence, 101u);
    EXPECT_NE(log_->chain_head(), chain);
}

TEST_F(LogTest, AGroupSharesOneSyncAndIsAnsweredInOrder) {
    ASSERT_TRUE(open().ok());
    std::binary_semaphore entered(0), go_on(0), all(0);
    log_->commit({"first", {}}, [&](Result<Committed>) {
        entered.release();
        go_on.acquire();
    });
    entered.acquire();
    std::vector<std::string> order;
    for (int i = 0; i < 20; ++i) {
        const std::string intent = i % 5 == 3 ? "refuse" : "c" + std::to_string(i);
        log_->commit({intent, {std::string(100, 'x')}}, [&, intent](Result<Committed> result) {
            order.push_back(intent);
            EXPECT_EQ(result.ok(), intent != "refuse");
            // Visible before it is acknowledged.
            EXPECT_TRUE(!result.ok() || log_->last_applied() >= result->sequence);
            if (order.size() == 20) all.release();
        });
    }
    const size_t before = disk_->operation_count();
    go_on.release();
    all.acquire();
    EXPECT_EQ(disk_->operation_count() - before, 2u);  // one write, one sync
    EXPECT_EQ(order.size(), 20u);
    EXPECT_EQ(order[3], "refuse");
    EXPECT_EQ(index_->groups(), 2);
    EXPECT_EQ(records().size(), 17u);
    EXPECT_THAT(metrics_.render(), HasSubstr("tarn_wal_commits_total 17"));
}

TEST_F(LogTest, SegmentsAreSealedRemovedAndReadableWhilePinned) {
    ASSERT_TRUE(open().ok());
    commit_many(100, 2000);
    const auto segments = log_->segments();
    ASSERT_GE(segments.size(), 3u);
    for (size_t i = 0; i < segments.size(); ++i) {
        EXPECT_EQ(segments[i].sealed, i + 1 < segments.size());
        EXPECT_EQ(segments[i].first, i == 0 ? 1 : segments[i - 1].last + 1);
        EXPECT_LE(segments[i].bytes, options_.segment_bytes);
    }
    EXPECT_EQ(log_->remove(segments.back().id).error().code, Code::invalid_argument);
    const auto body = index_->entries()[0].bodies[0];
    const auto pinned = log_->pin(body.segment);
    ASSERT_NE(pinned, nullptr);
    ASSERT_TRUE(log_->remove(segments[0].id).ok());
    EXPECT_EQ(log_->remove(segments[0].id).error().code, Code::not_found);
    EXPECT_EQ(log_->pin(body.segment), nullptr);
    EXPECT_EQ(log_->read(body, 0, 9999).error().code, Code::not_found);
    EXPECT_EQ(log_->read(*pinned, body, 0, 9999).value(), std::string(2000, 'b'));
    EXPECT_FALSE(disk_->exists(kFirst).value());

    // A hole in the middle is fine as long as the index holds what was there.
    ASSERT_TRUE(log_->remove(segments[2].id).ok());
    const auto entries = index_->entries();
    ASSERT_TRUE(open(entries).ok());
    EXPECT_EQ(log_->segments().size(), segments.size() - 2);
    const Status missing = open();
    EXPECT_EQ(missing.error().code, Code::corrupted);
    EXPECT_THAT(missing.error().message, HasSubstr("the index needs 1"));
}

TEST_F(LogTest, AFailedSyncEndsTheLog) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("good"), kCommitted);
    disk_->add_fault({Call::sync, kFolder});
    EXPECT_EQ(commit("bad"), Code::io);
    EXPECT_FALSE(log_->healthy());
    EXPECT_EQ(index_->abandoned(), 1);
    EXPECT_EQ(commit("later"), Code::unavailable) << "it is certain that this one was not written";
    EXPECT_EQ(commit("later", {}, true), Code::unavailable);
    EXPECT_EQ(records(), std::vector<std::string>{"good"});
}

TEST_F(LogTest, AFailedOrShortWriteEndsTheLogAndWhatWasAcknowledgedStays) {
    for (const Code code : {Code::io, Code::exhausted}) {
        for (const uint64_t written : {0, 1, 40, 100, 600}) {
            use(std::make_unique<io::FaultyDisk>());
            ASSERT_TRUE(open().ok());
            ASSERT_EQ(commit("good", {std::string(700, 'g')}), kCommitted);
            disk_->add_fault({Call::write, kFolder, 0, 1, code, written});
            EXPECT_EQ(commit("bad", {std::string(700, 'b')}), Code::io);
            EXPECT_FALSE(log_->healthy());
            ASSERT_TRUE(open().ok());
            EXPECT_EQ(records(), std::vector<std::string>{"good"});
            EXPECT_EQ(log_->commit({"next", {}})->sequence, 2u);
            ASSERT_TRUE(open().ok());
            EXPECT_EQ(records(), (std::vector<std::string>{"good", "next"}));
        }
        log_.reset();
    }
}

TEST_F(LogTest, AFailedApplyEndsTheLog) {
    ASSERT_TRUE(open().ok());
    index_->fail_apply = true;
    EXPECT_EQ(commit("a"), Code::io);
    EXPECT_FALSE(log_->healthy());
    EXPECT_EQ(log_->last_applied(), 0u);
}

TEST_F(LogTest, BelowTheWatermarkOnlyUrgentChangesPass) {
    ASSERT_TRUE(open().ok());
    disk_->set_free_bytes(options_.free_bytes_min / 2);
    const auto until = clock_.steady() + std::chrono::seconds(10);
    while (commit("a") == kCommitted && clock_.steady() < until) {
    }
    EXPECT_EQ(commit("b"), Code::exhausted);
    EXPECT_EQ(commit("urgent", {}, true), kCommitted);
    disk_->set_free_bytes(1000);
    while (commit("a", {}, true) == kCommitted && clock_.steady() < until) {
    }
    EXPECT_EQ(commit("urgent", {}, true), Code::exhausted);
    EXPECT_TRUE(log_->healthy());
    disk_->set_free_bytes(1 << 30);
    while (commit("c") != kCommitted && clock_.steady() < until) {
    }
    EXPECT_EQ(commit("d"), kCommitted);
}

TEST_F(LogTest, NoRoomForTheNextSegmentRefusesCleanly) {
    ASSERT_TRUE(open().ok());
    disk_->set_free_bytes(options_.free_bytes_min + 1);  // too little to prepare a segment
    disk_->add_fault({Call::preallocate, kFolder, 0, io::FaultyDisk::kForever, Code::exhausted});
    int committed = 0;
    Code last = kCommitted;
    while (committed < 200 && (last = commit("r", {std::string(4000, 'r')})) == kCommitted)
        ++committed;
    EXPECT_GT(committed, 10);
    EXPECT_EQ(last, Code::exhausted);
    EXPECT_TRUE(log_->healthy());
    EXPECT_EQ(commit("again", {std::string(4000, 'r')}), Code::exhausted);
    disk_->clear_faults();
    EXPECT_EQ(log_->commit({"then", {std::string(4000, 't')}})->sequence, committed + 1u);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(records().size(), committed + 1u);
}

TEST_F(LogTest, TheQueueIsBounded) {
    options_.queue_changes_max = 3;
    options_.queue_bytes_max = 10'000;
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(commit("large", {std::string(10'000, 'x')}), Code::invalid_argument);
    std::binary_semaphore entered(0), go_on(0), done(0);
    log_->commit({"first", {}}, [&](Result<Committed>) {
        entered.release();
        go_on.acquire();
    });
    entered.acquire();
    log_->commit({"a", {std::string(6000, 'x')}}, Done([](Result<Committed>) {}));
    EXPECT_EQ(commit("b", {std::string(6000, 'x')}), Code::exhausted);
    log_->commit({"c", {}}, Done([](Result<Committed>) {}));
    log_->commit({"d", {}}, [&](Result<Committed>) { done.release(); });
    EXPECT_EQ(commit("e"), Code::exhausted);
    go_on.release();
    done.acquire();
    while (commit("f") != kCommitted) {
    }
}

TEST_F(LogTest, AChangeLargerThanASegmentFits) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("small"), kCommitted);
    ASSERT_EQ(commit("large", {std::string(300'000, 'l')}), kCommitted);
    ASSERT_EQ(commit("after"), kCommitted);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(records(), (std::vector<std::string>{"small", "large", "after"}));
    EXPECT_EQ(log_->read(index_->entries()[1].bodies[0], 0, 1 << 20).value(),
              std::string(300'000, 'l'));
}

// Every bit of the log is guarded: damage before the last frame stops the start and is named;
// nothing is lost in silence.
TEST_F(LogTest, AFlippedBitIsReported) {
    ASSERT_TRUE(open().ok());
    commit_many(60, 1500);
    const auto segments = log_->segments();
    ASSERT_EQ(segments.size(), 2u);
    const auto last_body = index_->entries().back().bodies[0];
    const uint64_t last_frame = last_body.offset - kFrameHeaderBytes - 16 - 3;
    log_.reset();
    const auto intact = disk_->copy();
    Random random(3);
    for (int round = 0; round < 400; ++round) {
        const auto& segment = segments[random.below(2)];
        const uint64_t offset = random.below(segment.bytes);
        if (offset >= 84 && offset < kSegmentHeaderBytes) continue;  // the header's padding
        use(intact->copy());
        const std::string path = kFolder + "/" + segment_name(segment.id);
        ASSERT_TRUE(disk_->flip_bit(path, offset, static_cast<int>(random.below(8))).ok());
        const Status opened = open();
        if (segment.id == last_body.segment && offset >= last_frame) {
            // The very end looks like a group that a crash cut off.
            ASSERT_TRUE(opened.ok()) << opened.error().message;
            EXPECT_EQ(records().size(), 59u);
            continue;
        }
        ASSERT_FALSE(opened.ok()) << offset;
        if (offset < 8 || offset >= 12) {
            EXPECT_EQ(opened.error().code, Code::corrupted);
            EXPECT_THAT(opened.error().message, HasSubstr(segment_name(segment.id)));
            EXPECT_THAT(opened.error().message, HasSubstr("offset"));
        }
    }
    log_.reset();
}

TEST_F(LogTest, ASegmentWhoseHeaderWasNotWrittenToItsEndWasNeverBegun) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("one"), kCommitted);
    const auto id = log_->segments().back().id + 1;
    log_.reset();
    const std::string header = encode_segment_header({options_.lake_id, id, 2, {}});
    const auto intact = disk_->copy();
    for (size_t written = 1; written < 84; ++written) {
        use(intact->copy());
        const std::string path = kFolder + "/" + segment_name(id);
        static_cast<void>(disk_->remove(path).ok());  // prepared ahead of time, or not
        auto file = disk_->open(path, io::OpenMode::create_new).value();
        ASSERT_TRUE(file->preallocate(options_.segment_bytes).ok());
        ASSERT_TRUE(file->write(0, header.substr(0, written)).ok());
        file.reset();
        ASSERT_TRUE(open().ok()) << written;
        ASSERT_EQ(commit("two"), kCommitted);
        ASSERT_TRUE(open().ok()) << written;
        EXPECT_EQ(records(), (std::vector<std::string>{"one", "two"}));
        log_.reset();
        // With something behind it, it is damage.
        use(intact->copy());
        static_cast<void>(disk_->remove(path).ok());
        file = disk_->open(path, io::OpenMode::create_new).value();
        ASSERT_TRUE(file->write(0, header.substr(0, written)).ok());
        ASSERT_TRUE(file->write(kSegmentHeaderBytes, "frame").ok());
        file.reset();
        EXPECT_EQ(open().error().code, Code::corrupted) << written;
    }
}

TEST_F(LogTest, WhatIsCutOffAtTheEndIsDroppedAndOverwritten) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("one", {std::string(100, '1')}), kCommitted);
    const uint64_t begin = log_->segments()[0].bytes;
    ASSERT_EQ(commit("two", {std::string(100, '2')}), kCommitted);
    const uint64_t end = log_->segments()[0].bytes;
    log_.reset();
    const auto intact = disk_->copy();
    for (uint64_t cut = begin; cut < end; ++cut) {
        use(intact->copy());
        ASSERT_TRUE(disk_->open(kFirst, io::OpenMode::read_write).value()->truncate(cut).ok());
        ASSERT_TRUE(open().ok());
        EXPECT_EQ(records(), std::vector<std::string>{"one"});
        EXPECT_EQ(log_->commit({"new", {}})->sequence, 2u);
        ASSERT_TRUE(open().ok());
        EXPECT_EQ(records(), (std::vector<std::string>{"one", "new"}));
        log_.reset();
    }
}

// A body may hold the bytes of a frame, even of this very log: it is never taken for one.
TEST_F(LogTest, ABodyThatImitatesAFrameIsABody) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("one", {std::string(100, '1')}), kCommitted);
    SegmentHeader stranger{options_.lake_id, 9, 1, {}};
    FrameBuilder builder;
    builder.add("forged", {});
    const std::string forged(builder.finish(frame_seed(stranger), 50, {}));
    ASSERT_EQ(commit("two", {forged + forged}), kCommitted);
    const auto body = index_->entries()[1].bodies[0];
    log_.reset();
    ASSERT_TRUE(disk_->flip_bit(kFirst, body.offset - 1, 0).ok());
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(records(), std::vector<std::string>{"one"});
}

TEST_F(LogTest, StartRefusesWhatItDoesNotKnow) {
    ASSERT_TRUE(open().ok());
    ASSERT_EQ(commit("one"), kCommitted);
    const auto entries = index_->entries();
    log_.reset();
    const auto intact = disk_->copy();

    use(intact->copy());
    ASSERT_TRUE(disk_->flip_bit(kFirst, 8, 1).ok());  // version 3
    const Status newer = open();
    EXPECT_EQ(newer.error().code, Code::unimplemented);
    EXPECT_THAT(newer.error().message, HasSubstr("version 3"));

    use(intact->copy());
    options_.lake_id = "ffffffffffffffffffffffffffffffff";
    EXPECT_THAT(open().error().message, HasSubstr("another lake"));
    options_.lake_id = "xyz";
    EXPECT_EQ(open().error().code, Code::invalid_argument);
    options_.lake_id = "00112233445566778899aabbccddeeff";

    ASSERT_TRUE(disk_->rename(kFirst, kFolder + "/00000002.wal").ok());
    EXPECT_THAT(open().error().message, HasSubstr("renamed"));
    ASSERT_TRUE(disk_->remove(kFolder + "/00000002.wal").ok());
    EXPECT_THAT(open(entries).error().message, HasSubstr("is gone"));
    EXPECT_TRUE(open().ok());
    // An index that is ahead of its log.
    EXPECT_EQ(open(entries).error().code, Code::corrupted);
}

TEST_F(LogTest, ClosingCommitsWhatWaits) {
    ASSERT_TRUE(open().ok());
    int answered = 0;
    for (int i = 0; i < 50; ++i)
        log_->commit({"r" + std::to_string(i), {}},
                     [&](Result<Committed> result) { answered += result.ok(); });
    log_.reset();
    EXPECT_EQ(answered, 50);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(records().size(), 50u);
    EXPECT_EQ(disk_->list(kFolder)->size(), 1u);
}

}  // namespace
}  // namespace tarn::wal

// Power failures, full disks and failing syncs under the store: log and index lie on a FaultyDisk.
#include <gtest/gtest.h>

#include <map>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/faulty_disk.h"
#include "meta/keys.h"
#include "meta/store.h"

namespace tarn::meta {
namespace {

using io::FaultyDisk;
using State = std::map<std::string, std::string>;  // key -> value and body

class Crash : public testing::Test {
 protected:
    Result<std::unique_ptr<LocalStore>> open(FaultyDisk& disk) {
        LocalStoreOptions options;
        options.directory = directory_;
        options.segment_bytes = 64 << 10;
        options.flush_log_bytes = 50 << 10;
        options.free_bytes_min = 1 << 20;
        options.relocate_below_live = 0.6;
        return LocalStore::open(disk, clock_, metrics_, options);
    }

    /// One random batch; `state` becomes what it makes of the store.
    static Batch some_batch(Random& random, State& state) {
        Batch batch;
        for (auto left = 1 + random.below(3); left > 0; --left) {
            const auto key = Key("k").number(random.below(20)).str();
            const auto value = random.bytes(10);
            const auto body = random.bytes(random.below(2000));
            switch (random.below(4)) {
                case 0:
                    batch.erase(key);
                    state.erase(key);
                    break;
                case 1:
                    batch.put(key, value);
                    state[key] = value;
                    break;
                default:
                    batch.put(key, value, body);
                    state[key] = value + body;
            }
        }
        return batch;
    }

    static State state_of(const Reader& store) {
        State state;
        auto it = store.scan({});
        for (; it->valid(); it->next()) {
            const auto record = it->record();
            EXPECT_TRUE(record.ok());
            if (!record.ok()) break;
            auto& content = state[std::string(it->key())] = record->value;
            if (!record->body) continue;
            const auto body = record->body->read(0, record->body->size());
            EXPECT_TRUE(body.ok()) << body.error().message;
            if (body.ok()) content += *body;
        }
        EXPECT_TRUE(it->status().ok());
        return state;
    }

    const std::string directory_ = "/data";
    SystemClock clock_;
    Metrics metrics_;
};

TEST_F(Crash, AnyPowerFailureLeavesAPrefixWithAllThatWasAcknowledged) {
    Random random(1);
    std::map<Version, State> history = {{0, {}}};  // the state after each change
    struct Mark {
        size_t operations;
        Version acknowledged;
    };
    for (int round = 0; round < 8 && !HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        FaultyDisk first;
        auto* disk = &first;
        std::unique_ptr<FaultyDisk> after;
        history = {{0, {}}};
        for (int crash = 0; crash < 4; ++crash) {
            auto opened = open(*disk);
            ASSERT_TRUE(opened.ok()) << opened.error().message;
            auto store = std::move(opened).value();
            // No change is lost, none is half there, none is there that was not tried.
            const auto version = store->last_version();
            ASSERT_TRUE(history.contains(version));
            ASSERT_EQ(state_of(*store), history[version]);
            history.erase(history.upper_bound(version), history.end());

            const auto work = [&](int batches, std::vector<Mark>& marks) {
                for (int i = 0; i < batches; ++i) {
                    auto next = history.rbegin()->second;
                    const auto committed = store->commit(some_batch(random, next));
                    ASSERT_TRUE(committed.ok());
                    history[committed->version] = std::move(next);
                    marks.push_back({disk->operation_count(), committed->version});
                }
            };
            std::vector<Mark> marks;
            work(100, marks);
            ASSERT_TRUE(store->reclaim().ok());
            // What reclaim moves is a change, too, and shows nothing.
            history[store->last_version()] = State(history.rbegin()->second);
            marks = {{disk->operation_count(), store->last_version()}};
            work(60, marks);
            const auto from = marks.front().operations;
            const auto at = from + random.below(marks.back().operations - from + 1);
            Version acknowledged = 0;
            for (const auto& mark : marks)
                if (mark.operations <= at) acknowledged = mark.acknowledged;
            auto next_disk = disk->crash(at, random.below(1 << 20));
            store.reset();
            after = std::move(next_disk);
            disk = after.get();
            auto reopened = open(*disk);
            ASSERT_TRUE(reopened.ok()) << reopened.error().message;
            ASSERT_GE((*reopened)->last_version(), acknowledged);
            ASSERT_EQ(state_of(**reopened), history[(*reopened)->last_version()]);
        }
    }
}

TEST_F(Crash, AFailedSyncEndsAcknowledgements) {
    FaultyDisk disk;
    {
        auto store = open(disk).value();
        ASSERT_TRUE(store->commit(Batch().put("a", "1")).ok());
        disk.add_fault({.call = FaultyDisk::Call::sync, .path_prefix = directory_ + "/wal"});
        EXPECT_FALSE(store->commit(Batch().put("b", "1")).ok());
        EXPECT_FALSE(store->healthy());
        EXPECT_FALSE(store->commit(Batch().put("c", "1")).ok());
        EXPECT_EQ(state_of(*store), (State{{"a", "1"}}));
    }
    auto store = open(disk).value();
    EXPECT_TRUE(store->healthy());
    EXPECT_TRUE(store->commit(Batch().put("c", "1")).ok());
}

TEST_F(Crash, ANearlyFullDiskTakesErasuresOnly) {
    FaultyDisk disk;
    auto store = open(disk).value();
    ASSERT_TRUE(store->commit(Batch().put("a", "1").put("b", "1")).ok());
    store.reset();
    disk.set_free_bytes(1000);
    EXPECT_EQ(open(disk).error().reason, "disk_full");
    disk.set_free_bytes(500 << 10);
    store = open(disk).value();
    const auto refused = store->commit(Batch().put("c", "1"));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::exhausted);
    EXPECT_TRUE(store->commit(Batch().erase("a").frees_space()).ok());
    EXPECT_EQ(state_of(*store), (State{{"b", "1"}}));
    EXPECT_TRUE(store->healthy());
}

TEST_F(Crash, ADiskWithoutRoomRefusesAndGoesOn) {
    FaultyDisk disk;
    auto store = open(disk).value();
    ASSERT_TRUE(store->commit(Batch().put("a", "1")).ok());
    const auto body = Random(1).bytes(40'000);
    bool refused = false;
    disk.add_fault({.call = FaultyDisk::Call::preallocate,
                    .times = FaultyDisk::kForever,
                    .code = Code::exhausted});
    for (int i = 0; i < 10 && !refused; ++i) {
        const auto key = "k" + std::to_string(i);
        const auto committed = store->commit(
            Batch().require_absent(key, Error(Code::conflict, "")).put(key, "v", body));
        refused = !committed.ok();
        if (!refused) continue;
        EXPECT_EQ(committed.error().code, Code::exhausted);
    }
    EXPECT_TRUE(refused);
    EXPECT_TRUE(store->healthy());
    disk.clear_faults();
    // What was decided for the refused changes is forgotten.
    for (int i = 0; i < 10; ++i) {
        const auto key = "k" + std::to_string(i);
        const auto now = store->get(key);
        ASSERT_TRUE(now.ok());
        if (*now) continue;
        const auto committed = store->commit(
            Batch().require_absent(key, Error(Code::conflict, "")).put(key, "v", body));
        EXPECT_TRUE(committed.ok()) << committed.error().message;
    }
}

}  // namespace
}  // namespace tarn::meta

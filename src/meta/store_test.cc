#include "meta/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/mutex.h"
#include "meta/internal/test_store.h"
#include "meta/keys.h"

namespace tarn::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Error kOtherwise(Code::precondition_failed, "does not hold", "test");

TEST(Store, PutGetErase) {
    TestStore store;
    EXPECT_FALSE(store.get("a"));
    const auto version = store.put("a", "1");
    const auto record = store.get("a");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->value, "1");
    EXPECT_EQ(record->version, version);
    EXPECT_EQ(record->body, nullptr);
    EXPECT_EQ(store->last_version(), version);
    EXPECT_GT(store.put("a", "2"), version);
    EXPECT_EQ(store.value("a"), "2");
    store.commit(Batch().erase("a"));
    EXPECT_FALSE(store.get("a"));
    EXPECT_TRUE(store->healthy());
}

TEST(Store, OperationsOfABatchApplyInOrder) {
    TestStore store;
    store.commit(
        Batch().put("a", "1").put("b", "1").erase("a").put("a", "2").erase_range("b", "c"));
    EXPECT_EQ(store.value("a"), "2");
    EXPECT_FALSE(store.get("b"));
}

TEST(Store, KeysAreChecked) {
    TestStore store;
    const auto refused = [&](Batch batch) {
        const auto committed = store->commit(std::move(batch));
        return !committed.ok() && committed.error().code == Code::invalid_argument;
    };
    EXPECT_TRUE(refused(Batch().put("", "1")));
    EXPECT_TRUE(refused(Batch().put(std::string("\0s", 2), "1")));
    EXPECT_TRUE(refused(Batch().put(std::string(20'000, 'k'), "1")));
    EXPECT_TRUE(refused(Batch().append("s", 0, "1")));
    EXPECT_TRUE(refused(Batch().erase_range("a", "")));
    EXPECT_TRUE(refused(Batch().require_absent(std::string(1, '\0'), kOtherwise)));
    EXPECT_FALSE(store.get(std::string("\0s", 2)));
    EXPECT_THAT(store.keys(), IsEmpty());
}

TEST(Store, Conditions) {
    TestStore store;
    const auto version = store.put("a", "1");
    const auto holds = [&](Batch batch) {
        const auto committed = store->commit(std::move(batch.put("done", "1")));
        if (committed.ok()) return true;
        EXPECT_EQ(committed.error().code, kOtherwise.code);
        EXPECT_EQ(committed.error().message, kOtherwise.message);
        EXPECT_EQ(committed.error().reason, kOtherwise.reason);
        return false;
    };
    EXPECT_TRUE(holds(Batch().require_absent("b", kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_absent("a", kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_present("a", kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_present("b", kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_version("a", version, kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_version("a", version + 1, kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_version("a", 0, kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_version("b", 0, kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_version("b", version, kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_value("a", "1", kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_value("a", "2", kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_value("a", std::nullopt, kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_value("b", std::nullopt, kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_value("b", "", kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_empty("b", "c", kOtherwise)));
    EXPECT_TRUE(holds(Batch().require_empty("a0", "c", kOtherwise)));
    EXPECT_FALSE(holds(Batch().require_empty("a", "c", kOtherwise)));
}

TEST(Store, AFailedBatchLeavesNothing) {
    TestStore store;
    store.put("a", "text");
    const auto before = store->last_version();
    // The last operation fails after others were resolved: adding to something that is no counter.
    const auto committed = store->commit(
        Batch().put("b", "1").append("s/", 3, "v").erase_range("a", "b").put("a", "x").add("a", 1));
    ASSERT_FALSE(committed.ok());
    EXPECT_EQ(committed.error().code, Code::invalid_argument);
    EXPECT_EQ(store->last_version(), before);
    EXPECT_EQ(store.value("a"), "text");
    const auto next = store->commit(Batch().require_absent("b", kOtherwise).append("s/", 1, "v"));
    ASSERT_TRUE(next.ok());
    EXPECT_THAT(next->offsets, ElementsAre(0));
}

TEST(Store, ABatchOfConditionsOnlyIsDecided) {
    TestStore store;
    store.put("a", "1");
    EXPECT_TRUE(store->commit(Batch().require_present("a", kOtherwise)).ok());
    EXPECT_FALSE(store->commit(Batch().require_absent("a", kOtherwise)).ok());
}

/// Submits without waiting, so that changes meet in one group.
class Together {
 public:
    explicit Together(LocalStore& store) : store_(store) {}
    void commit(Batch batch) {
        {
            MutexLock lock(mutex_);
            ++waiting_;
        }
        store_.commit(std::move(batch), [this](Result<Commit> result) {
            MutexLock lock(mutex_);
            results_.push_back(std::move(result));
            --waiting_;
            changed_.notify_all();
        });
    }
    std::vector<Result<Commit>> wait() {
        MutexLock lock(mutex_);
        while (waiting_ > 0) changed_.wait(mutex_);
        return std::move(results_);
    }
    size_t wait_successes() {
        const auto results = wait();
        return std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); });
    }

 private:
    LocalStore& store_;
    Mutex mutex_;
    Condition changed_;
    size_t waiting_ TARN_GUARDED_BY(mutex_) = 0;
    std::vector<Result<Commit>> results_ TARN_GUARDED_BY(mutex_);
};

TEST(Store, ConflictsInsideOneGroup) {
    TestStore store;
    const auto version = store.put("v", "0");
    store.put("r/1", "1");
    for (int round = 0; round < 20; ++round) {
        const auto key = "a" + std::to_string(round);
        Together together(*store);
        for (int i = 0; i < 50; ++i)
            together.commit(Batch().require_absent(key, kOtherwise).put(key, std::to_string(i)));
        EXPECT_EQ(together.wait_successes(), 1u);
    }
    Together versions(*store);
    for (int i = 0; i < 50; ++i)
        versions.commit(Batch().require_version("v", version, kOtherwise).put("v", "x"));
    EXPECT_EQ(versions.wait_successes(), 1u);
    Together values(*store);
    for (int i = 0; i < 50; ++i)
        values.commit(Batch().require_value("v", "x", kOtherwise).put("v", "y"));
    EXPECT_EQ(values.wait_successes(), 1u);
    Together presence(*store);
    for (int i = 0; i < 50; ++i)
        presence.commit(Batch().require_present("v", kOtherwise).erase("v"));
    EXPECT_EQ(presence.wait_successes(), 1u);
    Together ranges(*store);
    for (int i = 0; i < 50; ++i) {
        ranges.commit(Batch().require_empty("r/", "r0", kOtherwise).put("r/2", "2"));
        ranges.commit(Batch().require_present("r/1", kOtherwise).erase_range("r/", "r0"));
    }
    EXPECT_EQ(ranges.wait_successes(), 2u);
    EXPECT_THAT(store.keys({"r/", "r0"}), ElementsAre("r/2"));
}

TEST(Store, Counters) {
    TestStore store;
    store.commit(Batch().add("c", 5).add("c", -7));
    EXPECT_EQ(decode_counter(store.value("c")), -2);
    Together together(*store);
    for (int i = 0; i < 1000; ++i) together.commit(Batch().add("c", 3));
    EXPECT_EQ(together.wait_successes(), 1000u);
    EXPECT_EQ(decode_counter(store.value("c")), 2998);
    store.crash();
    EXPECT_EQ(decode_counter(store.value("c")), 2998);
    EXPECT_EQ(decode_counter("short"), 0);
}

TEST(Store, AppendsAreDenseUnderManyThreads) {
    TestStore store;
    constexpr int kThreads = 16;
    constexpr int kAppends = 100;
    std::vector<std::vector<std::pair<uint64_t, uint32_t>>> taken(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            Random random(t);
            for (int i = 0; i < kAppends; ++i) {
                const auto count = static_cast<uint32_t>(1 + random.below(3));
                auto done = store->commit(
                    Batch().append("s/", count, "one").append("t/", 1, "x").append("s/", 1, "two"));
                ASSERT_TRUE(done.ok());
                ASSERT_EQ(done->offsets.size(), 3u);
                ASSERT_EQ(done->offsets[2], done->offsets[0] + count);
                taken[t].emplace_back(done->offsets[0], count);
                taken[t].emplace_back(done->offsets[2], 1);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::vector<std::pair<uint64_t, uint32_t>> all;
    for (const auto& some : taken) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    uint64_t next = 0;
    for (const auto& [offset, count] : all) {
        ASSERT_EQ(offset, next);
        ASSERT_TRUE(store.get(sequence_key("s/", offset)));
        next += count;
    }
    EXPECT_EQ(decode_counter(store.value(next_offset_key("s/"))), static_cast<int64_t>(next));
    store.reopen();
    const auto later = store->commit(Batch().erase_range("s/", "s0").append("s/", 1, "x"));
    ASSERT_TRUE(later.ok());
    EXPECT_THAT(later->offsets, ElementsAre(next));
}

TEST(Store, SnapshotsStandStill) {
    TestStore store;
    const auto version = store.put("a", "1", "body one");
    store.put("b", "1");
    const auto snapshot = store->snapshot();
    EXPECT_EQ(snapshot->version(), version + 1);
    store.put("a", "2", "body two");
    store.commit(Batch().erase("b").put("c", "1"));
    EXPECT_EQ(TestStore::get(*snapshot, "a")->value, "1");
    EXPECT_EQ(TestStore::body(TestStore::get(*snapshot, "a")), "body one");
    EXPECT_THAT(TestStore::keys(*snapshot), ElementsAre("a", "b"));
    EXPECT_THAT(store.keys(), ElementsAre("a", "c"));
    EXPECT_FALSE(TestStore::get(*snapshot, "c"));
}

TEST(Store, IteratorsGoBothWays) {
    TestStore store;
    for (const auto* key : {"a/1", "a/2", "a/3", "b/1", "b/2"}) store.put(key, key);
    EXPECT_THAT(store.keys({"a/", prefix_end("a/")}), ElementsAre("a/1", "a/2", "a/3"));
    EXPECT_THAT(store.keys({"a/2", "b/2"}), ElementsAre("a/2", "a/3", "b/1"));
    EXPECT_THAT(store.keys({"a/", prefix_end("a/"), true}), ElementsAre("a/3", "a/2", "a/1"));
    EXPECT_THAT(store.keys({"", "", true}), ElementsAre("b/2", "b/1", "a/3", "a/2", "a/1"));
    EXPECT_THAT(store.keys({"b/", "a/"}), IsEmpty());
    EXPECT_THAT(store.keys({"x", ""}), IsEmpty());

    auto it = store->scan({"a/", "b/2"});
    it->seek("a/3");
    EXPECT_EQ(it->key(), "a/3");
    it->seek("a/4");
    EXPECT_EQ(it->key(), "b/1");
    EXPECT_EQ(it->record()->value, "b/1");
    it->seek("b/2");
    EXPECT_FALSE(it->valid());
    it->seek("");
    EXPECT_EQ(it->key(), "a/1");

    auto back = store->scan({"a/2", "b/2", true});
    EXPECT_EQ(back->key(), "b/1");
    back->seek("a/9");
    EXPECT_EQ(back->key(), "a/3");
    back->seek("z");
    EXPECT_EQ(back->key(), "b/1");
    back->seek("a/1");
    EXPECT_FALSE(back->valid());
}

TEST(Store, AScanSeesOneState) {
    TestStore store;
    for (int i = 0; i < 10; ++i) store.put("k" + std::to_string(i), "old");
    auto it = store->scan({});
    store.commit(Batch().erase_range("k", "l").put("k5", "new"));
    int count = 0;
    for (; it->valid(); it->next(), ++count) EXPECT_EQ(it->record()->value, "old");
    EXPECT_EQ(count, 10);
}

TEST(Store, EraseRange) {
    TestStore store;
    for (int i = 0; i < 3000; ++i) store.commit(Batch().put(Key("k").number(i), "v"));
    store.commit(Batch().erase_range(Key("k").number(10), Key("k").number(12)));
    EXPECT_EQ(store.keys().size(), 2998u);
    store.commit(Batch()
                     .put(Key("k").number(50).str() + "x", "in the same batch")
                     .erase_range(Key("k").number(20), Key("k").number(2990))
                     .put(Key("k").number(60), "after"));
    EXPECT_EQ(store.keys().size(), 29u);
    EXPECT_EQ(store.value(Key("k").number(60)), "after");
    store.crash();
    EXPECT_EQ(store.keys().size(), 29u);
}

TEST(Store, TheLakeIdStays) {
    TestStore store;
    const auto id = store->lake_id();
    EXPECT_EQ(id.size(), 32u);
    store.reopen();
    EXPECT_EQ(store->lake_id(), id);
    store.put("a", "1");
    EXPECT_FALSE(store->chain_head().empty());
    store.close();
    std::filesystem::remove(store.directory() + "/lake-id");
    EXPECT_FALSE(store.try_open().ok());
}

TEST(Store, OnlyOneProcessOpensIt) {
    TestStore store;
    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    LocalStoreOptions options;
    options.directory = store.directory();
    const auto second = LocalStore::open(disk, clock, metrics, options);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, Code::unavailable);
}

}  // namespace
}  // namespace tarn::meta

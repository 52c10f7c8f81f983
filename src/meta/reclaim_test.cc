#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "meta/internal/test_store.h"
#include "meta/keys.h"
#include "meta/store.h"

namespace tarn::meta {
namespace {

constexpr size_t kBodyBytes = 10'000;

std::string body_of(int i) {
    return Random(1000 + i).bytes(kBodyBytes);
}
std::string key_of(int i) {
    return Key("o").number(i);
}

void put_bodies(TestStore& store, int from, int to) {
    for (int i = from; i < to;) {
        Batch batch;
        for (int in_batch = 0; in_batch < 10 && i < to; ++in_batch, ++i)
            batch.put(key_of(i), "v" + std::to_string(i), body_of(i));
        store.commit(std::move(batch));
    }
}

TEST(Reclaim, SpaceOfDeadBodiesComesBack) {
    TestStore store;
    put_bodies(store, 0, 1000);
    const auto full = store.log_bytes();
    EXPECT_GT(full, 1000 * kBodyBytes);
    EXPECT_EQ(store->reclaim().value(), 0u);
    store.commit(Batch().erase_range("o/", "o0"));
    const auto given_back = store->reclaim();
    ASSERT_TRUE(given_back.ok());
    EXPECT_GT(*given_back, full / 2);
    EXPECT_LT(store.log_bytes(), 4u << 20);
    store.crash();
    EXPECT_TRUE(store.keys().empty());
    put_bodies(store, 0, 10);
    EXPECT_EQ(store.body(key_of(3)), body_of(3));
}

TEST(Reclaim, OverwrittenBodiesComeBackToo) {
    TestStore store;
    for (int round = 0; round < 100; ++round) put_bodies(store, 0, 10);
    ASSERT_TRUE(store->reclaim().ok());
    EXPECT_LT(store.log_bytes(), 4u << 20);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(store.body(key_of(i)), body_of(i));
}

TEST(Reclaim, SparseSegmentsAreEmptied) {
    TestStore store;
    put_bodies(store, 0, 1000);
    std::map<int, Version> versions;
    Batch erasures;
    for (int i = 0; i < 1000; ++i) {
        if (i % 10 == 0)
            versions[i] = store.get(key_of(i))->version;
        else
            erasures.erase(key_of(i));
    }
    store.commit(std::move(erasures));
    const auto full = store.log_bytes();
    ASSERT_GT(store->reclaim().value(), 0u);
    EXPECT_LT(store.log_bytes(), full / 2);
    const auto check = [&] {
        for (const auto& [i, version] : versions) {
            const auto record = store.get(key_of(i));
            ASSERT_TRUE(record);
            EXPECT_EQ(record->version, version) << "relocation is no write";
            EXPECT_EQ(record->value, "v" + std::to_string(i));
            EXPECT_EQ(TestStore::body(record), body_of(i));
        }
        EXPECT_EQ(store.keys().size(), versions.size());
    };
    check();
    store.crash();
    check();
    store.reopen();
    check();
    store.commit(Batch().erase_range("o/", "o0"));
    ASSERT_TRUE(store->reclaim().ok());
    EXPECT_LT(store.log_bytes(), 4u << 20);
}

TEST(Reclaim, HandlesAndSnapshotsKeepTheirBytes) {
    TestStore store;
    put_bodies(store, 0, 300);
    const auto record = store.get(key_of(5));
    const auto snapshot = store->snapshot();
    store.commit(Batch().erase_range("o/", "o0"));
    put_bodies(store, 1000, 1300);
    ASSERT_GT(store->reclaim().value(), 0u);
    EXPECT_EQ(TestStore::body(record), body_of(5));
    EXPECT_EQ(TestStore::body(TestStore::get(*snapshot, key_of(7))), body_of(7));
    EXPECT_EQ(TestStore::keys(*snapshot).size(), 300u);
}

TEST(Reclaim, ReadersAndWritersGoOnMeanwhile) {
    TestStore store;
    constexpr int kKeys = 50;
    put_bodies(store, 0, kKeys);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            Random random(t);
            while (!stop) {
                const int i = static_cast<int>(random.below(kKeys));
                ASSERT_EQ(store.body(key_of(i)), body_of(i));
                auto it = store->scan({"o/", "o0"});
                it->seek(key_of(i));
                ASSERT_EQ(TestStore::body(it->record().value()), body_of(i));
            }
        });
    }
    threads.emplace_back([&] {
        Random random(7);
        // Every tenth key stays as it is, so that its body is relocated again and again.
        for (int i = 0; i < 400; ++i) {
            const int key = static_cast<int>(random.below(kKeys));
            if (key % 10 != 0) store.put(key_of(key), "v" + std::to_string(key), body_of(key));
        }
        stop = true;
    });
    uint64_t given_back = 0;
    while (!stop) {
        const auto pass = store->reclaim();
        ASSERT_TRUE(pass.ok()) << pass.error().message;
        given_back += *pass;
    }
    for (auto& thread : threads) thread.join();
    EXPECT_GT(given_back, 0u);
    store.crash();
    for (int i = 0; i < kKeys; ++i) EXPECT_EQ(store.body(key_of(i)), body_of(i));
}

}  // namespace
}  // namespace tarn::meta

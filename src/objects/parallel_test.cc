// Many threads on few keys: every answer is whole, counters and references add up in the end.
#include <atomic>
#include <thread>

#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

using ParallelTest = ObjectsTest;

std::string body_of(uint64_t seed) {
    Random random(seed);
    const size_t sizes[] = {100, 5'000, 70'000, 300'000};
    const size_t size = sizes[random.below(4)];
    std::string bytes;
    append_le(bytes, seed);
    bytes += random.bytes(size);
    return bytes;
}

bool is_whole(const std::string& bytes) {
    return bytes.size() >= 8 && bytes == body_of(load_le<uint64_t>(bytes.data()));
}

TEST_F(ParallelTest, EveryAnswerIsWhole) {
    std::atomic<int> torn{0}, failed{0};
    std::vector<std::thread> threads;
    for (uint64_t thread = 0; thread < 6; ++thread)
        threads.emplace_back([&, thread] {
            Random random(thread);
            for (int i = 0; i < 60; ++i) {
                const auto key = "k" + std::to_string(random.below(4));
                const auto other = "k" + std::to_string(random.below(4));
                switch (random.below(6)) {
                    case 0:
                        if (!start_put(key, body_of(random.below(1'000'000))).ok()) ++failed;
                        break;
                    case 1:
                        if (!objects()
                                 .put(caller_, "bucket", key, body_of(random.below(1'000'000)))
                                 .ok())
                            ++failed;
                        break;
                    case 2:
                        if (!objects().remove(caller_, "bucket", key).ok()) ++failed;
                        break;
                    case 3:
                        (void)objects().copy(caller_, "bucket", key, "bucket", other).ok();
                        break;
                    default: {
                        auto reader = objects().open("bucket", key);
                        if (!reader.ok()) break;
                        const auto bytes = (*reader)->read(0, (*reader)->info().size);
                        if (!bytes.ok() || !is_whole(*bytes)) ++torn;
                    }
                }
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(failed, 0);

    uint64_t bytes = 0;
    auto page = objects().list("bucket", {});
    ASSERT_TRUE(page.ok());
    for (const auto& object : page->objects) {
        EXPECT_TRUE(is_whole(get(object.key))) << object.key;
        bytes += object.size;
    }
    EXPECT_EQ(objects().head_bucket("bucket")->bytes, bytes);
    EXPECT_EQ(objects().head_bucket("bucket")->objects, page->objects.size());
    restart();
    expect_no_leak(disk(), store());
    for (const auto& object : page->objects)
        ASSERT_TRUE(objects().remove(caller_, "bucket", object.key).ok());
    EXPECT_FALSE(store().scan({"x/", meta::prefix_end("x/")})->valid());
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(ParallelTest, OneOfManyCreators) {
    std::atomic<int> winners{0}, losers{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 6; ++thread)
        threads.emplace_back([&, thread] {
            PutOptions absent;
            absent.conditions.if_none_match_any = true;
            const auto done = objects().put(caller_, "bucket", "key", body_of(thread), absent);
            if (done.ok())
                ++winners;
            else if (done.error().reason == "PreconditionFailed")
                ++losers;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, 5);
}

TEST_F(ParallelTest, ABackgroundLaneFreesSpace) {
    Lane lane({"background", 1, 16});
    ObjectStoreOptions options;
    options.background = &lane;
    server_.reset();
    start(options);
    for (int i = 0; i < 10; ++i) {
        put("key", body_of(i));
        ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
    }
    lane.stop();
    restart();
    expect_no_leak(disk(), store());
}

}  // namespace
}  // namespace tarn::objects::internal

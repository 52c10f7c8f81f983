#include <gtest/gtest.h>

#include <fstream>

#include "meta/internal/test_store.h"
#include "meta/keys.h"
#include "meta/store.h"

namespace tarn::meta {
namespace {

TEST(Body, ReadsParts) {
    TestStore store;
    const auto body = Random(1).bytes(100'000);
    store.put("a", "value", body);
    const auto record = store.get("a");
    ASSERT_TRUE(record && record->body);
    EXPECT_EQ(record->value, "value");
    EXPECT_EQ(record->body->size(), body.size());
    EXPECT_EQ(record->body->read(0, body.size()).value(), body);
    EXPECT_EQ(record->body->read(1000, 50).value(), body.substr(1000, 50));
    EXPECT_EQ(record->body->read(99'990, 1000).value(), body.substr(99'990));
    EXPECT_EQ(record->body->read(100'000, 10).value(), "");
    EXPECT_EQ(record->body->read(UINT64_MAX, UINT64_MAX).value(), "");
}

TEST(Body, AnEmptyBodyIsABody) {
    TestStore store;
    store.put("a", "1", "");
    EXPECT_EQ(store.body("a"), "");
    store.reopen();
    EXPECT_EQ(store.body("a"), "");
    EXPECT_EQ(store.get("a")->body->size(), 0u);
}

TEST(Body, KeptOrReplacedByTheNextWrite) {
    TestStore store;
    const auto first = store.put("a", "1", "body");
    const auto second = store.commit(Batch().put_keep_body("a", "2"));
    EXPECT_GT(second, first);
    EXPECT_EQ(store.value("a"), "2");
    EXPECT_EQ(store.body("a"), "body");
    store.commit(Batch().put("b", "1", "other").put_keep_body("b", "2"));
    EXPECT_EQ(store.value("b"), "2");
    EXPECT_EQ(store.body("b"), "other");
    store.put("a", "3");
    EXPECT_EQ(store.get("a")->body, nullptr);
    store.commit(Batch().put_keep_body("new", "1"));
    EXPECT_EQ(store.get("new")->body, nullptr);
}

TEST(Body, OutlivesItsRecord) {
    TestStore store;
    store.put("a", "1", "the bytes");
    const auto record = store.get("a");
    store.commit(Batch().erase("a"));
    EXPECT_EQ(record->body->read(0, 100).value(), "the bytes");
}

TEST(Body, StandsBesideAppends) {
    TestStore store;
    const auto done = store->commit(Batch().append("s/", 2, "v", "payload").append("s/", 1, "w"));
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(store.body(sequence_key("s/", 0)), "payload");
    EXPECT_EQ(store.get(sequence_key("s/", 2))->body, nullptr);
}

TEST(Body, ManyInOneBatchComeBackInPlace) {
    TestStore store;
    Batch batch;
    for (int i = 0; i < 100; ++i)
        batch.put("k" + std::to_string(i), "v", "body " + std::to_string(i));
    store.commit(std::move(batch));
    store.crash();
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(store.body("k" + std::to_string(i)), "body " + std::to_string(i));
}

TEST(Body, DamageIsFound) {
    TestStore store;
    const std::string marker = "a body that a disk will damage";
    store.put("a", "1", marker);
    const auto record = store.get("a");
    for (const auto& entry : std::filesystem::directory_iterator(store.directory() + "/wal")) {
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(in), {});
        const auto at = bytes.find(marker);
        if (at == std::string::npos) continue;
        std::fstream out(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
        out.seekp(static_cast<std::streamoff>(at));
        out.put('A');
    }
    const auto read = record->body->read(0, marker.size());
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, Code::corrupted);
}

}  // namespace
}  // namespace tarn::meta

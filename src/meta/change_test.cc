#include "meta/internal/change.h"

#include <gtest/gtest.h>

#include "meta/internal/record.h"

namespace tarn::meta {
namespace {

using Kind = ChangeOp::Kind;

std::string some_record() {
    auto record = begin_record();
    append_op(record, {Kind::put, "key", "value", 0, {}});
    append_op(record, {Kind::put_body, "key", std::string(300, 'v'), 0, {}});
    append_op(record, {Kind::erase, "gone", {}, 0, {}});
    append_op(record, {Kind::erase_range, "from", "to", 0, {}});
    append_op(record, {Kind::relocate, "key", {}, 0, {7, 1ull << 40, 9, 0xdeadbeef}});
    return record;
}

TEST(Change, RecordsRoundTrip) {
    const auto record = some_record();
    RecordReader reader(record);
    auto again = begin_record();
    int count = 0;
    while (const auto op = reader.next()) {
        append_op(again, *op);
        ++count;
    }
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(count, 5);
    EXPECT_EQ(again, record);
}

TEST(Change, DamagedRecordsAreNoticed) {
    const auto record = some_record();
    const auto good = [](std::string_view bytes) {
        RecordReader reader(bytes);
        while (reader.next()) continue;
        return reader.ok();
    };
    EXPECT_TRUE(good(record));
    EXPECT_FALSE(good(record.substr(0, record.size() - 1)));
    EXPECT_FALSE(good(""));
    EXPECT_FALSE(good("\x02"));
    EXPECT_FALSE(good("\x01\x63"));
    auto unresolved = begin_record();
    append_op(unresolved, {Kind::add, "counter", {}, 1, {}});
    EXPECT_FALSE(good(unresolved));
    EXPECT_FALSE(good(std::string("\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13)));
}

TEST(Change, IntentsRoundTrip) {
    Batch batch;
    batch.require_value("a", "x", Error(Code::conflict, "message", "reason"));
    batch.require_version("b", 1'000'000, Error(Code::not_found, "", ""));
    batch.add("c", -5).append("s/", 3, "v", "body").put("d", "", "other");
    const auto change = encode_intent(std::move(batch));
    ASSERT_TRUE(change.ok());
    EXPECT_EQ(change->bodies, (std::vector<std::string>{"body", "other"}));
    IntentReader reader(change->intent);
    const auto first = reader.next_condition();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->operand, "x");
    EXPECT_EQ(first->error().reason, "reason");
    EXPECT_EQ(first->error().code, Code::conflict);
    const auto second = reader.next_condition();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->version, 1'000'000u);
    EXPECT_FALSE(second->operand);
    EXPECT_FALSE(reader.next_condition());
    EXPECT_EQ(reader.next_op()->number, -5);
    const auto append = reader.next_op();
    EXPECT_EQ(append->kind, Kind::append_body);
    EXPECT_EQ(append->number, 3);
    EXPECT_EQ(reader.next_op()->kind, Kind::put_body);
    EXPECT_FALSE(reader.next_op());
    EXPECT_TRUE(reader.ok());
}

TEST(Change, IndexRecordsHaveTheirDocumentedBytes) {
    const wal::BodyRef body{1, 2, 3, 4};
    EXPECT_EQ(encode_record({5, body, "v"}), std::string("\1"
                                                         "\5\0\0\0\0\0\0\0"
                                                         "\1\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0"
                                                         "v",
                                                         30));
    EXPECT_EQ(encode_record({5, std::nullopt, "v"}), std::string("\0\5\0\0\0\0\0\0\0v", 10));
    EXPECT_EQ(encode_state({9}), std::string("\1\11\0\0\0\0\0\0\0", 9));
    EXPECT_EQ(decode_state(encode_state({9}))->sequence, 9u);
    EXPECT_EQ(decode_state("\2").error().code, Code::unimplemented);
    EXPECT_EQ(decode_state("\1").error().code, Code::corrupted);
    EXPECT_EQ(decode_state("").error().code, Code::corrupted);
    EXPECT_FALSE(decode_record("\1"));
    EXPECT_FALSE(decode_record(std::string(9, '\7')));
}

}  // namespace
}  // namespace tarn::meta

#include "meta/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "base/random.h"

namespace tarn::meta {
namespace {

/// Short texts over the bytes that matter to escaping, so that prefixes and near misses are common.
std::string awkward_text(Random& random) {
    static constexpr char kBytes[] = {'\x00', '\x01', 'a', 'b', '\xff'};
    std::string text;
    for (auto left = random.below(5); left > 0; --left)
        text.push_back(kBytes[random.below(sizeof(kBytes))]);
    return text;
}

TEST(Keys, RoundTrip) {
    Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto first = awkward_text(random);
        const auto number = random.below(UINT64_MAX);
        const auto second = awkward_text(random);
        const auto newest = random.below(UINT64_MAX);
        const auto last = awkward_text(random);
        const auto key =
            Key("t").text(first).number(number).text(second).descending(newest).rest(last).str();
        KeyReader reader(key, "t");
        ASSERT_EQ(reader.take_text(), first);
        ASSERT_EQ(reader.take_number(), number);
        ASSERT_EQ(reader.take_text(), second);
        ASSERT_EQ(reader.take_descending(), newest);
        ASSERT_EQ(reader.rest(), last);
        ASSERT_TRUE(reader.ok());
    }
}

TEST(Keys, ByteOrderIsComponentOrder) {
    Random random(2);
    const auto component = [&] {
        return std::tuple(awkward_text(random), random.below(3), awkward_text(random));
    };
    const auto key = [](const auto& parts) {
        return Key("k")
            .text(std::get<0>(parts))
            .number(std::get<1>(parts))
            .rest(std::get<2>(parts))
            .str();
    };
    for (int i = 0; i < 50'000; ++i) {
        const auto a = component();
        const auto b = component();
        ASSERT_EQ(a < b, key(a) < key(b));
    }
}

TEST(Keys, DescendingPutsTheNewestFirst) {
    EXPECT_LT(Key("k").descending(9).str(), Key("k").descending(8).str());
    EXPECT_LT(Key("k").descending(UINT64_MAX).str(), Key("k").descending(0).str());
}

TEST(Keys, PrefixEnd) {
    EXPECT_EQ(prefix_end("a/"), "a0");
    EXPECT_EQ(prefix_end(std::string("a\xff\xff")), "b");
    EXPECT_EQ(prefix_end("\xff"), "");
    EXPECT_EQ(prefix_end(""), "");
    Random random(3);
    for (int i = 0; i < 10'000; ++i) {
        const auto prefix = "x" + awkward_text(random);
        const auto end = prefix_end(prefix);
        const auto other = "x" + awkward_text(random);
        ASSERT_EQ(other.substr(0, prefix.size()) == prefix, other >= prefix && other < end);
    }
}

TEST(Keys, MalformedBytesFailForGood) {
    EXPECT_FALSE(KeyReader("t/x", "u").ok());
    EXPECT_FALSE(KeyReader("t", "t").ok());
    EXPECT_FALSE(KeyReader("", "t").ok());
    KeyReader no_end("t/abc", "t");
    EXPECT_FALSE(no_end.take_text());
    EXPECT_FALSE(no_end.ok());
    EXPECT_FALSE(no_end.take_text());
    KeyReader bad_escape(std::string_view("t/a\0b\0\1", 7), "t");
    EXPECT_FALSE(bad_escape.take_text());
    KeyReader cut_escape(std::string_view("t/a\0", 4), "t");
    EXPECT_FALSE(cut_escape.take_text());
    KeyReader cut_number("t/1234567", "t");
    EXPECT_FALSE(cut_number.take_number());
    EXPECT_FALSE(cut_number.take_descending());
}

}  // namespace
}  // namespace tarn::meta

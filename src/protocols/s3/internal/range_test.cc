#include "protocols/s3/internal/range.h"

#include <gtest/gtest.h>

namespace tarn::s3 {
namespace {

std::string chosen(std::string_view header, uint64_t size) {
    auto range = parse_range(header, size);
    if (!range.ok()) return range.error().reason;
    if (!*range) return "whole";
    return std::to_string((*range)->offset) + "+" + std::to_string((*range)->length);
}

TEST(Range, Forms) {
    EXPECT_EQ(chosen("bytes=0-0", 10), "0+1");
    EXPECT_EQ(chosen("bytes=4-7", 10), "4+4");
    EXPECT_EQ(chosen("bytes=4-", 10), "4+6");
    EXPECT_EQ(chosen("bytes=4-99", 10), "4+6");
    EXPECT_EQ(chosen("bytes=-3", 10), "7+3");
    EXPECT_EQ(chosen("bytes=-99", 10), "0+10");
    EXPECT_EQ(chosen("bytes=9-9", 10), "9+1");
}

TEST(Range, OutsideOfTheObject) {
    EXPECT_EQ(chosen("bytes=10-", 10), "InvalidRange");
    EXPECT_EQ(chosen("bytes=10-20", 10), "InvalidRange");
    EXPECT_EQ(chosen("bytes=-0", 10), "InvalidRange");
    EXPECT_EQ(chosen("bytes=0-0", 0), "InvalidRange");
    EXPECT_EQ(chosen("bytes=-1", 0), "InvalidRange");
}

TEST(Range, WhatIsNoRangeIsIgnored) {
    for (std::string_view header :
         {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "items=0-1", "bytes=0-1,3-4",
          "bytes=1 - 2", "bytes=--1", "bytes=+1-2", "bytes=99999999999999999999-"})
        EXPECT_EQ(chosen(header, 10), "whole") << header;
}

TEST(CopyRange, IsStrict) {
    auto range = parse_copy_range("bytes=2-9", 10);
    ASSERT_TRUE(range.ok());
    EXPECT_EQ(range->offset, 2u);
    EXPECT_EQ(range->length, 8u);
    EXPECT_EQ(parse_copy_range("bytes=2-10", 10).error().reason, "InvalidRange");
    for (std::string_view header :
         {"", "bytes=2-", "bytes=-2", "2-9", "bytes=9-2", "bytes=0-1,2-3"})
        EXPECT_EQ(parse_copy_range(header, 10).error().reason, "InvalidArgument") << header;
}

}  // namespace
}  // namespace tarn::s3

#include "protocols/s3/internal/address.h"

#include <gtest/gtest.h>

namespace tarn::s3 {
namespace {

const std::vector<std::string> kDomains = {"localhost", "s3.localhost"};

std::string spoken(std::string_view host, std::string_view path) {
    auto address = parse_address(host, path, kDomains);
    return address.ok() ? address->bucket + "|" + address->key : address.error().reason;
}

TEST(Address, PathStyle) {
    EXPECT_EQ(spoken("127.0.0.1:4566", "/"), "|");
    EXPECT_EQ(spoken("127.0.0.1:4566", "/bucket"), "bucket|");
    EXPECT_EQ(spoken("127.0.0.1:4566", "/bucket/"), "bucket|");
    EXPECT_EQ(spoken("localhost", "/bucket/a/b"), "bucket|a/b");
    EXPECT_EQ(spoken("s3.localhost:1", "/bucket//a"), "bucket|/a");
    EXPECT_EQ(spoken("[::1]:4566", "/bucket/a"), "bucket|a");
    EXPECT_EQ(spoken("some.host.example", "/bucket/a"), "bucket|a");
}

TEST(Address, VirtualHostStyle) {
    EXPECT_EQ(spoken("bucket.localhost:4566", "/"), "bucket|");
    EXPECT_EQ(spoken("Bucket.LOCALHOST", "/a/b"), "bucket|a/b");
    EXPECT_EQ(spoken("my.bucket.localhost", "/a"), "my.bucket|a");
    EXPECT_EQ(spoken("bucket.s3.localhost", "/a"), "bucket|a");
    EXPECT_EQ(spoken("notlocalhost", "/a"), "a|");
}

TEST(Address, KeysAreDecodedOnceAndKeepTheirPlus) {
    EXPECT_EQ(spoken("h", "/b/a%20b+c%2Bd%2f%25"), "b|a b+c+d/%");
    EXPECT_EQ(spoken("h", "/b/../c/./"), "b|../c/./");
    EXPECT_EQ(spoken("h", "/b/%C3%A4"), "b|\xC3\xA4");
}

TEST(Address, RefusesWhatIsNoKey) {
    EXPECT_EQ(spoken("h", "/b/%zz"), "InvalidURI");
    EXPECT_EQ(spoken("h", "/b/%4"), "InvalidURI");
    EXPECT_EQ(spoken("h", "/b/a%00b"), "InvalidURI");
    EXPECT_EQ(spoken("h", "/b/%ff"), "InvalidURI");
    EXPECT_EQ(spoken("h", "//key"), "InvalidURI");
    EXPECT_EQ(spoken("h", "*"), "InvalidURI");
    EXPECT_EQ(spoken("h", ""), "InvalidURI");
}

TEST(CopySource, TakesAllFormsThatClientsSend) {
    for (std::string_view text : {"/b/k%20y", "b/k%20y", "b%2Fk%20y"}) {
        auto source = parse_copy_source(text);
        ASSERT_TRUE(source.ok()) << text;
        EXPECT_EQ(source->address.bucket, "b");
        EXPECT_EQ(source->address.key, "k y");
        EXPECT_EQ(source->version_id, "");
    }
    EXPECT_EQ(parse_copy_source("b/k?versionId=null")->version_id, "null");
    EXPECT_EQ(parse_copy_source("b/k?x")->address.key, "k?x");
    for (std::string_view text : {"", "/", "b", "b/", "/b", "//k", "b/%zz"})
        EXPECT_FALSE(parse_copy_source(text).ok()) << text;
}

TEST(Utf8, KnowsItsLimits) {
    EXPECT_TRUE(is_utf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
    for (std::string_view bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80",
                                 "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xFF"})
        EXPECT_FALSE(is_utf8(bad));
}

TEST(ListingEncode, IsWhatSdksDecode) {
    EXPECT_EQ(listing_encode("a b/c+d~*ä"), "a%20b/c%2Bd%7E*%C3%A4");
}

}  // namespace
}  // namespace tarn::s3

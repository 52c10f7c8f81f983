#include "protocols/s3/internal/request_bodies.h"

#include <gtest/gtest.h>

namespace tarn::s3 {
namespace {

TEST(CreateBucketBody, EmptyOrWithRegion) {
    EXPECT_EQ(parse_create_bucket("")->location_constraint, "");
    auto body = parse_create_bucket(
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
        " <LocationConstraint>eu-west-1</LocationConstraint>\n</CreateBucketConfiguration>");
    ASSERT_TRUE(body.ok());
    EXPECT_EQ(body->location_constraint, "eu-west-1");
}

TEST(DeleteObjectsBody, KeysAsTheyAre) {
    auto body = parse_delete_objects(
        "<?xml version=\"1.0\"?><Delete><Object><Key>a&amp;b&#x9; &lt;</Key></Object><Object><Key> "
        "</Key>"
        "<VersionId>null</VersionId></Object><Object><Key>x<![CDATA[<y>]]>z</Key><ETag>\"e\"</"
        "ETag></Object>"
        "<Quiet>true</Quiet></Delete>");
    ASSERT_TRUE(body.ok());
    ASSERT_EQ(body->objects.size(), 3u);
    EXPECT_EQ(body->objects[0].key, "a&b\t <");
    EXPECT_EQ(body->objects[1].key, " ");
    EXPECT_EQ(body->objects[1].version_id, "null");
    EXPECT_EQ(body->objects[2].key, "x<y>z");
    EXPECT_EQ(body->objects[2].etag, "e");
    EXPECT_TRUE(body->quiet);
}

TEST(DeleteObjectsBody, ThousandKeysAndNoMore) {
    std::string inside;
    for (int i = 0; i < 1000; ++i) inside += "<Object><Key>k</Key></Object>";
    EXPECT_TRUE(parse_delete_objects("<Delete>" + inside + "</Delete>").ok());
    EXPECT_FALSE(
        parse_delete_objects("<Delete>" + inside + "<Object><Key>k</Key></Object></Delete>").ok());
}

TEST(DeleteObjectsBody, RefusesEverythingElse) {
    for (std::string_view xml :
         {"", "<Delete/>", "<Delete><Object/></Delete>", "<Delete><Object><Key/></Object></Delete>",
          "<Delete><Object><Key>a</Key></Object>", "<Other><Object><Key>a</Key></Object></Other>",
          "<Delete><Object><Key>a</Key><Extra/></Object></Delete>",
          "<Delete><Object><Key><b>a</b></Key></Object></Delete>",
          "<Delete>text<Object><Key>a</Key></Object></Delete>",
          "<Delete><Object><Key>a</Key></Object><Quiet>maybe</Quiet></Delete>",
          "<!DOCTYPE d [<!ENTITY e \"x\">]><Delete><Object><Key>a</Key></Object></Delete>",
          "<Delete><Object><Key>a&#0;b</Key></Object></Delete>",
          "<Delete><Object><Key>a&#x00;b</Key></Object></Delete>",
          "<Delete><Object><Key>a&#x100000000;b</Key></Object></Delete>",
          "<Delete><Object><Key>a&#4294967394;b</Key></Object></Delete>",
          "<Delete><Object><Key>a&#xD800;b</Key></Object></Delete>",
          "<Delete><Object><Key>a&#x110000;b</Key></Object></Delete>",
          "<Delete><Object><Key>\xFF</Key></Object></Delete>",
          "<Delete><Object><Key>a</Key></Object></Delete><Delete/>", "not xml", "\xEF\xBB\xBF"}) {
        auto body = parse_delete_objects(xml);
        ASSERT_FALSE(body.ok()) << xml;
        EXPECT_EQ(body.error().reason, "MalformedXML") << xml;
    }
}

TEST(DeleteObjectsBody, DepthAndSizeAreBounded) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "<a>";
    EXPECT_FALSE(parse_delete_objects(deep).ok());
    EXPECT_FALSE(parse_delete_objects(std::string(kDeleteObjectsBodyMax + 1, ' ')).ok());
}

TEST(CompleteUploadBody, PartsInTheOrderGiven) {
    auto body = parse_complete_upload(
        "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>&quot;b&quot;</ETag></Part>"
        "<Part><ETag>a</ETag><PartNumber>1</PartNumber><ChecksumCRC32>AAAAAA==</ChecksumCRC32></"
        "Part>"
        "</CompleteMultipartUpload>");
    ASSERT_TRUE(body.ok());
    ASSERT_EQ(body->parts.size(), 2u);
    EXPECT_EQ(body->parts[0].number, 2u);
    EXPECT_EQ(body->parts[0].etag, "b");
    EXPECT_EQ(body->parts[1].checksums.at(0).first, "ChecksumCRC32");
}

TEST(CompleteUploadBody, RefusesBadParts) {
    for (std::string_view part :
         {"", "<Part/>", "<Part><PartNumber>0</PartNumber><ETag>a</ETag></Part>",
          "<Part><PartNumber>10001</PartNumber><ETag>a</ETag></Part>",
          "<Part><PartNumber>1</PartNumber></Part>",
          "<Part><PartNumber>-1</PartNumber><ETag>a</ETag></Part>", "<Part><ETag>a</ETag></Part>"})
        EXPECT_FALSE(parse_complete_upload("<CompleteMultipartUpload>" + std::string(part) +
                                           "</CompleteMultipartUpload>")
                         .ok())
            << part;
}

TEST(TaggingBody, TagsOnce) {
    auto tags = parse_tagging(
        "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value/></Tag></"
        "TagSet></Tagging>");
    ASSERT_TRUE(tags.ok());
    EXPECT_EQ(*tags, (std::map<std::string, std::string>{{"a", "1"}, {"b", ""}}));
    EXPECT_TRUE(parse_tagging("<Tagging><TagSet/></Tagging>")->empty());
    EXPECT_EQ(parse_tagging("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>a</"
                            "Key><Value>2</Value>"
                            "</Tag></TagSet></Tagging>")
                  .error()
                  .reason,
              "InvalidTag");
    auto with_value = [](const std::string& value) {
        return parse_tagging("<Tagging><TagSet><Tag><Key>k</Key><Value>" + value +
                             "</Value></Tag></TagSet></Tagging>");
    };
    std::string umlauts;
    for (int i = 0; i < 256; ++i) umlauts += "\xC3\xA4";
    EXPECT_TRUE(with_value(umlauts).ok());
    EXPECT_EQ(with_value(std::string(257, 'v')).error().reason, "InvalidTag");
}

}  // namespace
}  // namespace tarn::s3

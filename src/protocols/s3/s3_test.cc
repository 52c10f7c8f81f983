#include "protocols/s3/s3.h"

#include <gtest/gtest.h>

#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/operations.h"
#include "protocols/s3/internal/test_door.h"
#include "security/aws_chunked.h"

namespace tarn::s3 {
namespace {

class S3Test : public testing::Test {
 protected:
    void SetUp() override { ASSERT_EQ(door.call("PUT", "/bucket").status, 200); }
    void put(const std::string& key, const std::string& body) {
        ASSERT_EQ(door.call("PUT", "/bucket/" + key, {}, body).status, 200);
    }
    std::string md5_of(const std::string& body) { return codec::base64_encode(codec::md5(body)); }

    TestDoor door;
};

TEST_F(S3Test, PutGetHeadDelete) {
    auto stored = door.call("PUT", "/bucket/a%20key",
                            {{"Content-Type", "text/plain"},
                             {"x-amz-meta-Color", "red"},
                             {"Cache-Control", "no-store"}},
                            "hello");
    ASSERT_EQ(stored.status, 200) << stored.body;
    EXPECT_EQ(stored.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    EXPECT_EQ(stored.header("x-amz-request-id").size(), 16u);
    EXPECT_FALSE(stored.header("x-amz-checksum-crc64nvme").empty());

    auto got = door.call("GET", "/bucket/a%20key");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "hello");
    EXPECT_EQ(got.header("content-type"), "text/plain");
    EXPECT_EQ(got.header("x-amz-meta-color"), "red");
    EXPECT_EQ(got.header("cache-control"), "no-store");

    auto head = door.call("HEAD", "/bucket/a%20key");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.exchange->declared_length(), 5u);
    EXPECT_EQ(head.body, "");

    EXPECT_EQ(door.call("DELETE", "/bucket/a%20key").status, 204);
    EXPECT_EQ(door.call("GET", "/bucket/a%20key").code(), "NoSuchKey");
    auto gone = door.call("HEAD", "/bucket/a%20key");
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(gone.body, "");
}

TEST_F(S3Test, LargeBodiesStreamBothWays) {
    std::string body = Random(7).bytes(3'000'000);
    put("large", body);
    EXPECT_EQ(door.call("GET", "/bucket/large").body, body);
    auto part = door.call("GET", "/bucket/large", {{"Range", "bytes=1000000-2999999"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, body.substr(1'000'000));
}

TEST_F(S3Test, RangesAndConditions) {
    put("k", "0123456789");
    auto etag = door.call("HEAD", "/bucket/k").header("etag");
    auto tail = door.call("GET", "/bucket/k", {{"Range", "bytes=-3"}});
    EXPECT_EQ(tail.status, 206);
    EXPECT_EQ(tail.body, "789");
    EXPECT_EQ(tail.header("content-range"), "bytes 7-9/10");
    EXPECT_EQ(door.call("GET", "/bucket/k", {{"Range", "bytes=10-"}}).status, 416);
    EXPECT_EQ(door.call("GET", "/bucket/k", {{"If-None-Match", etag}}).status, 304);
    EXPECT_EQ(door.call("GET", "/bucket/k", {{"If-None-Match", etag}}).header("etag"), etag);
    EXPECT_EQ(door.call("GET", "/bucket/k", {{"If-Match", "\"x\""}}).status, 412);
    EXPECT_EQ(door.call("GET", "/bucket/k?response-content-type=text%2Fcsv").header("content-type"),
              "text/csv");
}

TEST_F(S3Test, ConditionalWrites) {
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"If-None-Match", "*"}}, "1").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"If-None-Match", "*"}}, "2").status, 412);
    auto etag = door.call("HEAD", "/bucket/k").header("etag");
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"If-Match", "\"x\""}}, "2").status, 412);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"If-Match", etag}}, "2").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/none", {{"If-Match", etag}}, "2").status, 404);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"If-None-Match", "\"x\""}}, "2").status, 501);
}

TEST_F(S3Test, DigestsAreVerified) {
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"Content-MD5", md5_of("hello")}}, "hello").status,
              200);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"Content-MD5", md5_of("other")}}, "hello").code(),
              "BadDigest");
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"Content-MD5", "x"}}, "hello").code(),
              "InvalidDigest");
    auto crc = checksum_text(compute_checksum(objects::ChecksumAlgorithm::crc32c, "hello"), 0);
    auto stored = door.call("PUT", "/bucket/c", {{"x-amz-checksum-crc32c", crc}}, "hello");
    EXPECT_EQ(stored.status, 200);
    EXPECT_EQ(stored.header("x-amz-checksum-crc32c"), crc);
    EXPECT_EQ(door.call("GET", "/bucket/c", {{"x-amz-checksum-mode", "ENABLED"}})
                  .header("x-amz-checksum-crc32c"),
              crc);
    EXPECT_EQ(door.call("GET", "/bucket/c").header("x-amz-checksum-crc32c"), "");
    EXPECT_EQ(door.call("PUT", "/bucket/c", {{"x-amz-checksum-crc32c", crc}}, "jello").code(),
              "BadDigest");
    EXPECT_EQ(door.call("PUT", "/bucket/c", {{"x-amz-checksum-crc32c", "AA=="}}, "hello").code(),
              "InvalidRequest");
}

TEST_F(S3Test, ChunkedBodies) {
    using security::PayloadKind;
    const std::pair<PayloadKind, const char*> kinds[] = {
        {PayloadKind::chunks_signed, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
        {PayloadKind::chunks_signed_trailer, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
        {PayloadKind::chunks_unsigned_trailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}};
    for (size_t size : {5u, 300'000u}) {
        const std::string body = Random(size).bytes(size);
        auto crc = checksum_text(compute_checksum(objects::ChecksumAlgorithm::crc32, body), 0);
        for (const auto& [kind, word] : kinds) {
            TestDoor::Fields fields{{"x-amz-decoded-content-length", std::to_string(size)},
                                    {"Content-Encoding", "aws-chunked,gzip"}};
            security::Headers trailers;
            if (kind != PayloadKind::chunks_signed) {
                fields.emplace_back("x-amz-trailer", "x-amz-checksum-crc32");
                trailers.emplace_back("x-amz-checksum-crc32", crc);
            }
            auto signature = door.sign(door.root_signer(), "PUT", "/bucket/chunked", fields, word);
            security::AwsChunkedEncoder encoder(kind, signature.signing);
            auto wire = encoder.chunk(body.substr(0, size / 2));
            wire += encoder.chunk(body.substr(size / 2));
            wire += encoder.finish(trailers);
            auto all = fields;
            all.insert(all.end(), signature.headers.begin(), signature.headers.end());
            auto stored = door.raw("PUT", "/bucket/chunked", all, wire);
            ASSERT_EQ(stored.status, 200) << word << stored.body;
            auto got = door.call("GET", "/bucket/chunked");
            EXPECT_EQ(got.body, body) << word;
            EXPECT_EQ(got.header("content-encoding"), "gzip");

            auto cut = door.raw("PUT", "/bucket/cut", all, wire.substr(0, wire.size() - 10));
            EXPECT_GE(cut.status, 400) << word;
            auto tampered = wire;
            tampered[tampered.find("\r\n") + 2] ^= 1;
            auto refused = door.raw("PUT", "/bucket/cut", all, tampered);
            EXPECT_GE(refused.status, 400) << word;
            EXPECT_EQ(door.call("HEAD", "/bucket/cut").status, 404) << word;
        }
    }
}

TEST_F(S3Test, SignaturesAreCheckedBeforeAnything) {
    put("k", "secret");
    EXPECT_EQ(door.raw("GET", "/bucket/k", {}).code(), "AccessDenied");
    EXPECT_EQ(door.raw("DELETE", "/bucket/k", {}).status, 403);
    security::Signer unknown{"AKIAUNKNOWNUNKNOWN00", "x"};
    EXPECT_EQ(door.signed_call(unknown, "GET", "/bucket/k", {}, "", "UNSIGNED-PAYLOAD").code(),
              "InvalidAccessKeyId");
    auto wrong = door.root_signer();
    wrong.secret += "x";
    EXPECT_EQ(door.signed_call(wrong, "GET", "/bucket/k", {}, "", "UNSIGNED-PAYLOAD").code(),
              "SignatureDoesNotMatch");
    EXPECT_EQ(
        door.signed_call(door.root_signer(), "PUT", "/bucket/new", {}, "body", std::string(64, 'a'))
            .code(),
        "XAmzContentSHA256Mismatch");
    EXPECT_EQ(door.call("HEAD", "/bucket/new").status, 404);
    EXPECT_EQ(door.call("GET", "/bucket/k").body, "secret");
}

TEST_F(S3Test, PresignedUrls) {
    put("k", "hello");
    auto url = door.presign("GET", "/bucket/k", 60);
    EXPECT_EQ(door.raw("GET", url, {}).body, "hello");
    EXPECT_EQ(door.raw("PUT", url, {}, "x").code(), "SignatureDoesNotMatch");
    EXPECT_EQ(door.raw("PUT", door.presign("PUT", "/bucket/other", 60),
                       {{"x-amz-copy-source", "/bucket/k"}})
                  .status,
              403);
    door.clock().advance(std::chrono::seconds(61));
    EXPECT_EQ(door.raw("GET", url, {}).code(), "AccessDenied");
}

TEST_F(S3Test, PoliciesDecide) {
    put("open/a", "1");
    put("closed/a", "2");
    auto reader = door.make_user("reader", R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::bucket/open/*"},
        {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"},
        {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket",
         "Condition":{"StringLike":{"s3:prefix":"open/*"}}}]})");
    EXPECT_EQ(door.call_as(reader, "GET", "/bucket/open/a").body, "1");
    EXPECT_EQ(door.call_as(reader, "GET", "/bucket/closed/a").code(), "AccessDenied");
    EXPECT_EQ(door.call_as(reader, "GET", "/bucket/open/none").code(), "AccessDenied");
    EXPECT_EQ(door.call_as(reader, "GET", "/").status, 403);
    EXPECT_EQ(door.call_as(reader, "GET", "/bucket?list-type=2&prefix=open/").status, 200);
    EXPECT_EQ(door.call_as(reader, "GET", "/bucket?list-type=2").status, 403);
    // A copy reads its source.
    EXPECT_EQ(
        door.call_as(reader, "PUT", "/bucket/mine", {{"x-amz-copy-source", "/bucket/closed/a"}})
            .status,
        403);
    EXPECT_EQ(door.call_as(reader, "PUT", "/bucket/mine", {{"x-amz-copy-source", "/bucket/open/a"}})
                  .status,
              200);
    // DeleteObjects asks for each key.
    std::string body =
        "<Delete><Object><Key>closed/a</Key></Object><Object><Key>open/a</Key></Object></Delete>";
    auto deleted =
        door.call_as(reader, "POST", "/bucket?delete", {{"Content-MD5", md5_of(body)}}, body);
    EXPECT_EQ(deleted.status, 200);
    EXPECT_EQ(deleted.code(), "AccessDenied");
    EXPECT_EQ(door.call("HEAD", "/bucket/closed/a").status, 200);
    EXPECT_EQ(door.call("HEAD", "/bucket/open/a").status, 404);
}

TEST_F(S3Test, Listing) {
    for (const char* key : {"a/1", "a/2", "b/1", "c", "d"}) put(key, "x");
    auto flat = door.call("GET", "/bucket?list-type=2&max-keys=2");
    EXPECT_EQ(flat.element("IsTruncated"), "true");
    auto token = flat.element("NextContinuationToken");
    EXPECT_EQ(door.call("GET", "/bucket?list-type=2&continuation-token=" + token).element("Key"),
              "b/1");
    auto folders = door.call("GET", "/bucket?delimiter=/&max-keys=2");
    EXPECT_EQ(folders.element("NextMarker"), "b/");
    EXPECT_EQ(door.call("GET", "/bucket?delimiter=/&marker=b/").element("Key"), "c");
    EXPECT_EQ(door.call("GET", "/bucket?list-type=2&max-keys=0").element("KeyCount"), "0");
    EXPECT_EQ(door.call("GET", "/bucket?max-keys=-1").code(), "InvalidArgument");
    EXPECT_EQ(door.call("GET", "/bucket?list-type=2&continuation-token=!").code(),
              "InvalidArgument");
    EXPECT_EQ(door.call("GET", "/nobucket").code(), "NoSuchBucket");
}

TEST_F(S3Test, Multipart) {
    auto begun = door.call("POST", "/bucket/k?uploads", {{"Content-Type", "text/x"}});
    auto id = begun.element("UploadId");
    ASSERT_FALSE(id.empty()) << begun.body;
    auto where = "/bucket/k?uploadId=" + id;
    std::string one(2000, '1'), two(1500, '2');
    auto second = door.call("PUT", where + "&partNumber=2", {}, two).header("etag");
    auto first = door.call("PUT", where + "&partNumber=1", {}, one).header("etag");
    EXPECT_EQ(door.call("PUT", where + "&partNumber=0", {}, one).code(), "InvalidArgument");
    EXPECT_EQ(door.call("GET", where).element("PartNumber"), "1");
    EXPECT_EQ(door.call("GET", "/bucket?uploads").element("UploadId"), id);
    auto document = [](std::initializer_list<std::pair<int, std::string>> parts) {
        std::string xml = "<CompleteMultipartUpload>";
        for (const auto& [number, etag] : parts)
            xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
                   "</ETag></Part>";
        return xml + "</CompleteMultipartUpload>";
    };
    EXPECT_EQ(door.call("POST", where, {}, document({{2, second}, {1, first}})).code(),
              "InvalidPartOrder");
    EXPECT_EQ(door.call("POST", where, {}, document({{1, second}})).code(), "InvalidPart");
    EXPECT_EQ(door.call("POST", where, {}, "<x/>").code(), "MalformedXML");
    auto done = door.call("POST", where, {}, document({{1, first}, {2, second}}));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_NE(done.element("ETag").find("-2"), std::string::npos);
    EXPECT_EQ(door.call("GET", "/bucket/k").body, one + two);
    auto part = door.call("GET", "/bucket/k?partNumber=2");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, two);
    EXPECT_EQ(part.header("x-amz-mp-parts-count"), "2");
    EXPECT_EQ(door.call("GET", "/bucket/k?partNumber=3").code(), "InvalidPartNumber");
    EXPECT_EQ(door.call("DELETE", "/bucket/k?uploadId=none").code(), "NoSuchUpload");
}

TEST_F(S3Test, CopyAndItsDirectives) {
    ASSERT_EQ(door.call("PUT", "/bucket/from", {{"x-amz-meta-a", "1"}}, "body").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket/from"}}).status, 200);
    EXPECT_EQ(door.call("HEAD", "/bucket/to").header("x-amz-meta-a"), "1");
    EXPECT_EQ(door.call("PUT", "/bucket/to",
                        {{"x-amz-copy-source", "bucket/from"},
                         {"x-amz-metadata-directive", "REPLACE"},
                         {"x-amz-meta-b", "2"}})
                  .status,
              200);
    EXPECT_EQ(door.call("HEAD", "/bucket/to").header("x-amz-meta-b"), "2");
    EXPECT_EQ(door.call("PUT", "/bucket/from", {{"x-amz-copy-source", "bucket/from"}}).code(),
              "InvalidRequest");
    EXPECT_EQ(
        door.call("PUT", "/bucket/to",
                  {{"x-amz-copy-source", "bucket/from"}, {"x-amz-copy-source-if-match", "\"x\""}})
            .status,
        412);
    EXPECT_EQ(
        door.call("PUT", "/bucket/to", {{"x-amz-copy-source", "bucket/from?versionId=abc"}}).code(),
        "NoSuchVersion");
}

TEST_F(S3Test, WhatIsNotBuiltSaysSo) {
    size_t checked = 0;
    for (const auto& operation : operations()) {
        if (operation.handler) continue;
        std::string target = operation.target == Target::bucket ? "/bucket" : "/bucket/key";
        TestDoor::Fields fields;
        if (!operation.sub_resource.empty()) target += "?" + std::string(operation.sub_resource);
        if (operation.also.starts_with("x-"))
            fields.emplace_back(operation.also, "x");
        else if (!operation.also.empty())
            target += "&" + std::string(operation.also) + "=x";
        auto answer = door.call(std::string(operation.method), target, fields);
        EXPECT_EQ(answer.status, 501) << operation.name;
        EXPECT_EQ(answer.code(), "NotImplemented") << operation.name;
        EXPECT_NE(answer.element("Message").find(operation.name), std::string::npos)
            << operation.name;
        ++checked;
    }
    EXPECT_GT(checked, 40u);
}

TEST_F(S3Test, ConfigurationThatWasNeverMade) {
    const std::pair<const char*, const char*> missing[] = {
        {"policy", "NoSuchBucketPolicy"},
        {"tagging", "NoSuchTagSet"},
        {"cors", "NoSuchCORSConfiguration"},
        {"lifecycle", "NoSuchLifecycleConfiguration"},
        {"website", "NoSuchWebsiteConfiguration"},
        {"replication", "ReplicationConfigurationNotFoundError"},
        {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"},
        {"object-lock", "ObjectLockConfigurationNotFoundError"},
        {"encryption", "ServerSideEncryptionConfigurationNotFoundError"}};
    for (const auto& [name, code] : missing) {
        auto answer = door.call("GET", std::string("/bucket?") + name);
        EXPECT_EQ(answer.status, 404) << name;
        EXPECT_EQ(answer.code(), code) << name;
        EXPECT_EQ(door.call("GET", std::string("/nobucket?") + name).code(), "NoSuchBucket")
            << name;
    }
    for (const char* name : {"versioning", "acl", "accelerate", "logging", "requestPayment",
                             "notification", "location", "ownershipControls"})
        EXPECT_EQ(door.call("GET", std::string("/bucket?") + name).status, 200) << name;
}

TEST_F(S3Test, HeadersThatPromiseMoreThanWeDoAreRefused) {
    EXPECT_EQ(
        door.call("PUT", "/bucket/k", {{"x-amz-server-side-encryption", "AES256"}}, "x").status,
        501);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-storage-class", "GLACIER"}}, "x").status, 501);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-storage-class", "FAST"}}, "x").code(),
              "InvalidStorageClass");
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-acl", "public-read"}}, "x").code(),
              "AccessControlListNotSupported");
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-acl", "private"}}, "x").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-expected-bucket-owner", "999999999999"}}, "x")
                  .status,
              403);
}

TEST_F(S3Test, Tags) {
    ASSERT_EQ(door.call("PUT", "/bucket/k", {{"x-amz-tagging", "a=1&b=x%20y"}}, "x").status, 200);
    EXPECT_EQ(door.call("HEAD", "/bucket/k").header("x-amz-tagging-count"), "2");
    EXPECT_NE(door.call("GET", "/bucket/k?tagging").body.find("<Value>x y</Value>"),
              std::string::npos);
    EXPECT_EQ(door.call("DELETE", "/bucket/k?tagging").status, 204);
    EXPECT_EQ(door.call("HEAD", "/bucket/k").header("x-amz-tagging-count"), "");
    std::string xml =
        "<Tagging><TagSet><Tag><Key>team</Key><Value>lake</Value></Tag></TagSet></Tagging>";
    EXPECT_EQ(door.call("PUT", "/bucket?tagging", {}, xml).status, 204);
    EXPECT_NE(door.call("GET", "/bucket?tagging").body.find("<Value>lake</Value>"),
              std::string::npos);
}

TEST_F(S3Test, OtherServicesAreToldSo) {
    auto glue = door.raw("POST", "/", {{"X-Amz-Target", "AWSGlue.GetTables"}}, "{}");
    EXPECT_EQ(glue.status, 400);
    EXPECT_NE(glue.body.find("UnknownOperationException"), std::string::npos);
    auto signer = door.root_signer();
    signer.service = "sts";
    EXPECT_EQ(
        door.signed_call(signer, "POST", "/", {}, "Action=GetCallerIdentity", "UNSIGNED-PAYLOAD")
            .code(),
        "InvalidAction");
}

TEST(S3Guard, RefusesWritesAndReadsUnderATable) {
    std::vector<std::string> asked;
    TestDoor door([&](const security::Caller& caller, Access access, std::string_view bucket,
                      std::string_view key) {
        asked.push_back(std::string(bucket) + "/" + std::string(key));
        if (key.starts_with("tables/") && (access == Access::write || !caller.principal.is_root()))
            return Status(Error(Code::permission_denied, "belongs to a table", "AccessDenied"));
        return ok_status();
    });
    ASSERT_EQ(door.call("PUT", "/bucket").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/tables/a", {}, "x").status, 403);
    EXPECT_EQ(door.call("PUT", "/bucket/free", {}, "x").status, 200);
    EXPECT_EQ(door.call("PUT", "/bucket/tables/a", {{"x-amz-copy-source", "bucket/free"}}).status,
              403);
    std::string body = "<Delete><Object><Key>tables/a</Key></Object></Delete>";
    EXPECT_EQ(door.call("POST", "/bucket?delete",
                        {{"Content-MD5", codec::base64_encode(codec::md5(body))}}, body)
                  .code(),
              "AccessDenied");
    EXPECT_FALSE(asked.empty());
}

TEST_F(S3Test, EveryRequestIsOnRecord) {
    put("k", "hello");
    door.call("GET", "/bucket/k");
    door.call("GET", "/bucket/none");
    door.raw("GET", "/bucket/k", {});
    ASSERT_TRUE(door.audit().flush().ok());
    auto page = door.audit().read({});
    ASSERT_TRUE(page.ok());
    size_t puts = 0, reads = 0, denied = 0, failed = 0;
    for (const auto& record : page->records) {
        if (record.action == "s3:PutObject") ++puts;
        if (record.action != "s3:GetObject") continue;
        if (record.outcome == security::AuditOutcome::allowed) ++reads;
        if (record.outcome == security::AuditOutcome::denied) ++denied;
        if (record.error_code == "NoSuchKey") ++failed;
    }
    EXPECT_EQ(puts, 1u);
    EXPECT_EQ(reads, 1u);
    EXPECT_EQ(denied, 1u);
    EXPECT_EQ(failed, 1u);
}

}  // namespace
}  // namespace tarn::s3

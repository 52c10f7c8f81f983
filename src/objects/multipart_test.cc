// Multipart uploads.
#include "base/bytes.h"
#include "codec/checksum.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

class MultipartTest : public ObjectsTest {
 protected:
    void create(const std::string& key, MultipartOptions options = {}) {
        key_ = key;
        auto created = objects().create_multipart(caller_, "bucket", key, std::move(options));
        ASSERT_TRUE(created.ok()) << created.error().message;
        id_ = created->upload_id;
    }
    Result<PartInfo> send(uint32_t number, std::string_view bytes, PutOptions options = {}) {
        TARN_TRY(part,
                 objects().begin_part(caller_, "bucket", key_, id_, number, std::move(options)));
        TARN_CHECK_OK(part->write(bytes));
        return part->finish();
    }
    CompletedPart sent(uint32_t number, std::string_view bytes) {
        auto part = send(number, bytes);
        EXPECT_TRUE(part.ok()) << part.error().message;
        return {number, part.ok() ? part->etag : "", std::nullopt};
    }
    Result<ObjectInfo> complete(const std::vector<CompletedPart>& parts,
                                CompleteOptions options = {}) {
        return objects().complete(caller_, "bucket", key_, id_, parts, options);
    }

    std::string key_, id_;
};

TEST_F(MultipartTest, PartsBecomeOneObject) {
    const auto a = pattern(100'000, 1), b = pattern(1'700'000, 2), c = pattern(10, 3);
    MultipartOptions options;
    options.metadata.headers.content_type = "text/plain";
    create("key", options);
    const auto part_c = sent(9, c), part_a = sent(1, a), lost = sent(2, "replaced"),
               part_b = sent(2, b);
    EXPECT_EQ(get("key"), "(NoSuchKey)");
    const size_t before = disk().operation_count();
    auto done = complete({part_a, part_b, part_c});
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(disk().operation_count(), before) << "completing moves no data";
    EXPECT_EQ(done->etag,
              codec::hex_encode(codec::md5(codec::md5(a) + codec::md5(b) + codec::md5(c))) + "-3");
    EXPECT_EQ(done->size, a.size() + b.size() + c.size());
    EXPECT_EQ(done->metadata.headers.content_type, "text/plain");
    ASSERT_EQ(done->parts.size(), 3u);
    EXPECT_EQ(done->parts[1].size, b.size());
    EXPECT_EQ(get("key"), a + b + c);
    EXPECT_EQ(objects().head_bucket("bucket")->bytes, done->size);

    auto again = complete({part_a, part_b, part_c});
    ASSERT_TRUE(again.ok()) << "the same answer again";
    EXPECT_EQ(again->version_tag(), done->version_tag());
    EXPECT_EQ(reason(send(1, "late")), "NoSuchUpload");
    put("key", "other");
    EXPECT_EQ(reason(complete({part_a})), "NoSuchUpload");
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(MultipartTest, WrongPartListsAreRefused) {
    create("key");
    const auto one = sent(1, pattern(100'000, 1)), two = sent(2, "small"), three = sent(3, "last");
    EXPECT_EQ(reason(complete({})), "MalformedXML");
    EXPECT_EQ(reason(complete({two, one})), "InvalidPartOrder");
    EXPECT_EQ(reason(complete({one, one})), "InvalidPartOrder");
    EXPECT_EQ(reason(complete({one, {4, one.etag, {}}})), "InvalidPart");
    EXPECT_EQ(reason(complete({{1, two.etag, {}}})), "InvalidPart");
    EXPECT_EQ(reason(complete({one, two, three})), "EntityTooSmall");
    CompleteOptions options;
    options.size = 7;
    EXPECT_EQ(reason(complete({one, three}, options)), "InvalidRequest");
    EXPECT_EQ(reason(objects().begin_part(caller_, "bucket", "key", id_, 0)), "InvalidArgument");
    EXPECT_EQ(reason(objects().begin_part(caller_, "bucket", "key", id_, 10'001)),
              "InvalidArgument");
    EXPECT_EQ(reason(objects().begin_part(caller_, "bucket", "other", id_, 1)), "NoSuchUpload");
    // Part 2 is left out: its bytes go.
    ASSERT_TRUE(complete({one, three}).ok());
    EXPECT_EQ(get("key"), pattern(100'000, 1) + "last");
    expect_only_named_bytes(disk(), store());
}

TEST_F(MultipartTest, ConditionalCompletion) {
    create("key");
    const auto one = sent(1, "x");
    put("key", "first");
    CompleteOptions options;
    options.conditions.if_none_match_any = true;
    EXPECT_EQ(reason(complete({one}, options)), "PreconditionFailed");
    EXPECT_EQ(get("key"), "first");
    options.conditions = {};
    options.conditions.if_match = "*";
    EXPECT_EQ(reason(complete({one}, options)), "ok");
    EXPECT_EQ(get("key"), "x");
}

TEST_F(MultipartTest, AbortGivesTheBytesBack) {
    create("key");
    sent(1, pattern(2'000'000, 1));
    sent(1, pattern(100'000, 2));
    ASSERT_TRUE(objects().abort(caller_, "bucket", "key", id_).ok());
    EXPECT_EQ(reason(objects().abort(caller_, "bucket", "key", id_)), "NoSuchUpload");
    EXPECT_EQ(reason(complete({{1, "x", {}}})), "NoSuchUpload");
    expect_only_named_bytes(disk(), store());
}

TEST_F(MultipartTest, Checksums) {
    const auto a = pattern(100'000, 1), b = pattern(5'000, 2), whole = a + b;
    const auto be32 = [](uint32_t value) {
        std::string out;
        append_be(out, value);
        return out;
    };
    MultipartOptions options;
    options.type = ChecksumType::full_object;
    EXPECT_EQ(reason(objects().create_multipart(caller_, "bucket", "key", options)),
              "InvalidRequest");
    options.algorithm = ChecksumAlgorithm::sha256;
    EXPECT_EQ(reason(objects().create_multipart(caller_, "bucket", "key", options)),
              "InvalidRequest");
    options = {{}, ChecksumAlgorithm::crc64nvme, ChecksumType::composite};
    EXPECT_EQ(reason(objects().create_multipart(caller_, "bucket", "key", options)),
              "InvalidRequest");

    options = {{}, ChecksumAlgorithm::crc32c, ChecksumType::full_object};
    create("key", options);
    PutOptions wrong;
    wrong.expected = {{ChecksumAlgorithm::crc32, ChecksumType::full_object, be32(1)}};
    EXPECT_EQ(reason(send(1, a, wrong)), "InvalidRequest");
    wrong.expected = {{ChecksumAlgorithm::crc32c, ChecksumType::full_object, be32(1)}};
    EXPECT_EQ(reason(send(1, a, wrong)), "BadDigest");
    auto one = sent(1, a), two = sent(2, b);
    CompleteOptions expect;
    expect.expected = {ChecksumAlgorithm::crc32c, ChecksumType::full_object, be32(7)};
    EXPECT_EQ(reason(complete({one, two}, expect)), "BadDigest");
    expect.expected->value = be32(codec::crc32c(whole));
    auto done = complete({one, two}, expect);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->checksums, std::vector<Checksum>{*expect.expected});

    options = {{}, ChecksumAlgorithm::sha256, ChecksumType::composite};
    create("key", options);
    one = sent(1, a), two = sent(2, b);
    done = complete({one, two});
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(done->checksums[0].type, ChecksumType::composite);
    EXPECT_EQ(done->checksums[0].value, codec::sha256(codec::sha256(a) + codec::sha256(b)));
}

TEST_F(MultipartTest, PartsCopiedFromObjects) {
    const auto large = pattern(2'500'000, 1);
    put("large", large);
    put("small", "0123456789");
    create("key");
    const auto copy = [&](const std::string& from,
                          std::optional<std::pair<uint64_t, uint64_t>> range, uint32_t number,
                          ReadConditions conditions = {}) {
        return objects().copy_part(caller_, "bucket", from, range, conditions, "bucket", "key", id_,
                                   number);
    };
    EXPECT_EQ(reason(copy("large", {{2'400'000, 200'000}}, 1)), "InvalidArgument");
    EXPECT_EQ(reason(copy("nothing", {}, 1)), "NoSuchKey");
    ReadConditions never;
    never.if_match = "other";
    EXPECT_EQ(reason(copy("large", {}, 1, never)), "PreconditionFailed");

    std::vector<CompletedPart> parts;
    std::string expected;
    const auto add = [&](const Result<PartInfo>& part, const std::string& bytes) {
        ASSERT_TRUE(part.ok()) << part.error().message;
        EXPECT_EQ(part->etag, codec::hex_encode(codec::md5(bytes)));
        parts.push_back({part->number, part->etag, std::nullopt});
        expected += bytes;
    };
    add(copy("large", {}, 1), large);
    add(copy("large", {{100'001, 2'000'003}}, 2), large.substr(100'001, 2'000'003));
    add(copy("large", {{7, 150'000}}, 3), large.substr(7, 150'000));
    add(copy("small", {{2, 3}}, 4), "234");
    ASSERT_TRUE(objects().remove(caller_, "bucket", "large").ok());
    ASSERT_TRUE(complete(parts).ok());
    EXPECT_EQ(get("key"), expected);
    auto reader = objects().open("bucket", "key");
    EXPECT_EQ(*(*reader)->read(2'400'000, 300'000), expected.substr(2'400'000, 300'000));
    reader->reset();
    restart();
    expect_no_leak(disk(), store());
    EXPECT_EQ(get("key"), expected);
    ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
    restart();
    expect_no_leak(disk(), store());
    EXPECT_EQ(store().scan({"x/", meta::prefix_end("x/")})->valid(), false);
}

TEST_F(MultipartTest, ListsOfParts) {
    create("key");
    for (uint32_t number : {1u, 2u, 300u, 10'000u}) sent(number, std::string(number, 'x'));
    auto page = objects().list_parts("bucket", "key", id_, 0, 3);
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->parts.size(), 3u);
    EXPECT_TRUE(page->truncated);
    EXPECT_EQ(page->next, 300u);
    EXPECT_EQ(page->parts[2].size, 300u);
    page = objects().list_parts("bucket", "key", id_, page->next, 3);
    ASSERT_EQ(page->parts.size(), 1u);
    EXPECT_FALSE(page->truncated);
    EXPECT_EQ(reason(objects().list_parts("bucket", "key", "none")), "NoSuchUpload");
    EXPECT_EQ(reason(objects().list_parts("nothing", "key", "none")), "NoSuchBucket");
}

TEST_F(MultipartTest, ListsOfUploads) {
    std::vector<std::string> ids;
    for (const char* key : {"b", "a/1", "a/2", "b", "c"}) {
        create(key);
        ids.push_back(id_);
    }
    ListUploadsOptions options;
    auto page = objects().list_uploads("bucket", options);
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->uploads.size(), 5u);
    EXPECT_EQ(page->uploads[2].upload_id, ids[0]);
    EXPECT_EQ(page->uploads[3].upload_id, ids[3]);

    options.entries_max = 1;
    options.delimiter = "/";
    std::vector<std::string> seen;
    do {
        page = objects().list_uploads("bucket", options);
        ASSERT_TRUE(page.ok());
        for (const auto& upload : page->uploads) seen.push_back(upload.key);
        for (const auto& prefix : page->common_prefixes) seen.push_back(prefix);
        options.after_key = page->next_key;
        options.after_upload_id = page->next_upload_id;
    } while (page->truncated && seen.size() < 10);
    EXPECT_EQ(seen, (std::vector<std::string>{"a/", "b", "b", "c"}));
    options = {};
    options.prefix = "a/";
    EXPECT_EQ(objects().list_uploads("bucket", options)->uploads.size(), 2u);
    options.after_key = "a/1";
    EXPECT_EQ(objects().list_uploads("bucket", options)->uploads.size(), 1u);
}

}  // namespace
}  // namespace tarn::objects::internal

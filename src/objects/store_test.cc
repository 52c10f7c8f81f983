// Buckets and objects, one behaviour a test.
#include "objects/store.h"

#include "codec/checksum.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

using StoreTest = ObjectsTest;

TEST_F(StoreTest, BucketsHaveNamesOfS3) {
    for (const char* name : {"abc", "a.b-c", "123", "my-bucket.with.dots0"})
        EXPECT_EQ(reason(objects().create_bucket(caller_, name)), "ok") << name;
    for (const char* name : {"", "ab", "Abc", "a_b", "-abc", "abc-", "a..b", "192.168.0.1",
                             "xn--abc", "abc-s3alias", "a/b", "abc\n"})
        EXPECT_EQ(reason(objects().create_bucket(caller_, name)), "InvalidBucketName") << name;
    EXPECT_EQ(reason(objects().create_bucket(caller_, std::string(64, 'a'))), "InvalidBucketName");
}

TEST_F(StoreTest, BucketsComeAndGo) {
    EXPECT_EQ(reason(objects().create_bucket(caller_, "bucket")), "BucketAlreadyOwnedByYou");
    EXPECT_EQ(reason(objects().head_bucket("nothing")), "NoSuchBucket");
    EXPECT_EQ(reason(objects().delete_bucket(caller_, "nothing")), "NoSuchBucket");
    EXPECT_EQ(reason(objects().delete_bucket(caller_, "lake")), "AccessDenied");

    put("a", "1");
    auto upload = objects().create_multipart(caller_, "bucket", "b");
    ASSERT_TRUE(upload.ok());
    EXPECT_EQ(reason(objects().delete_bucket(caller_, "bucket")), "BucketNotEmpty");
    EXPECT_EQ(objects().list_uploads("bucket", {})->uploads.size(), 1);  // refused as a whole
    ASSERT_TRUE(objects().remove(caller_, "bucket", "a").ok());
    EXPECT_EQ(reason(objects().delete_bucket(caller_, "bucket")), "ok");
    EXPECT_EQ(reason(objects().abort(caller_, "bucket", "b", upload->upload_id)), "NoSuchBucket");
    EXPECT_EQ(reason(objects().head_bucket("bucket")), "NoSuchBucket");
    EXPECT_EQ(reason(objects().put(caller_, "bucket", "a", "1")), "NoSuchBucket");
    EXPECT_EQ(reason(objects().head("bucket", "a")), "NoSuchBucket");
    EXPECT_EQ(reason(objects().list("bucket", {})), "NoSuchBucket");
}

TEST_F(StoreTest, BucketsAreListedAndCounted) {
    ASSERT_TRUE(objects().create_bucket(caller_, "another").ok());
    put("a", "12345");
    put("b", pattern(100'000, 1));
    put("a", "123");
    auto all = objects().list_buckets();
    ASSERT_TRUE(all.ok());
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ(all->at(0).name, "another");
    EXPECT_EQ(all->at(1).name, "bucket");
    EXPECT_EQ(all->at(1).objects, 2u);
    EXPECT_EQ(all->at(1).bytes, 100'003u);
    EXPECT_TRUE(all->at(2).system);
    EXPECT_EQ(objects().list_buckets("b")->size(), 1u);
    EXPECT_EQ(objects().list_buckets("", "bucket")->at(0).name, "lake");
    EXPECT_EQ(objects().list_buckets("", "", 1)->size(), 1u);

    ASSERT_TRUE(objects().remove(caller_, "bucket", "b").ok());
    EXPECT_EQ(objects().head_bucket("bucket")->objects, 1u);
    EXPECT_EQ(objects().head_bucket("bucket")->bytes, 3u);
}

TEST_F(StoreTest, AStartedPutIsAPut) {
    const auto small = pattern(4096, 1), large = pattern(100'000, 2);
    auto stored = start_put("a", small);
    ASSERT_TRUE(stored.ok());
    EXPECT_EQ(stored->etag, codec::hex_encode(codec::md5(small)));
    EXPECT_EQ(get("a"), small);
    ASSERT_TRUE(start_put("b", large).ok());
    ASSERT_TRUE(start_put("a", large).ok());  // from the log to extents, and back
    ASSERT_TRUE(start_put("b", small).ok());
    EXPECT_EQ(get("a"), large);
    EXPECT_EQ(get("b"), small);
    EXPECT_EQ(objects().head_bucket("bucket")->objects, 2u);
    EXPECT_EQ(objects().head_bucket("bucket")->bytes, small.size() + large.size());
}

TEST_F(StoreTest, AnETagWithoutMd5IsOfTheChecksums) {
    const auto put = [&](const std::string& body, PutOptions options) {
        options.etag_is_md5 = false;
        auto upload = objects().begin_put(caller_, "bucket", "own", std::move(options));
        EXPECT_TRUE((*upload)->write(body).ok());
        const auto stored = (*upload)->finish();
        EXPECT_TRUE(stored.ok());
        EXPECT_EQ(get("own"), body);
        EXPECT_EQ(objects().head("bucket", "own")->etag, stored->etag);
        return stored->etag;
    };
    const auto body = pattern(100'000, 1), other = pattern(100'000, 2);
    const auto etag = put(body, {});
    EXPECT_EQ(etag.size(), 34u);
    EXPECT_EQ(etag.substr(32), "-1");
    EXPECT_EQ(put(body, {}), etag);
    EXPECT_NE(put(other, {}), etag);
    PutOptions checked;
    checked.content_md5 = codec::md5(other);  // what the caller knows already
    EXPECT_EQ(put(other, checked), codec::hex_encode(codec::md5(other)));
}

TEST_F(StoreTest, AStartedPutSaysWhatFailed) {
    PutOptions wrong;
    wrong.content_md5 = std::string(16, 'x');
    EXPECT_EQ(reason(start_put("a", "1", wrong)), "BadDigest");
    EXPECT_EQ(reason(start_put("a", "1", wrong, "nothing")), "NoSuchBucket");
    EXPECT_EQ(reason(start_put("a", "1", {}, "nothing")), "NoSuchBucket");
    EXPECT_EQ(reason(start_put("a", pattern(100'000, 1), {}, "nothing")), "NoSuchBucket");
    PutOptions match;
    match.conditions.if_match = "etag";
    EXPECT_EQ(reason(start_put("a", "1", match)), "NoSuchKey");
    EXPECT_EQ(reason(start_put("a", "1", match, "nothing")), "NoSuchBucket");
    EXPECT_EQ(reason(start_put("", "1")), put_reason("", "1", {}));
    store().refuse = Error(Code::exhausted, "the disk is full", "disk_full");
    EXPECT_EQ(reason(start_put("a", "1")), "disk_full");
    store().refuse.reset();
    EXPECT_EQ(get("a"), "(NoSuchKey)");
}

TEST_F(StoreTest, AStartedPutThatLostARaceIsTriedAgain) {
    put("a", "first");
    PutOptions only_new;
    only_new.conditions.if_none_match_any = true;
    std::string raced = "a";  // whose next commit comes second
    store().before_commit = [&] {
        if (const auto key = std::exchange(raced, ""); !key.empty()) put(key, "theirs");
    };
    ASSERT_TRUE(start_put("a", "ours").ok());
    EXPECT_EQ(get("a"), "ours");
    raced = "b";
    EXPECT_EQ(reason(start_put("b", "ours", only_new)), "PreconditionFailed");
    EXPECT_EQ(get("b"), "theirs");
    EXPECT_EQ(objects().head_bucket("bucket")->objects, 2u);
}

TEST_F(StoreTest, BucketDocuments) {
    EXPECT_EQ(reason(objects().put_bucket_document(caller_, "nothing", "policy", "{}")),
              "NoSuchBucket");
    EXPECT_EQ(*objects().bucket_document("bucket", "policy"), std::nullopt);
    ASSERT_TRUE(objects().put_bucket_document(caller_, "bucket", "policy", "{}").ok());
    EXPECT_EQ(*objects().bucket_document("bucket", "policy"), "{}");
    ASSERT_TRUE(objects().delete_bucket_document(caller_, "bucket", "policy").ok());
    EXPECT_EQ(*objects().bucket_document("bucket", "policy"), std::nullopt);
}

TEST_F(StoreTest, ObjectsOfEverySizeComeBack) {
    const size_t inline_max = 64 << 10;
    for (size_t size : {size_t{0}, size_t{1}, size_t{4096}, inline_max, inline_max + 1,
                        2 * inline_max, size_t{300'000}, size_t{3'000'001}}) {
        const auto bytes = pattern(size, size);
        const auto info = put("key", bytes);
        EXPECT_EQ(info.size, size);
        EXPECT_EQ(info.etag, codec::hex_encode(codec::md5(bytes)));
        EXPECT_TRUE(get("key") == bytes) << size;
        auto reader = objects().open("bucket", "key");
        ASSERT_TRUE(reader.ok());
        Random random(size);
        for (int i = 0; i < 20; ++i) {
            const uint64_t from = random.below(size + 10), length = random.below(size + 10);
            const auto part = (*reader)->read(from, length);
            ASSERT_TRUE(part.ok());
            EXPECT_EQ(*part, from >= size ? "" : bytes.substr(from, length));
        }
        reader->reset();
        restart();
        EXPECT_TRUE(get("key") == bytes) << size;
    }
}

TEST_F(StoreTest, UploadInPieces) {
    const auto bytes = pattern(500'000, 7);
    auto upload = objects().begin_put(caller_, "bucket", "key", {});
    ASSERT_TRUE(upload.ok());
    Random random(7);
    for (size_t at = 0; at < bytes.size();) {
        const size_t piece = random.below(70'000);
        ASSERT_TRUE((*upload)->write(std::string_view(bytes).substr(at, piece)).ok());
        at += piece;
    }
    EXPECT_EQ(get("key"), "(NoSuchKey)");
    ASSERT_TRUE((*upload)->finish().ok());
    EXPECT_TRUE(get("key") == bytes);
    EXPECT_EQ((*upload)->finish().error().code, Code::internal);
}

TEST_F(StoreTest, AnAbandonedUploadLeavesNothing) {
    for (size_t size : {100, 100'000, 3'000'000}) {
        auto upload = objects().begin_put(caller_, "bucket", "key", {});
        ASSERT_TRUE(upload.ok());
        ASSERT_TRUE((*upload)->write(pattern(size, 1)).ok());
    }
    EXPECT_EQ(get("key"), "(NoSuchKey)");
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(StoreTest, KeysAreFreeText) {
    const std::vector<std::string> keys = {"/",
                                           "//",
                                           "a/",
                                           "/a",
                                           "a",
                                           "../../etc",
                                           "a/../b",
                                           ".",
                                           "%2e%00",
                                           "\xc3\xa4\xf0\x9f\x90\x9f",
                                           "a b+c=d?e:f&",
                                           "\x01\x7f",
                                           std::string(1024, 'k')};
    for (const auto& key : keys) put(key, "body of " + key);
    for (const auto& key : keys) EXPECT_EQ(get(key), "body of " + key);
    EXPECT_EQ(objects().list("bucket", {})->objects.size(), keys.size());
    EXPECT_EQ(put_reason("", "x", {}), "InvalidArgument");
    EXPECT_EQ(put_reason(std::string(1025, 'k'), "x", {}), "KeyTooLongError");
    EXPECT_EQ(put_reason(std::string("a\0b", 3), "x", {}), "InvalidArgument");
    for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
        EXPECT_EQ(put_reason(bad, "x", {}), "InvalidArgument");
}

TEST_F(StoreTest, MetadataComesBack) {
    PutOptions options;
    options.metadata.headers = {"text/plain", "gzip",  "inline",    "de",
                                "no-cache",   "never", "/elsewhere"};
    options.metadata.user = {{"mtime", "1.5"}, {"note", "\xc3\xa4"}};
    options.metadata.tags = {{"team", "a"}};
    options.metadata.storage_class = "STANDARD_IA";
    put("key", "x", options);
    restart();
    const auto info = objects().head("bucket", "key");
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->metadata.headers, options.metadata.headers);
    EXPECT_EQ(info->metadata.user, options.metadata.user);
    EXPECT_EQ(info->metadata.tags, options.metadata.tags);
    EXPECT_EQ(info->metadata.storage_class, "STANDARD_IA");

    ASSERT_TRUE(objects().put_tags(caller_, "bucket", "key", {{"b", "2"}}).ok());
    EXPECT_EQ(objects().head("bucket", "key")->metadata.tags, (Tags{{"b", "2"}}));
    EXPECT_EQ(get("key"), "x");
    EXPECT_EQ(reason(objects().put_tags(caller_, "bucket", "nothing", {})), "NoSuchKey");

    options.metadata.user["large"] = std::string(2048, 'x');
    EXPECT_EQ(put_reason("key", "x", options), "MetadataTooLarge");
    options.metadata.user = {{"a", "b\r\nSet-Cookie: c"}};
    EXPECT_EQ(put_reason("key", "x", options), "InvalidArgument");
    options.metadata.user.clear();
    for (int i = 0; i < 11; ++i) options.metadata.tags[std::to_string(i)] = "";
    EXPECT_EQ(put_reason("key", "x", options), "BadRequest");
}

TEST_F(StoreTest, ChecksumsAreVerifiedAndKept) {
    const std::string bytes = "123456789";
    const auto value = [](const char* hex) { return *codec::hex_decode(hex); };
    const std::vector<Checksum> right = {
        {ChecksumAlgorithm::crc32, ChecksumType::full_object, value("cbf43926")},
        {ChecksumAlgorithm::crc32c, ChecksumType::full_object, value("e3069283")},
        {ChecksumAlgorithm::crc64nvme, ChecksumType::full_object, value("ae8b14860a799888")},
        {ChecksumAlgorithm::sha1, ChecksumType::full_object, codec::sha1(bytes)},
        {ChecksumAlgorithm::sha256, ChecksumType::full_object, codec::sha256(bytes)}};
    for (const auto& checksum : right) {
        PutOptions options;
        options.expected = {checksum};
        EXPECT_EQ(put("key", bytes, options).checksums, options.expected);
        EXPECT_EQ(put_reason("key", "other", options), "BadDigest");
        options.expected[0].value += "x";
        EXPECT_EQ(put_reason("key", bytes, options), "InvalidRequest");

        auto upload = objects().begin_put(caller_, "bucket", "key", {});
        ASSERT_TRUE((*upload)->write(bytes).ok());
        EXPECT_EQ(reason((*upload)->finish({checksum})), "InvalidRequest") << "was not announced";
        PutOptions announced;
        announced.compute = {checksum.algorithm};
        upload = objects().begin_put(caller_, "bucket", "key", announced);
        ASSERT_TRUE((*upload)->write(bytes).ok());
        EXPECT_EQ(reason((*upload)->finish({checksum})), "ok");
    }
    EXPECT_TRUE(get("key") == bytes);

    PutOptions md5;
    md5.content_md5 = codec::md5(bytes);
    EXPECT_EQ(put_reason("key", bytes, md5), "ok");
    EXPECT_EQ(put_reason("key", "other", md5), "BadDigest");
    md5.content_md5 = "short";
    EXPECT_EQ(put_reason("key", bytes, md5), "InvalidDigest");
    PutOptions size;
    size.size = 9;
    EXPECT_EQ(put_reason("key", bytes, size), "ok");
    size.size = 8;
    EXPECT_EQ(put_reason("key", bytes, size), "IncompleteBody");
    size.size = 10;
    EXPECT_EQ(put_reason("key", bytes, size), "IncompleteBody");
    size.size = kPutBytesMax + 1;
    EXPECT_EQ(put_reason("key", bytes, size), "EntityTooLarge");
}

TEST_F(StoreTest, WriteConditions) {
    PutOptions absent, match;
    absent.conditions.if_none_match_any = true;
    match.conditions.if_match = "*";
    EXPECT_EQ(put_reason("key", "1", match), "NoSuchKey");
    EXPECT_EQ(put_reason("key", "1", absent), "ok");
    EXPECT_EQ(put_reason("key", "2", absent), "PreconditionFailed");
    EXPECT_EQ(put_reason("key", "2", match), "ok");
    match.conditions.if_match = codec::hex_encode(codec::md5("2"));
    EXPECT_EQ(put_reason("key", "3", match), "ok");
    EXPECT_EQ(put_reason("key", "4", match), "PreconditionFailed");
    EXPECT_EQ(get("key"), "3");

    EXPECT_EQ(reason(objects().remove(caller_, "bucket", "key", "wrong")), "PreconditionFailed");
    EXPECT_EQ(reason(objects().remove(caller_, "bucket", "key", "*")), "ok");
    EXPECT_EQ(get("key"), "(NoSuchKey)");
}

TEST_F(StoreTest, ConditionsAreDecidedAtTheEnd) {
    PutOptions absent;
    absent.conditions.if_none_match_any = true;
    auto upload = objects().begin_put(caller_, "bucket", "key", absent);
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE((*upload)->write(pattern(200'000, 1)).ok());
    put("key", "first");
    EXPECT_EQ(reason((*upload)->finish()), "PreconditionFailed");
    upload->reset();
    EXPECT_EQ(get("key"), "first");
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(StoreTest, ReadConditions) {
    const auto info = put("key", "1");
    const auto check = [&](ReadConditions conditions) {
        const auto head = reason(objects().head("bucket", "key", conditions));
        EXPECT_EQ(head, reason(objects().open("bucket", "key", conditions)));
        return head;
    };
    const Timestamp later = info.modified.plus(std::chrono::hours(1));
    const Timestamp earlier = info.modified.plus(-std::chrono::hours(1));
    ReadConditions c;
    c.if_match = info.etag;
    c.if_unmodified_since = earlier;  // not looked at beside If-Match
    EXPECT_EQ(check(c), "ok");
    c.if_match = "other";
    EXPECT_EQ(check(c), "PreconditionFailed");
    c = {};
    c.if_none_match = info.etag;
    EXPECT_EQ(check(c), "NotModified");
    c.if_none_match = "other";
    c.if_modified_since = later;  // not looked at beside If-None-Match
    EXPECT_EQ(check(c), "ok");
    c = {};
    c.if_modified_since = later;
    EXPECT_EQ(check(c), "NotModified");
    c.if_modified_since = earlier;
    EXPECT_EQ(check(c), "ok");
    c = {};
    c.if_unmodified_since = earlier;
    EXPECT_EQ(check(c), "PreconditionFailed");
    c.if_unmodified_since = info.modified;
    EXPECT_EQ(check(c), "ok");
}

TEST_F(StoreTest, DeletingIsIdempotent) {
    EXPECT_EQ(reason(objects().remove(caller_, "bucket", "nothing")), "ok");
    EXPECT_EQ(reason(objects().remove(caller_, "nothing", "nothing")), "NoSuchBucket");
    put("a", "1");
    put("b", pattern(100'000, 1));
    auto outcomes =
        objects().remove_many(caller_, "bucket", {"a", "none", "b", "a", std::string(2000, 'x')});
    ASSERT_TRUE(outcomes.ok());
    ASSERT_EQ(outcomes->size(), 5u);
    EXPECT_EQ(outcomes->at(3).error_reason, std::nullopt);
    EXPECT_EQ(outcomes->at(4).error_reason, "KeyTooLongError");
    EXPECT_EQ(objects().list("bucket", {})->objects.size(), 0u);
    EXPECT_EQ(objects().head_bucket("bucket")->bytes, 0u);
    EXPECT_EQ(reason(objects().remove_many(caller_, "nothing", {"a"})), "NoSuchBucket");
}

TEST_F(StoreTest, ReadersKeepWhatTheyOpened) {
    for (size_t size : {1000, 200'000}) {
        const auto bytes = pattern(size, 1);
        put("key", bytes);
        auto reader = objects().open("bucket", "key");
        ASSERT_TRUE(reader.ok());
        put("key", pattern(size, 2));
        ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
        ASSERT_TRUE(objects().reclaim().ok());
        EXPECT_EQ(*(*reader)->read(0, size), bytes);
        reader->reset();
        expect_only_named_bytes(disk(), store());
    }
}

TEST_F(StoreTest, CopiesShareBytes) {
    ASSERT_TRUE(objects().create_bucket(caller_, "target").ok());
    for (size_t size : {0, 1000, 2'500'000}) {
        const auto bytes = pattern(size, size);
        PutOptions options;
        options.metadata.headers.content_type = "text/plain";
        options.metadata.tags = {{"a", "1"}};
        put("key", bytes, options);
        const size_t before = disk().operation_count();
        auto copied = objects().copy(caller_, "bucket", "key", "target", "copy");
        ASSERT_TRUE(copied.ok()) << copied.error().message;
        EXPECT_EQ(disk().operation_count(), before) << "a copy writes no data";
        EXPECT_EQ(copied->metadata.headers.content_type, "text/plain");
        EXPECT_EQ(copied->metadata.tags, options.metadata.tags);
        ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
        auto reader = objects().open("target", "copy");
        ASSERT_TRUE(reader.ok());
        EXPECT_EQ(*(*reader)->read(0, size), bytes);
        EXPECT_EQ(objects().head_bucket("target")->bytes, size);
        reader->reset();
        ASSERT_TRUE(objects().remove(caller_, "target", "copy").ok());
    }
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(StoreTest, CopyOntoItself) {
    for (size_t size : {1000, 200'000}) {
        const auto bytes = pattern(size, size);
        put("key", bytes);
        EXPECT_EQ(reason(objects().copy(caller_, "bucket", "key", "bucket", "key")),
                  "InvalidRequest");
        CopyOptions options;
        options.replace.emplace();
        options.replace->headers.content_type = "text/html";
        for (int i = 0; i < 2; ++i)
            EXPECT_EQ(reason(objects().copy(caller_, "bucket", "key", "bucket", "key", options)),
                      "ok");
        EXPECT_EQ(objects().head("bucket", "key")->metadata.headers.content_type, "text/html");
        EXPECT_TRUE(get("key") == bytes);
        ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
    }
    expect_only_named_bytes(disk(), store());
}

TEST_F(StoreTest, CopyConditionsAndChecksums) {
    const auto info = put("key", "123456789");
    const auto copy = [&](const CopyOptions& options, const std::string& from = "key") {
        return objects().copy(caller_, "bucket", from, "bucket", "copy", options);
    };
    EXPECT_EQ(reason(copy({}, "nothing")), "NoSuchKey");
    EXPECT_EQ(reason(objects().copy(caller_, "bucket", "key", "nothing", "copy")), "NoSuchBucket");
    CopyOptions options;
    options.source_conditions.if_none_match = info.etag;
    EXPECT_EQ(reason(copy(options)), "PreconditionFailed");
    options.source_conditions = {};
    options.source_conditions.if_match = info.etag;
    options.conditions.if_none_match_any = true;
    options.compute = {ChecksumAlgorithm::crc32};
    auto copied = copy(options);
    ASSERT_TRUE(copied.ok());
    ASSERT_EQ(copied->checksums.size(), 1u);
    EXPECT_EQ(codec::hex_encode(copied->checksums[0].value), "cbf43926");
    EXPECT_EQ(reason(copy(options)), "PreconditionFailed");
    EXPECT_EQ(get("copy"), "123456789");
}

TEST_F(StoreTest, AChangeAndItsAuditRecordAreOne) {
    SystemClock clock;
    Metrics metrics;
    security::AuditTrail trail(store(), clock, metrics, {});
    ObjectStoreOptions options;
    options.audit = &trail;
    auto audited = ObjectStore::open(store(), *server_->bytes, clock, metrics, options);
    ASSERT_TRUE(audited.ok());
    caller_.action = "s3:PutObject";
    ASSERT_TRUE((*audited)->put(caller_, "bucket", "key", "12345").ok());
    PutOptions absent;
    absent.conditions.if_none_match_any = true;
    EXPECT_FALSE((*audited)->put(caller_, "bucket", "key", "x", absent).ok());
    caller_.action = "s3:DeleteObject";
    ASSERT_TRUE((*audited)->remove(caller_, "bucket", "nothing").ok());
    const auto page = trail.read({});
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->records.size(), 2u)
        << "what changed nothing because it was refused is the door's to record";
    EXPECT_EQ(page->records[0].action, "s3:DeleteObject");
    EXPECT_EQ(page->records[1].bytes, 5u);
}

TEST_F(StoreTest, StagedChangesCommitWithTheBatch) {
    for (size_t size : {1000, 200'000}) {
        put("old", pattern(size, 3));
        meta::Batch batch;
        auto staged = objects().stage_put(batch, "bucket", "key", pattern(size, 1));
        ASSERT_TRUE(staged.ok()) << staged.error().message;
        auto gone = objects().stage_delete(batch, "bucket", "old");
        ASSERT_TRUE(gone.ok());
        EXPECT_EQ((*gone)->info().size, size);
        EXPECT_EQ(get("key"), "(NoSuchKey)");
        batch.put("t/pointer", "key");
        ASSERT_TRUE(store().commit(std::move(batch)).ok());
        (*staged)->committed();
        (*gone)->committed();
        EXPECT_TRUE(get("key") == pattern(size, 1));
        EXPECT_EQ(get("old"), "(NoSuchKey)");
        EXPECT_EQ((*staged)->info().etag, objects().head("bucket", "key")->etag);
        ASSERT_TRUE(objects().remove(caller_, "bucket", "key").ok());
        expect_only_named_bytes(disk(), store());
    }
}

TEST_F(StoreTest, AStagedChangeThatIsNotCommittedGoes) {
    meta::Batch batch;
    auto staged = objects().stage_put(batch, "bucket", "key", pattern(200'000, 1));
    ASSERT_TRUE(staged.ok());
    put("key", "somebody else was first");
    auto committed = store().commit(std::move(batch));
    EXPECT_EQ(reason(committed), "ConditionalRequestConflict");
    staged->reset();
    EXPECT_EQ(get("key"), "somebody else was first");
    restart();
    expect_no_leak(disk(), store());
}

TEST_F(StoreTest, AStagedChangeIsKeptWhenItsOwnerForgets) {
    meta::Batch batch;
    auto staged = objects().stage_put(batch, "bucket", "key", pattern(200'000, 1));
    ASSERT_TRUE(store().commit(std::move(batch)).ok());
    staged->reset();
    put("other", pattern(200'000, 2));
    EXPECT_TRUE(get("key") == pattern(200'000, 1));
}

TEST_F(StoreTest, SharedExtentsReleasedInOneBatch) {
    put("a", pattern(200'000, 1));
    ASSERT_TRUE(objects().copy(caller_, "bucket", "a", "bucket", "b").ok());
    meta::Batch batch;
    auto a = objects().stage_delete(batch, "bucket", "a");
    auto b = objects().stage_put(batch, "bucket", "b", "new");
    ASSERT_TRUE(a.ok() && b.ok());
    ASSERT_TRUE(store().commit(std::move(batch)).ok());
    (*a)->committed();
    (*b)->committed();
    EXPECT_EQ(get("b"), "new");
    expect_only_named_bytes(disk(), store());

    put("a", pattern(200'000, 1));
    ASSERT_TRUE(objects().copy(caller_, "bucket", "a", "bucket", "b").ok());
    ASSERT_TRUE(objects().remove_many(caller_, "bucket", {"a", "b"}).ok());
    expect_only_named_bytes(disk(), store());
}

}  // namespace
}  // namespace tarn::objects::internal

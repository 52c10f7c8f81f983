// Buckets and their documents.
#include "objects/internal/keys.h"
#include "objects/internal/names.h"
#include "objects/internal/objects.h"

namespace tarn::objects::internal {
namespace {

constexpr size_t kDocumentBytesMax = 512u << 10;
constexpr std::string_view kBucketNotEmpty = "BucketNotEmpty";

Error bucket_not_empty() {
    return {Code::conflict, "The bucket you tried to delete is not empty.",
            std::string(kBucketNotEmpty)};
}

Error already_owned(const std::string& bucket) {
    return {Code::already_exists, "The bucket " + bucket + " is there already and yours.",
            "BucketAlreadyOwnedByYou"};
}

Result<uint64_t> counter(const meta::Reader& reader, const std::string& key) {
    TARN_TRY(record, reader.get(key));
    return record ? static_cast<uint64_t>(meta::decode_counter(record->value)) : 0;
}

Result<BucketInfo> bucket_info(const meta::Reader& reader, const std::string& name,
                               std::string_view record) {
    TARN_TRY(decoded, decode_bucket(record));
    BucketInfo info;
    info.name = name;
    info.region = decoded.region;
    info.created = decoded.created;
    info.system = decoded.system;
    TARN_TRY(objects, counter(reader, bucket_objects_key(name)));
    TARN_TRY(bytes, counter(reader, bucket_bytes_key(name)));
    info.objects = objects;
    info.bytes = bytes;
    return info;
}

}  // namespace

Status Objects::make_lake_bucket() {
    const std::string name(kLakeBucket);
    TARN_TRY(there, store_.get(bucket_key(name)));
    if (there) return {};
    meta::Batch batch;
    batch.require_absent(bucket_key(name), already_owned(name));
    batch.put(bucket_key(name), encode(BucketRecord{clock_.now(), options_.region, true}));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return {};
}

Result<BucketInfo> Objects::create_bucket(const security::Caller& caller,
                                          const std::string& bucket) {
    TARN_CHECK_OK(check_bucket_name(bucket));
    const BucketRecord record{clock_.now(), options_.region, false};
    TARN_CHECK_OK(commit(caller, 0, [&](Change& change) -> Status {
        change.batch.require_absent(bucket_key(bucket), already_owned(bucket));
        change.batch.put(bucket_key(bucket), encode(record));
        return {};
    }));
    return head_bucket(bucket);
}

/// As in Amazon S3, open uploads do not keep a bucket: they end with it, because nobody could name
/// them afterwards. None is touched before it is known that the bucket may go.
Status Objects::delete_bucket(const security::Caller& caller, const std::string& bucket) {
    constexpr int kRoundsMax = 3;  // somebody goes on beginning uploads
    Status deleted;
    for (int round = 0; round < kRoundsMax; ++round) {
        TARN_CHECK_OK(check_bucket_may_go(bucket));
        TARN_CHECK_OK(abort_all(caller, bucket));
        deleted = delete_empty_bucket(caller, bucket);
        if (deleted.ok() || deleted.error().reason != kBucketNotEmpty) return deleted;
    }
    return deleted;
}

Status Objects::check_bucket_may_go(const std::string& bucket) const {
    assert_may_block();
    const auto snapshot = store_.snapshot();
    TARN_TRY(record, snapshot->get(bucket_key(bucket)));
    if (!record) return no_such_bucket(bucket);
    TARN_TRY(decoded, decode_bucket(record->value));
    if (decoded.system)
        return Error(Code::permission_denied,
                     "The bucket " + bucket + " belongs to the lake and can't be deleted.",
                     "AccessDenied");
    const std::string objects = objects_of(bucket);
    const auto walk = snapshot->scan({objects, meta::prefix_end(objects)});
    if (walk->valid()) return bucket_not_empty();
    return walk->status();
}

Status Objects::abort_all(const security::Caller& caller, const std::string& bucket) {
    while (true) {
        TARN_TRY(page, list_uploads(bucket, {}));
        for (const auto& upload : page.uploads) {
            const Status aborted = abort(caller, bucket, upload.key, upload.upload_id);
            if (!aborted.ok() && aborted.error().reason != "NoSuchUpload") return aborted;
        }
        if (!page.truncated) return {};
    }
}

Status Objects::delete_empty_bucket(const security::Caller& caller, const std::string& bucket) {
    return commit(caller, 0, [&](Change& change) -> Status {
        TARN_TRY(record, store_.get(bucket_key(bucket)));
        if (!record) return no_such_bucket(bucket);
        const std::string objects = objects_of(bucket), uploads = uploads_of(bucket);
        const std::string documents = bucket_documents(bucket);
        auto& batch = change.batch;
        batch.require_version(bucket_key(bucket), record->version, changed_meanwhile());
        batch.require_empty(objects, meta::prefix_end(objects), bucket_not_empty());
        batch.require_empty(uploads, meta::prefix_end(uploads), bucket_not_empty());
        batch.erase(bucket_key(bucket));
        batch.erase(bucket_objects_key(bucket));
        batch.erase(bucket_bytes_key(bucket));
        batch.erase_range(documents, meta::prefix_end(documents));
        batch.frees_space();
        return {};
    });
}

Result<BucketInfo> Objects::head_bucket(const std::string& bucket) const {
    assert_may_block();
    TARN_TRY(record, store_.get(bucket_key(bucket)));
    if (!record) return no_such_bucket(bucket);
    return bucket_info(store_, bucket, record->value);
}

Result<std::vector<BucketInfo>> Objects::list_buckets(const std::string& prefix,
                                                      const std::string& after,
                                                      size_t entries_max) const {
    assert_may_block();
    std::vector<BucketInfo> buckets;
    const std::string from = std::max(bucket_key(prefix), bucket_key(after) + '\0');
    const auto snapshot = store_.snapshot();
    auto walk = snapshot->scan(
        {after.empty() ? bucket_key(prefix) : from, meta::prefix_end(bucket_key(prefix))});
    for (; walk->valid() && buckets.size() < entries_max; walk->next()) {
        TARN_TRY(record, walk->record());
        const std::string name(walk->key().substr(bucket_key("").size()));
        TARN_TRY(info, bucket_info(*snapshot, name, record.value));
        buckets.push_back(std::move(info));
    }
    TARN_CHECK_OK(walk->status());
    return buckets;
}

Status Objects::put_bucket_document(const security::Caller& caller, const std::string& bucket,
                                    const std::string& name, const std::string& document) {
    if (document.size() > kDocumentBytesMax)
        return Error(Code::invalid_argument, "The document is too large.", "EntityTooLarge");
    return commit(caller, document.size(), [&](Change& change) -> Status {
        change.batch.require_present(bucket_key(bucket), no_such_bucket(bucket));
        change.batch.put(bucket_document_key(bucket, name), document);
        return {};
    });
}

Result<std::optional<std::string>> Objects::bucket_document(const std::string& bucket,
                                                            const std::string& name) const {
    assert_may_block();
    TARN_CHECK_OK(require_bucket(bucket));
    TARN_TRY(record, store_.get(bucket_document_key(bucket, name)));
    if (!record) return std::optional<std::string>();
    return std::optional<std::string>(std::move(record->value));
}

Status Objects::delete_bucket_document(const security::Caller& caller, const std::string& bucket,
                                       const std::string& name) {
    return commit(caller, 0, [&](Change& change) -> Status {
        change.batch.require_present(bucket_key(bucket), no_such_bucket(bucket));
        change.batch.erase(bucket_document_key(bucket, name));
        change.batch.frees_space();
        return {};
    });
}

}  // namespace tarn::objects::internal

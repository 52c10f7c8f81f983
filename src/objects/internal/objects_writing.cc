// Putting, deleting, tags, and staging for other modules' batches.
#include <algorithm>
#include <map>

#include "objects/internal/conditions.h"
#include "objects/internal/keys.h"
#include "objects/internal/names.h"
#include "objects/internal/objects.h"
#include "objects/internal/uploads.h"

namespace tarn::objects::internal {
namespace {

constexpr size_t kDeletesMax = 1000;

Status check_found(const WriteConditions& conditions, const FoundObject& found) {
    return check_write(conditions, found ? &found->record.etag : nullptr);
}

ObjectRecord record_of(const Intake& intake, const Metadata& metadata, Timestamp now) {
    ObjectRecord record;
    record.size = intake.size();
    record.modified = now;
    record.etag = intake.etag();
    record.metadata = metadata;
    record.checksums = intake.checksums();
    record.pieces = intake.pieces();
    return record;
}

}  // namespace

Result<std::unique_ptr<Upload>> Objects::make_upload(const security::Caller* caller,
                                                     const std::string& bucket,
                                                     const std::string& key, PutOptions options) {
    assert_may_block();
    auto intake = intake_options(options);
    intake.inline_bytes_max = options_.inline_bytes_max;
    TARN_CHECK_OK(check_key(key));
    TARN_CHECK_OK(check_metadata(options.metadata));
    TARN_CHECK_OK(check_intake(intake));
    TARN_CHECK_OK(require_bucket(bucket));
    if (options.conditions.if_none_match_any || options.conditions.if_match) {
        TARN_TRY(found, find_object(bucket, key));
        TARN_CHECK_OK(check_found(options.conditions, found));
    }
    auto body = std::make_unique<Intake>(bytes_, std::move(intake));
    auto upload =
        std::make_unique<PutUpload>(*this, bucket, key, std::move(options), std::move(body));
    if (caller != nullptr) upload->committed_by(*caller);
    return std::unique_ptr<Upload>(std::move(upload));
}

Result<std::unique_ptr<Upload>> Objects::begin_put(const security::Caller& caller,
                                                   const std::string& bucket,
                                                   const std::string& key, PutOptions options) {
    return make_upload(&caller, bucket, key, std::move(options));
}

Result<ObjectInfo> Objects::put(const security::Caller& caller, const std::string& bucket,
                                const std::string& key, std::string_view bytes,
                                PutOptions options) {
    TARN_TRY(upload, make_upload(&caller, bucket, key, std::move(options)));
    TARN_CHECK_OK(upload->write(bytes));
    return upload->finish();
}

Result<ObjectInfo> Objects::commit_put(const security::Caller& caller, const std::string& bucket,
                                       const std::string& key, const PutOptions& options,
                                       Intake& intake) {
    ObjectRecord next;
    TARN_CHECK_OK(commit(caller, intake.size(), [&](Change& change) {
        return add_put(change, bucket, key, options, intake, next);
    }));
    return count_put(bucket, key, std::move(next), intake);
}

Status Objects::add_put(Change& change, const std::string& bucket, const std::string& key,
                        const PutOptions& options, Intake& intake, ObjectRecord& next) const {
    TARN_TRY(old, find_object(bucket, key));
    // Which of the two is missing; otherwise the batch itself asks for the bucket.
    if (!old && options.conditions.if_match) TARN_CHECK_OK(require_bucket(bucket));
    TARN_CHECK_OK(check_found(options.conditions, old));
    next = record_of(intake, options.metadata, clock_.now());
    replace_object(change, bucket, key, old, next, &intake.inline_body());
    intake.stage(change.batch);
    return {};
}

ObjectInfo Objects::count_put(const std::string& bucket, const std::string& key, ObjectRecord next,
                              Intake& intake) {
    intake.kept();
    free_space();
    puts_.add();
    put_bytes_.add(static_cast<double>(next.size));
    return to_info(bucket, key, std::move(next));
}

void Objects::start_put(const security::Caller& caller, const std::string& bucket,
                        const std::string& key, std::string bytes, PutOptions options,
                        std::function<void(std::shared_ptr<StartedPut>)> ready) {
    assert_may_block();
    auto put = std::make_shared<PendingPut>(*this, caller, bucket, key, std::move(options));
    meta::Batch batch;
    put->outcome = build_put(*put, std::move(bytes), batch);
    if (!put->outcome.ok()) return ready(std::move(put));
    store_.commit(std::move(batch), [put, ready = std::move(ready)](Result<meta::Commit> done) {
        if (!done.ok()) put->outcome = std::move(done).error();
        ready(put);
    });
}

Status Objects::build_put(PendingPut& put, std::string bytes, meta::Batch& batch) {
    TARN_CHECK_OK(check_key(put.key));
    TARN_CHECK_OK(check_metadata(put.options.metadata));
    if (bytes.size() > options_.inline_bytes_max) TARN_CHECK_OK(require_bucket(put.bucket));
    if (Status taken = take_body(put, std::move(bytes)); !taken.ok()) {
        TARN_CHECK_OK(require_bucket(put.bucket));
        return taken;
    }
    Change change{batch, {}};
    TARN_CHECK_OK(add_put(change, put.bucket, put.key, put.options, *put.intake, put.next));
    TARN_TRY(dead, complete(change, put.caller, put.intake->size()));
    put.dead = std::move(dead);
    return {};
}

Status Objects::take_body(PendingPut& put, std::string bytes) {
    auto options = intake_options(put.options);
    options.inline_bytes_max = options_.inline_bytes_max;
    TARN_CHECK_OK(check_intake(options));
    put.intake = std::make_unique<Intake>(bytes_, std::move(options));
    TARN_CHECK_OK(put.intake->write_whole(std::move(bytes)));
    return put.intake->finish({});
}

Result<ObjectInfo> Objects::end_put(PendingPut& put) {
    if (put.outcome.ok()) {
        released(put.dead);
        return count_put(put.bucket, put.key, std::move(put.next), *put.intake);
    }
    if (!is_changed_meanwhile(put.outcome.error())) return std::move(put.outcome).error();
    conflicts_.add();
    return commit_put(put.caller, put.bucket, put.key, put.options, *put.intake);
}

Status Objects::remove(const security::Caller& caller, const std::string& bucket,
                       const std::string& key, const std::optional<std::string>& if_match) {
    TARN_CHECK_OK(check_key(key));
    return commit(caller, 0, [&](Change& change) -> Status {
        TARN_TRY(found, find_object(bucket, key));
        if (!found) {
            TARN_CHECK_OK(require_bucket(bucket));
            change.batch.frees_space();
        }
        if (if_match) {
            WriteConditions conditions;
            conditions.if_match = if_match;
            TARN_CHECK_OK(check_found(conditions, found));
        }
        if (found) erase_object(change, bucket, key, *found);
        return {};
    });
}

Result<std::vector<DeleteOutcome>> Objects::remove_many(const security::Caller& caller,
                                                        const std::string& bucket,
                                                        const std::vector<std::string>& keys) {
    if (keys.size() > kDeletesMax)
        return Error(Code::invalid_argument, "At most 1000 keys can be deleted at once.",
                     "MalformedXML");
    TARN_CHECK_OK(require_bucket(bucket));
    std::vector<DeleteOutcome> outcomes(keys.size());
    std::map<std::string, bool> wanted;  // each key once
    for (size_t i = 0; i < keys.size(); ++i) {
        outcomes[i].key = keys[i];
        const auto valid = check_key(keys[i]);
        if (valid.ok())
            wanted[keys[i]] = true;
        else {
            outcomes[i].error_reason = valid.error().reason;
            outcomes[i].error_message = valid.error().message;
        }
    }
    auto committed = commit(caller, 0, [&](Change& change) -> Status {
        change.batch.frees_space();
        for (const auto& [key, unused] : wanted) {
            TARN_TRY(found, find_object(bucket, key));
            if (found) erase_object(change, bucket, key, *found);
        }
        return {};
    });
    TARN_CHECK_OK(committed);
    return outcomes;
}

Status Objects::put_tags(const security::Caller& caller, const std::string& bucket,
                         const std::string& key, Tags tags) {
    TARN_CHECK_OK(check_tags(tags));
    return commit(caller, 0, [&](Change& change) -> Status {
        TARN_TRY(found, load_object(bucket, key));
        auto next = found.record;
        next.metadata.tags = tags;
        replace_object(change, bucket, key, found, next, nullptr);
        return {};
    });
}

Result<std::unique_ptr<Staged>> Objects::stage_intake(meta::Batch& batch, const std::string& bucket,
                                                      const std::string& key,
                                                      const PutOptions& options,
                                                      std::unique_ptr<Intake> intake) {
    TARN_TRY(old, find_object(bucket, key));
    TARN_CHECK_OK(check_found(options.conditions, old));
    const auto next = record_of(*intake, options.metadata, clock_.now());
    Change change{batch, {}};
    replace_object(change, bucket, key, old, next, &intake->inline_body());
    intake->stage(batch);
    TARN_TRY(dead, bytes_.stage_refs(batch, change.refs));
    return std::unique_ptr<Staged>(
        new StagedChange(*this, to_info(bucket, key, next), std::move(intake), std::move(dead)));
}

Result<std::unique_ptr<Staged>> Objects::stage_put(meta::Batch& batch, const std::string& bucket,
                                                   const std::string& key, std::string_view bytes,
                                                   PutOptions options) {
    TARN_TRY(upload, begin_staged(bucket, key, std::move(options)));
    TARN_CHECK_OK(upload->write(bytes));
    return stage(batch, std::move(upload));
}

Result<std::unique_ptr<Upload>> Objects::begin_staged(const std::string& bucket,
                                                      const std::string& key, PutOptions options) {
    return make_upload(nullptr, bucket, key, std::move(options));
}

Result<std::unique_ptr<Staged>> Objects::stage(meta::Batch& batch, std::unique_ptr<Upload> upload) {
    auto* put = dynamic_cast<PutUpload*>(upload.get());
    TARN_ASSERT(put != nullptr);
    auto intake = put->take();
    if (!intake) return Error(Code::internal, "This upload has failed or ended already.");
    TARN_CHECK_OK(intake->finish({}));
    return stage_intake(batch, put->bucket(), put->key(), put->options(), std::move(intake));
}

Result<std::unique_ptr<Staged>> Objects::stage_delete(meta::Batch& batch, const std::string& bucket,
                                                      const std::string& key) {
    TARN_TRY(found, find_object(bucket, key));
    ObjectInfo info;
    info.bucket = bucket;
    info.key = key;
    std::vector<Extent> dead;
    if (found) {
        Change change{batch, {}};
        erase_object(change, bucket, key, *found);
        TARN_TRY(staged, bytes_.stage_refs(batch, change.refs));
        dead = std::move(staged);
        info = to_info(bucket, key, found->record);
    }
    return std::unique_ptr<Staged>(
        new StagedChange(*this, std::move(info), nullptr, std::move(dead)));
}

}  // namespace tarn::objects::internal

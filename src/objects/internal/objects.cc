// What all subjects share: reading records, committing with retries, giving space back.
#include "objects/internal/objects.h"

#include <chrono>
#include <thread>

#include "base/log.h"
#include "objects/internal/keys.h"

namespace tarn::objects::internal {
namespace {

constexpr int kTriesMax = 500;

/// A loser of a race tries at once, then gives the winners' fsync some time.
void pause_before_try(int tries) {
    if (tries < 4)
        std::this_thread::yield();
    else
        std::this_thread::sleep_for(std::chrono::microseconds(std::min(tries * 20, 2000)));
}

}  // namespace

ObjectInfo to_info(const std::string& bucket, const std::string& key, ObjectRecord record) {
    ObjectInfo info;
    info.bucket = bucket;
    info.key = key;
    info.size = record.size;
    info.etag = std::move(record.etag);
    info.modified = record.modified;
    info.metadata = std::move(record.metadata);
    info.checksums = std::move(record.checksums);
    info.parts = std::move(record.parts);
    return info;
}

Objects::Objects(meta::Store& store, BytesBackend& bytes, const Clock& clock, Metrics& metrics,
                 ObjectStoreOptions options)
    : store_(store),
      bytes_(bytes),
      clock_(clock),
      options_(std::move(options)),
      puts_(metrics.counter("tarn_objects_put_total", "Objects written")),
      put_bytes_(metrics.counter("tarn_objects_put_bytes", "Bytes of objects written")),
      conflicts_(
          metrics.counter("tarn_objects_retry_total", "Commits tried again after a conflict")) {}

Status Objects::commit(const security::Caller& caller, uint64_t moved,
                       const std::function<Status(Change&)>& build) {
    assert_may_block();
    for (int tries = 0;; ++tries) {
        auto done = commit_once(caller, moved, build);
        if (done.ok() || !is_changed_meanwhile(done.error()) || tries == kTriesMax) return done;
        conflicts_.add();
        pause_before_try(tries);
    }
}

Status Objects::commit_once(const security::Caller& caller, uint64_t moved,
                            const std::function<Status(Change&)>& build) {
    meta::Batch batch;
    Change change{batch, {}};
    TARN_CHECK_OK(build(change));
    TARN_TRY(dead, complete(change, caller, moved));
    if (batch.empty()) return {};
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    released(dead);
    return {};
}

Result<std::vector<Extent>> Objects::complete(Change& change, const security::Caller& caller,
                                              uint64_t moved) {
    TARN_TRY(dead, bytes_.stage_refs(change.batch, change.refs));
    if (options_.audit != nullptr) {
        security::AuditResult result;
        result.bytes = moved;
        options_.audit->attach(change.batch, caller, result);
    }
    return dead;
}

void Objects::released(const std::vector<Extent>& dead) const {
    if (!dead.empty()) bytes_.released(dead);
    free_space();
}

void Objects::free_space() const {
    if (!bytes_.wants_reclaim()) return;
    auto pass = [this] {
        freeing_ = false;
        const auto freed = bytes_.reclaim();
        if (!freed.ok())
            log_warning("objects", "dead extents could not be freed",
                        {{"error", freed.error().message}});
    };
    if (options_.background == nullptr) {
        pass();
        return;
    }
    if (!freeing_.exchange(true) && !options_.background->try_submit(pass)) freeing_ = false;
}

Status Objects::require_bucket(const std::string& bucket) const {
    TARN_TRY(record, store_.get(bucket_key(bucket)));
    if (!record) return no_such_bucket(bucket);
    return {};
}

Result<FoundObject> Objects::find_object(const std::string& bucket, const std::string& key) const {
    assert_may_block();
    TARN_TRY(record, store_.get(object_key(bucket, key)));
    if (!record) return FoundObject();
    auto decoded = decode_object(record->value);
    if (!decoded.ok()) return std::move(decoded).error().within(bucket + "/" + key);
    return FoundObject(
        Found<ObjectRecord>{std::move(decoded).value(), record->version, record->body});
}

Result<Found<ObjectRecord>> Objects::load_object(const std::string& bucket,
                                                 const std::string& key) const {
    TARN_TRY(found, find_object(bucket, key));
    if (found) return std::move(*found);
    TARN_CHECK_OK(require_bucket(bucket));
    return no_such_key();
}

void Objects::replace_object(Change& change, const std::string& bucket, const std::string& key,
                             const FoundObject& old, const ObjectRecord& next,
                             const std::string* body) const {
    const std::string record_key = object_key(bucket, key);
    auto& batch = change.batch;
    batch.require_present(bucket_key(bucket), no_such_bucket(bucket));
    batch.require_version(record_key, old ? old->version : 0, changed_meanwhile());
    if (body == nullptr)
        batch.put_keep_body(record_key, encode(next));
    else if (body->empty())
        batch.put(record_key, encode(next));
    else
        batch.put(record_key, encode(next), *body);

    count_refs(change.refs, next.pieces, 1);
    if (old)
        count_refs(change.refs, old->record.pieces, -1);
    else
        batch.add(bucket_objects_key(bucket), 1);
    const auto grown = static_cast<int64_t>(next.size - (old ? old->record.size : 0));
    if (grown != 0) batch.add(bucket_bytes_key(bucket), grown);
}

void Objects::erase_object(Change& change, const std::string& bucket, const std::string& key,
                           const Found<ObjectRecord>& old) const {
    const std::string record_key = object_key(bucket, key);
    change.batch.require_version(record_key, old.version, changed_meanwhile());
    change.batch.erase(record_key);
    change.batch.add(bucket_objects_key(bucket), -1);
    if (old.record.size != 0)
        change.batch.add(bucket_bytes_key(bucket), -static_cast<int64_t>(old.record.size));
    count_refs(change.refs, old.record.pieces, -1);
    change.batch.frees_space();
}

}  // namespace tarn::objects::internal

namespace tarn::objects {

Result<std::unique_ptr<ObjectStore>> ObjectStore::open(meta::Store& store, BytesBackend& bytes,
                                                       const Clock& clock, Metrics& metrics,
                                                       ObjectStoreOptions options) {
    auto objects =
        std::make_unique<internal::Objects>(store, bytes, clock, metrics, std::move(options));
    TARN_CHECK_OK(objects->make_lake_bucket());
    return std::unique_ptr<ObjectStore>(std::move(objects));
}

}  // namespace tarn::objects

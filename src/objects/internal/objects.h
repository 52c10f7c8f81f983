// The object store over meta/ and a bytes backend. One class; its functions stand in objects_*.cc
// by subject.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "objects/internal/errors.h"
#include "objects/internal/intake.h"
#include "objects/internal/record.h"
#include "objects/store.h"

namespace tarn::objects::internal {

/// Entries of one page of any listing.
inline constexpr size_t kEntriesMax = 1000;

/// A record as it was read; the version is what a batch requires to replace it.
template <typename Decoded>
struct Found {
    Decoded record;
    meta::Version version = 0;
    std::shared_ptr<const meta::Body> body;
};
using FoundObject = std::optional<Found<ObjectRecord>>;

/// An object whose extents a part shares: it must still be there when the part commits.
struct Source {
    std::string key;
    meta::Version version = 0;
};

/// A batch in the making, and how it changes what extents are named.
struct Change {
    meta::Batch& batch;
    ExtentRefs refs;
};

ObjectInfo to_info(const std::string& bucket, const std::string& key, ObjectRecord record);

class PendingPut;

class Objects final : public ObjectStore {
 public:
    Objects(meta::Store& store, BytesBackend& bytes, const Clock& clock, Metrics& metrics,
            ObjectStoreOptions options);
    Status make_lake_bucket();

    Result<BucketInfo> create_bucket(const security::Caller& caller,
                                     const std::string& bucket) override;
    Status delete_bucket(const security::Caller& caller, const std::string& bucket) override;
    Result<BucketInfo> head_bucket(const std::string& bucket) const override;
    Result<std::vector<BucketInfo>> list_buckets(const std::string& prefix,
                                                 const std::string& after,
                                                 size_t entries_max) const override;
    Status put_bucket_document(const security::Caller& caller, const std::string& bucket,
                               const std::string& name, const std::string& document) override;
    Result<std::optional<std::string>> bucket_document(const std::string& bucket,
                                                       const std::string& name) const override;
    Status delete_bucket_document(const security::Caller& caller, const std::string& bucket,
                                  const std::string& name) override;

    Result<std::unique_ptr<Upload>> begin_put(const security::Caller& caller,
                                              const std::string& bucket, const std::string& key,
                                              PutOptions options) override;
    Result<ObjectInfo> put(const security::Caller& caller, const std::string& bucket,
                           const std::string& key, std::string_view bytes,
                           PutOptions options) override;
    void start_put(const security::Caller& caller, const std::string& bucket,
                   const std::string& key, std::string bytes, PutOptions options,
                   std::function<void(std::shared_ptr<StartedPut>)> ready) override;
    Result<ObjectInfo> head(const std::string& bucket, const std::string& key,
                            const ReadConditions& conditions) const override;
    Result<std::unique_ptr<ObjectReader>> open(const std::string& bucket, const std::string& key,
                                               const ReadConditions& conditions) const override;
    Status remove(const security::Caller& caller, const std::string& bucket, const std::string& key,
                  const std::optional<std::string>& if_match) override;
    Result<std::vector<DeleteOutcome>> remove_many(const security::Caller& caller,
                                                   const std::string& bucket,
                                                   const std::vector<std::string>& keys) override;
    Result<ObjectInfo> copy(const security::Caller& caller, const std::string& from_bucket,
                            const std::string& from_key, const std::string& to_bucket,
                            const std::string& to_key, CopyOptions options) override;
    Status put_tags(const security::Caller& caller, const std::string& bucket,
                    const std::string& key, Tags tags) override;
    Result<ListPage> list(const std::string& bucket, const ListOptions& options) const override;

    Result<MultipartInfo> create_multipart(const security::Caller& caller,
                                           const std::string& bucket, const std::string& key,
                                           MultipartOptions options) override;
    Result<MultipartInfo> head_multipart(const std::string& bucket, const std::string& key,
                                         const std::string& upload_id) const override;
    Result<std::unique_ptr<PartUpload>> begin_part(const security::Caller& caller,
                                                   const std::string& bucket,
                                                   const std::string& key,
                                                   const std::string& upload_id, uint32_t number,
                                                   PutOptions options) override;
    Result<PartInfo> copy_part(const security::Caller& caller, const std::string& from_bucket,
                               const std::string& from_key,
                               const std::optional<std::pair<uint64_t, uint64_t>>& range,
                               const ReadConditions& conditions, const std::string& bucket,
                               const std::string& key, const std::string& upload_id,
                               uint32_t number) override;
    Result<PartPage> list_parts(const std::string& bucket, const std::string& key,
                                const std::string& upload_id, uint32_t after,
                                size_t entries_max) const override;
    Result<UploadPage> list_uploads(const std::string& bucket,
                                    const ListUploadsOptions& options) const override;
    Result<ObjectInfo> complete(const security::Caller& caller, const std::string& bucket,
                                const std::string& key, const std::string& upload_id,
                                const std::vector<CompletedPart>& parts,
                                const CompleteOptions& options) override;
    Status abort(const security::Caller& caller, const std::string& bucket, const std::string& key,
                 const std::string& upload_id) override;

    Result<std::unique_ptr<Staged>> stage_put(meta::Batch& batch, const std::string& bucket,
                                              const std::string& key, std::string_view bytes,
                                              PutOptions options) override;
    Result<std::unique_ptr<Upload>> begin_staged(const std::string& bucket, const std::string& key,
                                                 PutOptions options) override;
    Result<std::unique_ptr<Staged>> stage(meta::Batch& batch,
                                          std::unique_ptr<Upload> upload) override;
    Result<std::unique_ptr<Staged>> stage_delete(meta::Batch& batch, const std::string& bucket,
                                                 const std::string& key) override;
    Result<uint64_t> reclaim() override { return bytes_.reclaim(); }

    // For uploads, readers and staged changes.
    Result<ObjectInfo> commit_put(const security::Caller& caller, const std::string& bucket,
                                  const std::string& key, const PutOptions& options,
                                  Intake& intake);
    Result<ObjectInfo> end_put(PendingPut& put);
    Result<PartInfo> commit_part(const security::Caller& caller, const std::string& bucket,
                                 const std::string& key, const std::string& upload_id,
                                 uint32_t number, PartRecord record, Intake* intake,
                                 const std::optional<Source>& source = std::nullopt);
    void released(const std::vector<Extent>& dead) const;
    void free_space() const;

 private:
    using Parts = std::vector<std::pair<uint32_t, PartRecord>>;  // by number

    /// Every mutation: builds a batch, adds reference changes and the audit record, commits; builds
    /// again when a record changed meanwhile. `build` gets an empty change each time. `moved`:
    /// bytes for the audit record.
    Status commit(const security::Caller& caller, uint64_t moved,
                  const std::function<Status(Change&)>& build);
    Status commit_once(const security::Caller& caller, uint64_t moved,
                       const std::function<Status(Change&)>& build);

    /// The last of a batch: reference changes and the audit record. What dies by it.
    Result<std::vector<Extent>> complete(Change& change, const security::Caller& caller,
                                         uint64_t moved);
    Status add_put(Change& change, const std::string& bucket, const std::string& key,
                   const PutOptions& options, Intake& intake, ObjectRecord& next) const;
    Status take_body(PendingPut& put, std::string bytes);
    Status build_put(PendingPut& put, std::string bytes, meta::Batch& batch);
    ObjectInfo count_put(const std::string& bucket, const std::string& key, ObjectRecord next,
                         Intake& intake);

    Status check_bucket_may_go(const std::string& bucket) const;
    Status abort_all(const security::Caller& caller, const std::string& bucket);
    /// BucketNotEmpty with uploads, too.
    Status delete_empty_bucket(const security::Caller& caller, const std::string& bucket);
    Status require_bucket(const std::string& bucket) const;
    Result<FoundObject> find_object(const std::string& bucket, const std::string& key) const;
    /// NoSuchBucket or NoSuchKey when there is none.
    Result<Found<ObjectRecord>> load_object(const std::string& bucket,
                                            const std::string& key) const;
    Result<Found<UploadRecord>> load_upload(const std::string& bucket, const std::string& key,
                                            const std::string& upload_id) const;
    Result<Parts> load_parts(const std::string& upload_id) const;
    Result<std::unique_ptr<ObjectReader>> open_found(const std::string& bucket,
                                                     const std::string& key,
                                                     const ReadConditions& conditions,
                                                     meta::Version* version) const;
    Result<std::unique_ptr<Upload>> make_upload(const security::Caller* caller,
                                                const std::string& bucket, const std::string& key,
                                                PutOptions options);
    Result<std::vector<Checksum>> missing_checksums(const std::string& bucket,
                                                    const std::string& key,
                                                    const CopyOptions& options,
                                                    meta::Version* version);
    Status build_copy(Change& change, const std::string& from_bucket, const std::string& from_key,
                      const std::string& to_bucket, const std::string& to_key,
                      const CopyOptions& options, ObjectRecord& next);
    Result<ObjectRecord> assemble(const std::string& upload_id, const UploadRecord& upload,
                                  const Parts& stored, const std::vector<CompletedPart>& parts,
                                  const CompleteOptions& options) const;

    /// The record under the key becomes `next`; `old` is what was read. `body`: null keeps the one
    /// that is there.
    void replace_object(Change& change, const std::string& bucket, const std::string& key,
                        const FoundObject& old, const ObjectRecord& next,
                        const std::string* body) const;
    void erase_object(Change& change, const std::string& bucket, const std::string& key,
                      const Found<ObjectRecord>& old) const;
    Result<std::unique_ptr<Staged>> stage_intake(meta::Batch& batch, const std::string& bucket,
                                                 const std::string& key, const PutOptions& options,
                                                 std::unique_ptr<Intake> intake);

    meta::Store& store_;
    BytesBackend& bytes_;
    const Clock& clock_;
    const ObjectStoreOptions options_;
    Counter& puts_;
    Counter& put_bytes_;
    Counter& conflicts_;
    mutable std::atomic<bool> freeing_{false};
};

}  // namespace tarn::objects::internal

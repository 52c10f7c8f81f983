// Buckets and objects: the domain behind the S3 door, and the byte store of tables and of the SQL
// engine.
//
// An object is one record in meta/ (docs/formats/objects.md). Its body lies beside the record in
// the log when it is small, else in extents (bytes.h). Every change is one batch - record,
// counters, extent references, audit record - so it happens whole or not at all, and is durable
// when the call returns. Readers hold what they opened: overwriting and deleting do not disturb
// them. Every byte served has been verified; a flipped bit is `corrupted`.
//
// Error::reason is S3's error word (NoSuchBucket, NoSuchKey, NoSuchUpload, BucketAlreadyOwnedByYou,
// BucketNotEmpty, InvalidBucketName, KeyTooLongError, InvalidArgument, BadDigest, InvalidDigest,
// IncompleteBody, EntityTooSmall, EntityTooLarge, MetadataTooLarge, InvalidTag, InvalidPart,
// InvalidPartOrder, InvalidRequest, PreconditionFailed, NotModified, ConditionalRequestConflict);
// empty where S3 has none.
//
// Lane: any but a loop, for all functions; they wait for the disk. Authorisation happens before:
// these calls do as they are told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/lane.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "objects/bytes.h"
#include "objects/types.h"
#include "security/audit.h"
#include "security/caller.h"

namespace tarn::objects {

/// The bucket of the lake itself: tables' data and metadata.
inline constexpr std::string_view kLakeBucket = "lake";
inline constexpr uint64_t kPartBytesMin = 5ull << 20;  // all parts but the last
inline constexpr uint64_t kPutBytesMax = 5ull << 30;   // one put, one part, one copy
inline constexpr uint64_t kObjectBytesMax = 50ull << 40;
inline constexpr uint32_t kPartsMax = 10'000;

struct ObjectStoreOptions {
    std::string region = "us-east-1";
    uint64_t inline_bytes_max = 64u << 10;    // larger bodies go to extents
    uint64_t part_bytes_min = kPartBytesMin;  // tests make it smaller
    security::AuditTrail* audit = nullptr;    // null: changes carry no audit record
    Lane* background = nullptr;  // frees space of deleted data there; null: in the deleting call
};

/// Bytes on their way in. Destroying it before finish() leaves no trace. One thread at a time.
class Upload {
 public:
    virtual ~Upload() = default;
    /// Pieces of any size. EntityTooLarge, IncompleteBody (more than announced), exhausted (disk
    /// nearly full).
    virtual Status write(std::string_view piece) = 0;
    /// Verifies digests, makes the bytes durable and the object visible. `trailer`: checksums that
    /// came after the body; their algorithms must have been named in PutOptions::compute. May be
    /// called once; after an error the upload is void.
    virtual Result<ObjectInfo> finish(const std::vector<Checksum>& trailer = {}) = 0;
};

class PartUpload {
 public:
    virtual ~PartUpload() = default;
    virtual Status write(std::string_view piece) = 0;
    virtual Result<PartInfo> finish(const std::vector<Checksum>& trailer = {}) = 0;
};

/// A put whose commit is under way, without a thread that waits for it. Must not outlive the store.
class StartedPut {
 public:
    virtual ~StartedPut() = default;
    /// What came of it; once. Waits for nothing, unless somebody wrote the object meanwhile and it
    /// has to be tried again.
    virtual Result<ObjectInfo> finish() = 0;
};

/// One object as it was when opened. Must not outlive the store. read() may be called by several threads at once. Holding it
/// holds the bytes on disk.
class ObjectReader {
 public:
    virtual ~ObjectReader() = default;
    virtual const ObjectInfo& info() const = 0;
    /// [offset, offset + length), clipped to the size. Ask for a few MiB at most a call: the answer
    /// is one string.
    virtual Result<std::string> read(uint64_t offset, uint64_t length) const = 0;
};

/// An object change that waits in somebody else's batch. Call committed() once that batch has
/// committed; destroying it without gives the staged bytes back. Must not outlive the store.
class Staged {
 public:
    virtual ~Staged() = default;
    virtual const ObjectInfo& info() const = 0;
    virtual void committed() = 0;
};

class ObjectStore {
 public:
    /// Recovers the bytes backend (extents written but never named are freed), makes the lake
    /// bucket. `store`, `bytes`, `clock`, `metrics` and what options point to outlive it; stop the
    /// background lane before destroying it.
    static Result<std::unique_ptr<ObjectStore>> open(meta::Store& store, BytesBackend& bytes,
                                                     const Clock& clock, Metrics& metrics,
                                                     ObjectStoreOptions options);
    virtual ~ObjectStore() = default;

    // Buckets.
    virtual Result<BucketInfo> create_bucket(const security::Caller& caller,
                                             const std::string& bucket) = 0;
    /// BucketNotEmpty while it holds objects. Its open multipart uploads are aborted.
    virtual Status delete_bucket(const security::Caller& caller, const std::string& bucket) = 0;
    virtual Result<BucketInfo> head_bucket(const std::string& bucket) const = 0;
    /// By name, after `after`.
    virtual Result<std::vector<BucketInfo>> list_buckets(const std::string& prefix = {},
                                                         const std::string& after = {},
                                                         size_t entries_max = 10'000) const = 0;
    /// Sub-resource documents (policy, tagging, cors ...), kept as they are; what they mean is the
    /// door's business.
    virtual Status put_bucket_document(const security::Caller& caller, const std::string& bucket,
                                       const std::string& name, const std::string& document) = 0;
    virtual Result<std::optional<std::string>> bucket_document(const std::string& bucket,
                                                               const std::string& name) const = 0;
    virtual Status delete_bucket_document(const security::Caller& caller, const std::string& bucket,
                                          const std::string& name) = 0;

    // Objects. Keys: 1 to 1024 bytes of UTF-8 without NUL, otherwise free (slashes, "..").
    /// Conditions are checked here first (so that a body need not be sent) and decided at finish().
    virtual Result<std::unique_ptr<Upload>> begin_put(const security::Caller& caller,
                                                      const std::string& bucket,
                                                      const std::string& key,
                                                      PutOptions options) = 0;
    /// begin_put, write, finish.
    virtual Result<ObjectInfo> put(const security::Caller& caller, const std::string& bucket,
                                   const std::string& key, std::string_view bytes,
                                   PutOptions options = {}) = 0;
    /// As put, but returns when the change is in the committer's hands; only a body beyond
    /// inline_bytes_max is waited for. `ready` is called once, also after an error: on the
    /// committer's thread, where it must only hand over, or on this one. finish() comes after it.
    virtual void start_put(const security::Caller& caller, const std::string& bucket,
                           const std::string& key, std::string bytes, PutOptions options,
                           std::function<void(std::shared_ptr<StartedPut>)> ready) = 0;
    virtual Result<ObjectInfo> head(const std::string& bucket, const std::string& key,
                                    const ReadConditions& conditions = {}) const = 0;
    virtual Result<std::unique_ptr<ObjectReader>> open(
        const std::string& bucket, const std::string& key,
        const ReadConditions& conditions = {}) const = 0;
    /// Fine when there is none. `if_match`: only the object with that ETag ("*": any that is
    /// there).
    virtual Status remove(const security::Caller& caller, const std::string& bucket,
                          const std::string& key,
                          const std::optional<std::string>& if_match = {}) = 0;
    /// Up to 1000 keys in one batch; an outcome for each, in order.
    virtual Result<std::vector<DeleteOutcome>> remove_many(
        const security::Caller& caller, const std::string& bucket,
        const std::vector<std::string>& keys) = 0;
    /// Shares the bytes: costs the same for a byte and for a terabyte. Onto itself it needs
    /// `replace` (InvalidRequest).
    virtual Result<ObjectInfo> copy(const security::Caller& caller, const std::string& from_bucket,
                                    const std::string& from_key, const std::string& to_bucket,
                                    const std::string& to_key, CopyOptions options = {}) = 0;
    virtual Status put_tags(const security::Caller& caller, const std::string& bucket,
                            const std::string& key, Tags tags) = 0;
    /// Keys in byte order. Fetches metadata. A delimiter skips: the cost is that of the entries
    /// returned.
    virtual Result<ListPage> list(const std::string& bucket, const ListOptions& options) const = 0;

    // Multipart uploads. Parts may come in any order and at once; a part sent again replaces the
    // one before.
    virtual Result<MultipartInfo> create_multipart(const security::Caller& caller,
                                                   const std::string& bucket,
                                                   const std::string& key,
                                                   MultipartOptions options = {}) = 0;
    virtual Result<MultipartInfo> head_multipart(const std::string& bucket, const std::string& key,
                                                 const std::string& upload_id) const = 0;
    /// Of `options` metadata and conditions are not looked at.
    virtual Result<std::unique_ptr<PartUpload>> begin_part(
        const security::Caller& caller, const std::string& bucket, const std::string& key,
        const std::string& upload_id, uint32_t number, PutOptions options = {}) = 0;
    /// `range`: first byte and length; InvalidArgument when it reaches beyond the source.
    virtual Result<PartInfo> copy_part(const security::Caller& caller,
                                       const std::string& from_bucket, const std::string& from_key,
                                       const std::optional<std::pair<uint64_t, uint64_t>>& range,
                                       const ReadConditions& conditions, const std::string& bucket,
                                       const std::string& key, const std::string& upload_id,
                                       uint32_t number) = 0;
    virtual Result<PartPage> list_parts(const std::string& bucket, const std::string& key,
                                        const std::string& upload_id, uint32_t after = 0,
                                        size_t entries_max = 1000) const = 0;
    virtual Result<UploadPage> list_uploads(const std::string& bucket,
                                            const ListUploadsOptions& options) const = 0;
    /// Moves no data. Asked again after it worked, it gives the same answer for as long as the
    /// object is that one.
    virtual Result<ObjectInfo> complete(const security::Caller& caller, const std::string& bucket,
                                        const std::string& key, const std::string& upload_id,
                                        const std::vector<CompletedPart>& parts,
                                        const CompleteOptions& options = {}) = 0;
    virtual Status abort(const security::Caller& caller, const std::string& bucket,
                         const std::string& key, const std::string& upload_id) = 0;

    // For tables: object changes inside a larger batch. The batch's own conditions then include
    // that the key has not changed since
    // (`conflict`, reason ConditionalRequestConflict: stage again). No two staged changes of one
    // batch may name one key.
    virtual Result<std::unique_ptr<Staged>> stage_put(meta::Batch& batch, const std::string& bucket,
                                                      const std::string& key,
                                                      std::string_view bytes,
                                                      PutOptions options = {}) = 0;
    /// A streamed file whose naming waits for a batch: write to the upload, then stage it instead
    /// of finish().
    virtual Result<std::unique_ptr<Upload>> begin_staged(const std::string& bucket,
                                                         const std::string& key,
                                                         PutOptions options = {}) = 0;
    virtual Result<std::unique_ptr<Staged>> stage(meta::Batch& batch,
                                                  std::unique_ptr<Upload> upload) = 0;
    /// Null info().etag when there was none.
    virtual Result<std::unique_ptr<Staged>> stage_delete(meta::Batch& batch,
                                                         const std::string& bucket,
                                                         const std::string& key) = 0;

    /// Frees what deletes left behind, where no reader holds it. Returns the bytes given back.
    virtual Result<uint64_t> reclaim() = 0;
};

}  // namespace tarn::objects

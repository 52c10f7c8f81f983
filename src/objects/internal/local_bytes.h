// Extents in local files. A writer has a file for itself while it writes (a lease), so its bytes
// are contiguous and its fdatasync is its own; idle files wait to be appended to. Positions only
// grow: space inside a file comes back by punching holes, and the file goes when nothing in it is
// named.
//
// In meta/: xf/<file> is "open" from before a file's first use until nothing more is appended
// ("sealed"); x/<file><offset><length> counts the records that name an extent; xd/... is an extent
// that died and is not freed yet. So a start looks at dead extents and at open files only.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "io/disk.h"
#include "objects/bytes.h"

namespace tarn::objects::internal {

using SharedFile = std::shared_ptr<io::File>;

/// A file that is appended to. Owned by the idle list or by one writer.
struct OpenFile {
    uint64_t id = 0;
    SharedFile file;
    uint64_t cursor = 0;    // where the next extent begins
    uint64_t reserved = 0;  // preallocated up to here
};

class LocalBytes final : public BytesBackend {
 public:
    LocalBytes(io::Disk& disk, meta::Store& store, Metrics& metrics, LocalBytesOptions options);

    Status recover();

    Result<std::unique_ptr<BytesWrite>> begin(std::optional<uint64_t> size) override;
    std::shared_ptr<const BytesHold> hold(std::vector<Extent> extents) override;
    Result<std::vector<Extent>> stage_refs(meta::Batch& batch, const ExtentRefs& changes) override;
    void released(const std::vector<Extent>& dead) override;
    Result<uint64_t> reclaim() override;
    bool wants_reclaim() const override;
    bool healthy() const override { return !failed_; }

    // For copies: between the two no space is given back. Waits for a pass that is under way.
    void pause_reclaim();
    void resume_reclaim();

    // For writers.
    const LocalBytesOptions& options() const { return options_; }
    meta::Store& store() { return store_; }
    /// An idle file with room, or a new one.
    Result<OpenFile> acquire();
    /// Takes a file back to be appended to at its cursor.
    void give_back(OpenFile file);
    /// The file is full: a batch has recorded it as sealed.
    void seal(uint64_t id);
    bool is_full(const OpenFile& file) const;
    /// Reserves space so that `end` can be written.
    Status reserve(OpenFile& file, uint64_t end);
    /// Nobody knows what is on disk: no new extents until a restart.
    void fail() { failed_ = true; }

    // For holds.
    Result<SharedFile> file(uint64_t id);
    void unpin(const std::vector<Extent>& extents);

 private:
    using Place = std::pair<uint64_t, uint64_t>;  // file, offset

    std::string path(uint64_t id) const;
    Result<OpenFile> create_file();
    Status recover_open_file(uint64_t id);
    bool has_reclaimable() const TARN_REQUIRES(mutex_);
    Result<uint64_t> reclaim_once();
    Status free_dead_of(uint64_t id, const std::vector<Extent>& dead, uint64_t& freed);
    Result<bool> remove_if_empty(uint64_t id);
    Result<std::set<uint64_t>> files_on_disk();
    Status forget_missing_file(uint64_t id);

    io::Disk& disk_;
    meta::Store& store_;
    const LocalBytesOptions options_;
    Counter& written_bytes_;
    Counter& freed_bytes_;
    std::atomic<bool> failed_{false};

    mutable Mutex mutex_;
    std::vector<OpenFile> idle_ TARN_GUARDED_BY(mutex_);
    std::set<uint64_t> open_ TARN_GUARDED_BY(mutex_);  // idle and leased
    uint64_t next_id_ TARN_GUARDED_BY(mutex_) = 1;
    std::map<Place, uint32_t> pins_ TARN_GUARDED_BY(mutex_);
    std::set<Extent> dead_ TARN_GUARDED_BY(mutex_);           // not freed yet
    std::set<uint64_t> maybe_empty_ TARN_GUARDED_BY(mutex_);  // sealed files to look at
    bool reclaiming_ TARN_GUARDED_BY(mutex_) = false;         // one pass at a time
    Condition reclaimed_;                                     // a pass has ended
    uint32_t pauses_ TARN_GUARDED_BY(mutex_) = 0;
    std::set<uint64_t> holed_ TARN_GUARDED_BY(mutex_);  // open files with holes
    std::list<std::pair<uint64_t, SharedFile>> recent_
        TARN_GUARDED_BY(mutex_);  // newest first, bounded
    std::unordered_map<uint64_t, std::list<std::pair<uint64_t, SharedFile>>::iterator> handles_
        TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::objects::internal

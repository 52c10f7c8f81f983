// One stream of bytes on its way into extents of local files. A thread beside the caller's writes
// the pieces, and what has been written is synced beside both: the digests of a large object are
// computed beside the disk's work, not after it.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/work_behind.h"
#include "objects/internal/local_bytes.h"

namespace tarn::objects::internal {

class ExtentWrite final : public BytesWrite {
 public:
    /// `size`: of the whole, where it is known.
    ExtentWrite(LocalBytes& bytes, std::optional<uint64_t> size);
    ~ExtentWrite() override;

    Status append(std::shared_ptr<const PieceBytes> piece) override;
    Status seal(std::string_view rest) override;
    const std::vector<Extent>& extents() const override { return extents_; }
    void stage(meta::Batch& batch) const override;
    void kept() override;

 private:
    struct Lease {
        OpenFile file;
        uint64_t cursor_before = 0;
    };

    Status begin_extent();
    Status write_out(std::string_view bytes);
    Status end_extent();
    /// Has the last file synced by a thread of its own, unless that is under way.
    Status begin_sync();
    Status finish_sync();
    Status sync(OpenFile& file);
    Status check_sync(const OpenFile& file, Status synced);
    bool was_committed() const;

    LocalBytes& bytes_;
    const bool is_long_;          // written past the page cache
    std::future<Status> synced_;  // of syncing_
    size_t syncing_ = 0;          // the lease that is synced beside the writing
    uint64_t unsynced_bytes_ = 0;
    uint64_t length_ = 0;           // of the extent so far
    uint64_t length_max_ = 0;       // of the extent; 0: none is open
    std::vector<uint32_t> checks_;  // of the extent's blocks
    std::vector<Lease> leases_;     // the last one is written to
    std::vector<Extent> extents_;
    bool sealed_ = false;
    bool kept_ = false;
    WorkBehind writes_;  // until wait(), all from synced_ on is its thread's; last, because it
                         // works with the above
};

}  // namespace tarn::objects::internal

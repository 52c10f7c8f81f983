// One stream of bytes on its way into extents of local files. While a full buffer is written, the
// next one fills, and what has been written is synced beside both: the digests of a large object are
// computed beside the disk's work, not after it.
#pragma once

#include <future>
#include <string>
#include <vector>

#include "objects/internal/local_bytes.h"

namespace tarn::objects::internal {

class ExtentWrite final : public BytesWrite {
 public:
    explicit ExtentWrite(LocalBytes& bytes) : bytes_(bytes) {}
    ~ExtentWrite() override;

    Status append(std::string_view piece) override;
    Status seal() override;
    const std::vector<Extent>& extents() const override { return extents_; }
    void stage(meta::Batch& batch) const override;
    void kept() override;

 private:
    struct Lease {
        OpenFile file;
        uint64_t cursor_before = 0;
    };

    Status begin_extent();
    /// Hands the buffer to a thread of its own, once the one before is written.
    Status begin_write();
    /// Waits for what is being written.
    Status finish_write();
    Status write_out(std::string_view bytes);
    Status end_extent();
    /// Has the last file synced by a thread of its own, unless that is under way.
    Status begin_sync();
    Status finish_sync();
    Status sync(OpenFile& file);
    Status check_sync(const OpenFile& file, Status synced);
    bool was_committed() const;

    LocalBytes& bytes_;
    std::string buffer_;            // whole blocks, but for the last of the stream
    std::string writing_;           // the buffer before, until finish_write()
    std::future<Status> written_;   // until it is ready, what follows is the writing thread's
    std::future<Status> synced_;    // of syncing_
    size_t syncing_ = 0;            // the lease that is synced beside the writing
    uint64_t unsynced_bytes_ = 0;
    uint64_t length_ = 0;           // of the extent so far, without the buffers
    uint64_t length_max_ = 0;       // of the extent; 0: none is open
    std::vector<uint32_t> checks_;  // of the extent's blocks
    std::vector<Lease> leases_;     // the last one is written to
    std::vector<Extent> extents_;
    bool sealed_ = false;
    bool kept_ = false;
};

}  // namespace tarn::objects::internal

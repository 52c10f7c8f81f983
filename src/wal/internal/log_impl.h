// The log: a queue of changes, one committer thread that turns them into frames, and the set of
// segments.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "wal/internal/answers.h"
#include "wal/internal/format.h"
#include "wal/internal/replay.h"
#include "wal/internal/segment_maker.h"
#include "wal/log.h"

namespace tarn::wal {

/// One caller's change on its way through the committer.
struct Waiting {
    Change change;
    Change* back = nullptr;  // where a waiting caller takes it back: memory is freed where it was made
    Done done;
    bool urgent = false;
    size_t bytes = 0;
    uint32_t group = 0;  // that it was queued for
    std::vector<FrameBuilder::BodyStamp> stamps;
    Resolved resolved;
    Sequence sequence = 0;  // 0: not logged
    std::optional<Result<Committed>> answer;
};
using Group = std::vector<Waiting>;

class LogImpl final : public Log {
 public:
    LogImpl(io::Disk& disk, Index& index, const Clock& clock, Metrics& metrics, LogOptions options,
            Recovered recovered);
    /// Commits what waits, then ends.
    ~LogImpl() override;

    /// Makes the first segment of a new log, and starts the committer. Called once, by open().
    Status start();

    void commit(Change change, Done done, bool urgent) override {
        static_cast<void>(queue(std::move(change), std::move(done), urgent));
    }
    Result<Committed> commit(Change change, bool urgent) override;
    Result<std::string> read(const BodyRef& body, uint64_t offset, uint64_t length) const override;
    std::shared_ptr<const SegmentFile> pin(SegmentId segment) const override;
    Result<std::string> read(const SegmentFile& file, const BodyRef& body, uint64_t offset,
                             uint64_t length) const override;
    std::vector<SegmentInfo> segments() const override;
    Status remove(SegmentId segment) override;
    Sequence last_applied() const override { return last_applied_.load(std::memory_order_acquire); }
    bool healthy() const override { return healthy_.load(std::memory_order_acquire); }
    std::string chain_head() const override;
    void verify(Findings& findings) const override;

 private:
    struct Meters {
        Counter& commits;
        Counter& bytes;
        Histogram& group_changes;
        Histogram& fsync_seconds;
        Gauge& segments;
    };

    /// The number of the group that the change is queued for.
    uint32_t queue(Change change, Done done, bool urgent, Change* back = nullptr);
    void run();
    Group take_group();
    void gather() TARN_REQUIRES(queue_mutex_);
    void commit_group(Group& group);
    void resolve_group(Group& group);
    Status make_durable(Group& group);
    Status ensure_room(uint64_t frame_bytes);
    Status rotate(uint64_t frame_bytes);
    Status apply_group(const Group& group, uint64_t bodies_offset);
    void answer_group(Group& group);
    void fail(const Error& error);
    bool space_is_low();
    std::string path_of(SegmentId segment) const;

    io::Disk& disk_;
    Index& index_;
    const Clock& clock_;
    const LogOptions options_;
    Meters meters_;

    mutable Mutex queue_mutex_;
    Condition queue_changed_;
    std::deque<Waiting> queue_ TARN_GUARDED_BY(queue_mutex_);
    size_t unanswered_changes_ TARN_GUARDED_BY(queue_mutex_) = 0;
    size_t unanswered_bytes_ TARN_GUARDED_BY(queue_mutex_) = 0;
    uint32_t next_group_ TARN_GUARDED_BY(queue_mutex_) = 0;
    bool stopping_ TARN_GUARDED_BY(queue_mutex_) = false;
    // The committer sleeps until so many changes wait.
    size_t queue_wanted_ TARN_GUARDED_BY(queue_mutex_) = 1;

    Answers answers_;

    struct Entry {
        SegmentInfo info;
        std::shared_ptr<SegmentFile> file;  // null: not open
    };
    mutable Mutex segments_mutex_;
    mutable std::map<SegmentId, Entry> segments_ TARN_GUARDED_BY(segments_mutex_);
    ChainHash chain_head_ TARN_GUARDED_BY(segments_mutex_);

    // The committer's own.
    Segment current_;
    uint32_t seed_ = 0;
    Sequence next_ = 1;
    ChainHash chain_{};
    FrameBuilder frame_;
    size_t last_group_changes_ = 0;
    std::chrono::steady_clock::duration gather_time_{};
    SegmentMaker maker_;
    std::chrono::steady_clock::time_point space_checked_{};
    uint64_t space_checked_bytes_ = 0;
    uint64_t written_bytes_ = 0;
    bool space_known_ = false;
    bool space_low_ = false;
    bool space_full_ = false;

    std::atomic<Sequence> last_applied_{0};
    std::atomic<bool> healthy_{true};
    std::thread committer_;
};

}  // namespace tarn::wal

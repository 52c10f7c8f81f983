#include "meta/internal/reclaimer.h"

#include "base/log.h"
#include "meta/internal/record.h"
#include "meta/keys.h"

namespace tarn::meta {

namespace {

/// Bodies appended again at once: enough for one group of the log, too little to become others'
/// latency.
constexpr size_t kRelocationsMax = 32;
constexpr uint64_t kRelocationBytesMax = 1 << 20;

/// Counts what is on its way, and keeps the first failure.
class Window {
 public:
    void wait_for_room(uint64_t bytes) {
        MutexLock lock(mutex_);
        while (count_ > 0 && (count_ >= kRelocationsMax || bytes_ + bytes > kRelocationBytesMax))
            changed_.wait(mutex_);
        ++count_;
        bytes_ += bytes;
    }
    void done(uint64_t bytes, const Result<wal::Committed>& result) {
        MutexLock lock(mutex_);
        --count_;
        bytes_ -= bytes;
        if (result.ok()) moved_ += bytes;
        // A conflict says that the record was overwritten meanwhile: nothing to move any more.
        if (!result.ok() && result.error().code != Code::conflict && status_.ok())
            status_ = result.error();
        changed_.notify_all();
    }
    Result<uint64_t> finish() {
        MutexLock lock(mutex_);
        while (count_ > 0) changed_.wait(mutex_);
        TARN_CHECK_OK(status_);
        return moved_;
    }

 private:
    Mutex mutex_;
    Condition changed_;
    size_t count_ TARN_GUARDED_BY(mutex_) = 0;
    uint64_t bytes_ TARN_GUARDED_BY(mutex_) = 0;
    uint64_t moved_ TARN_GUARDED_BY(mutex_) = 0;
    Status status_ TARN_GUARDED_BY(mutex_);
};

}  // namespace

Reclaimer::Reclaimer(Index& index, PinnedSegments& segments, wal::Log& log,
                     double relocate_below_live, Metrics& metrics)
    : index_(index),
      segments_(segments),
      log_(log),
      relocate_below_live_(relocate_below_live),
      relocated_(metrics.counter("tarn_meta_relocated_bytes",
                                 "Bytes of live bodies appended again to empty a segment")),
      reclaimed_(metrics.counter("tarn_meta_reclaimed_bytes", "Bytes of removed log segments")) {}

Result<uint64_t> Reclaimer::run() {
    std::vector<wal::Log::SegmentInfo> sealed;
    for (const auto& segment : log_.segments())
        if (segment.sealed) sealed.push_back(segment);
    TARN_TRY(removed, remove_dead(sealed));
    uint64_t given_back = removed;
    for (const auto& segment : sealed) {
        const auto live = index_.live_bytes(segment.id);
        const auto bound = relocate_below_live_ * static_cast<double>(segment.bytes);
        if (live == 0 || static_cast<double>(live) >= bound) continue;
        TARN_TRY(moved, relocate(segment.id));
        TARN_TRY(emptied, remove_dead({segment}));
        given_back += emptied > moved ? emptied - moved : 0;
    }
    return given_back;
}

Result<uint64_t> Reclaimer::relocate(wal::SegmentId segment) {
    const auto file = log_.pin(segment);
    if (!file) return uint64_t{0};
    Window window;
    Status failed;
    Cursor owners(index_.database(), owner_prefix(segment), prefix_end(owner_prefix(segment)));
    for (owners.first(); owners.valid() && failed.ok(); owners.next()) {
        const auto offset = decode_owner_offset(owners.key());
        std::string bytes;
        const auto present = index_.database().get(owners.value(), bytes);
        if (!present.ok()) failed = present.error();
        const auto record = present.ok() && *present ? decode_record(bytes) : std::nullopt;
        if (!offset || !record || !record->body || record->body->segment != segment ||
            record->body->offset != *offset)
            continue;  // the record went on since the walk began
        const auto body = *record->body;
        auto content = log_.read(*file, body, 0, body.length);
        if (!content.ok()) {
            failed = std::move(content).error();
            break;
        }
        window.wait_for_room(body.length);
        log_.commit(
            encode_relocation(owners.value(), body, std::move(content).value()),
            [&window, length = body.length](const Result<wal::Committed>& result) {
                window.done(length, result);
            },
            /*urgent=*/true);
    }
    auto moved = window.finish();
    TARN_CHECK_OK(failed);
    TARN_CHECK_OK(owners.status());
    if (moved.ok()) relocated_.add(static_cast<double>(*moved));
    return moved;
}

Result<uint64_t> Reclaimer::remove_dead(const std::vector<wal::Log::SegmentInfo>& sealed) {
    std::vector<wal::Log::SegmentInfo> dead;
    const auto seen = index_.applied();
    for (const auto& segment : sealed)
        if (segment.last <= seen && index_.live_bytes(segment.id) == 0) dead.push_back(segment);
    if (dead.empty()) return uint64_t{0};
    // What made them dead must be in the index for good before their bytes go: the log before it
    // may be gone afterwards.
    if (index_.durable_sequence() < index_.applied()) TARN_CHECK_OK(index_.flush());
    uint64_t removed = 0;
    for (const auto& segment : dead) {
        if (!begin_removal(segment.id)) continue;
        segments_.drop(segment.id);
        const auto gone = log_.remove(segment.id);
        end_removal();
        TARN_CHECK_OK(gone);
        removed += segment.bytes;
    }
    reclaimed_.add(static_cast<double>(removed));
    return removed;
}

Hold Reclaimer::hold(wal::SegmentId from) {
    MutexLock lock(holds_mutex_);
    holds_.insert(from);
    while (removing_) removed_.wait(holds_mutex_);
    return Hold(this, [from](Reclaimer* held) {
        MutexLock release(held->holds_mutex_);
        held->holds_.erase(held->holds_.find(from));
    });
}

bool Reclaimer::begin_removal(wal::SegmentId segment) {
    MutexLock lock(holds_mutex_);
    if (!holds_.empty() && *holds_.begin() <= segment) return false;
    removing_ = true;
    return true;
}

void Reclaimer::end_removal() {
    MutexLock lock(holds_mutex_);
    removing_ = false;
    removed_.notify_all();
}

}  // namespace tarn::meta

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/lane.h"
#include "base/log.h"
#include "base/random.h"
#include "meta/copying.h"
#include "meta/internal/change.h"
#include "meta/internal/index.h"
#include "meta/internal/reading.h"
#include "meta/internal/recent_reads.h"
#include "meta/internal/reclaimer.h"
#include "meta/internal/segments.h"
#include "meta/internal/verify_parts.h"
#include "meta/keys.h"
#include "meta/store.h"
#include "meta/verify.h"
#include "wal/log.h"

namespace tarn::meta {

namespace {

constexpr size_t kLakeIdBytes = 16;
constexpr uint64_t kStartDivisor = 8;  // of the watermark: room for what a replay flushes

Result<Commit> to_commit(Result<wal::Committed> committed) {
    if (!committed.ok()) return std::move(committed).error();
    return Commit{committed->sequence, std::move(committed->offsets)};
}

/// Reads what the committer will ask for, so that it finds it in memory.
void warm(const Database& database, const Batch& batch) {
    auto& recent = RecentReads::of_this_thread();
    std::string value;
    std::string_view last;  // a condition and the write of its key mostly stand together
    const auto touch = [&](std::string_view key) {
        if (key != last && !recent.has(&database, key)) (void)database.get(key, value).ok();
        last = key;
    };
    const auto walk = [&](const std::string& from, const std::string& to, bool to_the_end) {
        Cursor cursor(database, from, to);
        for (cursor.first(); cursor.valid() && to_the_end;) cursor.next();
    };
    for (const auto& condition : batch.conditions()) {
        if (condition.kind == Batch::Condition::Kind::empty_range)
            walk(condition.key, condition.operand, false);
        else
            touch(condition.key);
    }
    for (const auto& operation : batch.operations()) {
        if (operation.kind == Batch::Operation::Kind::erase_range)
            walk(operation.key, operation.value, true);
        else if (operation.kind == Batch::Operation::Kind::append)
            (void)database.get(next_offset_key(operation.key), value).ok();
        else
            touch(operation.key);
    }
    recent.clear();
}

/// How often cut() looks for a moment between two groups of the log.
constexpr int kCutTries = 2000;
constexpr auto kCutPause = std::chrono::microseconds(50);

class LocalStoreImpl final : public LocalStore, public Copying {
 public:
    LocalStoreImpl(io::Disk& disk, const Clock& clock, Metrics& metrics, LocalStoreOptions options)
        : disk_(disk),
          clock_(clock),
          metrics_(metrics),
          options_(std::move(options)),
          index_gauge_(
              metrics.gauge("tarn_meta_index_bytes", "Bytes of the index, memory included")),
          replay_gauge_(
              metrics.gauge("tarn_meta_replay_seconds", "Time that the last replay took")) {}

    ~LocalStoreImpl() override {
        log_.reset();  // the committer ends before the index that it applies to
    }

    /// RocksDB may abort the process when its first writes find no room; we say it in words before.
    Status check_space() {
        const uint64_t needed = options_.free_bytes_min / kStartDivisor;
        TARN_TRY(free, disk_.free_bytes(options_.directory));
        if (free >= needed) return ok_status();
        return Error(Code::exhausted,
                     "the disk of " + options_.directory + " has " + std::to_string(free >> 20) +
                         " MiB left, a start needs " + std::to_string(needed >> 20) +
                         " MiB: free space on it or move the data folder to a larger one",
                     "disk_full");
    }

    Status open() {
        TARN_CHECK_OK(disk_.make_directories(options_.directory));
        TARN_CHECK_OK(check_space());
        TARN_CHECK_OK(load_lake_id());
        const auto index_directory = options_.directory + "/index";
        TARN_TRY(index, Index::open(
                            disk_, {index_directory, options_.block_cache_bytes, options_.flush_log_bytes},
                            segments_, metrics_));
        index_ = std::move(index);
        wal::LogOptions log_options;
        log_options.directory = options_.directory + "/wal";
        log_options.lake_id = lake_id_;
        log_options.segment_bytes = options_.segment_bytes;
        log_options.free_bytes_min = options_.free_bytes_min;
        const auto begun = clock_.steady();
        TARN_TRY(log, wal::Log::open(disk_, *index_, clock_, metrics_, std::move(log_options)));
        log_ = std::move(log);
        if (log_->last_applied() < index_->applied())
            return Error(Code::corrupted,
                         options_.directory + "/wal ends at change " +
                             std::to_string(log_->last_applied()) + ", its index at " +
                             std::to_string(index_->applied()) + ": a part of the log is missing");
        segments_.attach(*log_);
        sources_ = {&index_->database(), &segments_, log_.get()};
        reclaimer_.emplace(*index_, segments_, *log_, options_.relocate_below_live, metrics_);
        replay_gauge_.set(std::chrono::duration<double>(clock_.steady() - begun).count());
        index_gauge_.set(static_cast<double>(index_->database().bytes()));
        return ok_status();
    }

    Result<std::optional<Record>> get(std::string_view key) const override {
        RecentReads::of_this_thread().note(&index_->database(), key);
        return get_now(sources_, key);
    }
    std::unique_ptr<Iterator> scan(Range range) const override {
        return scan_now(sources_, std::move(range));
    }
    std::shared_ptr<const Snapshot> snapshot() const override { return snapshot_now(sources_); }

    Result<Commit> commit(Batch batch) override {
        assert_may_block();
        warm(index_->database(), batch);
        const bool urgent = batch.urgent();
        TARN_TRY(change, encode_intent(std::move(batch)));
        return to_commit(log_->commit(std::move(change), urgent));
    }

    void commit(Batch batch, std::function<void(Result<Commit>)> done) override {
        const bool urgent = batch.urgent();
        auto change = encode_intent(std::move(batch));
        if (!change.ok()) return done(std::move(change).error());
        log_->commit(
            std::move(change).value(),
            [done = std::move(done)](Result<wal::Committed> committed) {
                done(to_commit(std::move(committed)));
            },
            urgent);
    }

    Version last_version() const override { return index_->applied(); }
    bool healthy() const override { return log_->healthy(); }
    const ReadSources& sources() const { return sources_; }

    const std::string& directory() const override { return options_.directory; }
    Hold hold_segments(wal::SegmentId from) override { return reclaimer_->hold(from); }
    Result<HeldIndex> hold_index() override { return index_->database().hold_files(); }
    /// The log tells the segments before the index shows the group, so both agree but for a moment
    /// of each group.
    Result<Cut> cut() const override {
        assert_may_block();
        for (int i = 0; i < kCutTries; ++i) {
            Cut cut;
            cut.segments = log_->segments();
            cut.state = snapshot();
            wal::Sequence last = 0;
            for (const auto& segment : cut.segments)
                last = std::max({last, segment.last, segment.first - 1});
            if (last == cut.state->version()) return cut;
            std::this_thread::sleep_for(kCutPause);
        }
        return Error(Code::unavailable, "the log does not stand still for a copy; try again");
    }

    const std::string& lake_id() const override { return lake_id_; }
    std::string chain_head() const override { return log_->chain_head(); }

    Result<uint64_t> reclaim() override {
        assert_may_block();
        if (reclaiming_.exchange(true)) return uint64_t{0};  // a pass is under way
        auto given_back = reclaimer_->run();
        reclaiming_ = false;
        index_gauge_.set(static_cast<double>(index_->database().bytes()));
        return given_back;
    }

 private:
    Status load_lake_id() {
        const auto path = options_.directory + "/lake-id";
        TARN_TRY(known, disk_.exists(path));
        TARN_TRY(has_log, disk_.exists(options_.directory + "/wal"));
        if (!known) {
            if (has_log)
                return Error(Code::corrupted, path +
                                                  " is missing beside a log: put it back from a "
                                                  "backup (32 hexadecimal digits)");
            lake_id_ = random_hex(kLakeIdBytes);
            return io::replace_file(disk_, path, lake_id_ + "\n");
        }
        TARN_TRY(text, io::read_file(disk_, path, 1024));
        while (!text.empty() && text.back() == '\n') text.pop_back();
        const bool well_formed = text.size() == 2 * kLakeIdBytes &&
                                 text.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!well_formed) return Error(Code::corrupted, path + " does not hold a lake id");
        lake_id_ = std::move(text);
        // Without a log the start that made it failed: perhaps in the sync of its name.
        return has_log ? ok_status() : io::replace_file(disk_, path, lake_id_ + "\n");
    }

    io::Disk& disk_;
    const Clock& clock_;
    Metrics& metrics_;
    const LocalStoreOptions options_;
    Gauge& index_gauge_;
    Gauge& replay_gauge_;
    std::string lake_id_;
    PinnedSegments segments_;
    std::unique_ptr<Index> index_;
    std::unique_ptr<wal::Log> log_;
    ReadSources sources_;
    std::atomic<bool> reclaiming_ = false;
    std::optional<Reclaimer> reclaimer_;
};

}  // namespace

Copying& copying(LocalStore& store) {
    return dynamic_cast<LocalStoreImpl&>(store);
}

Result<std::unique_ptr<LocalStore>> LocalStore::open(io::Disk& disk, const Clock& clock,
                                                     Metrics& metrics, LocalStoreOptions options) {
    auto store = std::make_unique<LocalStoreImpl>(disk, clock, metrics, std::move(options));
    TARN_CHECK_OK(store->open());
    return std::unique_ptr<LocalStore>(std::move(store));
}

void verify_store(const LocalStore& store, Findings& findings) {
    // There is one kind of local store.
    verify_parts(dynamic_cast<const LocalStoreImpl&>(store).sources(), findings);
}

}  // namespace tarn::meta

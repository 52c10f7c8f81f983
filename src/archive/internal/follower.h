// Follows the log of a lake to a destination: a point, then tails, a point again now and then.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "archive/archive.h"
#include "archive/internal/point_maker.h"
#include "archive/internal/tail_shipper.h"
#include "archive/progress.h"
#include "base/lane.h"
#include "base/metrics.h"
#include "base/mutex.h"

namespace tarn::archive {

struct FollowerOptions {
    Place place;
    std::chrono::hours keep{7 * 24};
    std::function<Result<std::string>()> seal_key;  // may take a second; empty text: left out
    std::chrono::milliseconds every{1000};          // between two tails
    std::chrono::seconds point_every{3600};         // a restore replays the tails since the point
    uint64_t tail_log_bytes_max = 1ull << 30;       // and at most so much log
    uint32_t tails_max = 10'000;
    uint64_t waiting_bytes_max = 4ull << 30;  // log kept for a destination that is away
    std::chrono::hours sweep_every{24};
};

/// Points are made on `copies`, one at a time with backups, while tails of the point before go on.
class Follower {
 public:
    /// Everything outlives it.
    Follower(const Source& source, Metrics& metrics, Lane& copies, Identity identity,
             FollowerOptions options, const std::atomic<bool>& cancel);
    /// stop(); the lane `copies` must have ended.
    ~Follower();

    void start();
    /// Ships what has come since the last tail, and ends. Waits for it a few seconds at most.
    void finish();
    /// Precondition: `cancel` is true.
    void stop();
    ArchiveState state() const;

 private:
    enum class Making { no, running, done };

    void run();
    /// Keeps the gauge true while a destination does not answer.
    void watch();
    double lag() const TARN_REQUIRES(mutex_);
    Status step();
    Status open();
    Status take_point();
    void begin_point();
    void expire_old();
    bool point_is_due() const;
    void give_up_waiting();
    void note(const Status& outcome);

    const Source& source_;
    Lane& copies_;
    Identity identity_;
    const FollowerOptions options_;
    const std::atomic<bool>& cancel_;
    Gauge& lag_gauge_;
    Counter& sent_counter_;
    Gauge& failing_gauge_;

    std::unique_ptr<Destination> destination_;  // the thread's, and the job's while it runs
    Progress progress_;
    std::unique_ptr<PointMaker> maker_;              // the job's
    std::unique_ptr<TailShipper> shipper_;           // the thread's
    SentExtents sent_;                               // the job's: a copy of the shipper's
    std::chrono::steady_clock::time_point swept_{};  // the job's

    mutable Mutex mutex_;
    Condition wake_;
    bool finishing_ TARN_GUARDED_BY(mutex_) = false;
    bool ended_ TARN_GUARDED_BY(mutex_) = true;  // run() is not under way
    Making making_ TARN_GUARDED_BY(mutex_) = Making::no;
    std::optional<Result<PointMaker::Made>> made_ TARN_GUARDED_BY(mutex_);
    ArchiveState state_ TARN_GUARDED_BY(mutex_);
    Timestamp shipped_until_ TARN_GUARDED_BY(mutex_);
    std::thread thread_;
    std::thread watcher_;
};

}  // namespace tarn::archive

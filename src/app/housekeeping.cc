#include "app/housekeeping.h"

#include <algorithm>

#include "base/log.h"

namespace tarn::app {

namespace {

/// Soon, so that what never lives long gives its space back too; not at once, because a start has
/// other work.
constexpr std::chrono::milliseconds kFirstTurn{3000};

}  // namespace

Housekeeping::Housekeeping(Lane& lane, std::vector<Job> jobs) : lane_(lane) {
    const auto now = std::chrono::steady_clock::now();
    for (auto& job : jobs) {
        const auto due = now + std::min(job.every, kFirstTurn);
        turns_.push_back({std::move(job), due, false});
    }
    thread_ = std::thread([this] { watch(); });
}

Housekeeping::~Housekeeping() {
    stop();
}

void Housekeeping::stop() {
    {
        MutexLock lock(mutex_);
        stopped_ = true;
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    // A job that still runs holds on to this object.
    MutexLock lock(mutex_);
    while (std::any_of(turns_.begin(), turns_.end(), [](const Turn& turn) { return turn.running; }))
        wake_.wait(mutex_);
}

void Housekeeping::watch() {
    name_thread("housekeeping");
    MutexLock lock(mutex_);
    while (!stopped_) {
        const auto now = std::chrono::steady_clock::now();
        auto next = now + std::chrono::seconds(60);
        for (size_t i = 0; i < turns_.size(); ++i) {
            Turn& turn = turns_[i];
            if (turn.running) continue;
            if (turn.due > now) {
                next = std::min(next, turn.due);
                continue;
            }
            turn.running = lane_.try_submit([this, i, run = turn.job.run] { finish(i, run()); });
            turn.due = now + turn.job.every;
        }
        wake_.wait_until(mutex_, next);
    }
}

void Housekeeping::finish(size_t index, const Status& outcome) {
    MutexLock lock(mutex_);
    Turn& turn = turns_[index];
    turn.running = false;
    if (!outcome.ok())
        log_warning("housekeeping", "a job failed; it will be tried again",
                    {{"job", turn.job.name}, {"why", outcome.error().message}});
    wake_.notify_all();
}

}  // namespace tarn::app

// What each kind of source implements, and what they share to run: the flag that ends them, their
// status, their patience after errors. A runner owns its threads; Sources owns the runner.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "ingest/sources.h"

namespace tarn::ingest {

class Runner {
 public:
    virtual ~Runner() = default;  // stops first
    /// Once. Returns at once; all trouble goes into status().
    virtual void start() = 0;
    /// Asks to end and returns at once (Sources asks all first, then stops each).
    virtual void ask_to_stop() = 0;
    /// Ends and waits for the threads: below two seconds. Idempotent.
    virtual void stop() = 0;
    /// Any thread.
    virtual SourceStatus status() const = 0;
};

// Precondition: spec.from holds that kind. `parts` outlives the runner.
std::unique_ptr<Runner> make_postgres_runner(const SourceSpec& spec, const SourcesParts& parts);
std::unique_ptr<Runner> make_mqtt_runner(const SourceSpec& spec, const SourcesParts& parts);
std::unique_ptr<Runner> make_folder_runner(const SourceSpec& spec, const SourcesParts& parts);

Result<Preview> preview_postgres(const SourceSpec& spec, const SourcesParts& parts,
                                 size_t rows_max);
Result<Preview> preview_mqtt(const SourceSpec& spec, const SourcesParts& parts, size_t rows_max);
Result<Preview> preview_folder(const SourceSpec& spec, const SourcesParts& parts, size_t rows_max);

/// The end of a runner's threads. Thread safe.
class StopFlag {
 public:
    /// With a parent: for a part of the work that may end alone, and ends with the parent too.
    explicit StopFlag(const StopFlag* parent = nullptr) : parent_(parent) {}
    void stop();
    bool stopped() const {
        return stopped_.load(std::memory_order_relaxed) || (parent_ && parent_->stopped());
    }
    /// Sleeps, but not beyond stop() (the parent's does not wake it). False: stopped.
    bool wait_for(std::chrono::milliseconds span);

 private:
    const StopFlag* const parent_;
    std::atomic<bool> stopped_{false};
    Mutex mutex_;
    Condition changed_;
};

/// What a source says before its first turn; `follows`: it captures changes.
inline SourceStatus first_status(const SourceSpec& spec, const char* kind, bool follows = false) {
    SourceStatus status;
    status.name = spec.name;
    status.kind = kind;
    if (follows) status.capture.emplace();
    return status;
}

/// Why one of several tables can't be read or followed.
struct TableProblem {
    std::string table;  // its name in the lake
    Error error;
};

/// The status that a runner's threads write and everybody reads. Thread safe.
class StatusBox {
 public:
    explicit StatusBox(SourceStatus first) : status_(std::move(first)) {}
    SourceStatus get() const;
    void set_state(SourceStatus::State state);
    /// State failed or waiting with that text; logged when it is another text than before.
    void set_error(SourceStatus::State state, const std::string& error);
    void clear_error();
    /// Those of single tables, and no others: the source follows the rest.
    void set_problems(const std::string& database, const std::vector<TableProblem>& problems);
    /// The callback runs under the lock: assignments only.
    void change(const std::function<void(SourceStatus&)>& change);
    /// The same for one table; it is added when absent.
    void change_table(const std::string& database, const std::string& table,
                      const std::function<void(TableStatus&)>& change);

 private:
    mutable Mutex mutex_;
    SourceStatus status_ TARN_GUARDED_BY(mutex_);
};

/// How long to wait after the n-th failure in a row: 1 s doubling to 60 s (`first` and `most` say
/// otherwise).
class BackOff {
 public:
    explicit BackOff(std::chrono::milliseconds first = std::chrono::seconds(1),
                     std::chrono::milliseconds most = std::chrono::seconds(60))
        : first_(first), most_(most), next_(first) {}
    std::chrono::milliseconds next();
    void reset() { next_ = first_; }

 private:
    const std::chrono::milliseconds first_, most_;
    std::chrono::milliseconds next_;
};

}  // namespace tarn::ingest

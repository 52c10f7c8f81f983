// What a lake does by itself while nobody asks: give space back, forget what is over.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/lane.h"
#include "base/mutex.h"
#include "base/result.h"

namespace tarn::app {

/// Runs jobs on the background lane, each at its own pace, never two of one job at once. Owner:
/// wiring.
class Housekeeping {
 public:
    struct Job {
        std::string name;
        std::chrono::milliseconds every;
        std::function<Status()>
            run;  // a failure is logged and the job tried again at its next turn
    };

    Housekeeping(Lane& lane, std::vector<Job> jobs);
    /// stop().
    ~Housekeeping();
    Housekeeping(const Housekeeping&) = delete;
    Housekeeping& operator=(const Housekeeping&) = delete;

    /// Starts no further job; those that run end on the lane. Idempotent.
    void stop();

 private:
    struct Turn {
        Job job;
        std::chrono::steady_clock::time_point due;
        bool running = false;
    };

    void watch();
    void finish(size_t index, const Status& outcome);

    Lane& lane_;
    Mutex mutex_;
    Condition wake_;
    std::vector<Turn> turns_ TARN_GUARDED_BY(mutex_);
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tarn::app

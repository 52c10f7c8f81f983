#include "query/internal/admission.h"

#include <unistd.h>

#include <cstdio>

#include "base/lane.h"
#include "base/log.h"

namespace tarn::query {

namespace {

constexpr auto kTick = std::chrono::milliseconds(10);

}  // namespace

uint64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file) return 0;
    unsigned long total = 0, resident = 0;
    const int read = std::fscanf(file, "%lu %lu", &total, &resident);
    std::fclose(file);
    return read == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

Admission::Admission(Limits limits, Metrics& metrics)
    : limits_(limits),
      running_gauge_(metrics.gauge("tarn_query_running", "SQL statements in progress")),
      interrupted_(metrics.counter("tarn_query_interrupted_total",
                                   "SQL statements ended by the watchdog")) {}

Admission::~Admission() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    if (watchdog_.joinable()) watchdog_.join();
}

Admission::Slot::~Slot() {
    admission_.leave(*this);
}

void Admission::leave(Slot& slot) {
    {
        const MutexLock lock(mutex_);
        running_.erase(slot.place_);
        running_gauge_.set(static_cast<double>(running_.size()));
    }
    room_.notify_one();
}

Result<std::unique_ptr<Admission::Slot>> Admission::enter(
    std::function<void()> interrupt, std::chrono::steady_clock::time_point deadline) {
    const auto give_up = std::chrono::steady_clock::now() + limits_.wait_max;
    const MutexLock lock(mutex_);
    while (running_.size() >= limits_.running_max && !stopping_) {
        if (std::chrono::steady_clock::now() >= give_up)
            return Error{Code::exhausted, "too many statements are running: try again later",
                         "53300"};
        room_.wait_until(mutex_, give_up);
    }
    auto slot = std::make_unique<Slot>(*this, std::move(interrupt), deadline);
    slot->place_ = running_.insert(running_.end(), slot.get());
    running_gauge_.set(static_cast<double>(running_.size()));
    if (!watching_) {
        watching_ = true;
        watchdog_ = std::thread([this] { watch(); });
    }
    work_.notify_one();
    return slot;
}

void Admission::watch() {
    name_thread("query-watchdog");
    const MutexLock lock(mutex_);
    while (!stopping_) {
        if (running_.empty()) {
            work_.wait(mutex_);
            continue;
        }
        work_.wait_for(mutex_, kTick);
        const auto now = std::chrono::steady_clock::now();
        for (Slot* slot : running_) {
            if (slot->deadline_ > now) continue;
            slot->reason_ = EndReason::timed_out;
            slot->interrupt_();
        }
        if (limits_.process_memory_bytes == 0 || running_.empty()) continue;
        if (resident_bytes() <= limits_.process_memory_bytes) continue;
        Slot* oldest = running_.front();
        for (Slot* slot : running_)
            if (slot->begun_ < oldest->begun_) oldest = slot;
        if (oldest->reason_.exchange(EndReason::memory) != EndReason::memory) {
            interrupted_.add();
            log_warning("query", "a statement was interrupted: the process uses too much memory");
        }
        oldest->interrupt_();
    }
}

}  // namespace tarn::query

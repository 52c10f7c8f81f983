#include "query/internal/admission.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/lane.h"
#include "base/log.h"

namespace tarn::query {

namespace {

constexpr auto kTick = std::chrono::milliseconds(10);
constexpr uint64_t kGrowthMin = 16u << 20;  // of a statement that is to blame: memory that was freed may stay with the process

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

void Admission::Slot::only_commits() {
    admission_.leave(*this);
}

bool Admission::alone() const {
    MutexLock lock(mutex_);
    return running_.size() <= 1;
}

void Admission::leave(Slot& slot) {
    {
        const MutexLock lock(mutex_);
        if (!std::exchange(slot.placed_, false)) return;
        running_.erase(slot.place_);
        running_gauge_.set(static_cast<double>(running_.size()));
    }
    room_.notify_all();
}

bool Admission::has_room(const std::string& who) const {
    if (running_.size() >= limits_.running_max) return false;
    if (who.empty()) return true;
    const auto own = std::count_if(running_.begin(), running_.end(),
                                   [&](const Slot* slot) { return slot->who_ == who; });
    return static_cast<size_t>(own) < limits_.running_of_one_max;
}

Result<std::shared_ptr<Admission::Slot>> Admission::enter(
    const std::string& who, std::function<void()> interrupt,
    std::chrono::steady_clock::time_point deadline) {
    const auto give_up = std::chrono::steady_clock::now() + limits_.wait_max;
    const MutexLock lock(mutex_);
    while (!has_room(who) && !stopping_) {
        if (std::chrono::steady_clock::now() >= give_up)
            return Error{Code::exhausted, "too many statements are running: try again later",
                         "53300"};
        room_.wait_until(mutex_, give_up);
    }
    auto slot = std::make_shared<Slot>(*this, who, std::move(interrupt), deadline);
    slot->place_ = running_.insert(running_.end(), slot.get());
    running_gauge_.set(static_cast<double>(running_.size()));
    if (!watching_) {
        watching_ = true;
        watchdog_ = std::thread([this] { watch(); });
    }
    work_.notify_one();
    return slot;
}

/// Ends the statement that the process grew with: the newest of those that have seen about as much growth as any. What one
/// statement holds is not known.
void Admission::limit_memory(uint64_t before, uint64_t now) {
    uint64_t most = 0;
    for (Slot* slot : running_) {
        if (now > before) slot->growth_ += now - before;
        most = std::max(most, slot->growth_);
    }
    if (now <= limits_.process_memory_bytes || most < kGrowthMin) return;
    const auto grown = std::find_if(running_.rbegin(), running_.rend(), [&](const Slot* slot) {
        return slot->growth_ >= most - most / 4;
    });
    if (grown == running_.rend()) return;
    if ((*grown)->reason_.exchange(EndReason::memory) != EndReason::memory) {
        interrupted_.add();
        log_warning("query", "a statement was interrupted: the process uses too much memory");
    }
    (*grown)->interrupt_();
}

void Admission::watch() {
    name_thread("query-watchdog");
    const MutexLock lock(mutex_);
    uint64_t resident = resident_bytes();
    while (!stopping_) {
        if (running_.empty()) {
            work_.wait(mutex_);
            resident = resident_bytes();
            continue;
        }
        work_.wait_for(mutex_, kTick);
        const auto now = std::chrono::steady_clock::now();
        for (Slot* slot : running_) {
            if (slot->deadline_ > now) continue;
            slot->reason_ = EndReason::timed_out;
            slot->interrupt_();
        }
        if (limits_.process_memory_bytes == 0) continue;
        const uint64_t before = std::exchange(resident, resident_bytes());
        limit_memory(before, resident);
    }
}

}  // namespace tarn::query

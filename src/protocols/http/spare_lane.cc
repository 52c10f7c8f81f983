#include "protocols/http/spare_lane.h"

#include <utility>
#include <vector>

namespace tarn::http {

/// In two lanes' queues perhaps: whoever comes first runs it.
struct SpareLane::Request {
    std::function<void()> job;
    std::list<std::shared_ptr<Request>>::iterator at;  // guarded by the queue's mutex, as these
    bool begun = false;
    bool taken_over = false;
};

bool SpareLane::submit(Lane& usual, std::function<void()> job) {
    if (Lane* lane = choose(&usual); lane != &usual) return lane->try_submit(std::move(job));
    const auto request = std::make_shared<Request>();
    request->job = std::move(job);
    {
        MutexLock lock(queue_->mutex);
        request->at = queue_->requests.insert(queue_->requests.end(), request);
    }
    if (!usual.try_submit([queue = queue_, request] { begin(*queue, *request); })) {
        MutexLock lock(queue_->mutex);
        if (request->begun || request->taken_over) return true;
        request->begun = true;
        queue_->requests.erase(request->at);
        return false;
    }
    // All threads of it may have come to wait meanwhile.
    if (choose(&usual) != &usual) take_over();
    return true;
}

void SpareLane::begin(Queue& queue, Request& request) {
    {
        MutexLock lock(queue.mutex);
        if (std::exchange(request.begun, true)) return;
        queue.requests.erase(request.at);
    }
    std::exchange(request.job, nullptr)();
}

/// What has no place here stays where it is.
void SpareLane::take_over() {
    Lane* spare = made_.load(std::memory_order_acquire);
    if (spare == nullptr) return;
    MutexLock lock(queue_->mutex);
    for (const auto& request : queue_->requests) {
        if (request->taken_over) continue;
        request->taken_over =
            spare->try_submit([queue = queue_, request] { begin(*queue, *request); });
        if (!request->taken_over) break;
    }
}

Lane* SpareLane::choose(Lane* usual) const {
    Lane* spare = made_.load(std::memory_order_acquire);
    return spare != nullptr && waiting_.load(std::memory_order_relaxed) >= waiting_max_ ? spare
                                                                                        : usual;
}

void SpareLane::begin_wait() {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) + 1 < waiting_max_) return;
    if (made_.load(std::memory_order_acquire) == nullptr) {
        MutexLock lock(mutex_);
        if (stopped_) return;
        if (lane_ == nullptr) lane_ = std::make_unique<Lane>(LaneOptions{"spare", threads_, 4096});
        made_.store(lane_.get(), std::memory_order_release);
    }
    take_over();
}

void SpareLane::stop() {
    Lane* lane = nullptr;
    {
        MutexLock lock(mutex_);
        stopped_ = true;
        lane = lane_.get();
    }
    if (lane != nullptr) lane->stop();
}

SpareLane::Wait::Wait(SpareLane* spare) : spare_(spare) {
    if (spare_ != nullptr) spare_->begin_wait();
}

SpareLane::Wait::~Wait() {
    if (spare_ != nullptr) spare_->waiting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace tarn::http

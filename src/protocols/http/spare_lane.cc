#include "protocols/http/spare_lane.h"

namespace tarn::http {

Lane* SpareLane::choose(Lane* usual) const {
    Lane* spare = made_.load(std::memory_order_acquire);
    return spare != nullptr && waiting_.load(std::memory_order_relaxed) >= waiting_max_ ? spare
                                                                                        : usual;
}

void SpareLane::begin_wait() {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) + 1 < waiting_max_) return;
    if (made_.load(std::memory_order_acquire) != nullptr) return;
    MutexLock lock(mutex_);
    if (lane_ != nullptr || stopped_) return;
    lane_ = std::make_unique<Lane>(LaneOptions{"spare", threads_, 4096});
    made_.store(lane_.get(), std::memory_order_release);
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

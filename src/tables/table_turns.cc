#include "tables/table_turns.h"

#include <deque>

#include "base/mutex.h"
#include "tables/internal/catalog_cache.h"
#include "tables/internal/turn_map.h"

namespace tarn::tables {

struct TableTurn::Queue {
    Mutex mutex;
    Condition changed;
    uint64_t next TARN_GUARDED_BY(mutex) = 0;
    std::deque<uint64_t> waiting TARN_GUARDED_BY(mutex);  // the first has the turn
};

TableTurn::TableTurn(TableTurn&& other) noexcept : queue_(std::move(other.queue_)) {
    other.queue_.reset();
}

TableTurn& TableTurn::operator=(TableTurn&& other) noexcept {
    if (this == &other) return *this;
    TableTurn ended(std::move(*this));
    queue_ = std::move(other.queue_);
    other.queue_.reset();
    return *this;
}

TableTurn::~TableTurn() {
    if (!queue_) return;
    MutexLock lock(queue_->mutex);
    queue_->waiting.pop_front();
    queue_->changed.notify_all();
}

std::shared_ptr<TableTurn::Queue> TurnMap::queue_of(const std::string& uuid) {
    const MutexLock lock(mutex_);
    if (queues_.size() > kQueuesMax)
        std::erase_if(queues_, [](const auto& one) { return one.second.use_count() == 1; });
    auto& queue = queues_[uuid];
    if (!queue) queue = std::make_shared<TableTurn::Queue>();
    return queue;
}

TableTurn take_turn(Catalog& catalog, const std::string& table_uuid,
                    std::chrono::milliseconds wait) {
    const auto queue = catalog.cache().turns().queue_of(table_uuid);
    const auto end = std::chrono::steady_clock::now() + wait;
    TableTurn turn;
    MutexLock lock(queue->mutex);
    const uint64_t own = queue->next++;
    queue->waiting.push_back(own);
    while (queue->waiting.front() != own) {
        if (std::chrono::steady_clock::now() >= end) {
            std::erase(queue->waiting, own);
            return turn;
        }
        queue->changed.wait_until(queue->mutex, end);
    }
    turn.queue_ = queue;
    return turn;
}

}  // namespace tarn::tables

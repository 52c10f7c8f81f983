#include "tables/table_turns.h"

#include <deque>

#include "base/mutex.h"
#include "tables/internal/catalog_cache.h"
#include "tables/internal/turn_map.h"

namespace tarn::tables {

struct TableTurn::Queue {
    struct Ticket {
        uint64_t number;
        TurnKind kind;
    };
    Mutex mutex;
    Condition changed;
    std::string uuid;
    uint64_t next TARN_GUARDED_BY(mutex) = 0;
    std::deque<Ticket> tickets TARN_GUARDED_BY(mutex);  // of those who wait or have the turn

    /// True when the ticket's time has come.
    bool its_turn(uint64_t number) TARN_REQUIRES(mutex) {
        for (const auto& ticket : tickets) {
            if (ticket.number == number)
                return ticket.kind == TurnKind::beside_others || &ticket == &tickets.front();
            if (ticket.kind == TurnKind::alone) return false;
        }
        return false;
    }
    void leave(uint64_t number) TARN_REQUIRES(mutex) {
        std::erase_if(tickets, [&](const Ticket& ticket) { return ticket.number == number; });
        changed.notify_all();
    }
};

TableTurn::TableTurn(TableTurn&& other) noexcept
    : queue_(std::move(other.queue_)), ticket_(other.ticket_) {
    other.queue_.reset();
}

TableTurn& TableTurn::operator=(TableTurn&& other) noexcept {
    if (this == &other) return *this;
    TableTurn ended(std::move(*this));
    queue_ = std::move(other.queue_);
    ticket_ = other.ticket_;
    other.queue_.reset();
    return *this;
}

TableTurn::~TableTurn() {
    if (!queue_) return;
    MutexLock lock(queue_->mutex);
    queue_->leave(ticket_);
}

bool TableTurn::held_for(const std::string& table_uuid) const {
    return queue_ && queue_->uuid == table_uuid;
}

std::shared_ptr<TableTurn::Queue> TurnMap::queue_of(const std::string& uuid) {
    const MutexLock lock(mutex_);
    if (queues_.size() > kQueuesMax)
        std::erase_if(queues_, [](const auto& one) { return one.second.use_count() == 1; });
    auto& queue = queues_[uuid];
    if (!queue) {
        queue = std::make_shared<TableTurn::Queue>();
        queue->uuid = uuid;
    }
    return queue;
}

TableTurn take_turn(Catalog& catalog, const std::string& table_uuid, TurnKind kind,
                    std::chrono::milliseconds wait) {
    const auto queue = catalog.cache().turns().queue_of(table_uuid);
    const auto end = std::chrono::steady_clock::now() + wait;
    TableTurn turn;
    MutexLock lock(queue->mutex);
    const uint64_t own = queue->next++;
    queue->tickets.push_back({own, kind});
    while (!queue->its_turn(own)) {
        if (std::chrono::steady_clock::now() >= end) {
            queue->leave(own);
            return turn;
        }
        queue->changed.wait_until(queue->mutex, end);
    }
    turn.queue_ = queue;
    turn.ticket_ = own;
    return turn;
}

}  // namespace tarn::tables

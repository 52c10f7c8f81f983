// Takes what the source sends off a replication connection ahead of whoever works on it: the source
// goes on sending while a commit is made here, and hears of us however long one takes. What was
// taken and not read yet lies in memory, in the order of the log and bounded. Nothing here decides
// what is confirmed: only confirm() does. One thread of its own; one other thread calls.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/mutex.h"
#include "ingest/internal/change_events.h"
#include "ingest/internal/postgres_connection.h"

namespace tarn::ingest {

class ReplicationReceiver {
 public:
    /// `connection` has begun START_REPLICATION; `confirmed`: what is told to the source at first.
    ReplicationReceiver(std::unique_ptr<PostgresConnection> connection, Lsn confirmed);
    ~ReplicationReceiver();  // ends the thread and the connection: a fraction of a second

    /// The next piece of the stream ('w': XLogData, 'k': keep-alive), valid until the next call;
    /// nullopt: none came within `wait`. An error comes after all pieces that came before it.
    Result<std::optional<std::string_view>> next(std::chrono::milliseconds wait);
    /// Told to the source within a fraction of a second, and with each answer. Never goes back.
    void confirm(Lsn lsn) {
        if (lsn > confirmed_.load(std::memory_order_relaxed))
            confirmed_.store(lsn, std::memory_order_relaxed);
    }

 private:
    /// Pieces one behind the other, each after its length.
    using Block = std::string;

    void run();
    Status receive();
    Status answer(bool ask);
    Status answer_when_due();
    void note(std::string_view piece);
    Status hand_over();

    const std::unique_ptr<PostgresConnection> connection_;
    std::atomic<Lsn> confirmed_;
    std::atomic<bool> ending_{false};

    // Of the thread.
    Block filling_;
    Lsn received_ = 0, told_ = 0;
    bool asked_ = false;  // the source wants an answer
    std::chrono::steady_clock::time_point answered_;

    // Of the caller.
    Block reading_;
    size_t read_ = 0;

    Mutex mutex_;
    Condition came_, taken_;
    std::deque<Block> ready_ TARN_GUARDED_BY(mutex_);
    uint64_t ready_bytes_ TARN_GUARDED_BY(mutex_) = 0;
    Status ended_ TARN_GUARDED_BY(mutex_);

    std::thread thread_;  // last: works with all of the above
};

}  // namespace tarn::ingest

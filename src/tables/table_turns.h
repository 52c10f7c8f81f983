// Who works on a table's rows at the moment, so that compaction does not take files away from under
// changes that somebody is making: writers (SQL, a reader of a database's log) work side by side,
// compaction waits until none does and keeps new ones waiting for the few milliseconds in which it
// puts its files in place. A courtesy: conflicts are found without it, as between writers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace tarn::tables {

class Catalog;

enum class TurnKind { beside_others, alone };

/// Ends with the object. Movable; an empty one is nobody's turn.
class TableTurn {
 public:
    struct Queue;

    TableTurn() = default;
    TableTurn(TableTurn&&) noexcept;
    TableTurn& operator=(TableTurn&&) noexcept;
    ~TableTurn();
    TableTurn(const TableTurn&) = delete;
    TableTurn& operator=(const TableTurn&) = delete;

    bool held() const { return queue_ != nullptr; }
    /// Of that table.
    bool held_for(const std::string& table_uuid) const;

 private:
    friend TableTurn take_turn(Catalog&, const std::string&, TurnKind, std::chrono::milliseconds);
    std::shared_ptr<Queue> queue_;
    uint64_t ticket_ = 0;
};

/// Waits in the order of the calls, at most `wait`; empty when the time is over: then the caller
/// goes on without, or later. Lane: any but a loop. Whoever takes a turn alone holds none of
/// another table.
TableTurn take_turn(Catalog& catalog, const std::string& table_uuid, TurnKind kind,
                    std::chrono::milliseconds wait);

}  // namespace tarn::tables

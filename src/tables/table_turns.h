// Who works on a table's rows at the moment, for work that is lost when somebody else changes the
// same files first: a reader of a database's log while it gathers changes, compaction while it puts
// new files in the place of old ones. Whoever takes a table's turn before looking at its state, and
// gives it back after the commit, never conflicts with others who do the same; nobody has to.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace tarn::tables {

class Catalog;

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

 private:
    friend TableTurn take_turn(Catalog&, const std::string&, std::chrono::milliseconds);
    std::shared_ptr<Queue> queue_;
};

/// Waits in the order of the calls, at most `wait`; empty when the time is over: then the caller
/// goes on without, or later. Lane: any but a loop. A caller that holds a turn may wait for another
/// table's only if all do so in the same order, or the wait is short.
TableTurn take_turn(Catalog& catalog, const std::string& table_uuid,
                    std::chrono::milliseconds wait);

}  // namespace tarn::tables

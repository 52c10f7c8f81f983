#include "tables/table_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using namespace std::chrono_literals;

TEST(TableTurns, WritersSideBySideAndCompactionAlone) {
    testing::Lake lake;
    const auto take = [&](const char* table, TurnKind kind, std::chrono::milliseconds wait) {
        return take_turn(lake.catalog, table, kind, wait);
    };
    TableTurn first = take("a", TurnKind::beside_others, 0ms);
    ASSERT_TRUE(first.held_for("a"));
    EXPECT_TRUE(take("b", TurnKind::alone, 0ms).held());
    {
        const TableTurn second = take("a", TurnKind::beside_others, 0ms);
        EXPECT_TRUE(second.held());
        EXPECT_FALSE(take("a", TurnKind::alone, 1ms).held());
    }
    std::atomic<bool> alone = false, after = false;
    std::thread compaction([&] {
        const TableTurn turn = take("a", TurnKind::alone, 10s);
        alone = turn.held() && !after;
    });
    // Behind the one who waits to be alone, who would else never be.
    while (take("a", TurnKind::beside_others, 0ms).held()) std::this_thread::yield();
    std::thread writer([&] { after = take("a", TurnKind::beside_others, 10s).held(); });
    TableTurn moved = std::move(first);
    EXPECT_FALSE(alone);
    moved = TableTurn();
    compaction.join();
    writer.join();
    EXPECT_TRUE(alone);
    EXPECT_TRUE(after);
    EXPECT_TRUE(take("a", TurnKind::alone, 0ms).held());
}

}  // namespace
}  // namespace tarn::tables

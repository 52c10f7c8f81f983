#include "tables/table_turns.h"

#include <gtest/gtest.h>

#include <thread>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using namespace std::chrono_literals;

TEST(TableTurns, OneAtATimeInTheOrderOfTheCalls) {
    testing::Lake lake;
    TableTurn first = take_turn(lake.catalog, "a", 0ms);
    ASSERT_TRUE(first.held());
    EXPECT_TRUE(take_turn(lake.catalog, "b", 0ms).held());
    EXPECT_FALSE(take_turn(lake.catalog, "a", 1ms).held());
    TableTurn moved = std::move(first);
    EXPECT_FALSE(first.held());  // NOLINT: a moved turn is nobody's
    EXPECT_FALSE(take_turn(lake.catalog, "a", 0ms).held());
    bool got = false;
    std::thread other([&] { got = take_turn(lake.catalog, "a", 10s).held(); });
    moved = TableTurn();
    other.join();
    EXPECT_TRUE(got);
    EXPECT_TRUE(take_turn(lake.catalog, "a", 0ms).held());
}

}  // namespace
}  // namespace tarn::tables

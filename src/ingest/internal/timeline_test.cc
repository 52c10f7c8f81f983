#include "ingest/internal/timeline.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

TEST(Timeline, EndsWhereTheHistorySays) {
    const std::string_view history =
        "1\t0/3000148\tno recovery target specified\n\n2\t1/A0000028\tbefore 2026-01-01\n";
    EXPECT_EQ(end_of_timeline(history, 1), Lsn{0x3000148});
    EXPECT_EQ(end_of_timeline(history, 2), Lsn{0x1A0000028});
    EXPECT_EQ(end_of_timeline(history, 3), std::nullopt);
    EXPECT_EQ(end_of_timeline("", 1), std::nullopt);
}

TEST(Timeline, AnEndThatCannotBeReadIsNone) {
    EXPECT_EQ(end_of_timeline("1\tnonsense\tx\n", 1), std::nullopt);
    EXPECT_EQ(end_of_timeline("1", 1), std::nullopt);
    EXPECT_EQ(end_of_timeline("one\t0/1\tx", 1), std::nullopt);
}

}  // namespace
}  // namespace tarn::ingest

#include "query/internal/admission.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

Result<std::shared_ptr<Admission::Slot>> enter(Admission& admission) {
    return admission.enter("ann", [] {}, kNever);
}

TEST(Admission, a_place_is_given_back) {
    Metrics metrics;
    Admission admission({1, 1, std::chrono::milliseconds(1), 0}, metrics);
    {
        const auto first = enter(admission);
        ASSERT_TRUE(first.ok());
        EXPECT_EQ(enter(admission).error().reason, "53300");
    }
    EXPECT_TRUE(enter(admission).ok());
}

TEST(Admission, who_only_commits_makes_room_once) {
    Metrics metrics;
    Admission admission({1, 1, std::chrono::milliseconds(1), 0}, metrics);
    auto first = enter(admission);
    ASSERT_TRUE(first.ok());
    (*first)->only_commits();
    const auto second = enter(admission);
    ASSERT_TRUE(second.ok());
    first->reset();  // takes nobody's place away
    EXPECT_EQ(enter(admission).error().reason, "53300");
}

}  // namespace
}  // namespace tarn::query

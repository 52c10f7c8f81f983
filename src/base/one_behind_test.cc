#include "base/one_behind.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace tarn {
namespace {

TEST(OneBehindTest, WorkIsDoneInOrderAndAnErrorStays) {
    std::vector<int> done;
    OneBehind behind;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(behind.wait().ok());
        EXPECT_EQ(done.size(), static_cast<size_t>(i));
        behind.begin([&done, i] {
            done.push_back(i);
            return ok_status();
        });
    }
    ASSERT_TRUE(behind.wait().ok());
    behind.begin([] { return Status(Error(Code::io, "full")); });
    EXPECT_EQ(behind.wait().error().message, "full");
    EXPECT_EQ(behind.wait().error().message, "full");
}

TEST(OneBehindTest, ItsEndWaitsForWhatWasBegun) {
    std::atomic<bool> done = false;
    {
        OneBehind behind;
        behind.begin([&] {
            done = true;
            return ok_status();
        });
    }
    EXPECT_TRUE(done);
    const OneBehind idle;
}

}  // namespace
}  // namespace tarn

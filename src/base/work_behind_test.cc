#include "base/work_behind.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

namespace tarn {
namespace {

TEST(WorkBehindTest, WorkIsDoneInOrder) {
    for (const size_t ahead : {1u, 2u, 7u}) {
        std::vector<int> done;
        WorkBehind behind(ahead);
        for (int i = 0; i < 100; ++i)
            ASSERT_TRUE(behind
                            .begin([&done, i] {
                                done.push_back(i);
                                return ok_status();
                            })
                            .ok());
        ASSERT_TRUE(behind.wait().ok());
        ASSERT_EQ(done.size(), 100u);
        for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
    }
}

TEST(WorkBehindTest, BeginWaitsForRoom) {
    std::atomic<int> done = 0;
    WorkBehind behind(2);
    const auto slow = [&done] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++done;
        return ok_status();
    };
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(behind.begin(slow).ok());
        EXPECT_GE(done, i - 1);
    }
}

TEST(WorkBehindTest, AfterAnErrorNothingIsDone) {
    std::atomic<bool> later = false;
    WorkBehind behind(3);
    EXPECT_TRUE(behind
                    .begin([] {
                        std::this_thread::sleep_for(std::chrono::milliseconds(20));
                        return Status(Error(Code::io, "full"));
                    })
                    .ok());
    const auto next = [&later] {
        later = true;
        return ok_status();
    };
    static_cast<void>(behind.begin(next).ok());  // waits behind what fails, or is refused
    EXPECT_EQ(behind.wait().error().message, "full");
    EXPECT_EQ(behind.begin(next).error().message, "full");
    EXPECT_EQ(behind.wait().error().message, "full");
    EXPECT_FALSE(later);
}

TEST(WorkBehindTest, ItsEndWaitsForWhatWasBegun) {
    std::atomic<int> done = 0;
    {
        WorkBehind behind(4);
        for (int i = 0; i < 4; ++i)
            ASSERT_TRUE(behind
                            .begin([&] {
                                ++done;
                                return ok_status();
                            })
                            .ok());
    }
    EXPECT_EQ(done, 4);
    const WorkBehind idle(1);
}

}  // namespace
}  // namespace tarn

// The archive's thread: points and tails while others write, a destination that fails, the end.
#include "archive/internal/follower.h"

#include <gtest/gtest.h>

#include "archive/internal/test_lake.h"
#include "archive/restore.h"
#include "meta/copying.h"

namespace tarn::archive {
namespace {

constexpr const char* kHistory = "0123456789abcdef0123456789abcdef";

class Following : public ::testing::Test {
 protected:
    void TearDown() override {
        cancel_ = true;
        if (follower_) follower_->stop();
        copies_.stop();
        follower_.reset();
    }
    void follow(std::chrono::seconds point_every, uint64_t waiting_bytes_max = 1 << 30) {
        FollowerOptions options;
        options.place.to = "/copies";
        options.every = std::chrono::milliseconds(2);
        options.point_every = point_every;
        options.waiting_bytes_max = waiting_bytes_max;
        options.seal_key = [] { return std::string(); };
        follower_ = std::make_unique<Follower>(source_, lake_.metrics(), copies_,
                                               Identity{kHistory, std::string(32, 'c'), ""},
                                               std::move(options), cancel_);
        follower_->start();
    }
    template <typename Wanted>
    ArchiveState wait_until(Wanted wanted) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (true) {
            const auto state = follower_->state();
            if (wanted(state)) return state;
            if (std::chrono::steady_clock::now() > deadline) {
                ADD_FAILURE() << "never so; " << state.error;
                return state;
            }
            std::this_thread::yield();
        }
    }
    void go_away() {
        lake_.disk().add_fault({io::FaultyDisk::Call::any, "/copies", 0, io::FaultyDisk::kForever});
    }
    /// Ten segments, of which nothing but the last change is alive.
    void write_log() {
        for (int i = 0; i < 1200; ++i) lake_.put("x", std::to_string(i), std::string(9000, 's'));
    }
    /// Segments of the log, when what nobody holds is gone.
    size_t segments() {
        EXPECT_TRUE(lake_.store().reclaim().ok());
        return meta::copying(lake_.store()).cut()->segments.size();
    }
    void expect_log_let_go() {
        wait_until([this](const ArchiveState& state) { return !state.following && segments() < 5; });
    }
    void expect_whole_again() {
        wait_until([](const ArchiveState& state) {
            return state.following && state.error.empty() && state.lag_seconds == 0;
        });
        EXPECT_TRUE(restored() == lake_.content());
    }
    /// The content of the newest state at the destination.
    std::string restored() {
        const auto there =
            open_destination(lake_.disk(), clock_, {"/copies", "", "", "", "", ""}, Use::read);
        if (!there.ok()) return there.error().message;
        const auto wanted = choose(**there, "");
        if (!wanted.ok()) return wanted.error().message;
        Progress progress;
        auto disk = std::make_unique<io::FaultyDisk>();
        const auto done = restore(**there, *disk, *wanted, TestLake::kFolder, progress);
        if (!done.ok()) return done.error().message;
        return TestLake(std::move(disk)).content();
    }

    TestLake lake_;
    const Source source_ = lake_.source();
    SystemClock clock_;
    std::atomic<bool> cancel_{false};
    Lane copies_{{"copies", 1, 8}};
    std::unique_ptr<Follower> follower_;
};

TEST_F(Following, PointsTakeOverFromTailsWithoutAGap) {
    lake_.put("before", "1");
    follow(std::chrono::seconds(0));  // a point is due as soon as there is a tail
    std::string first;
    for (int i = 0; i < 120; ++i) {
        lake_.put("small" + std::to_string(i % 40), std::to_string(i), std::string(5000, 's'));
        if (i % 10 == 0) lake_.put_large("large" + std::to_string(i), std::string(150'000, 'l'));
        if (i % 20 == 10) lake_.erase_large("large" + std::to_string(i - 10));
        if (i % 15 == 0) {
            ASSERT_TRUE(lake_.store().reclaim().ok());
            ASSERT_TRUE(lake_.bytes().reclaim().ok());
        }
        if (first.empty()) first = follower_->state().point;
    }
    // Another point than the first has taken over, and what came last is shipped.
    wait_until([&](const ArchiveState& state) { return !first.empty() || !state.point.empty(); });
    if (first.empty()) first = follower_->state().point;
    for (int i = 0; follower_->state().point == first && i < 10'000; ++i) {
        lake_.put("more", std::to_string(i));
        std::this_thread::yield();
    }
    EXPECT_NE(follower_->state().point, first);
    follower_->finish();
    EXPECT_EQ(follower_->state().lag_seconds, 0);
    EXPECT_TRUE(restored() == lake_.content());
}

TEST_F(Following, GoesOnWhenTheDestinationIsBack) {
    lake_.put("a", "1");
    follow(std::chrono::hours(1));
    wait_until([](const ArchiveState& state) { return state.following; });
    go_away();
    lake_.put("b", "2");
    const auto failing = wait_until([](const ArchiveState& state) { return !state.error.empty(); });
    EXPECT_GT(failing.lag_seconds, 0);
    lake_.put_large("c", std::string(200'000, 'c'));
    ASSERT_TRUE(lake_.store().reclaim().ok());
    lake_.disk().clear_faults();
    wait_until(
        [](const ArchiveState& state) { return state.error.empty() && state.lag_seconds == 0; });
    EXPECT_TRUE(restored() == lake_.content());
}

TEST_F(Following, TheLogOfADestinationThatStaysAwayIsLetGo) {
    follow(std::chrono::hours(1), 512 << 10);
    wait_until([](const ArchiveState& state) { return state.following; });
    go_away();
    write_log();
    expect_log_let_go();
    const auto alone = follower_->state();
    EXPECT_FALSE(alone.error.empty()) << "until a point is there, whatever has begun";
    EXPECT_GT(alone.lag_seconds, 0);
    lake_.disk().clear_faults();
    expect_whole_again();  // by a new point
}

TEST_F(Following, TheLogIsKeptUpToTheLimit) {
    follow(std::chrono::hours(1), 64 << 20);
    wait_until([](const ArchiveState& state) { return state.following; });
    go_away();
    write_log();
    EXPECT_FALSE(
        wait_until([](const ArchiveState& state) { return !state.error.empty(); }).error.empty());
    EXPECT_GT(segments(), 8u);
    EXPECT_TRUE(follower_->state().following);
    lake_.disk().clear_faults();
    expect_whole_again();
}

TEST_F(Following, TheLogIsLetGoWhenTheLakesDiskIsNearlyFull) {
    follow(std::chrono::hours(1));
    wait_until([](const ArchiveState& state) { return state.following; });
    go_away();
    lake_.disk().set_free_bytes(source_.free_bytes_min - 1);
    write_log();
    expect_log_let_go();
    lake_.disk().clear_faults();
    wait_until([](const ArchiveState& state) {
        return state.error.find("nearly full") != std::string::npos;
    });
    lake_.disk().set_free_bytes(1ull << 40);
    expect_whole_again();
}

TEST_F(Following, FinishShipsWhatCameLast) {
    follow(std::chrono::hours(1));
    wait_until([](const ArchiveState& state) { return state.following; });
    lake_.put_large("last", std::string(200'000, 'z'));
    follower_->finish();
    EXPECT_TRUE(restored() == lake_.content());
}

}  // namespace
}  // namespace tarn::archive

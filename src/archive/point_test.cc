// Points and tails at a destination, and back.
#include <gtest/gtest.h>

#include "archive/internal/point_maker.h"
#include "archive/internal/retention.h"
#include "archive/internal/tail_shipper.h"
#include "archive/internal/test_lake.h"
#include "archive/restore.h"
#include "io/faulty_disk.h"

namespace tarn::archive {
namespace {

constexpr const char* kHistory = "0123456789abcdef0123456789abcdef";

std::string large_text(char letter, size_t size = 300'000) {
    std::string out(size, letter);
    for (size_t i = 0; i < size; i += 97) out[i] = static_cast<char>('0' + i % 10);
    return out;
}

class Point : public ::testing::Test {
 protected:
    Destination& destination() {
        if (!destination_) destination_ = open(disk_);
        return *destination_;
    }
    std::unique_ptr<Destination> open(io::Disk& disk) {
        auto opened = open_destination(disk, clock_, {"/copies", "", "", "", "", ""}, Use::write);
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(opened).value();
    }
    PointMaker maker() {
        return {source_, destination(), Identity{kHistory, std::string(32, 'c'), ""}, progress_,
                cancel_};
    }
    PointMaker::Made make(PointMaker& maker, PointMaker::Options options = {}) {
        auto made = maker.make(options);
        EXPECT_TRUE(made.ok()) << made.error().message;
        return std::move(made).value();
    }
    /// The content of what a restore gives; an error's text when it fails.
    std::string restored(const std::string& at = "") { return restored(destination(), at); }
    std::string restored(Destination& from, const std::string& at = "") {
        auto wanted = choose(from, at);
        if (!wanted.ok()) return wanted.error().message;
        Progress progress;
        auto disk = std::make_unique<io::FaultyDisk>();
        const auto done = restore(from, *disk, *wanted, TestLake::kFolder, progress);
        if (!done.ok()) return done.error().message;
        TestLake again(std::move(disk));
        return again.content();
    }
    std::string file_of(const std::string& part) {
        std::string found;
        EXPECT_TRUE(destination()
                        .list("",
                              [&](const Listed& listed) {
                                  if (listed.name.find(part) != std::string::npos && found.empty())
                                      found = listed.name;
                                  return ok_status();
                              })
                        .ok());
        return found;
    }

    TestLake lake_;
    const Source source_ = lake_.source();
    io::FaultyDisk disk_;
    SystemClock clock_;
    Progress progress_;
    std::atomic<bool> cancel_{false};
    std::unique_ptr<Destination> destination_;
};

TEST_F(Point, GivesTheLakeBack) {
    for (int i = 0; i < 500; ++i) lake_.put("small" + std::to_string(i), std::to_string(i));
    lake_.put_large("a", large_text('a'));
    lake_.put_large("b", large_text('b', 2'500'000));  // several extent files
    lake_.erase_large("a");
    auto first = maker();
    const auto made = make(first);
    const auto before = lake_.content();
    lake_.put("later", "not in the copy");
    EXPECT_EQ(restored(), before);
    EXPECT_EQ(restored(made.manifest.point), before);
    EXPECT_TRUE(made.manifest.damage.empty());
}

TEST_F(Point, SendsOnlyWhatIsNew) {
    for (int i = 0; i < 200; ++i)
        lake_.put("small" + std::to_string(i), "x", large_text('s', 9000));
    lake_.put_large("a", large_text('a', 3'000'000));
    auto first = maker();
    const auto whole = make(first).manifest.sent_bytes;
    EXPECT_GT(whole, 4'000'000u);
    lake_.put_large("b", large_text('b', 70'000));
    const auto second = make(first).manifest.sent_bytes;
    EXPECT_LT(second, 1'500'000u) << "the open segment, the index' newest files and one extent";
    // Another process knows less: it looks, and finds the pieces there.
    auto again = maker();
    EXPECT_LT(make(again).manifest.sent_bytes, 300'000u);
    EXPECT_TRUE(restored() == lake_.content());
    PointMaker::Options all;
    all.full = true;
    EXPECT_GT(make(again, all).manifest.sent_bytes, whole);
}

TEST_F(Point, ForgetsNoExtentThatTookAnOthersPlace) {
    lake_.put_large("a", large_text('a'));
    auto first = maker();
    make(first);
    lake_.erase_large("a");
    lake_.reopen();  // the file's end goes back
    const Source reopened = lake_.source();
    lake_.put_large("b", large_text('b'));
    PointMaker second(reopened, destination(), Identity{kHistory, std::string(32, 'c'), ""},
                      progress_, cancel_);
    make(second);
    EXPECT_TRUE(restored() == lake_.content());
}

TEST_F(Point, HoldsWhatItNeedsAndLetsGo) {
    for (int i = 0; i < 300; ++i) lake_.put("x", std::to_string(i), large_text('s', 9000));
    const auto segments = [&] { return meta::copying(lake_.store()).cut()->segments.size(); };
    auto hold = meta::copying(lake_.store()).hold_segments(0);
    const auto before = segments();
    ASSERT_GT(before, 2u);
    ASSERT_TRUE(lake_.store().reclaim().ok());
    EXPECT_EQ(segments(), before);
    hold.reset();
    ASSERT_TRUE(lake_.store().reclaim().ok());
    EXPECT_LT(segments(), before);

    lake_.put_large("a", large_text('a'));
    auto space = objects::hold_space(lake_.bytes());
    lake_.erase_large("a");
    EXPECT_EQ(lake_.bytes().reclaim().value(), 0u);
    space.reset();
    EXPECT_GT(lake_.bytes().reclaim().value(), 0u);
}

TEST_F(Point, TailsFollowIt) {
    lake_.put("first", "1");
    lake_.put_large("a", large_text('a'));
    auto first = maker();
    PointMaker::Options options;
    options.kind = Kind::archive;
    auto shipper =
        TailShipper::begin(source_, destination(), make(first, options), progress_, cancel_);
    ASSERT_TRUE(shipper.ok());
    std::vector<std::string> contents = {lake_.content()};
    for (int i = 0; i < 6; ++i) {
        lake_.put("tail" + std::to_string(i), "x", large_text('t', 400'000));  // new segments, too
        lake_.put_large("t" + std::to_string(i), large_text('l'));
        if (i > 2) lake_.erase_large("t" + std::to_string(i - 1));
        ASSERT_TRUE((*shipper)->ship().ok());
        ASSERT_TRUE((*shipper)->ship().ok()) << "nothing has come: no tail";
        EXPECT_EQ((*shipper)->shipped_sequence(), lake_.store().last_version());
        ASSERT_TRUE(lake_.store().reclaim().ok());
        ASSERT_TRUE(lake_.bytes().reclaim().ok());
        contents.push_back(lake_.content());
    }
    EXPECT_EQ((*shipper)->tails(), 6u);
    EXPECT_TRUE(restored() == contents.back());
    for (size_t i = 0; i < contents.size(); ++i)
        EXPECT_EQ(restored((*shipper)->point() + "+" + std::to_string(i)), contents[i]) << i;
    // The next point uses the extents that tails have sent.
    const auto sent = (*shipper)->sent();
    options.sent = &sent;
    EXPECT_LT(make(first, options).manifest.sent_bytes, 3'200'000u);
    EXPECT_TRUE(restored() == contents.back());
}

TEST_F(Point, IsFoundByTime) {
    lake_.put("a", "1");
    auto first = maker();
    PointMaker::Options options;
    options.kind = Kind::archive;
    auto made = make(first, options);
    const auto at_first = made.manifest.time;
    const auto id = made.manifest.point;
    auto shipper = TailShipper::begin(source_, destination(), std::move(made), progress_, cancel_);
    const auto before = lake_.content();
    lake_.put("b", "2");
    ASSERT_TRUE((*shipper)->ship().ok());
    const auto at_tail = (*shipper)->shipped_until();
    ASSERT_GT(at_tail, at_first);
    const auto wanted =
        choose(destination(), format_iso8601(at_tail.plus(std::chrono::seconds(1))));
    ASSERT_TRUE(wanted.ok());
    EXPECT_EQ(wanted->tails, 1u);
    EXPECT_EQ(choose(destination(), "2001-01-01T00:00:00Z").error().code, Code::not_found);
    EXPECT_EQ(choose(destination(), "yesterday").error().code, Code::invalid_argument);
    EXPECT_EQ(choose(destination(), "backup-20261121T224500000000Z-1a2b3c4d").error().code,
              Code::not_found);
    EXPECT_EQ(choose(destination(), id + "+7").error().code, Code::not_found);
}

TEST_F(Point, NamesWhatIsTornOrMissing) {
    lake_.put("a", "1");
    lake_.put_large("l", large_text('l'));
    auto first = maker();
    make(first);
    std::vector<Listed> all;
    ASSERT_TRUE(destination()
                    .list("",
                          [&](const Listed& listed) {
                              if (listed.name.find("/pieces/") != std::string::npos)
                                  all.push_back(listed);
                              return ok_status();
                          })
                    .ok());
    ASSERT_GE(all.size(), 4u);
    for (const auto& piece : all) {
        const auto bytes = destination().get(piece.name, 1 << 30);
        ASSERT_TRUE(destination().put(piece.name, bytes->substr(0, bytes->size() / 2)).ok());
        EXPECT_NE(restored().find(piece.name + " of"), std::string::npos) << restored();
        EXPECT_NE(restored().find("damaged"), std::string::npos);
        ASSERT_TRUE(destination().remove(piece.name).ok());
        EXPECT_NE(restored().find(piece.name), std::string::npos);
        EXPECT_NE(restored().find("missing"), std::string::npos);
        ASSERT_TRUE(destination().put(piece.name, *bytes).ok());
    }
    EXPECT_TRUE(restored() == lake_.content());
    // A damaged point is shown, and never chosen.
    const auto point = file_of("/points/");
    const auto bytes = destination().get(point, 1 << 30);
    make(first);
    ASSERT_TRUE(destination().put(point, bytes->substr(0, 100)).ok());
    EXPECT_TRUE(restored() == lake_.content());
    const auto points = list_points(destination());
    ASSERT_EQ(points->size(), 2u);
    EXPECT_NE((*points)[0].problem + (*points)[1].problem, "");
}

TEST_F(Point, MissingTailIsToldNotSkipped) {
    lake_.put("a", "1");
    auto first = maker();
    PointMaker::Options options;
    options.kind = Kind::archive;
    auto shipper =
        TailShipper::begin(source_, destination(), make(first, options), progress_, cancel_);
    for (int i = 0; i < 3; ++i) {
        lake_.put("b", std::to_string(i));
        ASSERT_TRUE((*shipper)->ship().ok());
    }
    ASSERT_TRUE(destination().remove(tail_name(kHistory, (*shipper)->point(), 2)).ok());
    EXPECT_NE(restored().find((*shipper)->point() + "+1 takes what is before"), std::string::npos)
        << restored();
    EXPECT_NE(restored((*shipper)->point() + "+1").find("k/b=0"), std::string::npos);
}

TEST_F(Point, ACrashAtAnyStepLeavesTheOldPointsWhole) {
    lake_.put("a", "1");
    lake_.put_large("l", large_text('l'));
    auto first = maker();
    const auto old = make(first).manifest;
    const auto content = lake_.content();
    const auto from = disk_.operation_count();
    lake_.put("b", "2");
    lake_.put_large("m", large_text('m'));
    const auto next = make(first).manifest;
    const auto both = lake_.content();
    size_t seen_new = 0;
    for (size_t at = from; at <= disk_.operation_count(); ++at) {
        const auto after = disk_.crash(at, at);
        auto there = open(*after);
        EXPECT_EQ(restored(*there, old.point), content) << "after " << at << " operations";
        const auto points = list_points(*there);
        ASSERT_TRUE(points.ok());
        if (points->size() == 1) continue;
        ++seen_new;
        EXPECT_EQ(restored(*there, next.point), both) << "after " << at << " operations";
    }
    EXPECT_GT(seen_new, 0u);
}

TEST_F(Point, FailingDestinationIsAnError) {
    lake_.put("a", "1");
    auto first = maker();
    make(first);
    disk_.add_fault({io::FaultyDisk::Call::write, "/copies", 0, io::FaultyDisk::kForever});
    lake_.put("b", "1");
    EXPECT_EQ(first.make({}).error().code, Code::io);
    disk_.clear_faults();
    make(first);
    EXPECT_TRUE(restored() == lake_.content());
}

/// A time is taken before its state: while a point is made, the point before it may get a tail that
/// is later and holds less.
TEST_F(Point, TheNewestStateIsTheOneThatHoldsMost) {
    ManualClock clock;
    Source source{lake_.store(), lake_.bytes(), lake_.disk(), clock, TestLake::kFolder, 1 << 20};
    PointMaker points(source, destination(), Identity{kHistory, std::string(32, 'c'), ""},
                      progress_, cancel_);
    PointMaker::Options options;
    options.kind = Kind::archive;
    const auto begun = clock.now();
    lake_.put("a", "1");
    auto shipper =
        TailShipper::begin(source, destination(), make(points, options), progress_, cancel_);
    ASSERT_TRUE(shipper.ok());
    clock.advance(std::chrono::seconds(2));
    lake_.put("a", "2");
    const auto two = lake_.content();
    ASSERT_TRUE((*shipper)->ship().ok());
    clock.set(begun.plus(std::chrono::seconds(1)));
    lake_.put("a", "3");
    const auto second = make(points, options).manifest.point;
    const auto all = lake_.content();
    EXPECT_EQ(restored(), all);
    EXPECT_EQ(restored(second), all);
    EXPECT_EQ(restored(format_iso8601(begun.plus(std::chrono::seconds(2)))), all);
    EXPECT_EQ(choose(destination(), format_iso8601(begun))->tails, 0u);
    // A tail much later than the point is no reason for what lies before that point.
    clock.set(begun.plus(std::chrono::seconds(9)));
    lake_.put("a", "4");
    ASSERT_TRUE((*shipper)->ship().ok());
    EXPECT_EQ(restored(format_iso8601(begun.plus(std::chrono::seconds(5)))), all);
    EXPECT_EQ(restored(), lake_.content());
    EXPECT_NE(two, all);
}

TEST_F(Point, OldOnesGoAndTheirSpaceComesBack) {
    auto first = maker();
    PointMaker::Options options;
    std::vector<std::string> points;
    for (int i = 0; i < 4; ++i) {
        lake_.put("a", std::to_string(i), large_text('a', 900'000));
        ASSERT_TRUE(lake_.store().reclaim().ok());
        points.push_back(make(first, options).manifest.point);
    }
    Retention rule;
    rule.keep_backups = 2;
    // The twin's files have no times: all are as old as the newest point.
    auto expired = expire(destination(), kHistory, rule, clock_.now(), true, cancel_);
    ASSERT_TRUE(expired.ok()) << expired.error().message;
    EXPECT_EQ(expired->points, 2u);
    EXPECT_TRUE(restored() == lake_.content());
    EXPECT_EQ(list_points(destination())->size(), 2u);
}

TEST_F(Point, TheArchiveKeepsWhatItsTimeNeeds) {
    auto archive = maker();
    PointMaker::Options options;
    options.kind = Kind::archive;
    for (int i = 0; i < 3; ++i) {
        lake_.put("a", std::to_string(i), large_text('a', 900'000));
        make(archive, options);
    }
    make(archive, {});  // a backup, which has a rule of its own
    Retention rule;
    rule.keep_archive = std::chrono::hours(24 * 7);
    const auto left = [&](int days) {
        const auto at = clock_.now().plus(std::chrono::hours(24 * days));
        EXPECT_TRUE(expire(destination(), kHistory, rule, at, true, cancel_).ok());
        return list_points(destination())->size();
    };
    EXPECT_EQ(left(6), 4u);
    EXPECT_EQ(left(8), 2u) << "what was true a week ago is reached from the newest that is older";
    EXPECT_EQ(left(400), 2u);
    EXPECT_TRUE(restored() == lake_.content());
}

TEST_F(Point, IsGivenUpWhenTheLakesDiskIsNearlyFull) {
    lake_.put("a", "1", large_text('a'));
    auto first = maker();
    lake_.disk().set_free_bytes(source_.free_bytes_min - 1);
    EXPECT_EQ(first.make({}).error().reason, "disk_full");
    EXPECT_EQ(list_points(destination()).error().code, Code::not_found);
    lake_.disk().set_free_bytes(1ull << 40);
    make(first);
    EXPECT_TRUE(restored() == lake_.content());
}

TEST_F(Point, RefusesFoldersOfOthers) {
    io::FaultyDisk other;
    ASSERT_TRUE(other.make_directories("/home").ok());
    ASSERT_TRUE(io::replace_file(other, "/home/letter", "dear").ok());
    EXPECT_EQ(
        open_destination(other, clock_, {"/home", "", "", "", "", ""}, Use::write).error().code,
        Code::invalid_argument);
    EXPECT_EQ(
        open_destination(other, clock_, {"/nothing", "", "", "", "", ""}, Use::read).error().code,
        Code::not_found);
    EXPECT_EQ(
        open_destination(other, clock_, {"relative", "", "", "", "", ""}, Use::write).error().code,
        Code::invalid_argument);
    lake_.put("a", "1");
    auto first = maker();
    make(first);
    Progress progress;
    const auto wanted = choose(destination(), "");
    EXPECT_EQ(restore(destination(), other, *wanted, "/home", progress).error().code,
              Code::already_exists);
}

}  // namespace
}  // namespace tarn::archive

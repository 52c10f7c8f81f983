// The harness finds what it is made to find: a subject that is right passes, those with one flaw do
// not.
#include "io/crash_harness.h"

#include <gtest/gtest.h>

namespace tarn::io {
namespace {

enum class Flaw { none, no_sync, no_directory_sync, ignores_errors };

/// A number in a file, counted up.
class Counting final : public CrashSubject, public CrashWorkload {
 public:
    Counting(FaultyDisk& disk, Flaw flaw) : disk_(disk), flaw_(flaw) {}

    std::vector<CrashWorkload*> workloads() override { return {this}; }
    void maintain(Random&) override {}
    Status check() override { return {}; }
    bool healthy() const override { return true; }

    std::string name() const override { return "counting"; }
    Status step(Random&, Seen& seen) override {
        const int next = seen.empty() ? 1 : std::stoi(seen["n"]) + 1;
        seen["n"] = std::to_string(next);
        const Status written = write(seen["n"]);
        return flaw_ == Flaw::ignores_errors ? Status() : written;
    }
    Result<Seen> look() override {
        TARN_TRY(there, disk_.exists("/s/n"));
        if (!there) return Seen{};
        TARN_TRY(text, read_file(disk_, "/s/n", 100));
        return Seen{{"n", text}};
    }

 private:
    Status write(const std::string& text) {
        if (flaw_ == Flaw::none || flaw_ == Flaw::ignores_errors)
            return replace_file(disk_, "/s/n", text);
        {
            TARN_TRY(file, disk_.open("/s/n.new", OpenMode::create));
            TARN_CHECK_OK(file->truncate(0));
            TARN_CHECK_OK(file->write(0, text));
            if (flaw_ != Flaw::no_sync) TARN_CHECK_OK(file->sync());
        }
        TARN_CHECK_OK(disk_.rename("/s/n.new", "/s/n"));
        return flaw_ == Flaw::no_directory_sync ? Status() : disk_.sync_directory("/s");
    }

    FaultyDisk& disk_;
    const Flaw flaw_;
};

OpenSubject counting(Flaw flaw) {
    return [flaw](FaultyDisk& disk) -> Result<std::unique_ptr<CrashSubject>> {
        TARN_CHECK_OK(disk.make_directories("/s"));
        return std::unique_ptr<CrashSubject>(std::make_unique<Counting>(disk, flaw));
    };
}

CrashPlan plan() {
    CrashPlan plan;
    plan.points = 200;
    plan.steps = 30;
    plan.replay = "this";
    return plan;
}

TEST(CrashHarness, FindsWhatAPowerFailureTakes) {
    EXPECT_EQ(cut_power(counting(Flaw::none), plan()).problem, "");
    EXPECT_EQ(cut_power(counting(Flaw::none), plan()).points, 200u);
    EXPECT_NE(cut_power(counting(Flaw::no_sync), plan()).problem, "");
    EXPECT_NE(cut_power(counting(Flaw::no_directory_sync), plan()).problem, "");
}

TEST(CrashHarness, ASeedAndAPointShowAProblemAgain) {
    const auto first = cut_power(counting(Flaw::no_sync), plan());
    auto again = plan();
    again.only = first.points - 1;
    const auto second = cut_power(counting(Flaw::no_sync), again);
    EXPECT_EQ(second.points, 1u);
    EXPECT_EQ(second.problem, first.problem);
    EXPECT_NE(first.problem.find("TARN_CRASH_POINT=" + std::to_string(again.only)),
              std::string::npos);
}

TEST(CrashHarness, FindsWhatAFailedCallTakes) {
    const auto good = fail_calls(counting(Flaw::none), plan());
    EXPECT_GT(good.refused.at("counting"), 20u);
    EXPECT_NE(fail_calls(counting(Flaw::ignores_errors), plan()).problem, "");
    EXPECT_NE(fail_calls(counting(Flaw::no_directory_sync), plan()).problem, "");
}

}  // namespace
}  // namespace tarn::io

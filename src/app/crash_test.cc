// The power fails at any moment, or any call of the disk fails, under a lake in which everything
// happens that is acknowledged: objects, multipart uploads, streams, table commits, SQL, dropped
// files, computed tables, alerts and their outbox, users and keys, the audit trail. RocksDB is on
// that disk, too. io/crash_harness.h does the rest; a new kind joins in CrashLake's constructor.
#include <gtest/gtest.h>

#include <filesystem>

#include "app/crash_lake.h"

namespace tarn::app {
namespace {

io::CrashPlan plan(uint64_t points, const std::string& test) {
    auto plan = io::CrashPlan::from_environment(points);
    plan.replay = "tarn_app_test --gtest_filter=" + test;
    return plan;
}

void print(const char* what, const io::CrashReport& report) {
    std::string steps;
    for (const auto& [name, count] : report.steps)
        steps += " " + name + " " + std::to_string(count);
    for (const auto& [name, count] : report.refused)
        steps += ", refused " + name + " " + std::to_string(count);
    std::printf("%s: %llu points, %llu of them inside a change, %llu operations;%s\n", what,
                static_cast<unsigned long long>(report.points),
                static_cast<unsigned long long>(report.inside),
                static_cast<unsigned long long>(report.operations), steps.c_str());
}

class LakeCrash : public ::testing::Test {
 protected:
    LakeCrash()
        : folder_(std::filesystem::temp_directory_path() / ("tarn-crash-" + random_hex(6))) {
        std::filesystem::create_directories(folder_);
    }
    ~LakeCrash() override { std::filesystem::remove_all(folder_); }

    io::OpenSubject open() const {
        return [this](io::FaultyDisk& disk) { return CrashLake::open(disk, folder_); };
    }

    const std::filesystem::path folder_;  // for what no promise is about
};

TEST_F(LakeCrash, WhatWasAcknowledgedIsThereAfterAnyPowerFailure) {
    const auto report = cut_power(open(), plan(60, "*AnyPowerFailure"));
    print("power failures", report);
    EXPECT_EQ(report.problem, "");
    for (const auto* name : CrashLake::kKinds) EXPECT_EQ(report.steps.count(name), 1u) << name;
}

TEST_F(LakeCrash, WhatWasAcknowledgedIsThereAfterAnyFailedCall) {
    const auto report = fail_calls(open(), plan(12, "*AnyFailedCall"));
    print("failed calls", report);
    EXPECT_EQ(report.problem, "");
    EXPECT_GT(report.inside, report.points / 2) << "most faults never came";
}

}  // namespace
}  // namespace tarn::app

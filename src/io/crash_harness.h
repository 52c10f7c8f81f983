// For tests: cuts the power at any operation of a disk, and fails any call of it, while several
// kinds of changes are made; then holds what is left against what each kind's model allows.
// What was acknowledged must be there, once and in order; what was under way is whole or absent.
//
//   CrashReport report = cut_power(open_lake, CrashPlan::from_environment(200));
//   EXPECT_EQ(report.problem, "");      // says what is wrong and how to see it again
//
// A feature joins with a CrashWorkload: a step, what can be seen after it, and a look.
// The harness decides nothing by the clock or the system's randomness: a seed gives the same run,
// as far as the subject's threads keep their order.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "io/faulty_disk.h"

namespace tarn::io {

/// What a user can see, as names and values.
using Seen = std::map<std::string, std::string>;

/// One kind of change. Owner: its subject. One thread.
class CrashWorkload {
 public:
    virtual ~CrashWorkload() = default;
    virtual std::string name() const = 0;
    /// Makes one change, chosen by `random` and by what can be seen now. Sets `seen` to what can be
    /// seen once it is through before it asks for it. ok: acknowledged. Never asks for nothing: a
    /// step that is acknowledged has changed something, be it only a record of it.
    virtual Status step(Random& random, Seen& seen) = 0;
    /// Changes nothing that is acknowledged.
    virtual Result<Seen> look() = 0;
};

/// What stands on the disk, opened. Destroying it closes it as a process that ends well.
class CrashSubject {
 public:
    virtual ~CrashSubject() = default;
    /// Always the same kinds, in the same order.
    virtual std::vector<CrashWorkload*> workloads() = 0;
    /// Work in the background that nobody sees: flushes, reclaiming, compaction. Errors are its
    /// own business.
    virtual void maintain(Random& random) = 0;
    /// What must always hold, beyond the models: no leak, no reference to nothing.
    virtual Status check() = 0;
    /// False: it asks to be opened again.
    virtual bool healthy() const = 0;
};

using OpenSubject = std::function<Result<std::unique_ptr<CrashSubject>>(FaultyDisk& disk)>;

struct CrashPlan {
    uint64_t seed = 1;
    uint64_t points = 100;
    uint64_t only = FaultyDisk::kForever;  // that point alone
    uint64_t points_per_run = 250;         // then other changes are recorded
    int steps = 120;                       // of a recorded run
    std::string replay = {};               // the command that repeats it, without the environment

    /// TARN_CRASH_POINTS, TARN_CRASH_SEED, TARN_CRASH_POINT.
    static CrashPlan from_environment(uint64_t points);
};

struct CrashReport {
    uint64_t points = 0;
    uint64_t inside = 0;                      // points in the middle of a change
    uint64_t operations = 0;                  // of the disk, recorded
    std::map<std::string, uint64_t> steps;    // acknowledged, by workload
    std::map<std::string, uint64_t> refused;  // answered with an error, by workload
    std::string problem;                      // of the first point that fails; empty: none
};

/// Records runs with restarts in them, cuts each at points by seed, and looks; at every fourth also
/// cuts the recovery.
CrashReport cut_power(const OpenSubject& open, const CrashPlan& plan);

/// Fails one call of a run, a point each, evenly over all calls from the first open to the last
/// close: with an error, with a short write, or without space until somebody is told. A step is
/// then acknowledged or answered with an error that says something; a subject that stays healthy
/// goes on when the disk does; and what is found after the end of the process, and after a power
/// failure, is what the models allow.
CrashReport fail_calls(const OpenSubject& open, const CrashPlan& plan);

}  // namespace tarn::io

#include "io/crash_harness.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace tarn::io {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

/// Numbers that belong together give one that no others give.
uint64_t mixed(uint64_t seed, uint64_t number, uint64_t purpose) {
    Random random(seed * 0x9e3779b97f4a7c15ull + number * 0xbf58476d1ce4e5b9ull + purpose);
    return random.below(~0ull);
}

constexpr uint64_t kRun = 1, kPoint = 2;
constexpr size_t kNobody = ~size_t{0};

/// What happened between two counts of the disk's operations.
struct Mark {
    explicit Mark(size_t operations) : begin(operations), end(operations) {}

    size_t begin, end;
    size_t workload = kNobody;  // nobody: an opening, a closing, maintenance
    Seen before, wanted;
    std::optional<Seen> after;  // nullopt: in doubt
};

std::string difference(const Seen& wanted, const Seen& found) {
    for (const auto& [name, value] : wanted) {
        const auto there = found.find(name);
        if (there == found.end()) return "\"" + name + "\" is missing";
        if (there->second != value)
            return "\"" + name + "\" is \"" + there->second.substr(0, 300) + "\", not \"" +
                   value.substr(0, 300) + "\"";
    }
    for (const auto& [name, value] : found)
        if (wanted.count(name) == 0)
            return "\"" + name + "\" is there: \"" + value.substr(0, 300) + "\"";
    return "equal";
}

/// The changes of one disk and what callers came to know.
class History {
 public:
    explicit History(std::vector<Seen> first) : first_(std::move(first)), now_(first_) {}
    History() = default;

    void begin(size_t workloads) {
        if (now_.empty()) first_ = now_ = std::vector<Seen>(workloads);
    }
    Seen& now(size_t workload) { return now_[workload]; }
    const std::vector<Seen>& now() const { return now_; }
    void add(Mark mark) {
        if (mark.workload != kNobody && mark.after) now_[mark.workload] = *mark.after;
        marks_.push_back(std::move(mark));
    }
    const std::vector<Mark>& marks() const { return marks_; }

    /// What a workload may show after the first `operations`.
    std::vector<const Seen*> allowed(size_t workload, size_t operations) const {
        std::vector<const Seen*> out = {&first_[workload]};
        for (const auto& mark : marks_) {
            if (mark.workload != workload || mark.begin >= operations) continue;
            if (mark.end <= operations && mark.after)
                out = {&*mark.after};
            else
                out = {&mark.before, &mark.wanted};
        }
        return out;
    }

 private:
    std::vector<Seen> first_, now_;
    std::vector<Mark> marks_;
};

class Recorder {
 public:
    Recorder(FaultyDisk& disk, History& history, CrashReport& report)
        : disk_(disk), history_(history), report_(report) {}

    Result<std::unique_ptr<CrashSubject>> open(const OpenSubject& open) {
        Mark mark(disk_.operation_count());
        auto subject = open(disk_);
        mark.end = disk_.operation_count();
        if (subject.ok()) history_.begin((*subject)->workloads().size());
        history_.add(std::move(mark));
        return subject;
    }
    void close(std::unique_ptr<CrashSubject>& subject) {
        Mark mark(disk_.operation_count());
        subject.reset();
        mark.end = disk_.operation_count();
        history_.add(std::move(mark));
    }
    /// One change, or a round of maintenance. The error that a change was answered with; its mark
    /// is then in doubt.
    Status step(CrashSubject& subject, Random& random) {
        if (random.one_in(12)) {
            Mark mark(disk_.operation_count());
            subject.maintain(random);
            mark.end = disk_.operation_count();
            history_.add(std::move(mark));
        }
        const auto workloads = subject.workloads();
        return step(*workloads[last_ = random.below(workloads.size())], random);
    }
    /// Whose the last step was.
    size_t last() const { return last_; }

 private:
    Status step(CrashWorkload& workload, Random& random) {
        Mark mark(disk_.operation_count());
        mark.workload = last_;
        mark.before = mark.wanted = history_.now(last_);
        const Status done = workload.step(random, mark.wanted);
        mark.end = disk_.operation_count();
        if (done.ok()) mark.after = mark.wanted;
        ++(done.ok() ? report_.steps : report_.refused)[workload.name()];
        history_.add(std::move(mark));
        return done;
    }

    FaultyDisk& disk_;
    History& history_;
    CrashReport& report_;
    size_t last_ = 0;
};

std::string compare(CrashSubject& subject, const History& history, size_t operations) {
    const auto workloads = subject.workloads();
    for (size_t i = 0; i < workloads.size(); ++i) {
        const auto found = workloads[i]->look();
        if (!found.ok())
            return workloads[i]->name() + ": cannot be looked at: " + found.error().message;
        const auto allowed = history.allowed(i, operations);
        const bool fits = std::any_of(allowed.begin(), allowed.end(),
                                      [&](const Seen* each) { return *each == *found; });
        if (!fits)
            return workloads[i]->name() + ": " + difference(*allowed.back(), *found) +
                   (allowed.size() > 1 ? " (nor is it as before the change under way)" : "");
    }
    const Status holds = subject.check();
    return holds.ok() ? "" : "check: " + holds.error().message;
}

/// What the models must be from here on: what is there.
Result<std::vector<Seen>> look(CrashSubject& subject) {
    std::vector<Seen> out;
    for (auto* workload : subject.workloads()) {
        TARN_TRY(seen, workload->look());
        out.push_back(std::move(seen));
    }
    return out;
}

std::string describe(const FaultyDisk& disk, size_t at) {
    const auto operations = disk.operations();
    if (at == 0 || at > operations.size()) return "before the first operation";
    return "after operation " + std::to_string(at) + ", on " + operations[at - 1].path;
}

std::string how_to_replay(const CrashPlan& plan, uint64_t point) {
    return "\n  again: TARN_CRASH_SEED=" + std::to_string(plan.seed) +
           " TARN_CRASH_POINT=" + std::to_string(point) +
           " TARN_CRASH_POINTS=" + std::to_string(plan.points) + " " + plan.replay;
}

// ---- power failures ----

struct Recording {
    FaultyDisk disk;
    History history;
    std::string problem;
};

/// Three lives of the subject.
void record(Recording& recording, const OpenSubject& open, const CrashPlan& plan, uint64_t run,
            CrashReport& report) {
    Random random(mixed(plan.seed, run, kRun));
    Recorder recorder(recording.disk, recording.history, report);
    for (int life = 0; life < 3; ++life) {
        auto subject = recorder.open(open);
        if (!subject.ok()) {
            recording.problem = "cannot be opened: " + subject.error().message;
            return;
        }
        for (int i = 0; i < plan.steps / 3; ++i) {
            const Status done = recorder.step(**subject, random);
            if (done.ok()) continue;
            recording.problem = (*subject)->workloads()[recorder.last()]->name() +
                                ": a step failed on a good disk: " + done.error().message;
            return;
        }
        recording.problem = compare(**subject, recording.history, FaultyDisk::kForever);
        if (!recording.problem.empty()) {
            recording.problem = "without a failure: " + recording.problem;
            return;
        }
        recorder.close(*subject);
    }
    report.operations += recording.disk.operation_count();
}

std::string recover(const OpenSubject& open, FaultyDisk& disk, const History& history,
                    size_t operations, Random& random) {
    History after;
    {
        auto subject = open(disk);
        if (!subject.ok()) return "cannot be opened: " + subject.error().message;
        const std::string problem = compare(**subject, history, operations);
        if (!problem.empty() || !random.one_in(4)) return problem;
        // It goes on, and the power fails once more, anywhere from the beginning of the recovery.
        auto seen = look(**subject);
        if (!seen.ok()) return seen.error().message;
        after = History(std::move(seen).value());
        CrashReport ignored;
        Recorder recorder(disk, after, ignored);
        for (int i = 0; i < 3; ++i) {
            const Status done = recorder.step(**subject, random);
            if (!done.ok()) return "a step after the recovery failed: " + done.error().message;
        }
    }
    const size_t second = random.below(disk.operation_count() + 1);
    const auto again = disk.crash(second, random.below(~0ull));
    auto subject = open(*again);
    if (!subject.ok())
        return "cannot be opened after a failure in the recovery, " + describe(disk, second) +
               ": " + subject.error().message;
    const std::string problem = compare(**subject, after, second);
    if (problem.empty()) return "";
    return "after a failure in the recovery, " + describe(disk, second) + ": " + problem;
}

void cut_at(Recording& recording, const OpenSubject& open, const CrashPlan& plan, uint64_t point,
            CrashReport& report) {
    Random random(mixed(plan.seed, point, kPoint));
    const auto& marks = recording.history.marks();
    const size_t number = random.below(marks.size());
    const Mark& mark = marks[number];
    const size_t at = mark.begin + random.below(mark.end - mark.begin + 1);
    ++report.points;
    report.inside += at > mark.begin && at < mark.end;
    const auto left = recording.disk.crash(at, random.below(~0ull));
    const std::string problem = recover(open, *left, recording.history, at, random);
    if (problem.empty()) return;
    report.problem = problem + "\n  power failed " + describe(recording.disk, at) + ", in mark " +
                     std::to_string(number) + how_to_replay(plan, point);
}

// ---- failing calls ----

/// A run on a disk with a fault, to the end or until the subject wants to be opened again.
class FaultRun {
 public:
    FaultRun(const OpenSubject& open, const CrashPlan& plan, CrashReport& report)
        : open_(open), plan_(plan), recorder_(disk_, history_, report) {}

    FaultyDisk& disk() { return disk_; }

    std::string run(uint64_t seed) {
        Random random(seed);
        auto subject = recorder_.open(open_);
        if (!subject.ok()) {
            if (subject.error().message.empty()) return "an opening failed without a word";
            disk_.clear_faults();
            subject = recorder_.open(open_);
            if (!subject.ok())
                return "cannot be opened when the disk is well again: " + subject.error().message;
        }
        std::string problem;
        for (int i = 0; i < plan_.steps && problem.empty() && (*subject)->healthy(); ++i) {
            const Status done = recorder_.step(**subject, random);
            if (!done.ok()) problem = after_error(**subject, done.error());
        }
        recorder_.close(*subject);
        disk_.clear_faults();
        if (problem.empty()) problem = reopen(*disk_.copy(), "after the end of the process");
        if (problem.empty())
            problem = reopen(*disk_.crash(disk_.operation_count(), random.below(~0ull)),
                             "after a power failure");
        return problem;
    }

 private:
    std::string after_error(CrashSubject& subject, const Error& error) {
        const std::string name = subject.workloads()[recorder_.last()]->name();
        if (error.message.empty()) return name + ": an error without a word";
        const bool spent = disk_.fault_count() > 0;
        if (!spent) return name + ": failed before the disk did: " + error.message;
        disk_.clear_faults();
        if (!subject.healthy()) return "";
        // Nothing is in doubt: what it shows now is what there is.
        const auto seen = subject.workloads()[recorder_.last()]->look();
        if (!seen.ok())
            return name + ": cannot be looked at after an error: " + seen.error().message;
        Mark mark = history_.marks().back();
        if (*seen != mark.before && *seen != mark.wanted)
            return name + ": after \"" + error.message + "\" " + difference(mark.before, *seen);
        mark.begin = mark.end = disk_.operation_count();
        mark.after = *seen;
        history_.add(std::move(mark));
        return "";
    }

    std::string reopen(FaultyDisk& disk, const std::string& when) {
        auto subject = open_(disk);
        if (!subject.ok()) return when + ": cannot be opened: " + subject.error().message;
        const std::string problem = compare(**subject, history_, ~size_t{0});
        return problem.empty() ? "" : when + ": " + problem;
    }

    const OpenSubject& open_;
    const CrashPlan& plan_;
    FaultyDisk disk_;
    History history_;
    Recorder recorder_;
};

FaultyDisk::Fault fault_of(uint64_t call, Random& random) {
    FaultyDisk::Fault fault;
    fault.after = call;
    switch (random.below(4)) {
        case 0:
            break;
        case 1:
            fault.short_write = 1 + random.below(4096);
            break;
        case 2:
            fault.times = 1 + random.below(4);
            fault.short_write = random.below(100);
            break;
        default:  // no space, for whatever needs some
            fault.call = FaultyDisk::Call::needs_space;
            fault.times = FaultyDisk::kForever;
            fault.code = Code::exhausted;
            fault.short_write = random.below(4096);
    }
    return fault;
}

std::string describe(const FaultyDisk::Fault& fault) {
    return (fault.code == Code::exhausted ? "no space" : "an error") + std::string(" at call ") +
           std::to_string(fault.after) + ", " +
           (fault.times == FaultyDisk::kForever ? "until told"
                                                : std::to_string(fault.times) + " times") +
           ", short write of " + std::to_string(fault.short_write);
}

}  // namespace

CrashPlan CrashPlan::from_environment(uint64_t points) {
    CrashPlan plan;
    plan.seed = io::from_environment("TARN_CRASH_SEED", plan.seed);
    plan.points = io::from_environment("TARN_CRASH_POINTS", points);
    plan.only = io::from_environment("TARN_CRASH_POINT", plan.only);
    return plan;
}

CrashReport cut_power(const OpenSubject& open, const CrashPlan& plan) {
    CrashReport report;
    std::unique_ptr<Recording> recording;
    uint64_t recorded = FaultyDisk::kForever;
    for (uint64_t point = 0; point < plan.points && report.problem.empty(); ++point) {
        if (plan.only != FaultyDisk::kForever && point != plan.only) continue;
        if (const uint64_t run = point / plan.points_per_run; run != recorded) {
            recording = std::make_unique<Recording>();
            record(*recording, open, plan, recorded = run, report);
            if (!recording->problem.empty()) {
                report.problem = recording->problem + how_to_replay(plan, point);
                break;
            }
        }
        cut_at(*recording, open, plan, point, report);
    }
    return report;
}

CrashReport fail_calls(const OpenSubject& open, const CrashPlan& plan) {
    CrashReport report;
    CrashReport ignored;
    FaultRun good(open, plan, ignored);
    report.problem = good.run(mixed(plan.seed, 0, kRun));
    if (!report.problem.empty()) return report;
    const uint64_t calls = good.disk().call_count();
    const uint64_t points = std::min(plan.points, calls);
    for (uint64_t point = 0; point < points && report.problem.empty(); ++point) {
        if (plan.only != FaultyDisk::kForever && point != plan.only) continue;
        Random random(mixed(plan.seed, point, kPoint));
        const uint64_t from = calls * point / points;
        const auto fault =
            fault_of(from + random.below(calls * (point + 1) / points - from), random);
        FaultRun run(open, plan, report);
        run.disk().add_fault(fault);
        const std::string problem = run.run(mixed(plan.seed, 0, kRun));
        ++report.points;
        report.inside += run.disk().fault_count() > 0;
        report.operations += run.disk().operation_count();
        if (!problem.empty())
            report.problem = problem + "\n  " + describe(fault) + how_to_replay(plan, point);
    }
    return report;
}

}  // namespace tarn::io

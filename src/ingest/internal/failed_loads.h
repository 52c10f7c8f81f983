// Loads of single tables that failed, and when each is tried again: soon, but not so that the
// source does little else than to be read, and ever later where a person has to mend something.
// One thread: the runner's.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "ingest/internal/postgres_connection.h"

namespace tarn::ingest {

class FailedLoads {
 public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    /// `begun`: when the load began that failed.
    void add(const std::string& table, const Error& why, SteadyTime begun) {
        const auto now = std::chrono::steady_clock::now();
        const bool passes = passes_by_itself(why);
        const auto before = failed_.find(table);
        const int tries = passes || before == failed_.end() ? 0 : before->second.tries + 1;
        const SteadyTime::duration least =
            std::min<SteadyTime::duration>(kWait * (1 << std::min(tries, 8)), kWaitMax);
        const SteadyTime::duration gentle = (passes ? 1 : kPersonShare) * (now - begun);
        failed_.insert_or_assign(table, Failed{now + std::max(least, gentle), why, tries, false});
    }
    /// Why it failed, while it is not to be tried again.
    std::optional<Error> waits(const std::string& table) {
        const auto found = failed_.find(table);
        if (found == failed_.end() || found->second.tried_again) return std::nullopt;
        if (std::chrono::steady_clock::now() < found->second.again) return found->second.why;
        found->second.tried_again = true;
        return std::nullopt;
    }
    /// When the first of those that pass by themselves may be tried again.
    std::optional<SteadyTime> next() const {
        std::optional<SteadyTime> out;
        for (const auto& [table, failed] : failed_)
            if (!failed.tried_again && passes_by_itself(failed.why) &&
                (!out || failed.again < *out))
                out = failed.again;
        return out;
    }

 private:
    static constexpr auto kWait = std::chrono::seconds(5);
    static constexpr auto kWaitMax = std::chrono::seconds(60);
    static constexpr int kPersonShare = 10;  // pause, to one part of loading

    struct Failed {
        SteadyTime again;
        Error why;
        int tries;  // before the last one, since a failure that passed by itself
        bool tried_again;
    };
    std::map<std::string, Failed> failed_;
};

}  // namespace tarn::ingest

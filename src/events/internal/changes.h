// What one evaluation changes: the rows of now against the alerts that are open. Plain values, no
// I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "events/internal/records.h"

namespace tarn::events {

/// The rows of one evaluation: one per key, the first of those with the same key.
struct Found {
    struct Row {
        std::string key, row;
    };
    std::map<std::string, Row> rows;  // by key id
    bool all = true;                  // false: there were more than could be read
};

using OpenByKey = std::map<std::string, OpenRecord>;  // by key id
using Silences = std::map<std::string, Silence>;      // by key id; "" is the whole rule

struct Changes {
    std::vector<OpenRecord> opened;     // told is set on those that are told now
    std::vector<OpenRecord> recovered;  // told: when the opening was
    std::vector<OpenRecord> told;       // open for longer, told now that their silence is over

    bool empty() const { return opened.empty() && recovered.empty() && told.empty(); }
};

struct ChangeLimits {
    size_t open_max = 10'000;
    size_t bytes_max =
        8 << 20;  // of keys and rows in one evaluation; the rest waits for the next one
};

/// What keeps a rule from flapping; `here` and `gone` go from one evaluation to the next. They are
/// in memory only: after a restart the times begin anew, and nothing opens or recovers too early.
struct Patience {
    std::chrono::seconds for_at_least{0}, recover_after{0};
    Found stays;  // rows that keep an open alert open
    std::map<std::string, Timestamp> here;  // by key id: there without a break since
    std::map<std::string, Timestamp> gone;  // of open alerts: without a row since
};

/// Nobody is told of this key at `now`.
bool is_silenced(const Silences& silences, const std::string& key_id, Timestamp now);

/// A row whose key is not open opens it; an open key without a row has recovered (only when all
/// rows were read). Keys beyond the limits open nothing by themselves: one summary alert stands for
/// them. `patience` may be null.
Changes find_changes(const OpenByKey& open, const Found& found, const Silences& silences,
                     Timestamp now, const ChangeLimits& limits, Patience* patience = nullptr);

/// Applies them to the alerts in memory, as the batch did to the records.
void apply_changes(const Changes& changes, OpenByKey& open);

}  // namespace tarn::events

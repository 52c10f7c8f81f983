// From a destination back to a data folder: which points there are, and what it takes to have one
// again. Needs no server and no lake.
#pragma once

#include <string>
#include <vector>

#include "archive/destination.h"
#include "archive/progress.h"
#include "base/result.h"
#include "base/time.h"
#include "io/disk.h"

namespace tarn::archive {

struct PointInfo {
    std::string history;
    std::string id;
    bool archive = false;  // the archive's own, which may have tails; else asked for
    std::string problem;   // not empty: it can't be read, and nothing below is known
    std::string lake_id;
    Timestamp time;  // everything acknowledged before it is in the point
    uint64_t sequence = 0;
    uint64_t bytes = 0;       // of the lake
    uint64_t sent_bytes = 0;  // that were new
    uint64_t damage = 0;      // files that were damaged when they were copied
    bool has_key = false;
    uint32_t tails = 0;  // "<id>+<n>" names the state after the n-th
    // As time and sequence, with all tails:
    Timestamp latest;
    uint64_t latest_sequence = 0;
};

/// Oldest first. not_found: the destination holds none.
Result<std::vector<PointInfo>> list_points(Destination& destination);

/// A state to have again.
struct Wanted {
    PointInfo point;
    uint32_t tails = 0;
};
/// `at`: empty for the newest state, a point's id, "<id>+<n>", or a time (the newest state that is
/// not after it). Within a history the newest state is the one with the highest sequence, for a
/// time is taken before its state: a tail may be later than a point that holds more. Between
/// histories the times decide. not_found: there is none; invalid_argument: no such form.
Result<Wanted> choose(Destination& destination, const std::string& at);

/// What a copy says of its lake's root key (archive.h opens it).
struct KeyParts {
    std::string key_check;
    std::string sealed_key;  // empty: the copy is without the key
};
Result<KeyParts> key_parts(Destination& source, const Wanted& wanted);

struct Restored {
    Timestamp time;
    uint64_t sequence = 0;
    uint64_t files = 0;
    uint64_t bytes = 0;
    std::vector<std::string> damage;
};

/// Writes the state into `folder`, which must be absent or empty, and makes it durable. Every byte
/// is checked against the name of its piece. corrupted: names the piece that is damaged or missing;
/// what was written stays and is no lake.
Result<Restored> restore(Destination& destination, io::Disk& disk, const Wanted& wanted,
                         const std::string& folder, Progress& progress);

}  // namespace tarn::archive

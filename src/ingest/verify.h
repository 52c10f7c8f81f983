// Does the lake hold what the database holds? Followed PostgreSQL tables are compared, row by row,
// with the live source while changes flow, on request and on schedule; keys that differ are named
// and, when asked, mended. Wiring owns one Verifications beside Sources.
//
//   verifications.configure(specs);                     // whenever Sources is
//   verifications.request("erp", {.tables = {"sales"}}); // in the background
//   auto verdict = verifications.verdict("erp");        // the run that goes on, or the last one
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/sources.h"

namespace tarn::ingest {

struct VerifyRequest {
    std::vector<std::string> tables;  // names in the lake; empty: all
    bool repair = false;
};

/// A key whose row is another here than there.
struct KeyDifference {
    enum class What : uint8_t { missing, extra, different };  // as seen from the lake
    What what = What::different;
    std::string key;  // "id=5", "store=2, day=2026-01-05"
    bool repaired = false;
};

struct TableVerdict {
    enum class State : uint8_t {
        waiting,  // its turn has not come
        running,
        equal,
        different,
        unknown,  // it can't be compared, or not now; `note` says why
    };
    std::string database, name;  // in the lake
    State state = State::waiting;
    uint64_t rows_source = 0, rows_lake = 0;  // as they were met, range by range
    uint64_t rows_estimated = 0;              // for progress; 0: unknown
    uint64_t differences = 0, repaired = 0;
    uint64_t unsettled = 0;  // keys that changed at every look: neither equal nor different
    std::vector<KeyDifference> keys;  // the first of the differences
    std::string note;
};

struct Verdict {
    bool running = false;
    Timestamp started, finished;  // finished 0: it runs
    bool scheduled = false, repair = false;
    std::vector<TableVerdict> tables;
    std::string error;  // not empty: it did not come to an end

    uint64_t differences() const;
    bool equal() const;  // every table is, and none is unknown
};
std::string_view to_string(TableVerdict::State state);
std::string_view to_string(KeyDifference::What what);

/// One thread for all sources, so that the lake and the databases bear one comparison at a time.
/// All calls are thread safe. Lane: any but a loop.
class Verifications {
 public:
    /// What is given outlives it.
    explicit Verifications(SourcesParts parts);
    ~Verifications();  // stop()
    Verifications(const Verifications&) = delete;
    Verifications& operator=(const Verifications&) = delete;

    /// As Sources::configure: what runs for a source that is gone or another is given up.
    void configure(const std::vector<SourceSpec>& specs);
    /// not_found: no such source; precondition_failed: not one that is followed by its changes;
    /// conflict: it is being compared already.
    Status request(const std::string& source, VerifyRequest what);
    /// nullopt: it was never compared. Survives a restart, but for a run that did not end.
    Result<std::optional<Verdict>> verdict(const std::string& source) const;
    /// At most two seconds. Idempotent.
    void stop();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::ingest

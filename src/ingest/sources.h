// The sources of a lake: what brings rows in from outside. Wiring owns one Sources; the lakefile
// says what runs.
//
//   sources.configure(specs);              // at start and after every apply
//   for (const auto& source : sources.status()) ...
//   auto preview = sources.try_source(spec, 100);   // `tarn try`: nothing is kept
//
// Every commit of a source holds the rows, the rejected rows and the position in one batch, so that
// whatever dies begins again exactly where the tables are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "ingest/spec.h"
#include "meta/store.h"
#include "query/chunk.h"
#include "security/caller.h"

namespace tarn::objects {
class ObjectStore;
}
namespace tarn::streams {
class Streams;
}
namespace tarn::tables {
class Catalog;
class Committer;
}  // namespace tarn::tables
namespace tarn::query {
class Engine;
}

namespace tarn::ingest {

class Runner;
class RouteTable;

/// Who waits until a followed source is read up to some place of its log says so here: a quiet
/// log's end is then written down at once instead of every few seconds. By identity. Thread safe.
class AwaitedPositions {
 public:
    void await(const std::string& identity);
    /// Whether somebody waits, since it was asked last.
    bool take(const std::string& identity);

 private:
    Mutex mutex_;
    std::set<std::string> awaited_ TARN_GUARDED_BY(mutex_);
};

/// Everything given outlives Sources. `caller` makes the server's own caller, one for each commit.
struct SourcesParts {
    meta::Store& store;
    objects::ObjectStore& objects;
    streams::Streams& streams;
    tables::Catalog& catalog;
    tables::Committer& committer;
    query::Engine& engine;
    const Clock& clock;
    Metrics& metrics;
    std::function<security::Caller()> caller;
    RouteTable* routes = nullptr;  // told which stream takes which topic; null: nobody asks
    /// For what can be made again: key indexes, transactions that are not whole yet. Made when
    /// absent; empty: no source can be followed by its changes.
    std::string scratch_folder = {};
    /// Tells this lake from others that follow the same database; part of the names of what is
    /// made there.
    std::string lake_id = {};
    /// Of all that this was copied to.
    std::shared_ptr<AwaitedPositions> awaited = std::make_shared<AwaitedPositions>();
};

struct TableStatus {
    std::string database, name;   // in the lake
    uint64_t rows = 0;            // taken in: of the load that runs, later since the server's start
    uint64_t rows_estimated = 0;  // of the load that runs; 0: unknown
    uint64_t bytes = 0;           // as they came from the source
    uint64_t rows_rejected = 0;   // set aside in <table>_rejected, since the server's start
    uint64_t backlog = 0;         // records that wait in a stream
    std::string position;         // how far the table is, in the source's words
    Timestamp newest;             // event time of the newest reading; 0: none, or no such column
    Timestamp last_commit;        // 0: none since the server's start
    std::string last_error;       // empty after the next success
    std::string note;    // what its rows can't show: "rows are only added: it has no primary key"
    std::string paused;  // not empty: it stands still while the others go on; why and what to do
};

/// Of a database that is followed change by change.
struct CaptureStatus {
    std::string position;    // the end of the last transaction that is in the lake: "16/B374D848"
    uint64_t lag_bytes = 0;  // of log that is not in the lake yet
    double lag_seconds = 0;  // age of the oldest transaction that is not; 0: all is here
    uint64_t retained_bytes = 0;             // of log that the source keeps for us
    uint64_t transactions = 0, changes = 0;  // since the server's start
    double changes_per_second = 0;           // of the last ten seconds
    int protocol_version = 0;
};

struct SourceStatus {
    enum class State : uint8_t {
        loading,    // the first rows are on their way
        following,  // looks for what is new
        waiting,    // for its next turn, for files, or to try again after `last_error`
        complete,   // was to be read once, and is
        failed,     // needs a person: see last_error
    };
    std::string name;
    std::string kind;  // "postgres", "mqtt", "folder"
    State state = State::waiting;
    std::string last_error;
    std::vector<TableStatus> tables;
    std::optional<CaptureStatus> capture;
};
std::string_view to_string(SourceStatus::State state);

/// A row that does not fit, and why. `place` is a file or a topic, `line` counts from 1 (0: no
/// lines there).
struct RejectedRow {
    std::string place;
    uint64_t line = 0;
    std::string text;
    std::string reason;
};

struct PreviewTable {
    std::string database, name;
    std::vector<ColumnSpec> columns;  // with the types that would be made
    std::vector<std::string> key;     // empty: none
    query::Chunk rows;                // column by column as above
    std::vector<RejectedRow> rejected;
};
struct Preview {
    std::vector<PreviewTable> tables;
    std::vector<std::string>
        notes;  // "delimiter ';' (guessed)", "table sales: about 1,200,000 rows"
};

/// Owner: wiring. All calls are thread safe. Lane: any but a loop.
class Sources {
 public:
    explicit Sources(SourcesParts parts);
    ~Sources();  // stop()
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;

    /// Runs exactly these from now on: starts new ones, ends those that are gone, replaces those
    /// whose spec is another; the rest goes on undisturbed. Tables and positions of what ended
    /// stay. Trouble of a source (wrong password, no such folder) is in its status, not here.
    /// invalid_argument: two sources of one name or identity; nothing changed then.
    Status configure(std::vector<SourceSpec> specs);
    /// Ends the source's work until the next configure(); what it made elsewhere (a slot, a topic's
    /// way into its stream) stays. So that its tables can be moved.
    void rest(const std::string& name);
    std::vector<SourceStatus> status() const;  // by name
    /// Sets the gauges that say how each source is now: before the metrics are shown.
    void update_metrics() const;
    /// Reads at most `rows_max` rows a table and keeps nothing. Errors name the remedy.
    Result<Preview> try_source(const SourceSpec& spec, size_t rows_max);
    /// Ends all; at most two seconds. Idempotent.
    void stop();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What keeps a source as declared from ever running (invalid_argument; permission_denied: a folder
/// that no source may read), for `plan`. Looks at where a folder lies, at nothing else.
Status check(const SourceSpec& spec);
/// What a source as declared can not do, one sentence each, for `plan`: "cannot see deleted rows".
/// No I/O.
std::vector<std::string> warnings(const SourceSpec& spec);

}  // namespace tarn::ingest

// Statements that run on while their caller asks how far they are, and whose rows are kept for a while, so that a page
// can look at any part of a large result, and take all of it away. Rows lie in scratch files that no restart survives.
//
//   auto id    = queries->start(caller, {"select * from levels"});
//   auto state = queries->state(caller.principal, *id, 500ms);      // waits for the end, at most so long
//   auto page  = queries->rows(caller.principal, *id, 1'000, 200);
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/lane.h"
#include "base/mutex.h"
#include "io/disk.h"
#include "query/engine.h"

namespace tarn::query {

struct QueriesOptions {
    std::string directory;  // of ours alone: emptied at open
    size_t running_max = 6;
    size_t running_of_one_max = 4;  // of one principal, with those that wait
    size_t kept_of_one_max = 24;    // beyond it the oldest that has ended goes
    size_t kept_max = 400;
    uint64_t rows_max = 10'000'000;        // of one result; the rest is cut, and said to be
    uint64_t result_bytes_max = 1ull << 30;  // the same, on disk
    uint64_t bytes_of_one_max = 2ull << 30;
    uint64_t bytes_max = 8ull << 30;
    uint64_t free_bytes_min = 1ull << 30;  // of the disk, which the lake needs
    size_t waits_max = 8;         // state() that waits at once: each holds a thread of its lane
    size_t waits_of_one_max = 4;  // beyond them it waits a moment only
    std::chrono::seconds kept_for{15 * 60};       // since somebody asked for it last
    std::chrono::seconds unasked_max{5 * 60};     // a running one that nobody asks for is ended
    std::chrono::milliseconds run_max{10 * 60'000};
};

struct QueryRequest {
    std::string sql;  // several statements run in turn, in one session; the rows kept are those of the last that has any
    std::string database = "main";
    std::vector<std::optional<std::string>> parameters;  // texts of $1, $2 ...; of a single statement
    std::chrono::milliseconds timeout{0};                // 0: run_max
    /// When a statement has begun, before its rows are kept; an error ends it. Lane: of the statements.
    std::function<Status(const Session& session)> began;
    std::string owner;  // who may ask for it, in place of the caller's arn: what a principal is found by afterwards
};

enum class QueryPhase : uint8_t { waiting, running, done, failed, cancelled };

struct QueryState {
    std::string id;
    QueryPhase phase = QueryPhase::waiting;
    std::string sql;  // its first 4 KiB
    Timestamp started;
    double milliseconds = 0;
    size_t statement = 0, statements = 0;  // which one runs or ran last, from 1, and of how many
    std::optional<double> progress;        // of it while it runs, 0 to 1, where that can be told
    std::vector<ResultColumn> columns;  // known once the rows begin
    bool has_rows = false;              // the statement returns rows
    uint64_t rows = 0;                  // that can be asked for already
    uint64_t bytes = 0;                 // of the rows, on disk
    bool truncated = false;             // there are more rows than are kept
    std::string tag;                    // "SELECT 5"
    std::optional<Error> error;
    uint32_t error_position = 0;  // 1-based character in `sql`; 0: unknown
    std::vector<std::string> notices;
};

/// Owner: wiring; stop() before the engine goes. Lane: any but a loop; any thread. Everything is asked for as the
/// principal that started it: for anybody else it is not_found.
class Queries {
 public:
    static Result<std::unique_ptr<Queries>> open(QueriesOptions options, Engine& engine, io::Disk& disk,
                                                 const Clock& clock);
    ~Queries();
    Queries(const Queries&) = delete;
    Queries& operator=(const Queries&) = delete;

    /// exhausted: the caller has too many running, or all places are taken.
    Result<std::string> start(const security::Caller& caller, QueryRequest request);
    Result<QueryState> state(const security::Principal& who, const std::string& id,
                             std::chrono::milliseconds wait = {});
    /// Newest first.
    std::vector<QueryState> list(const security::Principal& who);
    /// At most `limit` rows from `offset` of those that are there already; fewer, but one, where they are wide (16 MiB).
    Result<Chunk> rows(const security::Principal& who, const std::string& id, uint64_t offset, size_t limit);
    /// All rows in order, once it has ended. precondition_failed: it still runs, or it failed.
    using Take = std::function<Status(const Chunk& rows)>;
    Status each(const security::Principal& who, const std::string& id, const Take& take);
    /// Ends it when it runs; forgets it when it has ended.
    Status remove(const security::Principal& who, const std::string& id);
    /// Ends what runs. Idempotent.
    void stop();

 private:
    struct Entry;
    using EntryPtr = std::shared_ptr<Entry>;

    Queries(QueriesOptions options, Engine& engine, io::Disk& disk, const Clock& clock);
    Result<EntryPtr> find(const security::Principal& who, const std::string& id);
    Status make_room(const std::string& owner) TARN_REQUIRES(mutex_);
    void run(Entry& entry, const security::Caller& caller, const QueryRequest& request);
    Status run_all(Entry& entry, Session& session, const QueryRequest& request);
    Status run_one(Entry& entry, Session& session, std::string_view sql, const QueryRequest& request);
    Status keep(Entry& entry, Cursor& cursor);
    Status check_room(const Entry& entry, uint64_t more);
    void wait_for_end(Entry& entry, std::chrono::milliseconds wait);
    void sweep();
    void watch();

    const QueriesOptions options_;
    Engine& engine_;
    io::Disk& disk_;
    const Clock& clock_;
    Mutex mutex_;
    Condition changed_;
    std::map<std::string, EntryPtr> entries_ TARN_GUARDED_BY(mutex_);  // ids rise with time
    uint64_t next_ TARN_GUARDED_BY(mutex_) = 0;
    std::map<std::string, size_t> waits_ TARN_GUARDED_BY(mutex_);  // by owner
    size_t waits_all_ TARN_GUARDED_BY(mutex_) = 0;
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    Lane lane_;
    std::thread watcher_;
};

}  // namespace tarn::query

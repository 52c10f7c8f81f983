// The full load of a database's tables: all from one snapshot of the database, in parallel pieces,
// committed together. What dies on the way leaves nothing that anybody sees.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/internal/postgres_position.h"
#include "ingest/internal/postgres_tables.h"
#include "ingest/internal/runner.h"
#include "query/engine.h"

namespace tarn::ingest {

/// A table to load: what it is outside, what it becomes here, and where it stands afterwards.
struct TableLoad {
    PostgresTable source;
    Target target;
    PostgresPosition position;
    /// The rows take the place of all that the table has, in one commit.
    bool replace = false;
};

/// Bounded in memory whatever the size of the tables: about 100 MB a connection, of which at most
/// four are used.
class PostgresLoad {
 public:
    struct Parts {
        const std::string& url;
        const std::string& source;    // its name, and the database's
        const std::string& identity;  // of its state
        int connections_max;          // the holder included
        const SourcesParts& lake;
        StopFlag& stop;
        StatusBox& status;
        /// What is committed together with the rows, in place of the tables' positions; `tables`
        /// as they are at the commit, null where one was left out. Asked again for each attempt.
        std::function<Status(const std::vector<tables::TablePtr>& tables, meta::Batch& batch)>
            positions = {};
        uint64_t bytes_per_second_max = 0;  // 0: as fast as they come
        /// A table whose rows do not fit is left out, and the others are loaded: see left_out().
        bool leaves_out = false;
    };
    explicit PostgresLoad(Parts parts);
    ~PostgresLoad();

    /// Precondition: `holder` is in a REPEATABLE READ transaction, the one that the tables were
    /// found in. Returns when the rows are committed, with their positions; on an error files that
    /// were written are gone again.
    Status run(PostgresConnection& holder, std::vector<TableLoad> tables);
    /// By place in `tables`, after run(): why it was left out.
    std::map<size_t, Error> left_out() const;

 private:
    struct Piece {
        size_t table;
        std::string select;
        uint32_t oid;  // of what is read
    };
    class Writer;

    void plan_pieces(int workers);
    bool take_piece(Piece& piece);
    Status work(PostgresConnection& connection);
    Status read_piece(PostgresConnection& connection, const Piece& piece, Writer& writer);
    Status check_not_rewritten(PostgresConnection& connection, const Piece& piece) const;
    bool leave_out(size_t table, const Error& error);
    bool is_left_out(size_t table) const;
    void forget_left_out();
    void remove_files(const std::vector<std::string>& paths);
    Status work_apart(const std::string& snapshot);
    Status keep_pace(size_t bytes);
    void note(Status status);
    Status commit();
    Status commit_once();
    Result<tables::TableChange> change_of(const TableLoad& table) const;
    void forget_files();

    const Parts parts_;
    StopFlag halt_;  // the first error ends all workers
    std::vector<TableLoad> tables_;
    std::chrono::steady_clock::time_point begun_;
    std::atomic<uint64_t> taken_bytes_{0};
    mutable Mutex mutex_;
    std::vector<Piece> pieces_ TARN_GUARDED_BY(mutex_);  // the next is the last
    std::map<size_t, std::vector<tables::DataFile>> files_ TARN_GUARDED_BY(mutex_);
    Status failed_ TARN_GUARDED_BY(mutex_);
    std::map<size_t, Error> left_out_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::ingest

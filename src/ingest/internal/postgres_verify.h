// One table of a followed database compared with the lake's. The source is read range by range of
// its key, each range in a statement of its own, and so is the lake, at whatever state it is in
// just then: what changed in between differs at first. A key that differs is looked at again, each
// time only once the lake has all that the source had at the look, until both are equal, or stand
// still and are not: only that is a difference.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/internal/capture_position.h"
#include "ingest/internal/postgres_tables.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/verify_rows.h"
#include "ingest/verify.h"
#include "query/engine.h"

namespace tarn::ingest {

struct VerifyParts {
    const std::string& source;    // its name, and the database's
    const std::string& identity;  // of its state
    const PostgresSource& from;
    const SourcesParts& lake;
    StopFlag& stop;
    /// Told how far it is; cheap.
    std::function<void(const TableVerdict&)> progress;
};

/// Lane: a thread of its own; one table at a time on a connection.
class TableVerifier {
 public:
    TableVerifier(VerifyParts parts, PostgresConnection& connection, PostgresTable table);
    ~TableVerifier();

    /// Differences are in the verdict; an error is that the comparison could not go on.
    Result<TableVerdict> run(bool repair);

 private:
    struct Look {
        std::string source, lake;  // digests; empty: no such row
        std::string version;       // of the row there; empty: it can't be told
        int looks = 0;
        int same = 0;  // looks in a row that found what the one before did
    };
    struct SourceRow {
        std::string key, digest, version;
    };
    using Looks = std::map<std::string, Look>;  // by key

    Status prepare();
    Status compare_ranges();
    Status compare_whole();
    Result<bool> compare_range(std::string& from);
    Status settle();
    Status look_again(Looks& looks);
    void confirm(const std::string& key, const Look& look);
    Status repair_all();
    Result<bool> repair_once(std::vector<size_t>& left);
    Result<std::vector<tables::TableChange>> repair_changes(const query::Chunk& rows,
                                                            const std::vector<std::string>& keys,
                                                            Lsn position);
    Result<tables::TableChange> repair_change(const query::Chunk& rows,
                                              const std::vector<std::string>& keys);
    Result<std::optional<tables::TableChange>> repair_history(const query::Chunk& before,
                                                              const query::Chunk& after,
                                                              const std::vector<std::string>& keys,
                                                              Lsn position);

    std::string source_key(size_t place) const;
    std::string source_rows(const std::string& where, bool with_version) const;
    std::string source_where(const std::vector<std::string>& keys) const;
    std::string source_after(std::string_view key) const;
    Status read_source(const std::string& select, bool with_version, query::Chunk* keep,
                       const std::function<void(SourceRow row)>& take);
    struct Condition {
        std::string sql;  // with $1, $2 ...
        std::vector<query::Value> values;
    };
    Condition lake_where(const std::vector<std::string>& keys) const;
    Condition lake_range(std::string_view after, std::string_view to) const;
    Status read_lake(const Condition& where, query::Chunk* keep,
                     const std::function<void(std::string key, std::string digest)>& take);
    Result<RowDigests> lake_rows(const std::vector<std::string>& keys);
    Result<Lsn> source_position();
    Status wait_for_lake(Lsn lsn);
    Status pause_for(std::chrono::steady_clock::duration busy);

    const VerifyParts parts_;
    PostgresConnection& connection_;
    PostgresTable table_;
    tables::TablePtr lake_;
    std::vector<std::string> outside_;  // names of the compared columns there
    VerifiedColumns what_;
    std::unique_ptr<query::Session> session_;
    TableVerdict verdict_;
    Looks suspects_;
    std::vector<std::pair<std::string, Look>> confirmed_;  // in the order of verdict_.keys
    bool versions_ = false;  // rows there have one that tells when they change
    size_t range_rows_ = 20'000;
};

}  // namespace tarn::ingest

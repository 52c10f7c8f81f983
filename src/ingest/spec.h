// What a lakefile says of a source, in plain values: secrets are resolved, names are lower case,
// units are SI. The rows of a source with one table (sensors, files) land in `database`.`name`;
// those of a database in <source>.<table>.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "query/types.h"

namespace tarn::ingest {

struct ColumnSpec {
    std::string name;
    query::Type type;

    bool operator==(const ColumnSpec&) const = default;
};

/// A database read in full once, and then followed: change by change from its log, or by a growing
/// column.
struct PostgresSource {
    enum class Follow : uint8_t { once, incremental, changes };
    /// What happens when the log that the source keeps for us is above retained_wal_max.
    enum class AboveRetainedWal : uint8_t {
        alert,   // status, log and metric say so
        reload,  // the slot is dropped, so that the source's disk is safe, and the tables are
                 // loaded again
    };
    enum class Landing : uint8_t { none, parquet, csv };

    std::string url;  // postgresql://user:password@host:port/database?...
    std::vector<std::string>
        tables;  // "sales" (of schema public) or "shop.sales"; empty: all that the user may read
    Follow follow = Follow::once;
    std::chrono::seconds every{900};  // incremental: how often
    std::string by;           // incremental: a column that only grows; empty: the primary key
    int connections_max = 2;  // all that we open at once, the snapshot's holder included
    uint64_t bytes_per_second_max = 0;  // of the full load; 0: as fast as it comes

    // Of changes only:
    std::chrono::milliseconds commit{1000};  // how often changes become visible
    bool history = false;                    // <table>_history: each change with before and after
    uint64_t retained_wal_max = 0;           // bytes; 0: no limit
    AboveRetainedWal above_retained_wal = AboveRetainedWal::alert;
    std::chrono::seconds verify_every{
        0};                           // compare with the live source so often; 0: on request only
    bool verify_repairs = false;      // a scheduled comparison mends what differs
    Landing landing = Landing::none;  // changes as files too, in the bucket `landing`

    bool operator==(const PostgresSource&) const = default;
};

/// Readings published by MQTT, one JSON object each. `{name}` levels of the topic become columns.
struct MqttSource {
    std::string topic;  // "stores/{store_id}/shelves/{shelf_id}"
    std::vector<ColumnSpec>
        columns;  // captures may be listed to give them a type; otherwise they are text
    std::vector<std::string>
        key;  // a reading sent again is the same row; empty: one row per record
    std::chrono::milliseconds commit{1000};
    std::string
        event_time;  // column that says when it happened; empty: the only timestamptz, or none
    std::optional<std::chrono::seconds>
        late;  // older than this against the newest: set aside with the reason

    bool operator==(const MqttSource&) const = default;
};

/// What a CSV file looks like. Unset members are guessed from the first file and pinned.
struct CsvDialect {
    std::optional<char> delimiter, quote, decimal;
    std::optional<bool> header;
    std::optional<std::string> encoding;                       // "utf8", "latin1", "utf16"
    std::optional<std::string> date_format, timestamp_format;  // strptime's

    bool operator==(const CsvDialect&) const = default;
};

/// Files that partners drop into a folder of the server.
struct FolderSource {
    enum class Format : uint8_t { by_name, csv, json_lines };
    enum class NewColumns : uint8_t { add, refuse };
    enum class BadRows : uint8_t { set_aside, refuse_file };

    std::string path;  // absolute: a folder and a pattern for names, "/srv/drop/weather/*.csv"
    Format format = Format::by_name;
    CsvDialect csv;
    std::vector<ColumnSpec> columns;  // types that are given, not guessed
    std::vector<std::string> key;     // later rows replace earlier ones; empty: all rows stay
    NewColumns new_columns = NewColumns::add;
    BadRows bad_rows = BadRows::set_aside;
    std::chrono::milliseconds settle{
        2000};  // a file is complete when size and time stand still so long

    bool operator==(const FolderSource&) const = default;
};

struct SourceSpec {
    std::string name;
    std::string database = "main";  // of the table of a sensor or folder source
    std::variant<PostgresSource, MqttSource, FolderSource> from;
    /// What positions, the stream, the slot and scratch files hang on. It stays when the source is
    /// renamed. Empty: `name`.
    std::string id = {};

    const std::string& identity() const { return id.empty() ? name : id; }
    bool operator==(const SourceSpec&) const = default;
};

}  // namespace tarn::ingest

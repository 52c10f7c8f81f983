// What a lakefile says of a source, in plain values: secrets are resolved, names are lower case, units are SI. The rows
// of a source with one table (sensors, files) land in `database`.`name`; those of a database in <source>.<table>.
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

/// A database read in full once, and then by a growing column. Change capture is another way to follow, with a
/// place of its own here.
struct PostgresSource {
    enum class Follow : uint8_t { once, incremental };

    std::string url;                  // postgresql://user:password@host:port/database?...
    std::vector<std::string> tables;  // "sales" (of schema public) or "shop.sales"; empty: all that the user may read
    Follow follow = Follow::once;
    std::chrono::seconds every{900};  // incremental: how often
    std::string by;                   // incremental: a column that only grows; empty: the primary key
    int connections_max = 2;          // all that we open at once, the snapshot's holder included

    bool operator==(const PostgresSource&) const = default;
};

/// Readings published by MQTT, one JSON object each. `{name}` levels of the topic become columns.
struct MqttSource {
    std::string topic;                // "stores/{store_id}/shelves/{shelf_id}"
    std::vector<ColumnSpec> columns;  // captures may be listed to give them a type; otherwise they are text
    std::vector<std::string> key;     // a reading sent again is the same row; empty: one row per record
    std::chrono::milliseconds commit{1000};
    std::string event_time;                     // column that says when it happened; empty: the only timestamptz, or none
    std::optional<std::chrono::seconds> late;   // older than this against the newest: set aside with the reason

    bool operator==(const MqttSource&) const = default;
};

/// What a CSV file looks like. Unset members are guessed from the first file and pinned.
struct CsvDialect {
    std::optional<char> delimiter, quote, decimal;
    std::optional<bool> header;
    std::optional<std::string> encoding;  // "utf8", "latin1", "utf16"
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
    std::chrono::milliseconds settle{2000};  // a file is complete when size and time stand still so long

    bool operator==(const FolderSource&) const = default;
};

struct SourceSpec {
    std::string name;
    std::string database = "main";  // of the table of a sensor or folder source
    std::variant<PostgresSource, MqttSource, FolderSource> from;

    bool operator==(const SourceSpec&) const = default;
};

}  // namespace tarn::ingest

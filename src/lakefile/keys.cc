#include "lakefile/keys.h"

#include <algorithm>

#include "lakefile/internal/keys_parts.h"

namespace tarn::lakefile {
namespace {

const ObjectInfo& follow_object() {
    static const ObjectInfo object = {
        "follow",
        "reads again what has grown, at a pace",
        "follow",
        {{.name = "every",
          .help = "how often",
          .example = "15m",
          .form = Form::duration,
          .required = true},
         {.name = "by",
          .help = "a column that only grows; without it the primary key. Changed rows are seen "
                  "when this "
                  "column changes with them; deleted rows are not seen",
          .example = "updated_at",
          .form = Form::name}}};
    return object;
}

const ObjectInfo& retained_wal_object() {
    static const ObjectInfo object = {
        "retained_wal",
        "how much log the source may keep for us, and what happens above it",
        "retained_wal",
        {{.name = "limit",
          .help = "how much",
          .example = "5GB",
          .form = Form::bytes,
          .required = true},
         {.name = "above",
          .help = "alert: status, log and metrics say so. reload: the source may throw the log "
                  "away, and its tables are loaded again behind the old rows",
          .example = "reload",
          .form = Form::choice,
          .choices = {"alert", "reload"},
          .otherwise = "alert"}}};
    return object;
}

const ObjectInfo& limits_object() {
    static const ObjectInfo object = {
        "limits",
        "what the source may be asked to bear",
        "limits",
        {{.name = "connections",
          .help = "connections that are open at once",
          .example = "2",
          .form = Form::whole,
          .otherwise = "2"},
         {.name = "rate",
          .help = "bytes a second that a full load may read; without it as fast as they come",
          .example = "20MB",
          .form = Form::bytes},
         {.name = "retained_wal",
          .help = "follow: changes: log that the source may have to keep for us while the lake is "
                  "behind or down; without it no limit",
          .example = "5GB",
          .form = Form::bytes,
          .object = &retained_wal_object()}}};
    return object;
}

/// What any table may promise.
KeyInfo measures_key() {
    return {.name = "measures",
            .help = "name: SQL aggregate; charts and questions use the name",
            .example = "{revenue: sum(price * units)}",
            .many = Many::map,
            .name_form = Form::name};
}
KeyInfo fresh_key() {
    return {.name = "fresh",
            .help = "how long ago its newest change may be: longer, and Home and its page say late",
            .example = "15m",
            .form = Form::duration};
}

const ObjectInfo& verify_object() {
    static const ObjectInfo object = {
        "verify",
        "compares the tables with the database, row by row, at a pace",
        "verify",
        {{.name = "every",
          .help = "how often",
          .example = "1d",
          .form = Form::duration,
          .required = true},
         {.name = "repair",
          .help = "put rows that differ right, from the source",
          .example = "true",
          .form = Form::truth,
          .otherwise = "false"}}};
    return object;
}

const ObjectInfo& postgres_source() {
    static const ObjectInfo object = {
        "source from PostgreSQL",
        "A database. `sources.erp` gives the tables `erp.sales`, `erp.stores` ...",
        "postgres-source",
        {{.name = "postgres",
          .help = "address with user and password; a read replica is enough",
          .example = "${secret:erp_url}",
          .form = Form::secret,
          .required = true},
         {.name = "tables",
          .help = "which tables; without it all that the user may read",
          .example = "[stores, sales]",
          .many = Many::list,
          .form = Form::table},
         {.name = "follow",
          .help = "changes: each change, from the database's log, deletions too (it needs "
                  "wal_level = logical there). once: read in full, and no more",
          .example = "changes",
          .form = Form::choice,
          .choices = {"changes", "once"},
          .object = &follow_object(),
          .otherwise = "changes"},
         {.name = "commit",
          .help = "follow: changes: how often changes become visible",
          .example = "1s",
          .form = Form::duration,
          .otherwise = "1s"},
         {.name = "history",
          .help = "follow: changes: keep each change, with the row before and after it, in "
                  "<table>_history",
          .example = "true",
          .form = Form::truth,
          .otherwise = "false"},
         {.name = "landing",
          .help = "follow: changes: the load and each change as files too, in dated folders of the "
                  "bucket `landing`, as AWS DMS lays them out; keeps the history",
          .example = "parquet",
          .form = Form::choice,
          .choices = {"parquet", "csv"}},
         {.name = "verify",
          .help = "with follow: changes: how often all tables are compared with the database; "
                  "without it only when asked (`tarn verify source`)",
          .example = "1d",
          .form = Form::duration,
          .object = &verify_object()},
         {.name = "limits",
          .help = "what the source may be asked to bear",
          .example = "{connections: 2}",
          .form = Form::none,
          .object = &limits_object()},
         {.name = "measures",
          .help = "table.name: SQL aggregate; charts and questions of the table use the name",
          .example = "{sales.revenue: sum(price * units)}",
          .many = Many::map,
          .name_form = Form::table},
         {.name = "fresh",
          .help = "table: how long ago its newest change may be; longer, and Home and its page say late",
          .example = "{sales: 15m}",
          .many = Many::map,
          .form = Form::duration,
          .name_form = Form::name},
         was_key(Form::name)}};
    return object;
}

const ObjectInfo& mqtt_source() {
    static const ObjectInfo object = {
        "source from MQTT",
        "Readings that devices publish to this lake's MQTT door, one JSON object each.",
        "mqtt-source",
        {{.name = "mqtt",
          .help = "topic; `{name}` levels become columns",
          .example = "stores/{store_id}/shelves/{shelf_id}",
          .required = true},
         {.name = "columns",
          .help =
              "members of the readings and their types; a level of the topic may be given a type",
          .example = "{seq: bigint, read_at: timestamptz, grams: double}",
          .many = Many::map,
          .form = Form::type,
          .required = true},
         {.name = "key",
          .help = "a reading sent again is the same row; without it every record is a row",
          .example = "[shelf_id, seq]",
          .many = Many::list,
          .form = Form::name},
         {.name = "commit",
          .help = "how often rows become visible",
          .example = "1s",
          .form = Form::duration,
          .otherwise = "1s"},
         {.name = "event_time",
          .help = "column that says when it happened; without it the only timestamptz",
          .example = "read_at",
          .form = Form::name},
         {.name = "late",
          .help = "older than this against the newest: set aside with the reason; without it all "
                  "are taken",
          .example = "7d",
          .form = Form::duration},
         {.name = "database",
          .help = "database of the table",
          .example = "main",
          .form = Form::name,
          .otherwise = "main"},
         measures_key(),
         fresh_key(),
         was_key(Form::name)}};
    return object;
}

const ObjectInfo& csv_object() {
    static const ObjectInfo object = {
        "csv",
        "What the files look like. What is not said is guessed from the first file and pinned.",
        "csv",
        {{.name = "delimiter",
          .help = "between fields",
          .example = "\";\"",
          .form = Form::character},
         {.name = "quote", .help = "around fields", .example = "'\"'", .form = Form::character},
         {.name = "decimal", .help = "decimal sign", .example = "\",\"", .form = Form::character},
         {.name = "header",
          .help = "whether the first line names the columns",
          .example = "true",
          .form = Form::truth},
         {.name = "encoding",
          .help = "of the text",
          .example = "latin1",
          .form = Form::choice,
          .choices = {"utf8", "latin1", "utf16"}},
         {.name = "date_format", .help = "of dates, as strptime has it", .example = "\"%d.%m.%Y\""},
         {.name = "timestamp_format",
          .help = "of timestamps, as strptime has it",
          .example = "\"%d.%m.%Y %H:%M\""}}};
    return object;
}

const ObjectInfo& folder_source() {
    static const ObjectInfo object = {
        "source from a folder",
        "Files that are dropped into a folder of the server: CSV (also .gz) or JSON lines.",
        "folder-source",
        {{.name = "folder",
          .help = "folder and pattern of names; relative to the lakefile",
          .example = "drop/weather/*.csv",
          .required = true},
         {.name = "format",
          .help = "of the files; without it by their names",
          .example = "csv",
          .form = Form::choice,
          .choices = {"csv", "json_lines"}},
         {.name = "csv",
          .help = "what the files look like",
          .example = "{delimiter: \";\", encoding: latin1}",
          .form = Form::none,
          .object = &csv_object()},
         {.name = "columns",
          .help = "types that are given, not guessed",
          .example = "{day: date}",
          .many = Many::map,
          .form = Form::type},
         {.name = "key",
          .help = "later rows replace earlier ones; without it all rows stay",
          .example = "[day, region]",
          .many = Many::list,
          .form = Form::name},
         {.name = "new_columns",
          .help = "what a column is that the table does not have",
          .example = "refuse",
          .form = Form::choice,
          .choices = {"add", "refuse"},
          .otherwise = "add"},
         {.name = "bad_rows",
          .help = "set_aside: into the table NAME_rejected with line, text and reason",
          .example = "refuse_file",
          .form = Form::choice,
          .choices = {"set_aside", "refuse_file"},
          .otherwise = "set_aside"},
         {.name = "settle",
          .help = "a file is complete when its size and time stand still for so long",
          .example = "2s",
          .form = Form::duration,
          .otherwise = "2s"},
         {.name = "database",
          .help = "database of the table",
          .example = "main",
          .form = Form::name,
          .otherwise = "main"},
         measures_key(),
         fresh_key(),
         was_key(Form::name)}};
    return object;
}

const ObjectInfo& refresh_object() {
    static const ObjectInfo object = {
        "refresh",
        "runs at a pace or at times of the lake's time zone",
        "refresh",
        {{.name = "every",
          .help = "a pace, a time of day, or a weekday and time",
          .example = "day 02:00",
          .form = Form::schedule,
          .required = true},
         {.name = "window",
          .help = "computes only the newest so much again and keeps the rest",
          .example = "7d",
          .form = Form::duration}}};
    return object;
}

}  // namespace

KeyInfo was_key(Form form) {
    return {.name = "was",
            .help = "its name before: a rename keeps the data; may be taken out after one apply",
            .example = "old_name",
            .form = form};
}

namespace {

KeyInfo refresh_key() {
    return {.name = "refresh",
            .help = "when it is computed",
            .example = "{every: day 02:00, window: 7d}",
            .form = Form::choice,
            .choices = {"on_change", "manual"},
            .object = &refresh_object(),
            .otherwise = "on_change"};
}

const ObjectInfo& table_object() {
    static const ObjectInfo object = {
        "table",
        "A table that SQL makes. What it depends on is read from its FROM.",
        "table",
        {{.name = "sql",
          .help = "one SELECT, or the name of a .sql file beside the lakefile",
          .example = "sql/daily_sales.sql",
          .form = Form::sql,
          .required = true},
         {.name = "key",
          .help = "columns that tell rows apart: a change replaces rows, not the table",
          .example = "[day, store_id]",
          .many = Many::list,
          .form = Form::name},
         refresh_key(),
         {.name = "partition",
          .help =
              "how files are laid out: column, year(), month(), day(), hour(), bucket(n, column)",
          .example = "month(day)"},
         {.name = "checks",
          .help = "condition: consequence. stop: dependents do not run; set_aside: rows go to "
                  "NAME_rejected with the reason; warn",
          .example = "{units between 0 and 500: set_aside}",
          .many = Many::map,
          .form = Form::choice,
          .choices = {"stop", "set_aside", "warn"},
          .name_form = Form::text},
         measures_key(),
         fresh_key(),
         {.name = "description", .help = "for people", .example = "units on each shelf"},
         was_key(Form::table)}};
    return object;
}

}  // namespace

const KeyInfo* ObjectInfo::find(std::string_view key) const {
    for (const auto& one : keys)
        if (key == one.name) return &one;
    return nullptr;
}

const ObjectInfo& top_level() {
    static const ObjectInfo object = {
        "lakefile",
        "The file itself.",
        "file",
        {{.name = "lake",
          .help = "the lake's name",
          .example = "beverages",
          .form = Form::name,
          .required = true},
         {.name = "timezone",
          .help = "of schedules and calendars; everything is stored in UTC",
          .example = "America/Bogota",
          .otherwise = "UTC"}}};
    return object;
}

const std::vector<SectionInfo>& sections() {
    static const std::vector<SectionInfo> all = {
        {"sources",
         "source",
         "What brings rows in.",
         Form::name,
         {{"postgres", &postgres_source()},
          {"mqtt", &mqtt_source()},
          {"folder", &folder_source()}}},
        {"tables", "table", "What SQL makes of them.", Form::table, {{"", &table_object()}}},
        {"models",
         "model",
         "What is learnt from them.",
         Form::table,
         {{"forecast", &forecast_model()}, {"stock_out", &stock_out_model()}}},
        {"alerts", "alert", "Who is told of what.", Form::name, {{"", &alert_object()}}},
        {"dashboards",
         "dashboard",
         "What people look at.",
         Form::name,
         {{"", &dashboard_object()}}},
        {"roles", "role", "Who sees what.", Form::name, {{"", &role_object()}}},
    };
    return all;
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
    std::string best;
    size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
    for (const auto& name : names) {
        // Levenshtein's distance with swaps of neighbours, one row kept of each of the last two.
        std::vector<size_t> before(name.size() + 1), row(name.size() + 1), next(name.size() + 1);
        for (size_t j = 0; j <= name.size(); ++j) row[j] = j;
        for (size_t i = 1; i <= word.size(); ++i) {
            next[0] = i;
            for (size_t j = 1; j <= name.size(); ++j) {
                next[j] = std::min({row[j] + 1, next[j - 1] + 1,
                                    row[j - 1] + (word[i - 1] != name[j - 1] ? 1 : 0)});
                if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                    next[j] = std::min(next[j], before[j - 2] + 1);
            }
            before = row;
            row = next;
        }
        if (row[name.size()] < best_distance) {
            best_distance = row[name.size()];
            best = name;
        }
    }
    return best;
}

}  // namespace tarn::lakefile

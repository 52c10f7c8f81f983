// The lakefile: what a lake is to be, as text (YAML). parse() turns it into the plain specs that
// the services are configured with, or says everything that is wrong with it, each with line and
// column. Pure: reads no file, no clock. Which keys there are is one table (keys.h);
// docs/lakefile.md and docs/lakefile.schema.json are made of it.
#pragma once

#include <cstdint>
#include <functional>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dashboards/spec.h"
#include "events/spec.h"
#include "flows/spec.h"
#include "govern/grants.h"
#include "ingest/spec.h"
#include "models/spec.h"

namespace tarn::lakefile {

enum class Kind : uint8_t { source, table, model, alert, dashboard, role };
/// The section of the file: "sources", "tables", "models", "alerts", "dashboards", "roles".
std::string_view section_of(Kind kind);

/// One thing that a lakefile declares. Identity is kind and name.
struct Item {
    Kind kind = Kind::table;
    std::string name;
    std::string was;  // its name before; empty: the same
    std::string
        definition;  // canonical JSON: files read in, paths absolute, secrets still as references
    int line = 0, column = 0;
    std::string sql_file;  // where its SQL begins, for messages; empty: in the lakefile itself
    int sql_line = 0;
    std::vector<flows::TableRef> outputs;  // tables that it fills; {"erp", "*"}: all of a database

    std::string id() const { return std::string(section_of(kind)) + "." + name; }
};

struct Role {
    std::string name;
    govern::RoleGrants grants;
    std::vector<std::string> silence;  // alerts that it may silence

    bool operator==(const Role&) const = default;
};

struct Lakefile {
    std::string name;
    std::string timezone = "UTC";  // of schedules and calendars
    std::vector<ingest::SourceSpec> sources;
    std::vector<flows::TableSpec> tables;
    std::vector<models::ForecastSpec> forecasts;
    std::vector<models::StockOutSpec> stock_outs;
    std::vector<events::AlertSpec> alerts;
    std::vector<dashboards::DashboardSpec> dashboards;
    dashboards::Measures measures;  // of tables
    /// How old the newest rows of a table may be ("main.levels", "erp.sales"): older, and it is late.
    std::map<std::string, std::chrono::seconds> fresh;
    std::vector<Role> roles;
    std::vector<Item> items;  // in the file's order
};

/// Something wrong. Lines and columns count from 1; 0: not at a place of the file.
struct Problem {
    std::string where;  // "tables.levels.refresh"
    int line = 0, column = 0;
    std::string message;
};

/// What is parsed: the text and the files that it names (name as written there -> contents).
struct Text {
    std::string text;
    std::string file_name = "lake.yaml";  // for messages
    std::string folder;                   // absolute; what relative paths of folder sources hang on
    std::map<std::string, std::string> files;
};

/// nullopt: there is no such secret. Null function: secrets stay as they are written (editors,
/// tests).
using SecretLookup = std::function<std::optional<std::string>(const std::string& name)>;

struct Parsed {
    Lakefile lakefile;  // as far as it could be read
    std::vector<Problem> problems;
    bool ok() const { return problems.empty(); }
};

/// At most 1 MiB of text, 4 MiB of files, 32 levels, 10,000 items. Lane: any.
Parsed parse(const Text& text, const SecretLookup& secrets);
/// The same from applied items (Item::definition), for the start. An item that does not parse any
/// more, or whose secret is gone, gives problems and is left out.
Parsed restore(const std::string& lake, const std::string& timezone, const std::vector<Item>& items,
               const SecretLookup& secrets);

/// The names of the .sql files that the text refers to, for clients that bundle them. Empty for
/// text that does not parse.
std::vector<std::string> files_named(const std::string& text);

/// "lake.yaml:12:5: tables.levels.refesh: no such key; did you mean refresh?", a line each.
std::string describe(const std::vector<Problem>& problems, const std::string& file_name);

}  // namespace tarn::lakefile

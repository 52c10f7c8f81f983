// DDL in DuckDB's words turned into the catalog's.
#pragma once

#include "query/internal/lake.h"

namespace tarn::query {

/// The tag of CREATE TABLE whose PRIMARY KEY says NOT ENFORCED.
inline constexpr const char* kNotEnforced = "not_enforced";
/// Names of its constraints and its foreign keys, with their number behind: what DuckDB's parser
/// does not keep.
inline constexpr const char* kRequired = "required";
inline constexpr const char* kKeyName = "key_name.";
inline constexpr const char* kCheckName = "check_name.";
inline constexpr const char* kCheck = "check.";
inline constexpr const char* kReference = "reference.";

/// CREATE TABLE: columns, NOT NULL, PRIMARY KEY (identifier fields), PARTITIONED BY; what else keys
/// and defaults are is table_rules.h. unimplemented (0A000): checks, foreign keys, generated
/// columns.
Result<tables::CreateTable> table_spec(const std::string& database, duck::CreateTableInfo& info);
/// ALTER TABLE ADD, DROP, RENAME COLUMN, ALTER COLUMN TYPE (widening), DROP NOT NULL.
Result<std::vector<tables::SchemaStep>> alter_steps(const tables::Schema& schema,
                                                    duck::AlterInfo& info);
/// RENAME TO; nullopt for every other kind.
std::optional<std::string> new_name(duck::AlterInfo& info);
/// AT (VERSION => snapshot id) and AT (TIMESTAMP => ...). Throws for anything else.
tables::ScanOptions travel(const tables::TableState& table, const duck::BoundAtClause& at);
/// As all SQL of the lake is parsed: integers divide as PostgreSQL's do.
duck::ParserOptions parser_options();

}  // namespace tarn::query

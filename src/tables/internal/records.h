// The catalog's records in meta/: keys and values (docs/formats/tables.md). Values are JSON with a
// version "v".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/catalog.h"

namespace tarn::tables {

std::string database_key(std::string_view name);
/// All databases begin with it.
std::string databases_prefix();
std::string relation_key(std::string_view database, std::string_view name);
std::string relations_prefix(std::string_view database);
std::string pointer_key(std::string_view table_uuid);
std::string oid_key();
/// Files to be removed after `due`; `unique` keeps two of one instant apart.
std::string purge_key(Timestamp due, std::string_view unique);
std::string purge_prefix();
std::string position_key(std::string_view table_uuid, std::string_view source,
                         std::string_view partition);
std::string positions_prefix(std::string_view table_uuid);

std::string encode(const DatabaseInfo& database);
Result<DatabaseInfo> decode_database(std::string_view value);
std::string encode(const RelationInfo& relation);
Result<RelationInfo> decode_relation(std::string_view value);

/// Where a table's current state is.
struct Pointer {
    std::string metadata_location;
    std::string location;  // of the table: everything below it is the table's
};
std::string encode(const Pointer& pointer);
Result<Pointer> decode_pointer(std::string_view value);

/// Files that nobody needs any more: some paths, or everything that begins with a prefix.
struct Purge {
    std::vector<std::string> paths;
    std::string prefix;
};
std::string encode(const Purge& purge);
Result<Purge> decode_purge(std::string_view value);

Error no_such_database(std::string_view name);
Error no_such_relation(RelationKind kind, std::string_view database, std::string_view name);
Error relation_exists(std::string_view database, std::string_view name);

}  // namespace tarn::tables

// The catalog as one caller may see it: tables that the caller's grants show, and of each the columns that they show.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocols/admin/internal/api.h"
#include "query/access.h"
#include "tables/catalog.h"

namespace tarn::admin {

/// A column that somebody sees; `masked`: never its value, only what a mask makes of it.
struct SeenColumn {
    std::string name;
    std::string type;  // SQL's word: "bigint"
    std::string description;
    bool required = false;
    bool masked = false;
};

/// A table or view with what one principal may see of it.
struct SeenTable {
    tables::RelationInfo info;
    tables::TablePtr table;  // null for a view
    query::TableAccess access;
    bool whole = false;  // every row and column, unmasked: numbers about it may be told
    std::vector<SeenColumn> columns;
    std::vector<std::string> tags;

    std::string full_name() const { return info.full_name(); }
};

/// One request's look at the catalog: one state of it. Lane: any but a loop.
class CatalogView {
 public:
    CatalogView(const DoorParts& parts, const security::Principal& who)
        : parts_(parts), who_(who), state_(parts.catalog->snapshot()) {}

    /// As if there were none when the principal sees nothing of it: not_found either way.
    Result<SeenTable> find(const std::string& database, const std::string& table) const;
    /// All that is seen, by name; at most kTablesMax.
    Result<std::vector<SeenTable>> all(bool* truncated) const;

    const tables::CatalogSnapshot& state() const { return state_; }

    static constexpr size_t kTablesMax = 10'000;

 private:
    Result<std::optional<SeenTable>> look(const tables::RelationInfo& info) const;

    const DoorParts& parts_;
    const security::Principal& who_;
    const tables::CatalogSnapshot state_;
};

/// What a principal may do with a table; root everything.
Result<query::TableAccess> access_of(const DoorParts& parts, const security::Principal& who,
                                     const std::string& database, const std::string& table);

/// SQL's word for a column's type: "bigint", "decimal(10,2)", "timestamp with time zone", "integer[]".
std::string sql_type(const tables::Type& type);

/// Rows and bytes of a snapshot by its summary; null where it does not say.
Json snapshot_counts(const tables::SnapshotPtr& snapshot);

/// The tables' property that holds its tags, separated by commas.
inline constexpr const char* kTagsProperty = "tarn.tags";

}  // namespace tarn::admin

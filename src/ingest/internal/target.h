// The tables that sources write to: made when absent, given new columns when the source has some,
// and their companions <table>_rejected for rows that did not fit. Shared by all runners. Lane: the
// runners' own threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/sources.h"
#include "query/types.h"
#include "tables/catalog.h"
#include "tables/commit.h"

namespace tarn::ingest {

/// Of a row that was rejected, as it is kept.
inline constexpr size_t kRejectedTextMax = 64 << 10;  // bytes

struct TargetColumn {
    std::string name;
    query::Type type;
    bool required = false;
    std::string comment;
};
struct TargetTable {
    std::string database, name;
    std::vector<TargetColumn> columns;
    std::vector<std::string> key;  // kept as the table's property "tarn.key"; empty: none
    std::string comment;
    std::string source;             // name of the source, kept as "tarn.source"
    bool allow_new_columns = true;  // false: a column that the table lacks is an error
};

/// The type as a table holds it and as rows must be handed to RowWriter and upsert: int16 becomes
/// int32; json and interval become text; structures, maps and lists by their parts. Everything else
/// is itself.
query::Type stored_type(const query::Type& type);
Result<tables::Type> iceberg_type(const query::Type& type);
query::Type type_of_iceberg(const tables::Type& type);
/// Lower case; every byte that a name may not have becomes '_'; never empty, never above 63 bytes.
std::string lake_name(std::string_view outside);

/// What a commit needs to know of the table, whether it exists or only comes to be with that
/// commit.
struct Target {
    tables::TablePtr table;
    bool created = false;  // staged: put `create` and `table` into the TableChange

    /// Empty change for this table: append files, deletes, then commit it.
    tables::TableChange change() const;
};

/// Makes the database and the table when absent, adds columns that are new, and commits that.
/// Afterwards write_rows and upsert see the table. Errors: invalid_argument (a column has another
/// type and cannot be widened; the message names the remedy).
Result<tables::TablePtr> ensure_table(const SourcesParts& parts, const TargetTable& wanted);
/// The same, but a table that is absent is only staged: it appears with the first commit of its
/// rows (Engine::write_rows_of takes it). Columns that are new in a table that exists are committed
/// at once.
Result<Target> stage_table(const SourcesParts& parts, const TargetTable& wanted);

/// The change that adds the rows to <table>_rejected (made when absent): source, rejected_at, place,
/// line, text, reason. Commit it together with what else came of the same input. Texts above 64 KiB
/// are cut. Precondition: not empty.
Result<tables::TableChange> reject_rows(const SourcesParts& parts, const std::string& database,
                                        const std::string& table, const std::string& source,
                                        const std::vector<RejectedRow>& rows);
/// The change that adds the rows to a table that exists. `columns` as in Engine::write_rows.
Result<tables::TableChange> append_rows(const SourcesParts& parts, const tables::TablePtr& table,
                                        const query::Chunk& rows,
                                        std::vector<std::string> columns = {});

}  // namespace tarn::ingest

// How a table's metadata comes to be and changes, apart from its rows: columns and partitioning
// (Iceberg spec "Schema Evolution", "Partition Evolution"). Pure functions.
#pragma once

#include <string>
#include <vector>

#include "tables/commit.h"

namespace tarn::tables {

/// The metadata of a new, empty table with fresh field ids.
Result<TableMetadata> new_table_metadata(const CreateTable& spec, const std::string& uuid,
                                         const std::string& location, int64_t now_ms);

/// Applies the steps to the current schema. A schema that the table had before is used again under
/// its id.
Status apply_schema_steps(TableMetadata* metadata, const std::vector<SchemaStep>& steps);

/// Makes `fields` the default spec: an equal spec or field that the table had before is used again
/// under its id.
Status set_partition_spec(TableMetadata* metadata, std::vector<PartitionField> fields);

/// "<location>/metadata/<version, 5 digits>-<uuid>.metadata.json"
std::string metadata_path(const std::string& location, int64_t version);
/// The version in such a path; -1 when there is none.
int64_t metadata_version(const std::string& path);

}  // namespace tarn::tables

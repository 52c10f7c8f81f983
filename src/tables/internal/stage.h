// Catalog records that both DDL and the committer write.
#pragma once

#include <string>
#include <vector>

#include "meta/store.h"
#include "tables/catalog.h"

namespace tarn::tables {

/// A new name. Fails when the database is gone or the name taken; what the batch itself does before
/// counts.
void stage_name(meta::Batch& batch, const RelationInfo& info);
/// The name and the pointer of a new table.
void stage_new_table(meta::Batch& batch, const RelationInfo& info,
                     const std::string& metadata_location, const std::string& table_location);
/// Queues files for Catalog::purge().
void stage_purge(meta::Batch& batch, Timestamp due, std::vector<std::string> paths);

}  // namespace tarn::tables

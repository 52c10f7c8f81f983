// First committer wins on rows: whether a change to rows still fits what the table has become since
// its base.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "tables/commit.h"

namespace tarn::tables {

using PathSet = std::unordered_set<std::string>;

/// True when rows of the delete file may lie in the data file at `path`, by its reference or its
/// bounds.
bool may_delete_from(const DataFile& deletes, const std::string& path);
/// The one data file that a position delete file is about; null when there are several or it is not
/// known.
const std::string* only_data_file(const DataFile& deletes);

/// conflict ("rows_changed"): a file that `change` removes or deletes from is no longer there, or
/// others deleted from it since the change's base. `manifests` are those of the table's current
/// snapshot.
Status check_rows_unchanged(const Catalog& catalog, const TableMetadata& current,
                            const std::vector<ManifestFile>& manifests, const TableChange& change);

}  // namespace tarn::tables

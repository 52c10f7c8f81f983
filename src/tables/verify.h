// Looks over all tables: what their metadata says there is, is there.
#pragma once

#include "base/findings.h"
#include "objects/store.h"
#include "tables/catalog.h"

namespace tarn::tables {

/// While the lake is in use. Metadata, manifest lists and manifests of every snapshot are read;
/// each data and delete file must exist with its size and end as a Parquet file does; files that no
/// snapshot refers to, and that are older than `orphans_before`, are leftovers. (Whether bytes are
/// those that were written is the business of objects/verify.h.) Lane: background.
void verify_tables(const Catalog& catalog, const objects::ObjectStore& objects,
                   Timestamp orphans_before, Findings& findings);

}  // namespace tarn::tables

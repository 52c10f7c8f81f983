// The tables' files seen through S3: nobody writes there but commits, and only who may see a whole
// table reads its files.
#pragma once

#include "protocols/s3/s3.h"
#include "query/access.h"
#include "tables/catalog.h"

namespace tarn::app {

/// For s3::DoorOptions::guard; the files of sources in `landing` too. Both outlive it. A row filter or a hidden column on a table closes
/// its files to that principal: Parquet files hold every row and column.
s3::ResourceGuard guard_tables(const tables::Catalog& catalog, const query::AccessProvider& access);

}  // namespace tarn::app

// Where a connection's Parquet export goes: the one file name that the lake's file system does not look for in the lake.
#pragma once

#include "query/internal/duck.h"
#include "query/parquet_export.h"

namespace tarn::query {

/// No bucket can have this name.
inline constexpr const char* kExportPath = "s3://_/export";

/// Kept in the ClientContext while an export runs.
struct ExportSink : duck::ClientContextState {
    TakeBytes take;

    static constexpr const char* kKey = "tarn_export";
};

}  // namespace tarn::query

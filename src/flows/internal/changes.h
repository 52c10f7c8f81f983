// What happened to a table between two of its snapshots.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "tables/catalog.h"
#include "tables/scan.h"

namespace tarn::flows {

struct TableChanges {
    enum class Kind : uint8_t {
        none,      // the same rows, perhaps in other files
        appended,  // rows were added, none taken away
        other,     // or nobody can tell any more: the snapshots in between have expired
    };
    Kind kind = Kind::none;
    uint64_t snapshots = 0;
};

/// From `before` (nullopt: the empty table) to the current snapshot of `table`. Reads no files.
TableChanges changes_since(const tables::TableState& table, std::optional<int64_t> before);

struct AddedFiles {
    std::vector<tables::ScanTask> files;
    uint64_t rows = 0;
};
/// The files that the appends since `before` brought, even if they were rewritten since.
/// Precondition: the kind is appended.
Result<AddedFiles> added_since(const tables::Catalog& catalog, const tables::TableState& table,
                               std::optional<int64_t> before);

}  // namespace tarn::flows

// One change applied to one state of one table: the next metadata, and the files that it takes.
// Reads manifests, writes nothing: the committer stages what comes out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tables/commit.h"
#include "tables/internal/catalog_cache.h"

namespace tarn::tables {

struct NewFile {
    std::string path;
    std::string bytes;
};

struct Prepared {
    MetadataPtr metadata;
    std::string metadata_location;
    bool changed = false;            // false: the change asked for what is there already
    std::vector<NewFile> files;      // manifests, manifest list, metadata.json
    std::vector<std::string> purge;  // files that are no longer referenced
    // For the cache, once committed:
    std::string list_path;
    ManifestListPtr list;
    std::vector<ManifestPtr> manifests;
};

/// Checks what can be checked without the table's present state. invalid_argument.
Status check_change(const TableChange& change);

/// `metadata_location` is where `current` was read; empty for a table that is being created.
/// conflict ("rows_changed"), invalid_argument, or what reading manifests gives.
Result<Prepared> prepare_change(const Catalog& catalog, const CommitterOptions& options,
                                const MetadataPtr& current, const std::string& metadata_location,
                                const TableChange& change, int64_t now_ms);

}  // namespace tarn::tables

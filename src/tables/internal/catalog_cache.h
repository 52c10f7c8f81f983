// Metadata files in memory. They never change, so a path names one content for ever.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tables/catalog.h"
#include "tables/internal/byte_lru.h"
#include "tables/internal/rewrite_log.h"
#include "tables/internal/turn_map.h"

namespace tarn::tables {

using MetadataPtr = std::shared_ptr<const TableMetadata>;

/// Lane: any but a loop. Shared by a Catalog and the snapshots that it gave out.
class CatalogCache {
 public:
    CatalogCache(const Files& files, const CatalogOptions& options);

    Result<MetadataPtr> load_metadata(const std::string& location);
    Result<ManifestListPtr> load_list(const Snapshot& snapshot);
    Result<ManifestPtr> load_manifest(const ManifestFile& info);

    // What a commit has just written is kept, so that it need not be read.
    void keep(const std::string& location, MetadataPtr metadata);
    void keep(const std::string& path, ManifestListPtr list);
    void keep(ManifestPtr manifest);

    TurnMap& turns() { return turns_; }
    RewriteLog& rewrites() { return rewrites_; }

 private:
    const Files& files_;
    ByteLru<TableMetadata> metadata_;
    ByteLru<std::vector<ManifestFile>> lists_;
    ByteLru<Manifest> manifests_;
    TurnMap turns_;
    RewriteLog rewrites_;
};

}  // namespace tarn::tables

#include "tables/internal/catalog_cache.h"

namespace tarn::tables {

namespace {

constexpr uint64_t kFileBytesMax = 256u << 20;

size_t memory_of(const TableMetadata& metadata) {
    size_t bytes = sizeof(metadata) + metadata.snapshots.size() * 1500 +
                   metadata.snapshot_log.size() * 16 + metadata.metadata_log.size() * 150;
    for (const auto& schema : metadata.schemas) bytes += (1 + schema.fields.size()) * 200;
    return bytes;
}

size_t memory_of(const std::vector<ManifestFile>& list) {
    size_t bytes = 0;
    for (const auto& manifest : list)
        bytes += sizeof(manifest) + manifest.path.size() +
                 manifest.partitions.size() * (sizeof(FieldSummary) + 32);
    return bytes;
}

size_t memory_of(const Manifest& manifest) {
    size_t bytes = sizeof(manifest);
    for (const auto& entry : manifest.entries) {
        const DataFile& file = entry.file;
        bytes += sizeof(entry) + file.path.size() + file.partition.size() * sizeof(Literal);
        bytes += 16 * (file.column_sizes.size() + file.value_counts.size() +
                       file.null_value_counts.size() + file.nan_value_counts.size());
        bytes += 48 * (file.lower_bounds.size() + file.upper_bounds.size()) +
                 8 * file.split_offsets.size();
    }
    return bytes;
}

}  // namespace

CatalogCache::CatalogCache(const Files& files, const CatalogOptions& options)
    : files_(files),
      metadata_(options.metadata_cache_bytes),
      lists_(options.manifest_cache_bytes / 4),
      manifests_(options.manifest_cache_bytes - options.manifest_cache_bytes / 4) {}

Result<MetadataPtr> CatalogCache::load_metadata(const std::string& location) {
    if (auto found = metadata_.find(location)) return found;
    TARN_TRY(bytes, files_.read(location, kFileBytesMax));
    auto parsed = parse_metadata_json(bytes);
    if (!parsed.ok()) return std::move(parsed).error().within(location);
    auto metadata = std::make_shared<const TableMetadata>(std::move(parsed).value());
    keep(location, metadata);
    return metadata;
}

Result<ManifestListPtr> CatalogCache::load_list(const Snapshot& snapshot) {
    if (auto found = lists_.find(snapshot.manifest_list)) return found;
    TARN_TRY(bytes, files_.read(snapshot.manifest_list, kFileBytesMax));
    auto parsed = read_manifest_list(bytes);
    if (!parsed.ok()) return std::move(parsed).error().within(snapshot.manifest_list);
    auto list = std::make_shared<const std::vector<ManifestFile>>(std::move(parsed).value());
    keep(snapshot.manifest_list, list);
    return list;
}

Result<ManifestPtr> CatalogCache::load_manifest(const ManifestFile& info) {
    if (auto found = manifests_.find(info.path)) return found;
    TARN_TRY(bytes, files_.read(info.path, kFileBytesMax));
    auto parsed = read_manifest(bytes, info);
    if (!parsed.ok()) return std::move(parsed).error().within(info.path);
    auto manifest = std::make_shared<const Manifest>(Manifest{info, std::move(parsed).value()});
    keep(manifest);
    return manifest;
}

void CatalogCache::keep(const std::string& location, MetadataPtr metadata) {
    const size_t bytes = memory_of(*metadata);
    metadata_.insert(location, std::move(metadata), bytes);
}

void CatalogCache::keep(const std::string& path, ManifestListPtr list) {
    const size_t bytes = memory_of(*list);
    lists_.insert(path, std::move(list), bytes);
}

void CatalogCache::keep(ManifestPtr manifest) {
    const std::string path = manifest->info.path;
    const size_t bytes = memory_of(*manifest);
    manifests_.insert(path, std::move(manifest), bytes);
}

}  // namespace tarn::tables

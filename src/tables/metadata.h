// Iceberg table metadata, format version 2 (Iceberg spec: "Table Metadata", "Snapshots",
// "Manifests"): the values, and their JSON and Avro forms exactly as Java writes them, because
// foreign readers open these files. Lane: any; no I/O here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tables/types.h"

namespace tarn::tables {

using Properties = std::map<std::string, std::string>;

/// One committed state of a table. Immutable, shared between the versions of the metadata.
struct Snapshot {
    int64_t snapshot_id = 0;
    std::optional<int64_t> parent_snapshot_id;
    int64_t sequence_number = 0;
    int64_t timestamp_ms = 0;
    std::string manifest_list;  // s3://...
    Properties summary;         // with "operation"
    std::optional<int> schema_id;

    std::string operation() const;  // append, replace, overwrite, delete
    /// A number out of the summary ("total-records"); nullopt when absent or no number.
    std::optional<int64_t> summary_number(const std::string& name) const;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

struct SnapshotRef {
    int64_t snapshot_id = 0;
    std::string type = "branch";  // branch or tag
    std::optional<int64_t> min_snapshots_to_keep;
    std::optional<int64_t> max_snapshot_age_ms;
    std::optional<int64_t> max_ref_age_ms;
};
struct SnapshotLogEntry {
    int64_t timestamp_ms = 0;
    int64_t snapshot_id = 0;
};
struct MetadataLogEntry {
    int64_t timestamp_ms = 0;
    std::string metadata_file;
};

struct TableMetadata {
    int format_version = 2;
    std::string table_uuid;
    std::string location;  // s3://lake/<database>/<table>-<uuid8>, no slash at the end
    int64_t last_sequence_number = 0;
    int64_t last_updated_ms = 0;
    int last_column_id = 0;
    std::vector<Schema> schemas;
    int current_schema_id = 0;
    std::vector<PartitionSpec> specs;
    int default_spec_id = 0;
    int last_partition_id = 999;
    std::vector<SortOrder> sort_orders;
    int default_sort_order_id = 0;
    Properties properties;
    std::optional<int64_t> current_snapshot_id;
    std::vector<SnapshotPtr> snapshots;  // in the order in which they were committed
    std::map<std::string, SnapshotRef> refs;
    std::vector<SnapshotLogEntry> snapshot_log;
    std::vector<MetadataLogEntry> metadata_log;

    // Precondition of the three: the metadata was checked (parsed or built by us), so that the
    // current ids exist.
    const Schema& schema() const;
    const PartitionSpec& spec() const;
    const SortOrder& sort_order() const;
    const Schema* find_schema(int schema_id) const;
    const PartitionSpec* find_spec(int spec_id) const;
    SnapshotPtr current_snapshot() const;  // null: the table has never had data
    SnapshotPtr find_snapshot(int64_t snapshot_id) const;
    /// The state that was current at `at` (snapshot log); null: none was.
    SnapshotPtr snapshot_at(Timestamp at) const;
    /// A property as a number, or `otherwise` when absent or malformed.
    int64_t property_number(const std::string& name, int64_t otherwise) const;
};

std::string metadata_json(const TableMetadata& metadata);
/// Reads format versions 1 and 2. corrupted: not a table's metadata; unimplemented: version 3 and
/// later.
Result<TableMetadata> parse_metadata_json(std::string_view json);

/// Pairs sorted by field id.
using FieldCounts = std::vector<std::pair<int, int64_t>>;
using FieldBounds = std::vector<std::pair<int, std::string>>;  // encode_bound()

enum class FileContent : uint8_t { data = 0, position_deletes = 1, equality_deletes = 2 };

// Field ids of a position delete file's columns: file_path (string), pos (long), both required,
// rows sorted by both.
inline constexpr int kDeletePathFieldId = 2147483546;
inline constexpr int kDeletePosFieldId = 2147483545;

/// A data file or a delete file (spec "Data File Fields"). A writer fills everything it knows; only
/// path, size and record_count are needed to read, the counts and bounds are what scans prune by.
struct DataFile {
    FileContent content = FileContent::data;
    std::string path;  // s3://lake/...
    std::string format = "PARQUET";
    int spec_id = 0;
    Partition partition;  // one value per field of that spec
    int64_t record_count = 0;
    int64_t file_size_bytes = 0;
    FieldCounts column_sizes;
    FieldCounts value_counts;
    FieldCounts null_value_counts;
    FieldCounts nan_value_counts;
    FieldBounds lower_bounds;
    FieldBounds upper_bounds;
    std::vector<int64_t> split_offsets;
    std::vector<int> equality_ids;
    std::optional<int> sort_order_id;
    /// Position deletes: the one data file that all rows refer to. Write one delete file per data
    /// file, so that deletes can be dropped together with the file that they belong to.
    std::optional<std::string> referenced_data_file;
    std::string key_metadata;
};

enum class EntryStatus : uint8_t { existing = 0, added = 1, deleted = 2 };

/// One line of a manifest. Numbers that were null in the file hold what they inherit (spec
/// "Sequence Number Inheritance").
struct ManifestEntry {
    EntryStatus status = EntryStatus::added;
    int64_t snapshot_id = 0;
    int64_t sequence_number = 0;       // of the data: deletes apply by it
    int64_t file_sequence_number = 0;  // of the commit that added the file
    DataFile file;
};

struct FieldSummary {
    bool contains_null = false;
    std::optional<bool> contains_nan;
    std::optional<std::string> lower_bound;
    std::optional<std::string> upper_bound;
};

enum class ManifestContent : uint8_t { data = 0, deletes = 1 };

/// One line of a manifest list.
struct ManifestFile {
    std::string path;
    int64_t length = 0;
    int spec_id = 0;
    ManifestContent content = ManifestContent::data;
    int64_t sequence_number = 0;
    int64_t min_sequence_number = 0;
    int64_t added_snapshot_id = 0;
    int32_t added_files = 0;
    int32_t existing_files = 0;
    int32_t deleted_files = 0;
    int64_t added_rows = 0;
    int64_t existing_rows = 0;
    int64_t deleted_rows = 0;
    std::vector<FieldSummary> partitions;

    bool has_live_files() const { return added_files + existing_files > 0; }
};

struct ManifestHeader {
    Schema schema;
    PartitionSpec spec;
    ManifestContent content = ManifestContent::data;
};

/// Writes a manifest of one spec. Added entries go out with null sequence numbers (they inherit),
/// all others with theirs. Fills everything of ManifestFile but the path and, for a manifest that
/// is only added to, the sequence numbers.
std::string write_manifest(const ManifestHeader& header, const std::vector<Type>& partition_types,
                           const std::vector<ManifestEntry>& entries, ManifestFile* info);
/// `info` is the manifest's line in its list: entries inherit from it. corrupted: no manifest.
Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& info);

std::string write_manifest_list(const Snapshot& snapshot,
                                const std::vector<ManifestFile>& manifests);
Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes);

}  // namespace tarn::tables

// Manifests and manifest lists, written (Iceberg spec "Manifests", "Manifest Lists").
#include <cmath>

#include "codec/avro.h"
#include "tables/internal/json_parts.h"
#include "tables/internal/manifest_schema.h"
#include "tables/metadata.h"

namespace tarn::tables {

namespace {

using codec::AvroEncoder;

constexpr int kAbsent = 0;  // branches of union[null, T]
constexpr int kPresent = 1;

void write_decimal(AvroEncoder& out, Int128 unscaled, int precision) {
    std::string bytes;
    for (int shift = 8 * (decimal_bytes(precision) - 1); shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(unscaled >> shift));
    out.fixed(bytes);
}

void write_partition_value(AvroEncoder& out, const Type& type, const Literal& literal) {
    if (literal.is_null()) {
        out.integer(kAbsent);
        return;
    }
    out.integer(kPresent);
    switch (type.id) {
        case TypeId::boolean:
            out.boolean(std::get<bool>(literal.value));
            break;
        case TypeId::float32:
            out.real32(static_cast<float>(std::get<double>(literal.value)));
            break;
        case TypeId::float64:
            out.real64(std::get<double>(literal.value));
            break;
        case TypeId::decimal:
            write_decimal(out, std::get<Int128>(literal.value), type.precision);
            break;
        case TypeId::uuid:
        case TypeId::fixed:
            out.fixed(std::get<std::string>(literal.value));
            break;
        case TypeId::string:
        case TypeId::binary:
            out.bytes(std::get<std::string>(literal.value));
            break;
        default:
            out.integer(std::get<int64_t>(literal.value));
            break;
    }
}

void write_counts(AvroEncoder& out, const FieldCounts& counts) {
    if (counts.empty()) {
        out.integer(kAbsent);
        return;
    }
    out.integer(kPresent).begin_block(static_cast<int64_t>(counts.size()));
    for (const auto& [id, count] : counts) out.integer(id).integer(count);
    out.end_blocks();
}

void write_bounds(AvroEncoder& out, const FieldBounds& bounds) {
    if (bounds.empty()) {
        out.integer(kAbsent);
        return;
    }
    out.integer(kPresent).begin_block(static_cast<int64_t>(bounds.size()));
    for (const auto& [id, bound] : bounds) out.integer(id).bytes(bound);
    out.end_blocks();
}

template <typename Int>
void write_list(AvroEncoder& out, const std::vector<Int>& items) {
    if (items.empty()) {
        out.integer(kAbsent);
        return;
    }
    out.integer(kPresent).begin_block(static_cast<int64_t>(items.size()));
    for (const Int item : items) out.integer(item);
    out.end_blocks();
}

void write_optional(AvroEncoder& out, const std::optional<std::string>& text) {
    out.integer(text ? kPresent : kAbsent);
    if (text) out.bytes(*text);
}

void write_data_file(AvroEncoder& out, const std::vector<Type>& types, const DataFile& file) {
    TARN_ASSERT(file.partition.size() == types.size());
    out.integer(static_cast<int>(file.content)).bytes(file.path).bytes(file.format);
    for (size_t i = 0; i < types.size(); ++i)
        write_partition_value(out, types[i], file.partition[i]);
    out.integer(file.record_count).integer(file.file_size_bytes);
    write_counts(out, file.column_sizes);
    write_counts(out, file.value_counts);
    write_counts(out, file.null_value_counts);
    write_counts(out, file.nan_value_counts);
    write_bounds(out, file.lower_bounds);
    write_bounds(out, file.upper_bounds);
    out.integer(file.key_metadata.empty() ? kAbsent : kPresent);
    if (!file.key_metadata.empty()) out.bytes(file.key_metadata);
    write_list(out, file.split_offsets);
    write_list(out, file.equality_ids);
    out.integer(file.sort_order_id ? kPresent : kAbsent);
    if (file.sort_order_id) out.integer(*file.sort_order_id);
    write_optional(out, file.referenced_data_file);
}

void write_entry(AvroEncoder& out, const std::vector<Type>& types, const ManifestEntry& entry) {
    out.integer(static_cast<int>(entry.status)).integer(kPresent).integer(entry.snapshot_id);
    if (entry.status == EntryStatus::added) {
        out.integer(kAbsent).integer(kAbsent);
    } else {
        out.integer(kPresent).integer(entry.sequence_number);
        out.integer(kPresent).integer(entry.file_sequence_number);
    }
    write_data_file(out, types, entry.file);
}

/// The range of one partition field over a manifest's files.
class Summary {
 public:
    explicit Summary(const Type& type) : type_(type) {}

    void add(const Literal& literal) {
        if (literal.is_null()) {
            null_ = true;
            return;
        }
        const auto* real = std::get_if<double>(&literal.value);
        if (real != nullptr && std::isnan(*real)) {
            nan_ = true;
            return;
        }
        if (lowest_.is_null() || compare(type_, literal, lowest_) < 0) lowest_ = literal;
        if (highest_.is_null() || compare(type_, literal, highest_) > 0) highest_ = literal;
    }

    FieldSummary result() const {
        FieldSummary summary{null_, nan_, {}, {}};
        if (!lowest_.is_null()) summary.lower_bound = encode_bound(type_, lowest_);
        if (!highest_.is_null()) summary.upper_bound = encode_bound(type_, highest_);
        return summary;
    }

 private:
    const Type& type_;
    bool null_ = false;
    bool nan_ = false;
    Literal lowest_;
    Literal highest_;
};

void count_entry(const ManifestEntry& entry, ManifestFile* info) {
    switch (entry.status) {
        case EntryStatus::added:
            ++info->added_files;
            info->added_rows += entry.file.record_count;
            break;
        case EntryStatus::existing:
            ++info->existing_files;
            info->existing_rows += entry.file.record_count;
            break;
        case EntryStatus::deleted:
            ++info->deleted_files;
            info->deleted_rows += entry.file.record_count;
            break;
    }
}

void write_summaries(AvroEncoder& out, const std::vector<FieldSummary>& summaries) {
    out.integer(kPresent).begin_block(static_cast<int64_t>(summaries.size()));
    for (const auto& summary : summaries) {
        out.boolean(summary.contains_null).integer(summary.contains_nan ? kPresent : kAbsent);
        if (summary.contains_nan) out.boolean(*summary.contains_nan);
        write_optional(out, summary.lower_bound);
        write_optional(out, summary.upper_bound);
    }
    out.end_blocks();
}

}  // namespace

std::string write_manifest(const ManifestHeader& header, const std::vector<Type>& types,
                           const std::vector<ManifestEntry>& entries, ManifestFile* info) {
    codec::JsonWriter fields;
    write_partition_fields(fields, header.spec);
    const codec::AvroMetadata metadata = {
        {"schema", schema_json(header.schema)},
        {"schema-id", std::to_string(header.schema.schema_id)},
        {"partition-spec", fields.take()},
        {"partition-spec-id", std::to_string(header.spec.spec_id)},
        {"format-version", "2"},
        {"content", header.content == ManifestContent::data ? "data" : "deletes"},
    };
    std::string encoded;
    AvroEncoder out(encoded);
    std::vector<Summary> summaries(types.begin(), types.end());
    std::optional<int64_t> lowest_live, lowest;
    for (const auto& entry : entries) {
        write_entry(out, types, entry);
        count_entry(entry, info);
        for (size_t i = 0; i < types.size(); ++i) summaries[i].add(entry.file.partition[i]);
        lowest = std::min(lowest.value_or(INT64_MAX), entry.sequence_number);
        if (entry.status != EntryStatus::deleted)
            lowest_live = std::min(lowest_live.value_or(INT64_MAX), entry.sequence_number);
    }
    std::string file = codec::write_avro_file(manifest_entry_schema(header.spec, types), metadata,
                                              static_cast<int64_t>(entries.size()), encoded);
    info->length = static_cast<int64_t>(file.size());
    info->spec_id = header.spec.spec_id;
    info->content = header.content;
    info->min_sequence_number = lowest_live.value_or(lowest.value_or(0));
    info->partitions.clear();
    for (const auto& summary : summaries) info->partitions.push_back(summary.result());
    return file;
}

std::string write_manifest_list(const Snapshot& snapshot,
                                const std::vector<ManifestFile>& manifests) {
    const codec::AvroMetadata metadata = {
        {"snapshot-id", std::to_string(snapshot.snapshot_id)},
        {"parent-snapshot-id", snapshot.parent_snapshot_id
                                   ? std::to_string(*snapshot.parent_snapshot_id)
                                   : std::string("null")},
        {"sequence-number", std::to_string(snapshot.sequence_number)},
        {"format-version", "2"},
    };
    std::string encoded;
    AvroEncoder out(encoded);
    for (const auto& manifest : manifests) {
        out.bytes(manifest.path).integer(manifest.length).integer(manifest.spec_id);
        out.integer(static_cast<int>(manifest.content)).integer(manifest.sequence_number);
        out.integer(manifest.min_sequence_number).integer(manifest.added_snapshot_id);
        out.integer(manifest.added_files)
            .integer(manifest.existing_files)
            .integer(manifest.deleted_files);
        out.integer(manifest.added_rows)
            .integer(manifest.existing_rows)
            .integer(manifest.deleted_rows);
        write_summaries(out, manifest.partitions);
        out.integer(kAbsent);  // key_metadata
    }
    return codec::write_avro_file(manifest_list_schema(), metadata,
                                  static_cast<int64_t>(manifests.size()), encoded);
}

}  // namespace tarn::tables

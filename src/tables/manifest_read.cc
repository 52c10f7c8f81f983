// Manifests and manifest lists, read by field id, whoever wrote them (Iceberg spec "Manifests",
// "Sequence Number Inheritance").
#include <algorithm>

#include "codec/avro.h"
#include "tables/metadata.h"

namespace tarn::tables {

namespace {

using codec::AvroDecoder;
using codec::AvroField;
using codec::AvroSchema;
using Kind = AvroSchema::Kind;

constexpr codec::AvroReadLimits kLimits = {64u << 20, 16u << 20};

Error corrupted_manifest(std::string what) {
    return Error(Code::corrupted, "manifest: " + std::move(what));
}

/// The schema of the value that follows, or null when an optional value is absent.
const AvroSchema* present(AvroDecoder& in, const AvroSchema& schema) {
    if (schema.kind != Kind::union_) return &schema;
    const size_t branch = in.take_branch(schema);
    if (!in.ok() || schema.parts[branch]->kind == Kind::null) return nullptr;
    return schema.parts[branch].get();
}

bool is_integer(const AvroSchema& schema) {
    return schema.kind == Kind::int_ || schema.kind == Kind::long_;
}
bool is_text(const AvroSchema& schema) {
    return schema.kind == Kind::string || schema.kind == Kind::bytes;
}

std::optional<int64_t> take_integer(AvroDecoder& in, const AvroSchema& schema) {
    const AvroSchema* type = present(in, schema);
    if (type == nullptr) return std::nullopt;
    if (is_integer(*type)) return in.take_integer();
    in.fail();
    return std::nullopt;
}

std::optional<std::string> take_text(AvroDecoder& in, const AvroSchema& schema) {
    const AvroSchema* type = present(in, schema);
    if (type == nullptr) return std::nullopt;
    if (is_text(*type)) return std::string(in.take_bytes());
    in.fail();
    return std::nullopt;
}

std::optional<bool> take_boolean(AvroDecoder& in, const AvroSchema& schema) {
    const AvroSchema* type = present(in, schema);
    if (type == nullptr) return std::nullopt;
    if (type->kind == Kind::boolean) return in.take_boolean();
    in.fail();
    return std::nullopt;
}

template <typename Item>
void take_items(AvroDecoder& in, const AvroSchema& schema, const Item& item) {
    const AvroSchema* type = present(in, schema);
    if (type == nullptr) return;
    if (type->kind != Kind::array) return in.fail();
    for (int64_t count = in.take_block_count(); count > 0; count = in.take_block_count())
        for (; count > 0 && in.ok(); --count) item(*type->parts[0]);
}

/// A map with int keys, kept as an array of records of two.
template <typename Value>
void take_map(AvroDecoder& in, const AvroSchema& schema, const Value& value) {
    take_items(in, schema, [&](const AvroSchema& pair) {
        if (pair.kind != Kind::record || pair.fields.size() != 2 ||
            !is_integer(*pair.fields[0].schema))
            return in.fail();
        const int64_t key = in.take_integer();
        value(static_cast<int>(key), *pair.fields[1].schema);
    });
}

FieldCounts take_counts(AvroDecoder& in, const AvroSchema& schema) {
    FieldCounts counts;
    take_map(in, schema, [&](int id, const AvroSchema& type) {
        counts.emplace_back(id, take_integer(in, type).value_or(0));
    });
    std::sort(counts.begin(), counts.end());
    return counts;
}

FieldBounds take_bounds(AvroDecoder& in, const AvroSchema& schema) {
    FieldBounds bounds;
    take_map(in, schema, [&](int id, const AvroSchema& type) {
        bounds.emplace_back(id, take_text(in, type).value_or(std::string()));
    });
    std::sort(bounds.begin(), bounds.end());
    return bounds;
}

Literal unscaled_of(std::string_view bytes) {
    if (bytes.empty() || bytes.size() > 16) return Literal::null();
    Int128 unscaled = bytes[0] & 0x80 ? -1 : 0;
    for (const char c : bytes) unscaled = unscaled * 256 + static_cast<uint8_t>(c);
    return Literal::decimal(unscaled);
}

Literal take_partition_value(AvroDecoder& in, const AvroSchema& schema) {
    const AvroSchema* type = present(in, schema);
    if (type == nullptr) return Literal::null();
    const bool decimal = type->logical_type == "decimal";
    switch (type->kind) {
        case Kind::boolean:
            return Literal::boolean(in.take_boolean());
        case Kind::int_:
        case Kind::long_:
            return Literal::integer(in.take_integer());
        case Kind::float_:
            return Literal::real(in.take_real32());
        case Kind::double_:
            return Literal::real(in.take_real64());
        case Kind::string:
            return Literal::text(std::string(in.take_bytes()));
        case Kind::bytes: {
            const auto bytes = in.take_bytes();
            return decimal ? unscaled_of(bytes) : Literal::text(std::string(bytes));
        }
        case Kind::fixed: {
            const auto bytes = in.take_fixed(type->size);
            return decimal ? unscaled_of(bytes) : Literal::text(std::string(bytes));
        }
        default:
            in.skip(*type);
            return Literal::null();
    }
}

Partition take_partition(AvroDecoder& in, const AvroSchema& schema) {
    Partition partition;
    if (schema.kind != Kind::record) {
        in.fail();
        return partition;
    }
    for (const auto& field : schema.fields)
        partition.push_back(take_partition_value(in, *field.schema));
    return partition;
}

void take_file_field(AvroDecoder& in, const AvroField& field, DataFile* file) {
    const AvroSchema& type = *field.schema;
    switch (field.field_id) {
        case 134: {
            const int64_t content = take_integer(in, type).value_or(0);
            if (content < 0 || content > 2) return in.fail();
            file->content = static_cast<FileContent>(content);
            return;
        }
        case 100:
            file->path = take_text(in, type).value_or("");
            return;
        case 101:
            file->format = take_text(in, type).value_or("");
            return;
        case 102:
            file->partition = take_partition(in, type);
            return;
        case 103:
            file->record_count = take_integer(in, type).value_or(0);
            return;
        case 104:
            file->file_size_bytes = take_integer(in, type).value_or(0);
            return;
        case 108:
            file->column_sizes = take_counts(in, type);
            return;
        case 109:
            file->value_counts = take_counts(in, type);
            return;
        case 110:
            file->null_value_counts = take_counts(in, type);
            return;
        case 137:
            file->nan_value_counts = take_counts(in, type);
            return;
        case 125:
            file->lower_bounds = take_bounds(in, type);
            return;
        case 128:
            file->upper_bounds = take_bounds(in, type);
            return;
        case 131:
            file->key_metadata = take_text(in, type).value_or("");
            return;
        case 132:
            take_items(in, type, [&](const AvroSchema& item) {
                file->split_offsets.push_back(take_integer(in, item).value_or(0));
            });
            return;
        case 135:
            take_items(in, type, [&](const AvroSchema& item) {
                file->equality_ids.push_back(static_cast<int>(take_integer(in, item).value_or(0)));
            });
            return;
        case 140: {
            const auto order = take_integer(in, type);
            if (order) file->sort_order_id = static_cast<int>(*order);
            return;
        }
        case 143:
            file->referenced_data_file = take_text(in, type);
            return;
        default:
            in.skip(type);
            return;
    }
}

ManifestEntry take_entry(AvroDecoder& in, const AvroSchema& schema, const ManifestFile& info) {
    ManifestEntry entry;
    std::optional<int64_t> snapshot_id, sequence_number, file_sequence_number;
    for (const auto& field : schema.fields) {
        switch (field.field_id) {
            case 0: {
                const int64_t status = take_integer(in, *field.schema).value_or(0);
                if (status < 0 || status > 2)
                    in.fail();
                else
                    entry.status = static_cast<EntryStatus>(status);
                break;
            }
            case 1:
                snapshot_id = take_integer(in, *field.schema);
                break;
            case 3:
                sequence_number = take_integer(in, *field.schema);
                break;
            case 4:
                file_sequence_number = take_integer(in, *field.schema);
                break;
            case 2:
                if (field.schema->kind != Kind::record)
                    in.fail();
                else
                    for (const auto& part : field.schema->fields)
                        take_file_field(in, part, &entry.file);
                break;
            default:
                in.skip(*field.schema);
                break;
        }
    }
    const int64_t inherited = entry.status == EntryStatus::added ? info.sequence_number : 0;
    entry.snapshot_id = snapshot_id.value_or(info.added_snapshot_id);
    entry.sequence_number = sequence_number.value_or(inherited);
    entry.file_sequence_number = file_sequence_number.value_or(inherited);
    entry.file.spec_id = info.spec_id;
    return entry;
}

FieldSummary take_summary(AvroDecoder& in, const AvroSchema& schema) {
    FieldSummary summary;
    if (schema.kind != Kind::record) in.fail();
    for (const auto& field : schema.fields) {
        switch (field.field_id) {
            case 509:
                summary.contains_null = take_boolean(in, *field.schema).value_or(true);
                break;
            case 518:
                summary.contains_nan = take_boolean(in, *field.schema);
                break;
            case 510:
                summary.lower_bound = take_text(in, *field.schema);
                break;
            case 511:
                summary.upper_bound = take_text(in, *field.schema);
                break;
            default:
                in.skip(*field.schema);
                break;
        }
    }
    return summary;
}

void take_list_field(AvroDecoder& in, const AvroField& field, ManifestFile* file) {
    const AvroSchema& type = *field.schema;
    const auto small = [&](int otherwise) {
        return static_cast<int32_t>(take_integer(in, type).value_or(otherwise));
    };
    switch (field.field_id) {
        case 500:
            file->path = take_text(in, type).value_or("");
            return;
        case 501:
            file->length = take_integer(in, type).value_or(0);
            return;
        case 502:
            file->spec_id = small(0);
            return;
        case 517:
            file->content = small(0) == 1 ? ManifestContent::deletes : ManifestContent::data;
            return;
        case 515:
            file->sequence_number = take_integer(in, type).value_or(0);
            return;
        case 516:
            file->min_sequence_number = take_integer(in, type).value_or(0);
            return;
        case 503:
            file->added_snapshot_id = take_integer(in, type).value_or(0);
            return;
        case 504:
            file->added_files = small(1);
            return;  // unknown counts as some
        case 505:
            file->existing_files = small(1);
            return;
        case 506:
            file->deleted_files = small(1);
            return;
        case 512:
            file->added_rows = take_integer(in, type).value_or(0);
            return;
        case 513:
            file->existing_rows = take_integer(in, type).value_or(0);
            return;
        case 514:
            file->deleted_rows = take_integer(in, type).value_or(0);
            return;
        case 507:
            take_items(in, type, [&](const AvroSchema& item) {
                file->partitions.push_back(take_summary(in, item));
            });
            return;
        default:
            in.skip(type);
            return;
    }
}

/// Calls `record` for each record of the file.
template <typename Record>
Status for_each_record(std::string_view bytes, const Record& record) {
    TARN_TRY(file, codec::AvroFileReader::open(bytes, kLimits));
    if (file.schema().kind != Kind::record) return corrupted_manifest("its records have no fields");
    codec::AvroFileReader::Block block;
    while (true) {
        TARN_TRY(more, file.next(&block));
        if (!more) return {};
        AvroDecoder in(block.bytes);
        for (int64_t i = 0; i < block.records; ++i) {
            record(in, file.schema());
            if (!in.ok()) return corrupted_manifest("a record is damaged");
        }
    }
}

}  // namespace

Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes, const ManifestFile& info) {
    std::vector<ManifestEntry> entries;
    TARN_CHECK_OK(for_each_record(bytes, [&](AvroDecoder& in, const AvroSchema& schema) {
        entries.push_back(take_entry(in, schema, info));
    }));
    return entries;
}

Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes) {
    std::vector<ManifestFile> manifests;
    TARN_CHECK_OK(for_each_record(bytes, [&](AvroDecoder& in, const AvroSchema& schema) {
        ManifestFile manifest;
        for (const auto& field : schema.fields) take_list_field(in, field, &manifest);
        manifests.push_back(std::move(manifest));
    }));
    return manifests;
}

}  // namespace tarn::tables

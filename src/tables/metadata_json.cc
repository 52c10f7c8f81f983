// metadata.json (Iceberg spec "Table Metadata Fields", Appendix C). Members in the order in which
// Java writes them.
#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "tables/internal/json_parts.h"
#include "tables/metadata.h"

namespace tarn::tables {

namespace {

using Json = nlohmann::json;

Error corrupted_metadata(std::string what) {
    return Error(Code::corrupted, "table metadata: " + std::move(what));
}

void write_snapshot(codec::JsonWriter& json, const Snapshot& snapshot) {
    json.begin_object().member("sequence-number", snapshot.sequence_number);
    json.member("snapshot-id", snapshot.snapshot_id);
    if (snapshot.parent_snapshot_id)
        json.member("parent-snapshot-id", *snapshot.parent_snapshot_id);
    json.member("timestamp-ms", snapshot.timestamp_ms).key("summary").begin_object();
    json.member("operation", snapshot.operation());
    for (const auto& [name, value] : snapshot.summary)
        if (name != "operation") json.member(name, value);
    json.end_object().member("manifest-list", snapshot.manifest_list);
    if (snapshot.schema_id) json.member("schema-id", *snapshot.schema_id);
    json.end_object();
}

void write_sort_order(codec::JsonWriter& json, const SortOrder& order) {
    json.begin_object().member("order-id", order.order_id).key("fields").begin_array();
    for (const auto& field : order.fields) {
        json.begin_object().member("transform", transform_name(field.transform));
        json.member("source-id", field.source_id)
            .member("direction", field.ascending ? "asc" : "desc");
        json.member("null-order", field.nulls_first ? "nulls-first" : "nulls-last").end_object();
    }
    json.end_array().end_object();
}

void write_refs(codec::JsonWriter& json, const std::map<std::string, SnapshotRef>& refs) {
    json.key("refs").begin_object();
    for (const auto& [name, ref] : refs) {
        json.key(name)
            .begin_object()
            .member("snapshot-id", ref.snapshot_id)
            .member("type", ref.type);
        if (ref.min_snapshots_to_keep)
            json.member("min-snapshots-to-keep", *ref.min_snapshots_to_keep);
        if (ref.max_snapshot_age_ms) json.member("max-snapshot-age-ms", *ref.max_snapshot_age_ms);
        if (ref.max_ref_age_ms) json.member("max-ref-age-ms", *ref.max_ref_age_ms);
        json.end_object();
    }
    json.end_object();
}

void write_logs(codec::JsonWriter& json, const TableMetadata& metadata) {
    json.key("statistics").begin_array().end_array();
    json.key("partition-statistics").begin_array().end_array();
    json.key("snapshot-log").begin_array();
    for (const auto& entry : metadata.snapshot_log) {
        json.begin_object().member("timestamp-ms", entry.timestamp_ms);
        json.member("snapshot-id", entry.snapshot_id).end_object();
    }
    json.end_array().key("metadata-log").begin_array();
    for (const auto& entry : metadata.metadata_log) {
        json.begin_object().member("timestamp-ms", entry.timestamp_ms);
        json.member("metadata-file", entry.metadata_file).end_object();
    }
    json.end_array();
}

Result<Snapshot> read_snapshot(const Json& json) {
    Snapshot snapshot;
    snapshot.snapshot_id = integer_of(json.at("snapshot-id"));
    if (json.contains("parent-snapshot-id") && json.at("parent-snapshot-id").is_number())
        snapshot.parent_snapshot_id = integer_of(json.at("parent-snapshot-id"));
    snapshot.sequence_number = integer_or(json, "sequence-number", 0);
    snapshot.timestamp_ms = integer_of(json.at("timestamp-ms"));
    if (!json.contains("manifest-list"))
        return Error(Code::unimplemented,
                     "table metadata: a snapshot without a manifest list (format version 1)");
    snapshot.manifest_list = json.at("manifest-list").get<std::string>();
    if (json.contains("summary")) snapshot.summary = json.at("summary").get<Properties>();
    if (json.contains("schema-id") && json.at("schema-id").is_number())
        snapshot.schema_id = small_of(json.at("schema-id"));
    return snapshot;
}

Result<SortOrder> read_sort_order(const Json& json) {
    SortOrder order;
    order.order_id = small_of(json.at("order-id"));
    for (const auto& part : json.at("fields")) {
        SortField field;
        field.source_id = small_of(part.at("source-id"));
        TARN_TRY(transform, parse_transform(part.at("transform").get<std::string>()));
        field.transform = std::move(transform);
        field.ascending = part.at("direction").get<std::string>() != "desc";
        field.nulls_first = part.at("null-order").get<std::string>() != "nulls-last";
        order.fields.push_back(std::move(field));
    }
    return order;
}

std::optional<int64_t> optional_number(const Json& json, const char* name) {
    if (!json.contains(name) || !json.at(name).is_number_integer()) return std::nullopt;
    return integer_of(json.at(name));
}

Status read_schemas(const Json& json, TableMetadata* metadata) {
    if (json.contains("schemas")) {
        for (const auto& part : json.at("schemas")) {
            TARN_TRY(schema, read_schema(part));
            metadata->schemas.push_back(std::move(schema));
        }
        metadata->current_schema_id = small_of(json.at("current-schema-id"));
    } else {
        TARN_TRY(schema, read_schema(json.at("schema")));
        metadata->current_schema_id = schema.schema_id;
        metadata->schemas.push_back(std::move(schema));
    }
    return {};
}

Status read_specs(const Json& json, TableMetadata* metadata) {
    if (json.contains("partition-specs")) {
        for (const auto& part : json.at("partition-specs")) {
            PartitionSpec spec;
            spec.spec_id = small_of(part.at("spec-id"));
            TARN_TRY(fields, read_partition_fields(part.at("fields")));
            spec.fields = std::move(fields);
            metadata->specs.push_back(std::move(spec));
        }
        metadata->default_spec_id = small_of(json.at("default-spec-id"));
    } else {
        TARN_TRY(fields, read_partition_fields(json.at("partition-spec")));
        metadata->specs.push_back({0, std::move(fields)});
    }
    for (const auto& spec : metadata->specs)
        for (const auto& field : spec.fields)
            metadata->last_partition_id = std::max(metadata->last_partition_id, field.field_id);
    metadata->last_partition_id = small_or(json, "last-partition-id", metadata->last_partition_id);
    return {};
}

Status read_orders(const Json& json, TableMetadata* metadata) {
    if (json.contains("sort-orders")) {
        for (const auto& part : json.at("sort-orders")) {
            TARN_TRY(order, read_sort_order(part));
            metadata->sort_orders.push_back(std::move(order));
        }
        metadata->default_sort_order_id = small_of(json.at("default-sort-order-id"));
    }
    if (metadata->sort_orders.empty()) metadata->sort_orders.emplace_back();
    return {};
}

Status read_snapshots(const Json& json, TableMetadata* metadata) {
    const int64_t current = optional_number(json, "current-snapshot-id").value_or(-1);
    if (current != -1) metadata->current_snapshot_id = current;
    if (json.contains("snapshots")) {
        for (const auto& part : json.at("snapshots")) {
            TARN_TRY(snapshot, read_snapshot(part));
            metadata->snapshots.push_back(std::make_shared<const Snapshot>(std::move(snapshot)));
        }
    }
    if (json.contains("refs")) {
        for (const auto& [name, part] : json.at("refs").items()) {
            SnapshotRef& ref = metadata->refs[name];
            ref.snapshot_id = integer_of(part.at("snapshot-id"));
            ref.type = part.at("type").get<std::string>();
            ref.min_snapshots_to_keep = optional_number(part, "min-snapshots-to-keep");
            ref.max_snapshot_age_ms = optional_number(part, "max-snapshot-age-ms");
            ref.max_ref_age_ms = optional_number(part, "max-ref-age-ms");
        }
    } else if (metadata->current_snapshot_id) {
        metadata->refs["main"].snapshot_id = *metadata->current_snapshot_id;
    }
    for (const auto& part : json.value("snapshot-log", Json::array()))
        metadata->snapshot_log.push_back(
            {integer_of(part.at("timestamp-ms")), integer_of(part.at("snapshot-id"))});
    for (const auto& part : json.value("metadata-log", Json::array()))
        metadata->metadata_log.push_back(
            {integer_of(part.at("timestamp-ms")), part.at("metadata-file").get<std::string>()});
    return {};
}

Status check(const TableMetadata& metadata) {
    if (metadata.find_schema(metadata.current_schema_id) == nullptr)
        return corrupted_metadata("no current schema");
    if (metadata.find_spec(metadata.default_spec_id) == nullptr)
        return corrupted_metadata("no default partition spec");
    bool order_known = false;
    for (const auto& order : metadata.sort_orders)
        order_known |= order.order_id == metadata.default_sort_order_id;
    if (!order_known) return corrupted_metadata("no default sort order");
    if (metadata.current_snapshot_id && metadata.current_snapshot() == nullptr)
        return corrupted_metadata("no current snapshot");
    for (const auto& schema : metadata.schemas) {
        Status checked = check_schema(schema);
        // A table may have lost all its columns; everything else of a schema must hold.
        if (!checked.ok() && !schema.fields.empty()) return corrupted_metadata(checked.error().message);
    }
    return {};
}

Result<TableMetadata> read_metadata(const Json& json) {
    TableMetadata metadata;
    metadata.format_version = small_of(json.at("format-version"));
    if (metadata.format_version < 1) return corrupted_metadata("format version below 1");
    if (metadata.format_version > 2)
        return Error(Code::unimplemented, fmt::format("Iceberg format version {} is not supported",
                                                      metadata.format_version));
    metadata.table_uuid = json.value("table-uuid", std::string());
    metadata.location = json.at("location").get<std::string>();
    metadata.last_sequence_number = integer_or(json, "last-sequence-number", 0);
    metadata.last_updated_ms = integer_of(json.at("last-updated-ms"));
    metadata.last_column_id = small_of(json.at("last-column-id"));
    TARN_CHECK_OK(read_schemas(json, &metadata));
    TARN_CHECK_OK(read_specs(json, &metadata));
    TARN_CHECK_OK(read_orders(json, &metadata));
    if (json.contains("properties")) metadata.properties = json.at("properties").get<Properties>();
    TARN_CHECK_OK(read_snapshots(json, &metadata));
    TARN_CHECK_OK(check(metadata));
    return metadata;
}

}  // namespace

std::string metadata_json(const TableMetadata& metadata) {
    codec::JsonWriter json;
    json.begin_object().member("format-version", metadata.format_version);
    json.member("table-uuid", metadata.table_uuid).member("location", metadata.location);
    json.member("last-sequence-number", metadata.last_sequence_number);
    json.member("last-updated-ms", metadata.last_updated_ms)
        .member("last-column-id", metadata.last_column_id);
    json.member("current-schema-id", metadata.current_schema_id).key("schemas").begin_array();
    for (const auto& schema : metadata.schemas) write_schema(json, schema);
    json.end_array()
        .member("default-spec-id", metadata.default_spec_id)
        .key("partition-specs")
        .begin_array();
    for (const auto& spec : metadata.specs) {
        json.begin_object().member("spec-id", spec.spec_id).key("fields");
        write_partition_fields(json, spec);
        json.end_object();
    }
    json.end_array().member("last-partition-id", metadata.last_partition_id);
    json.member("default-sort-order-id", metadata.default_sort_order_id)
        .key("sort-orders")
        .begin_array();
    for (const auto& order : metadata.sort_orders) write_sort_order(json, order);
    json.end_array().key("properties").begin_object();
    for (const auto& [name, value] : metadata.properties) json.member(name, value);
    json.end_object().member("current-snapshot-id", metadata.current_snapshot_id.value_or(-1));
    write_refs(json, metadata.refs);
    json.key("snapshots").begin_array();
    for (const auto& snapshot : metadata.snapshots) write_snapshot(json, *snapshot);
    json.end_array();
    write_logs(json, metadata);
    json.end_object();
    return json.take();
}

Result<TableMetadata> parse_metadata_json(std::string_view text) {
    try {
        const Json json = Json::parse(text, nullptr, false);
        if (!json.is_object()) return corrupted_metadata("not a JSON object");
        return read_metadata(json);
    } catch (const Json::exception& e) {
        return corrupted_metadata(e.what());
    }
}

}  // namespace tarn::tables

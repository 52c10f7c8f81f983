// Looking things up in a table's metadata.
#include "tables/metadata.h"

#include <charconv>

namespace tarn::tables {

namespace {

std::optional<int64_t> parse_number(const std::string& text) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string Snapshot::operation() const {
    const auto found = summary.find("operation");
    return found == summary.end() ? std::string() : found->second;
}

std::optional<int64_t> Snapshot::summary_number(const std::string& name) const {
    const auto found = summary.find(name);
    return found == summary.end() ? std::nullopt : parse_number(found->second);
}

const Schema* TableMetadata::find_schema(int schema_id) const {
    for (const auto& schema : schemas)
        if (schema.schema_id == schema_id) return &schema;
    return nullptr;
}

const PartitionSpec* TableMetadata::find_spec(int spec_id) const {
    for (const auto& spec : specs)
        if (spec.spec_id == spec_id) return &spec;
    return nullptr;
}

const Schema& TableMetadata::schema() const {
    const Schema* found = find_schema(current_schema_id);
    TARN_ASSERT(found != nullptr);
    return *found;
}

const PartitionSpec& TableMetadata::spec() const {
    const PartitionSpec* found = find_spec(default_spec_id);
    TARN_ASSERT(found != nullptr);
    return *found;
}

const SortOrder& TableMetadata::sort_order() const {
    const SortOrder* found = nullptr;
    for (const auto& order : sort_orders)
        if (order.order_id == default_sort_order_id) found = &order;
    TARN_ASSERT(found != nullptr);
    return *found;
}

SnapshotPtr TableMetadata::current_snapshot() const {
    return current_snapshot_id ? find_snapshot(*current_snapshot_id) : nullptr;
}

SnapshotPtr TableMetadata::find_snapshot(int64_t snapshot_id) const {
    for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot)
        if ((*snapshot)->snapshot_id == snapshot_id) return *snapshot;
    return nullptr;
}

SnapshotPtr TableMetadata::snapshot_at(Timestamp at) const {
    SnapshotPtr found;
    for (const auto& entry : snapshot_log)
        if (entry.timestamp_ms * 1000 <= at.micros) found = find_snapshot(entry.snapshot_id);
    return found;
}

int64_t TableMetadata::property_number(const std::string& name, int64_t otherwise) const {
    const auto found = properties.find(name);
    return found == properties.end() ? otherwise : parse_number(found->second).value_or(otherwise);
}

}  // namespace tarn::tables

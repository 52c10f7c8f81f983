// Looking things up.
#include "meta/keys.h"
#include "tables/catalog.h"
#include "tables/internal/catalog_cache.h"
#include "tables/internal/records.h"

namespace tarn::tables {

namespace {

/// All records below a prefix, in order.
template <typename Value>
Result<std::vector<Value>> scan_all(const meta::Reader& state, const std::string& prefix,
                                    Result<Value> (*decode)(std::string_view)) {
    std::vector<Value> values;
    const auto records = state.scan({prefix, meta::prefix_end(prefix), false});
    for (; records->valid(); records->next()) {
        TARN_TRY(record, records->record());
        TARN_TRY(value, decode(record.value));
        values.push_back(std::move(value));
    }
    TARN_CHECK_OK(records->status());
    return values;
}

template <typename Value>
Result<std::optional<Value>> find_one(const meta::Reader& state, const std::string& key,
                                      Result<Value> (*decode)(std::string_view)) {
    TARN_TRY(record, state.get(key));
    if (!record) return std::optional<Value>();
    TARN_TRY(value, decode(record->value));
    return std::optional<Value>(std::move(value));
}

}  // namespace

CatalogSnapshot::CatalogSnapshot(std::shared_ptr<CatalogCache> cache,
                                 std::shared_ptr<const meta::Snapshot> state)
    : cache_(std::move(cache)), state_(std::move(state)) {}

Result<std::optional<DatabaseInfo>> CatalogSnapshot::find_database(std::string_view name) const {
    return find_one<DatabaseInfo>(*state_, database_key(name), decode_database);
}

Result<std::vector<DatabaseInfo>> CatalogSnapshot::databases() const {
    return scan_all<DatabaseInfo>(*state_, databases_prefix(), decode_database);
}

Result<std::optional<RelationInfo>> CatalogSnapshot::find_relation(std::string_view database,
                                                                   std::string_view name) const {
    return find_one<RelationInfo>(*state_, relation_key(database, name), decode_relation);
}

Result<std::vector<RelationInfo>> CatalogSnapshot::relations(std::string_view database) const {
    return scan_all<RelationInfo>(*state_, relations_prefix(database), decode_relation);
}

Result<TablePtr> CatalogSnapshot::load_table(std::string_view database,
                                             std::string_view name) const {
    TARN_TRY(info, find_relation(database, name));
    if (!info) return no_such_relation(RelationKind::table, database, name);
    return load_table(*info);
}

Result<TablePtr> CatalogSnapshot::load_table(const RelationInfo& info) const {
    if (info.kind != RelationKind::table)
        return no_such_relation(RelationKind::table, info.database, info.name);
    TARN_TRY(pointer, find_one<Pointer>(*state_, pointer_key(info.uuid), decode_pointer));
    if (!pointer) return no_such_relation(RelationKind::table, info.database, info.name);
    auto metadata = cache_->load_metadata(pointer->metadata_location);
    if (!metadata.ok()) return std::move(metadata).error().within("table " + info.full_name());
    return std::make_shared<const TableState>(
        TableState{info, pointer->metadata_location, std::move(metadata).value()});
}

}  // namespace tarn::tables

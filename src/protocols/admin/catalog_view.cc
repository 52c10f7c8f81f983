#include "protocols/admin/internal/catalog_view.h"

#include <algorithm>

namespace tarn::admin {
namespace {

std::vector<std::string> split_tags(const tables::Properties& properties) {
    std::vector<std::string> tags;
    const auto found = properties.find(kTagsProperty);
    if (found == properties.end()) return tags;
    std::string tag;
    for (const char c : found->second + ",") {
        if (c != ',') {
            tag.push_back(c);
        } else if (!tag.empty()) {
            tags.push_back(std::exchange(tag, {}));
        }
    }
    return tags;
}

/// Shown by a grant that hides nothing of it; shown only through masks; not shown.
enum class Shown : uint8_t { no, masked, plain };

Shown shown(const query::TableAccess& access, const std::string& column) {
    Shown best = Shown::no;
    for (const auto& grant : access.read) {
        if (!grant.all_columns &&
            std::find(grant.columns.begin(), grant.columns.end(), column) == grant.columns.end())
            continue;
        if (!grant.masks.contains(column)) return Shown::plain;
        best = Shown::masked;
    }
    return best;
}

std::string joined_types(const std::vector<tables::Field>& fields) {
    std::string out;
    for (const auto& field : fields)
        out += (out.empty() ? "" : ", ") + field.name + " " + sql_type(field.type);
    return out;
}

}  // namespace

std::string sql_type(const tables::Type& type) {
    using tables::TypeId;
    switch (type.id) {
        case TypeId::boolean:
            return "boolean";
        case TypeId::int32:
            return "integer";
        case TypeId::int64:
            return "bigint";
        case TypeId::float32:
            return "real";
        case TypeId::float64:
            return "double precision";
        case TypeId::decimal:
            return "numeric(" + std::to_string(type.precision) + "," + std::to_string(type.scale) +
                   ")";
        case TypeId::date:
            return "date";
        case TypeId::time:
            return "time";
        case TypeId::timestamp:
            return "timestamp";
        case TypeId::timestamptz:
            return "timestamp with time zone";
        case TypeId::string:
            return "text";
        case TypeId::uuid:
            return "uuid";
        case TypeId::fixed:
        case TypeId::binary:
            return "bytea";
        case TypeId::struct_:
            return "struct(" + joined_types(type.fields) + ")";
        case TypeId::list:
            return type.fields.empty() ? "list" : sql_type(type.fields[0].type) + "[]";
        case TypeId::map:
            return type.fields.size() < 2 ? "map"
                                          : "map(" + sql_type(type.fields[0].type) + ", " +
                                                sql_type(type.fields[1].type) + ")";
    }
    return "unknown";
}

Result<query::TableAccess> access_of(const DoorParts& parts, const security::Principal& who,
                                     const std::string& database, const std::string& table) {
    if (who.is_root()) return query::TableAccess::everything();
    return parts.grants->table_access(who, database, table);
}

Json snapshot_counts(const tables::SnapshotPtr& snapshot) {
    Json out = {{"rows", 0}, {"bytes", 0}, {"files", 0}, {"delete_files", 0}};
    if (snapshot == nullptr) return out;
    const auto number = [&](const char* name) -> Json {
        const auto found = snapshot->summary_number(name);
        return found ? Json(*found) : Json();
    };
    out["bytes"] = number("total-files-size");
    out["files"] = number("total-data-files");
    out["delete_files"] = number("total-delete-files");
    const auto rows = snapshot->summary_number("total-records");
    if (!rows)
        out["rows"] = Json();
    else
        out["rows"] = *rows - snapshot->summary_number("total-position-deletes").value_or(0);
    return out;
}

Result<std::optional<SeenTable>> CatalogView::look(const tables::RelationInfo& info) const {
    TARN_TRY(access, access_of(parts_, who_, info.database, info.name));
    if (access.read.empty()) return std::optional<SeenTable>();
    SeenTable out;
    out.info = info;
    out.whole = access.unrestricted();
    out.access = std::move(access);
    const auto add = [&](SeenColumn column) {
        const Shown how = shown(out.access, column.name);
        column.masked = how == Shown::masked;
        if (how != Shown::no) out.columns.push_back(std::move(column));
    };
    if (info.kind == tables::RelationKind::view) {
        for (const auto& column : info.columns)
            add({column.name, sql_type(column.type), column.comment, false, false});
        return std::optional(std::move(out));
    }
    TARN_TRY(table, state_.load_table(info));
    for (const auto& field : table->schema().fields)
        add({field.name, sql_type(field.type), field.doc.value_or(""), field.required, false});
    out.tags = split_tags(table->metadata->properties);
    out.table = std::move(table);
    return std::optional(std::move(out));
}

Result<SeenTable> CatalogView::find(const std::string& database, const std::string& table) const {
    const Error absent(Code::not_found, "there is no table " + database + "." + table +
                                            ", or none that you may see");
    TARN_TRY(info, state_.find_relation(database, table));
    if (!info) return absent;
    TARN_TRY(seen, look(*info));
    if (!seen) return absent;
    return std::move(*seen);
}

Result<std::vector<SeenTable>> CatalogView::all(bool* truncated) const {
    std::vector<SeenTable> out;
    *truncated = false;
    TARN_TRY(databases, state_.databases());
    for (const auto& database : databases) {
        TARN_TRY(relations, state_.relations(database.name));
        for (const auto& info : relations) {
            if (out.size() >= kTablesMax) {
                *truncated = true;
                return out;
            }
            auto seen = look(info);
            // One table that cannot be read must not hide the others.
            if (seen.ok() && *seen) out.push_back(std::move(**seen));
        }
    }
    return out;
}

}  // namespace tarn::admin

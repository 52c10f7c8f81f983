#include "ingest/internal/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/internal/utf8.h"
#include "query/engine.h"

namespace tarn::ingest {

namespace {

using query::Kind;
using tables::TypeId;

/// What was refused may hold any bytes; a text column only UTF-8.
std::string readable(std::string_view text) {
    std::string out;
    out.reserve(std::min(text.size(), kRejectedTextMax));
    while (!text.empty() && out.size() < kRejectedTextMax) {
        const size_t length = utf8_length(text);
        if (length == 0)
            out += "\xef\xbf\xbd";  // U+FFFD
        else
            out.append(text.substr(0, length));
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    return out;
}

tables::Field field_of(const std::string& name, tables::Type type, bool required,
                       const std::string& comment) {
    tables::Field field;
    field.name = name;
    field.type = std::move(type);
    field.required = required;
    if (!comment.empty()) field.doc = comment;
    return field;
}

/// Same but for the ids of nested fields.
bool same_type(const tables::Type& a, const tables::Type& b) {
    return type_of_iceberg(a) == type_of_iceberg(b);
}

bool holds(const tables::Type& have, const tables::Type& wanted) {
    return same_type(have, wanted) || tables::can_widen(wanted, have);
}

Error other_type(const tables::TableState& table, const tables::Field& have,
                 const TargetColumn& wanted) {
    return Error(Code::invalid_argument,
                 fmt::format("column {} of table {} is {}, the source now has {}, which does not "
                             "fit: rename or drop the table, it will be made anew",
                             wanted.name, table.info.full_name(), tables::type_name(have.type),
                             query::pg_name(wanted.type)));
}

/// What has to happen to `table` so that it holds the wanted columns.
Result<std::vector<tables::SchemaStep>> schema_steps(const tables::TableState& table,
                                                     const TargetTable& wanted) {
    std::vector<tables::SchemaStep> steps;
    for (const auto& column : wanted.columns) {
        TARN_TRY(type, iceberg_type(column.type));
        const tables::Field* have = table.schema().find(column.name);
        if (!have) {
            if (!wanted.allow_new_columns)
                return Error(Code::invalid_argument,
                             fmt::format("table {} has no column {}: add it to the table, or let "
                                         "the source add new columns",
                                         table.info.full_name(), column.name));
            std::optional<std::string> doc;
            if (!column.comment.empty()) doc = column.comment;
            steps.push_back(tables::SchemaStep::add(column.name, std::move(type), std::move(doc)));
            continue;
        }
        if (!holds(have->type, type)) {
            if (!tables::can_widen(have->type, type)) return other_type(table, *have, column);
            steps.push_back(tables::SchemaStep::widen(have->id, std::move(type)));
        }
        if (have->required && !column.required)
            steps.push_back(tables::SchemaStep::make_optional(have->id));
    }
    // Columns that the source has no more stay, and must then take NULLs.
    for (const auto& field : table.schema().fields) {
        const bool still =
            std::any_of(wanted.columns.begin(), wanted.columns.end(),
                        [&](const TargetColumn& column) { return column.name == field.name; });
        if (field.required && !still) steps.push_back(tables::SchemaStep::make_optional(field.id));
    }
    return steps;
}

Result<tables::CreateTable> create_spec(const TargetTable& wanted) {
    tables::CreateTable spec;
    spec.database = wanted.database;
    spec.name = wanted.name;
    spec.comment = wanted.comment;
    for (const auto& column : wanted.columns) {
        TARN_TRY(type, iceberg_type(column.type));
        spec.schema.fields.push_back(
            field_of(column.name, std::move(type), column.required, column.comment));
    }
    if (!wanted.key.empty())
        spec.properties["tarn.key"] = fmt::format("{}", fmt::join(wanted.key, ","));
    if (!wanted.source.empty()) spec.properties["tarn.source"] = wanted.source;
    return spec;
}

Status ensure_database(const SourcesParts& parts, const std::string& name) {
    TARN_TRY(found, parts.catalog.snapshot().find_database(name));
    if (found) return ok_status();
    tables::CreateDatabase spec;
    spec.name = name;
    spec.if_absent = true;
    TARN_CHECK_OK(parts.catalog.create_database(parts.caller(), spec));
    return ok_status();
}

}  // namespace

query::Type stored_type(const query::Type& type) {
    switch (type.kind) {
        case Kind::null:
        case Kind::json:
        case Kind::jsonb:
        case Kind::character:
        case Kind::interval:
            return Kind::text;
        case Kind::oid:
            return Kind::int64;
        case Kind::int16:
            return Kind::int32;
        case Kind::list:
        case Kind::structure:
        case Kind::map: {
            query::Type out = type;
            for (auto& [name, child] : out.children) child = stored_type(child);
            return out;
        }
        default:
            return type;
    }
}

Result<tables::Type> iceberg_type(const query::Type& type) {
    const auto child = [&](size_t i) { return iceberg_type(type.children[i].second); };
    switch (type.kind) {
        case Kind::boolean:
            return tables::Type::of(TypeId::boolean);
        case Kind::int16:
        case Kind::int32:
            return tables::Type::of(TypeId::int32);
        case Kind::int64:
        case Kind::oid:
            return tables::Type::of(TypeId::int64);
        case Kind::float32:
            return tables::Type::of(TypeId::float32);
        case Kind::float64:
            return tables::Type::of(TypeId::float64);
        case Kind::decimal:
            return tables::Type::decimal(type.precision, type.scale);
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::jsonb:
        case Kind::interval:
            return tables::Type::of(TypeId::string);
        case Kind::binary:
            return tables::Type::of(TypeId::binary);
        case Kind::date:
            return tables::Type::of(TypeId::date);
        case Kind::time:
            return tables::Type::of(TypeId::time);
        case Kind::timestamp:
            return tables::Type::of(TypeId::timestamp);
        case Kind::timestamptz:
            return tables::Type::of(TypeId::timestamptz);
        case Kind::uuid:
            return tables::Type::of(TypeId::uuid);
        case Kind::list: {
            TARN_TRY(element, child(0));
            return tables::Type::list(0, std::move(element), false);
        }
        case Kind::map: {
            TARN_TRY(key, child(0));
            TARN_TRY(value, child(1));
            return tables::Type::map(0, std::move(key), 0, std::move(value), false);
        }
        case Kind::structure: {
            std::vector<tables::Field> fields;
            for (const auto& [name, part] : type.children) {
                TARN_TRY(made, iceberg_type(part));
                fields.push_back(field_of(name, std::move(made), false, {}));
            }
            return tables::Type::structure(std::move(fields));
        }
    }
    return Error(Code::internal, "a type without a name");
}

query::Type type_of_iceberg(const tables::Type& type) {
    switch (type.id) {
        case TypeId::boolean:
            return Kind::boolean;
        case TypeId::int32:
            return Kind::int32;
        case TypeId::int64:
            return Kind::int64;
        case TypeId::float32:
            return Kind::float32;
        case TypeId::float64:
            return Kind::float64;
        case TypeId::decimal:
            return query::Type::decimal(static_cast<uint8_t>(type.precision),
                                        static_cast<uint8_t>(type.scale));
        case TypeId::date:
            return Kind::date;
        case TypeId::time:
            return Kind::time;
        case TypeId::timestamp:
            return Kind::timestamp;
        case TypeId::timestamptz:
            return Kind::timestamptz;
        case TypeId::string:
            return Kind::text;
        case TypeId::uuid:
            return Kind::uuid;
        case TypeId::fixed:
        case TypeId::binary:
            return Kind::binary;
        case TypeId::list:
            return query::Type::list(type_of_iceberg(type.fields[0].type));
        case TypeId::map:
        case TypeId::struct_: {
            query::Type out(type.id == TypeId::map ? Kind::map : Kind::structure);
            for (const auto& field : type.fields)
                out.children.emplace_back(field.name, type_of_iceberg(field.type));
            return out;
        }
    }
    return Kind::text;
}

std::string lake_name(std::string_view outside) {
    std::string out;
    for (const char raw : outside) {
        const char c = raw >= 'A' && raw <= 'Z' ? static_cast<char>(raw - 'A' + 'a') : raw;
        const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        out.push_back(fine ? c : '_');
    }
    if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(out.begin(), '_');
    if (out.size() > 63) out.resize(63);
    return out;
}

tables::TableChange Target::change() const {
    tables::TableChange change;
    change.table = table;
    change.create = created;
    return change;
}

Result<tables::TablePtr> ensure_table(const SourcesParts& parts, const TargetTable& wanted) {
    TARN_TRY(target, stage_table(parts, wanted));
    if (!target.created) return std::move(target.table);
    auto made = parts.committer.commit(parts.caller(), {target.change()});
    if (made.ok()) return std::move(made->tables.front());
    // Somebody else was first: then it exists.
    if (made.error().code != Code::already_exists) return std::move(made).error();
    TARN_TRY(again, stage_table(parts, wanted));
    return std::move(again.table);
}

Result<Target> stage_table(const SourcesParts& parts, const TargetTable& wanted) {
    TARN_CHECK_OK(ensure_database(parts, wanted.database));
    const auto state = parts.catalog.snapshot();
    TARN_TRY(found, state.find_relation(wanted.database, wanted.name));
    Target target;
    if (!found) {
        TARN_TRY(spec, create_spec(wanted));
        TARN_TRY(staged, parts.catalog.stage_create_table(parts.caller(), spec));
        target.table = std::move(staged);
        target.created = true;
        return target;
    }
    if (found->kind != tables::RelationKind::table)
        return Error(Code::invalid_argument,
                     fmt::format("{} is a view: rename the view, or give the source another name",
                                 found->full_name()));
    TARN_TRY(table, state.load_table(*found));
    TARN_TRY(steps, schema_steps(*table, wanted));
    if (!steps.empty()) {
        tables::TableChange change;
        change.table = std::move(table);
        change.schema = std::move(steps);
        TARN_TRY(changed, parts.committer.commit(parts.caller(), {std::move(change)}));
        table = std::move(changed.tables.front());
    }
    target.table = std::move(table);
    return target;
}

Result<tables::TableChange> append_rows(const SourcesParts& parts, const tables::TablePtr& table,
                                        const query::Chunk& rows,
                                        std::vector<std::string> columns) {
    TARN_TRY(writer, parts.engine.write_rows_of(table, std::move(columns)));
    TARN_CHECK_OK(writer->append(rows));
    TARN_TRY(files, writer->finish());
    return tables::TableChange::append_to(table, std::move(files));
}

Result<tables::TableChange> reject_rows(const SourcesParts& parts, const std::string& database,
                                        const std::string& table, const std::string& source,
                                        const std::vector<RejectedRow>& rows) {
    TargetTable wanted;
    wanted.database = database;
    // A name has at most 63 bytes.
    wanted.name = table.substr(0, 63 - std::string_view("_rejected").size()) + "_rejected";
    wanted.comment = fmt::format("rows of source {} that did not fit table {}", source, table);
    wanted.source = source;
    wanted.columns = {
        {"source", Kind::text, false, ""}, {"rejected_at", Kind::timestamptz, false, ""},
        {"place", Kind::text, false, ""},  {"line", Kind::int64, false, ""},
        {"text", Kind::text, false, ""},   {"reason", Kind::text, false, ""}};
    TARN_TRY(target, ensure_table(parts, wanted));
    query::Chunk chunk;
    std::vector<std::string> names;
    for (const auto& column : wanted.columns) {
        chunk.columns.emplace_back(column.type);
        names.push_back(column.name);
    }
    const int64_t now = parts.clock.now().micros;
    for (const auto& row : rows) {
        chunk.columns[0].append_text(source);
        chunk.columns[1].append_number(now);
        chunk.columns[2].append_text(readable(row.place));
        if (row.line == 0)
            chunk.columns[3].append_null();
        else
            chunk.columns[3].append_number(static_cast<int64_t>(row.line));
        chunk.columns[4].append_text(readable(row.text));
        chunk.columns[5].append_text(readable(row.reason));
    }
    return append_rows(parts, target, chunk, std::move(names));
}

}  // namespace tarn::ingest

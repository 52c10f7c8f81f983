// The table functions below the views: databases, relations, columns and the session, as the
// principal may see them.
#include <functional>

#include "query/internal/duck_types.h"
#include "query/internal/lake.h"
#include "query/internal/pg_catalog/pg_catalog.h"
#include "query/internal/pg_catalog/sources.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

using Row = duck::vector<duck::Value>;
using Fill = void (*)(LakeTransaction&, std::vector<Row>&);

struct Source {
    const char* name;
    std::vector<std::pair<const char*, duck::LogicalType>> columns;
    Fill fill;
};

constexpr uint64_t kFirstKeyOid = 1u << 30;  // keys have none of their own

std::string quoted_if_needed(const std::string& name) {
    const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    return plain ? name : quoted_name(name);
}

duck::Value oid(uint64_t number) {
    return duck::Value::BIGINT(static_cast<int64_t>(number));
}

void fill_databases(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& info : value_or_throw(transaction.snapshot().databases()))
        if (transaction.find_schema(info.name))
            rows.push_back({oid(info.oid), info.name, info.comment});
}

void fill_relations(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        if (!transaction.find_schema(database.name)) continue;
        for (const auto& info : transaction.relations(database.name)) {
            const bool view = info.kind == tables::RelationKind::view;
            rows.push_back(
                {oid(info.oid), info.name, oid(database.oid), database.name, view ? "v" : "r",
                 info.comment,
                 view ? duck::Value(info.sql) : duck::Value(duck::LogicalType::VARCHAR)});
        }
    }
}

void add_column(const tables::RelationInfo& info, int number, const std::string& name,
                const tables::Type& type, bool required, const std::string& comment,
                const std::string& value, const std::string& identity, std::vector<Row>& rows) {
    const Type shown = type_from_duck(iceberg_to_duck(type));
    const duck::Value none(duck::LogicalType::VARCHAR);
    rows.push_back({oid(info.oid), info.database, info.name, name, duck::Value::INTEGER(number),
                    oid(pg_oid(shown)), duck::Value::INTEGER(pg_modifier(shown)),
                    duck::Value::INTEGER(pg_length(shown)), pg_name(shown),
                    duck::Value::BOOLEAN(required), comment, value.empty() ? none : duck::Value(value), identity});
}

/// Keys that are enforced, and those that are only named.
void fill_keys(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        auto* schema = transaction.find_schema(database.name);
        if (!schema) continue;
        for (const auto& info : transaction.relations(database.name)) {
            if (info.kind == tables::RelationKind::view) continue;
            auto* entry = transaction.find_relation(*schema, {duck::CatalogType::TABLE_ENTRY, duck::string(info.name)});
            if (!entry) continue;
            const auto& view = entry->Cast<LakeTable>().view();
            auto keys = keys_of(view.state->metadata->properties);
            const auto& named = view.schema.identifier_field_ids;
            if (std::none_of(keys.begin(), keys.end(), [](const auto& key) { return key.primary; }) && !named.empty())
                keys.push_back({key_name(info.name, true, {}), true, named});
            uint64_t number = 0;
            for (const auto& key : keys) {
                duck::vector<duck::Value> columns;
                std::string names;
                for (const int id : key.fields) {
                    int at = 0;
                    for (const size_t position : view.columns) {
                        ++at;
                        if (view.schema.fields[position].id != id) continue;
                        columns.push_back(duck::Value::SMALLINT(static_cast<int16_t>(at)));
                        names += (names.empty() ? "" : ", ") + quoted_if_needed(view.schema.fields[position].name);
                    }
                }
                if (columns.size() != key.fields.size()) continue;  // a part of it is hidden
                rows.push_back({oid(kFirstKeyOid + info.oid * 16 + number++), key.name, oid(info.oid), oid(database.oid), database.name, info.name,
                                key.primary ? "p" : "u", duck::Value::LIST(duck::LogicalType::SMALLINT, std::move(columns)),
                                (key.primary ? "PRIMARY KEY (" : "UNIQUE (") + names + ")"});
            }
        }
    }
}

void fill_columns(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        auto* schema = transaction.find_schema(database.name);
        if (!schema) continue;
        for (const auto& info : transaction.relations(database.name)) {
            if (info.kind == tables::RelationKind::view) {
                int number = 0;
                for (const auto& column : info.columns)
                    add_column(info, ++number, column.name, column.type, false, column.comment, "", "",
                               rows);
                continue;
            }
            const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, info.name);
            auto* entry = transaction.find_relation(*schema, lookup);
            if (!entry) continue;
            const auto& view = entry->Cast<LakeTable>().view();
            int number = 0;
            for (const size_t position : view.columns) {
                const auto& field = view.schema.fields[position];
                const auto& properties = view.state->metadata->properties;
                const auto identity = identity_of(properties, field.id);
                add_column(info, ++number, field.name, field.type, field.required, field.doc.value_or(""),
                           default_text(properties, field.id), !identity ? "" : identity->always ? "a" : "d", rows);
            }
        }
    }
}

void fill_session(LakeTransaction& transaction, std::vector<Row>& rows) {
    rows.push_back({transaction.session().caller.principal.name});
}

const std::vector<Source>& sources() {
    const auto text = duck::LogicalType::VARCHAR;
    const auto number = oid_type();
    const auto small = duck::LogicalType::INTEGER;
    static const std::vector<Source> all = {
        {"tarn_databases", {{"oid", number}, {"name", text}, {"comment", text}}, fill_databases},
        {"tarn_relations",
         {{"oid", number},
          {"name", text},
          {"database_oid", number},
          {"database", text},
          {"kind", text},
          {"comment", text},
          {"sql", text}},
         fill_relations},
        {"tarn_columns",
         {{"relation_oid", number},
          {"database", text},
          {"relation", text},
          {"name", text},
          {"number", small},
          {"type_oid", number},
          {"modifier", small},
          {"length", small},
          {"type_name", text},
          {"required", duck::LogicalType::BOOLEAN},
          {"comment", text},
          {"default_sql", text},
          {"identity", text}},
         fill_columns},
        {"tarn_keys",
         {{"oid", number},
          {"name", text},
          {"relation_oid", number},
          {"database_oid", number},
          {"database", text},
          {"relation", text},
          {"kind", text},
          {"columns", duck::LogicalType::LIST(duck::LogicalType::SMALLINT)},
          {"definition", text}},
         fill_keys},
        {"tarn_session", {{"user_name", text}}, fill_session},
    };
    return all;
}

struct SourceInfo : duck::TableFunctionInfo {
    const Source* source = nullptr;
};
struct SourceBind : duck::TableFunctionData {
    const Source* source = nullptr;
};
struct SourceRows : duck::GlobalTableFunctionState {
    std::vector<Row> rows;
    size_t at = 0;
};

duck::unique_ptr<duck::FunctionData> bind(duck::ClientContext&, duck::TableFunctionBindInput& input,
                                          duck::vector<duck::LogicalType>& types,
                                          duck::vector<duck::string>& names) {
    auto data = duck::make_uniq<SourceBind>();
    data->source = static_cast<SourceInfo&>(*input.info).source;
    for (const auto& [name, type] : data->source->columns) {
        names.emplace_back(name);
        types.push_back(type);
    }
    return data;
}

duck::unique_ptr<duck::GlobalTableFunctionState> init(duck::ClientContext& context,
                                                      duck::TableFunctionInitInput& input) {
    auto state = duck::make_uniq<SourceRows>();
    auto& lake = duck::Catalog::GetCatalog(context, kLake);
    input.bind_data->Cast<SourceBind>().source->fill(LakeTransaction::of(context, lake),
                                                     state->rows);
    return state;
}

void produce(duck::ClientContext&, duck::TableFunctionInput& input, duck::DataChunk& chunk) {
    auto& state = input.global_state->Cast<SourceRows>();
    duck::idx_t count = 0;
    for (; state.at < state.rows.size() && count < STANDARD_VECTOR_SIZE; ++state.at, ++count)
        for (size_t i = 0; i < chunk.ColumnCount(); ++i)
            chunk.SetValue(i, count, state.rows[state.at][i]);
    chunk.SetCardinality(count);
}

}  // namespace

void add_catalog_sources(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& source : sources()) {
        duck::TableFunction function(source.name, {}, produce, bind, init);
        auto info = duck::make_shared_ptr<SourceInfo>();
        info->source = &source;
        function.function_info = std::move(info);
        duck::CreateTableFunctionInfo create(function);
        system.CreateTableFunction(context, create);
    }
}

}  // namespace tarn::query

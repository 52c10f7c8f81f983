// The table functions below the views: databases, relations, columns and the session, as the
// principal may see them.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "query/internal/duck_types.h"
#include "query/internal/identity.h"
#include "query/internal/lake.h"
#include "query/internal/name_walk.h"
#include "query/internal/pg_catalog/macros.h"
#include "query/internal/pg_catalog/pg_catalog.h"
#include "query/internal/pg_catalog/sources.h"
#include "query/internal/references.h"
#include "query/internal/row_checks.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_rules.h"
#include "query/internal/temporary.h"
#include "query/internal/view_text.h"
#include "query/work.h"

namespace tarn::query {

namespace {

using Row = duck::vector<duck::Value>;
using Fill = void (*)(LakeTransaction&, std::vector<Row>&);

using Columns = std::vector<std::pair<const char*, duck::LogicalType>>;

struct Source {
    const char* name;
    Columns columns;
    Fill fill;
};

// Constraints and sequences have no numbers of their own: so many of a table have theirs.
constexpr uint64_t kRulesOfTable = 64;
constexpr uint64_t kFirstRuleOid = 1u << 30;
constexpr uint64_t kFirstSequenceOid = 3u << 30;
// Above the numbers of temporary tables, which count up from half of it.
constexpr uint64_t kFirstTemporaryRuleOid = 3u << 28;
constexpr uint64_t kTemporaryRulesMax = (1u << 28) / kRulesOfTable;

std::string quoted_if_needed(const std::string& name) {
    const bool plain =
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    return plain ? name : quoted_name(name);
}

duck::Value oid(uint64_t number) {
    return duck::Value::BIGINT(static_cast<int64_t>(number));
}

// Temporary tables are their session's, under numbers that no other relation has.
constexpr const char* kTemporarySchema = "pg_temp";
constexpr uint64_t kTemporarySchemaOid = (1u << 29) - 1;

tables::RelationInfo temporary_info(const std::string& name, const duck::CatalogEntry& entry) {
    tables::RelationInfo info;
    info.database = kTemporarySchema;
    info.name = name;
    info.oid = temporary_oid(entry);
    return info;
}

void fill_databases(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& info : value_or_throw(transaction.snapshot().databases()))
        if (transaction.find_schema(info.name))
            rows.push_back({oid(info.oid), info.name, info.comment});
    if (!temporary_names(*transaction.context.lock()).all.empty())
        rows.push_back({oid(kTemporarySchemaOid), kTemporarySchema, ""});
}

/// A view's query as PostgreSQL reads it, wherever it is: names without a schema mean the view's
/// own.
std::string view_definition(const tables::RelationInfo& info) {
    try {
        auto statement = parse_one(info.sql);
        auto& select = statement->Cast<duck::SelectStatement>();
        NameWalk([&](duck::BaseTableRef& ref) {
            if (ref.schema_name.empty()) ref.schema_name = info.database;
        }).query(*select.node);
        return postgres_view_text(select.ToString());
    } catch (const std::exception&) {
        return postgres_view_text(info.sql);  // nobody can read it: it is shown as it is
    }
}

void fill_relations(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        if (!transaction.find_schema(database.name)) continue;
        for (const auto& info : transaction.relations(database.name)) {
            const bool view = info.kind == tables::RelationKind::view;
            rows.push_back({oid(info.oid), info.name, oid(database.oid), database.name,
                            view ? "v" : "r", info.comment,
                            view ? duck::Value(view_definition(info))
                                 : duck::Value(duck::LogicalType::VARCHAR)});
        }
    }
    auto& context = *transaction.context.lock();
    const auto add = [&](const std::string& name, const duck::CatalogEntry& entry, const char* kind,
                         duck::Value definition) {
        rows.push_back({oid(temporary_oid(entry)), name, oid(kTemporarySchemaOid), kTemporarySchema,
                        kind, "", std::move(definition)});
    };
    each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry& table) {
        add(name, table, "r", duck::Value(duck::LogicalType::VARCHAR));
    });
    each_temporary_view(context, [&](const std::string& name, duck::ViewCatalogEntry& view) {
        add(name, view, "v", duck::Value(postgres_view_text(view.sql)));
    });
}

void add_column(const tables::RelationInfo& info, int number, const std::string& name,
                const duck::LogicalType& type, const DeclaredType& declared, bool required,
                const std::string& comment, const std::string& value, const std::string& identity,
                std::vector<Row>& rows) {
    const PgType shown = pg_type(type_from_duck(type), declared);
    const duck::Value none(duck::LogicalType::VARCHAR);
    rows.push_back({oid(info.oid), info.database, info.name, name, duck::Value::INTEGER(number),
                    oid(shown.oid), duck::Value::INTEGER(shown.modifier),
                    duck::Value::INTEGER(shown.length), shown.name, duck::Value::BOOLEAN(required),
                    comment, value.empty() ? none : duck::Value(value), identity});
}

/// A table that the principal sees, with the rules that the transaction left it.
struct SeenTable {
    const tables::RelationInfo& info;
    uint64_t database_oid;
    const LakeTable& table;
    tables::Properties properties;
};

void each_table(LakeTransaction& transaction, const std::function<void(const SeenTable&)>& found) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        auto* schema = transaction.find_schema(database.name);
        if (!schema) continue;
        for (const auto& info : transaction.relations(database.name)) {
            if (info.kind == tables::RelationKind::view) continue;
            auto* entry = transaction.find_relation(
                *schema, {duck::CatalogType::TABLE_ENTRY, duck::string(info.name)});
            if (!entry || entry->type != duck::CatalogType::TABLE_ENTRY) continue;
            const auto& table = entry->Cast<LakeTable>();
            found({info, database.oid, table, transaction.properties_of(table.state())});
        }
    }
}

/// The places (from 1) and names of columns by field id; nullopt: one of them is hidden.
struct ShownColumns {
    duck::vector<duck::Value> numbers;
    std::string names;
};
std::optional<ShownColumns> shown_columns(const LakeTable::View& view,
                                          const std::vector<int>& fields) {
    ShownColumns shown;
    for (const int id : fields) {
        int16_t number = 0;
        for (size_t i = 0; i < view.columns.size() && number == 0; ++i)
            if (view.schema.fields[view.columns[i]].id == id) number = static_cast<int16_t>(i + 1);
        if (number == 0) return std::nullopt;
        shown.numbers.push_back(duck::Value::SMALLINT(number));
        const auto& name = view.schema.fields[view.columns[static_cast<size_t>(number) - 1]].name;
        shown.names += (shown.names.empty() ? "" : ", ") + quoted_if_needed(name);
    }
    return shown;
}

duck::Value numbers_of(duck::vector<duck::Value> numbers) {
    return duck::Value::LIST(duck::LogicalType::SMALLINT, std::move(numbers));
}

/// The keys of temporary tables, which are DuckDB's own constraints.
void fill_temporary_keys(LakeTransaction& transaction, std::vector<Row>& rows) {
    each_temporary(
        *transaction.context.lock(), [&](const std::string& name, duck::TableCatalogEntry& table) {
            uint64_t number = 0;
            for (const auto& constraint : table.GetConstraints()) {
                if (constraint->type != duck::ConstraintType::UNIQUE) continue;
                const auto& unique = constraint->Cast<duck::UniqueConstraint>();
                const bool primary = unique.IsPrimaryKey();
                duck::vector<duck::Value> numbers;
                std::vector<std::string> columns;
                std::string listed;
                for (const auto index : unique.GetLogicalIndexes(table.GetColumns())) {
                    numbers.push_back(duck::Value::SMALLINT(static_cast<int16_t>(index.index + 1)));
                    columns.push_back(table.GetColumns().GetColumn(index).Name());
                    listed += (listed.empty() ? "" : ", ") + quoted_if_needed(columns.back());
                }
                const auto place = temporary_oid(table) % kTemporaryRulesMax;
                rows.push_back({oid(kFirstTemporaryRuleOid + place * kRulesOfTable + number++),
                                key_name(name, primary, columns), oid(temporary_oid(table)),
                                oid(kTemporarySchemaOid), kTemporarySchema, name,
                                primary ? "p" : "u", numbers_of(std::move(numbers)),
                                (primary ? "PRIMARY KEY (" : "UNIQUE (") + listed + ")", oid(0),
                                numbers_of({}), "a", "a"});
            }
        });
}

/// Keys that are enforced and those that are only named, then checks, then foreign keys.
void fill_constraints(LakeTransaction& transaction, std::vector<Row>& rows) {
    std::map<std::string, const LakeTable*> by_uuid;
    each_table(transaction, [&](const SeenTable& seen) { by_uuid[seen.info.uuid] = &seen.table; });
    each_table(transaction, [&](const SeenTable& seen) {
        const auto& view = seen.table.view();
        uint64_t number = 0;
        const auto add = [&](const std::string& name, const char* kind,
                             duck::vector<duck::Value> columns, std::string definition) -> Row& {
            rows.push_back({oid(kFirstRuleOid + seen.info.oid * kRulesOfTable + number++), name,
                            oid(seen.info.oid), oid(seen.database_oid), seen.info.database,
                            seen.info.name, kind, numbers_of(std::move(columns)),
                            std::move(definition), oid(0), numbers_of({}), "a", "a"});
            return rows.back();
        };
        auto keys = keys_of(seen.properties);
        const auto& named = view.schema.identifier_field_ids;
        if (std::none_of(keys.begin(), keys.end(), [](const auto& key) { return key.primary; }) &&
            !named.empty())
            keys.push_back({key_name(seen.info.name, true, {}), true, named});
        for (const auto& key : keys)
            if (auto shown = shown_columns(view, key.fields))
                add(key.name, key.primary ? "p" : "u", std::move(shown->numbers),
                    (key.primary ? "PRIMARY KEY (" : "UNIQUE (") + shown->names + ")");
        // What a check says may be what the policy hides: that there is another region.
        for (const auto& check :
             view.governed ? std::vector<TableCheck>() : checks_of(seen.properties))
            if (const auto text = check_text(check, view.schema, view.columns))
                if (auto shown = shown_columns(view, columns_of(check)))
                    add(check.name, "c", std::move(shown->numbers),
                        "CHECK (" + postgres_view_text(*text) + ")");
        for (const auto& reference : references_of(seen.properties)) {
            const auto target = by_uuid.find(reference.target_uuid);
            auto shown = shown_columns(view, reference.fields);
            auto its = target == by_uuid.end()
                           ? std::nullopt
                           : shown_columns(target->second->view(), reference.target_fields);
            if (!shown || !its) continue;
            const auto& info = target->second->state()->info;
            Row& row =
                add(reference.name, "f", std::move(shown->numbers),
                    fmt::format("FOREIGN KEY ({}) REFERENCES {}.{}({}){} NOT VALID", shown->names,
                                quoted_if_needed(info.database), quoted_if_needed(info.name),
                                its->names, actions_text(reference)));
            row[9] = oid(info.oid);
            row[10] = numbers_of(std::move(its->numbers));
            row[11] = std::string(1, reference.on_update);
            row[12] = std::string(1, reference.on_delete);
        }
    });
    fill_temporary_keys(transaction, rows);
}

/// Those that are indexes to clients, too.
void fill_keys(LakeTransaction& transaction, std::vector<Row>& rows) {
    fill_constraints(transaction, rows);
    std::erase_if(rows, [](const Row& row) {
        return row[6] != duck::Value("p") && row[6] != duck::Value("u");
    });
    for (auto& row : rows) row.resize(9);
}

void fill_sequences(LakeTransaction& transaction, std::vector<Row>& rows) {
    each_table(transaction, [&](const SeenTable& seen) {
        const auto& view = seen.table.view();
        for (size_t i = 0; i < view.columns.size(); ++i) {
            const auto& field = view.schema.fields[view.columns[i]];
            const auto identity = identity_of(seen.properties, field.id);
            if (!identity || !Sequence{&seen.table, field.id, *identity}.readable()) continue;
            rows.push_back({oid(kFirstSequenceOid + seen.info.oid * kRulesOfTable + i),
                            sequence_name(seen.info.name, field.name), oid(seen.database_oid),
                            seen.info.database, oid(seen.info.oid),
                            duck::Value::INTEGER(static_cast<int32_t>(i + 1)),
                            duck::Value::BIGINT(identity->start),
                            duck::Value::BIGINT(identity->increment),
                            oid(pg_type(type_from_duck(iceberg_to_duck(field.type)),
                                        declared_type(seen.properties, field))
                                    .oid),
                            seen.info.name, field.name});
        }
    });
}

/// Which tables and views a view reads, as far as they are seen.
void fill_view_tables(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        if (!transaction.find_schema(database.name)) continue;
        for (const auto& info : transaction.relations(database.name)) {
            if (info.kind != tables::RelationKind::view) continue;
            const auto named = named_tables(info.sql, database.name);
            if (!named.ok()) continue;  // it is not read either
            for (const auto& [schema_name, name] : *named) {
                if (!transaction.find_schema(schema_name)) continue;
                for (const auto& other : transaction.relations(schema_name))
                    if (other.name == name) rows.push_back({oid(info.oid), oid(other.oid)});
            }
        }
    }
}

void fill_temporary_columns(duck::ClientContext& context, std::vector<Row>& rows) {
    each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry& table) {
        std::set<duck::idx_t> required;
        for (const auto& constraint : table.GetConstraints()) {
            if (constraint->type == duck::ConstraintType::NOT_NULL)
                required.insert(constraint->Cast<duck::NotNullConstraint>().index.index);
            if (constraint->type == duck::ConstraintType::UNIQUE &&
                constraint->Cast<duck::UniqueConstraint>().IsPrimaryKey())
                for (const auto index :
                     constraint->Cast<duck::UniqueConstraint>().GetLogicalIndexes(
                         table.GetColumns()))
                    required.insert(index.index);
        }
        int number = 0;
        for (const auto& column : table.GetColumns().Physical())
            add_column(temporary_info(name, table), ++number, column.Name(), column.Type(),
                       temporary_type(table, column.Name()),
                       required.contains(column.Logical().index), "",
                       column.HasDefaultValue() ? column.DefaultValue().ToString() : "", "", rows);
    });
    each_temporary_view(context, [&](const std::string& name, duck::ViewCatalogEntry& view) {
        const auto columns = view.GetColumnInfo();
        if (!columns) return;
        for (size_t i = 0; i < columns->types.size(); ++i)
            add_column(temporary_info(name, view), static_cast<int>(i + 1),
                       i < view.aliases.size() ? view.aliases[i] : columns->names[i],
                       columns->types[i], {}, false, "", "", "", rows);
    });
}

void fill_columns(LakeTransaction& transaction, std::vector<Row>& rows) {
    for (const auto& database : value_or_throw(transaction.snapshot().databases())) {
        auto* schema = transaction.find_schema(database.name);
        if (!schema) continue;
        for (const auto& info : transaction.relations(database.name)) {
            if (info.kind == tables::RelationKind::view) {
                int number = 0;
                for (const auto& column : info.columns)
                    add_column(info, ++number, column.name, iceberg_to_duck(column.type), {}, false,
                               column.comment, "", "", rows);
                continue;
            }
            const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, info.name);
            auto* entry = transaction.find_relation(*schema, lookup);
            if (!entry) continue;
            const auto& table = entry->Cast<LakeTable>();
            const auto& view = table.view();
            int number = 0;
            for (const size_t position : view.columns) {
                const auto& field = view.schema.fields[position];
                const auto& declared = view.declared[static_cast<size_t>(number)];
                const auto properties = transaction.properties_of(view.state);
                const auto identity = identity_of(properties, field.id);
                add_column(info, ++number, field.name, table.GetColumn(field.name).Type(), declared,
                           field.required, field.doc.value_or(""),
                           default_text(properties, field.id),
                           !identity          ? ""
                           : identity->always ? "a"
                                              : "d",
                           rows);
            }
        }
    }
    fill_temporary_columns(*transaction.context.lock(), rows);
}

void fill_session(LakeTransaction& transaction, std::vector<Row>& rows) {
    rows.push_back({transaction.session().caller.principal.name});
}

std::vector<Source> rule_sources() {
    const auto text = duck::LogicalType::VARCHAR;
    const auto number = oid_type();
    const auto small = duck::LogicalType::INTEGER;
    const auto numbers = duck::LogicalType::LIST(duck::LogicalType::SMALLINT);
    const Columns rule{{"oid", number},          {"name", text},       {"relation_oid", number},
                       {"database_oid", number}, {"database", text},   {"relation", text},
                       {"kind", text},           {"columns", numbers}, {"definition", text}};
    auto constraint = rule;
    constraint.insert(constraint.end(), {{"target_oid", number},
                                         {"target_columns", numbers},
                                         {"on_update", text},
                                         {"on_delete", text}});
    return {
        {"tarn_keys", rule, fill_keys},
        {"tarn_constraints", constraint, fill_constraints},
        {"tarn_sequences",
         {{"oid", number},
          {"name", text},
          {"database_oid", number},
          {"database", text},
          {"relation_oid", number},
          {"column_number", small},
          {"start", duck::LogicalType::BIGINT},
          {"increment", duck::LogicalType::BIGINT},
          {"type_oid", number},
          {"relation", text},
          {"column_name", text}},
         fill_sequences},
        {"tarn_view_tables", {{"view_oid", number}, {"table_oid", number}}, fill_view_tables},
    };
}

std::vector<Source> name_sources() {
    const auto text = duck::LogicalType::VARCHAR;
    const auto number = oid_type();
    const auto small = duck::LogicalType::INTEGER;
    std::vector<Source> all = {
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
        {"tarn_session", {{"user_name", text}}, fill_session},
    };
    return all;
}

const std::vector<Source>& sources() {
    static const std::vector<Source> all = [] {
        auto made = name_sources();
        for (auto& source : rule_sources()) made.push_back(std::move(source));
        return made;
    }();
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

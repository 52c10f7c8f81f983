#include "query/internal/temporary.h"

#include <fmt/format.h>

#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/column_data_ref.hpp"
#include "duckdb/storage/buffer_manager.hpp"
#include "duckdb/storage/data_table.hpp"
#include "duckdb/storage/optimistic_data_writer.hpp"
#include "duckdb/storage/statistics/string_stats.hpp"
#include "duckdb/storage/table/row_group.hpp"
#include "duckdb/storage/table/row_group_collection.hpp"
#include "duckdb/storage/table/row_group_segment_tree.hpp"
#include "duckdb/transaction/local_storage.hpp"
#include "query/internal/casts.h"
#include "query/internal/declared_columns.h"
#include "query/internal/name_walk.h"
#include "query/internal/pg_catalog/functions.h"

namespace tarn::query {

namespace {

constexpr std::string_view kPrefix = "pg_temp.";
constexpr const char* kOnCommitTag = "on_commit";
constexpr const char* kTypeTag = "type.";  // and the column's name
constexpr uint32_t kFirstTemporaryOid = 1u << 29;

std::string plain_name(const std::string& name) {
    const std::string lower = duck::StringUtil::Lower(name);
    return lower.starts_with(kPrefix) ? lower.substr(kPrefix.size()) : lower;
}

/// Puts in the place of names what they mean.
class Resolver {
 public:
    explicit Resolver(const TemporaryNames& names)
        : names_(names), walk_([this](duck::BaseTableRef& ref) { found(ref); }) {}

    bool any() const { return any_; }

    /// Whether the name means, or says that it means, a temporary table or view.
    bool means(const std::string& catalog, const std::string& schema,
               const std::string& name) const {
        return name.starts_with(kPrefix) || says_temporary(catalog, schema) ||
               (catalog.empty() && schema.empty() && names_.all.contains(plain_name(name)));
    }
    /// True when it does: it is that one's then.
    bool resolve(std::string& catalog, std::string& schema, std::string& name) {
        if (!means(catalog, schema, name)) return false;
        catalog = TEMP_CATALOG;
        schema = DEFAULT_SCHEMA;
        name = temporary_name(plain_name(name));
        return any_ = true;
    }

    bool insert(duck::InsertStatement& statement) {
        const auto ctes = walk_.with(statement.cte_map);
        if (statement.select_statement) walk_.query(*statement.select_statement->node, ctes);
        for (auto& each : statement.returning_list) walk_.expression(*each, ctes);
        if (statement.on_conflict_info && statement.on_conflict_info->set_info)
            set(*statement.on_conflict_info->set_info, ctes);
        if (statement.table_ref) walk_.table(*statement.table_ref);
        return resolve(statement.catalog, statement.schema, statement.table);
    }
    bool update(duck::UpdateStatement& statement) {
        const auto ctes = walk_.with(statement.cte_map);
        if (statement.from_table) walk_.table(*statement.from_table, ctes);
        for (auto& each : statement.returning_list) walk_.expression(*each, ctes);
        if (statement.set_info) set(*statement.set_info, ctes);
        return target(*statement.table);
    }
    bool remove(duck::DeleteStatement& statement) {
        const auto ctes = walk_.with(statement.cte_map);
        for (auto& each : statement.using_clauses) walk_.table(*each, ctes);
        for (auto& each : statement.returning_list) walk_.expression(*each, ctes);
        if (statement.condition) walk_.expression(*statement.condition, ctes);
        return target(*statement.table);
    }
    bool merge(duck::MergeIntoStatement& statement) {
        const auto ctes = walk_.with(statement.cte_map);
        walk_.table(*statement.source, ctes);
        if (statement.join_condition) walk_.expression(*statement.join_condition, ctes);
        for (auto& each : statement.returning_list) walk_.expression(*each, ctes);
        for (auto& [condition, actions] : statement.actions)
            for (auto& action : actions) {
                if (action->condition) walk_.expression(*action->condition, ctes);
                if (action->update_info) set(*action->update_info, ctes);
                for (auto& each : action->expressions) walk_.expression(*each, ctes);
            }
        return target(*statement.target);
    }
    void query(duck::SelectStatement& statement) { walk_.query(*statement.node); }

 private:
    static bool says_temporary(const std::string& catalog, const std::string& schema) {
        using duck::StringUtil;
        return StringUtil::CIEquals(catalog, TEMP_CATALOG) ||
               (catalog.empty() && (StringUtil::CIEquals(schema, TEMP_CATALOG) ||
                                    StringUtil::CIEquals(schema, "pg_temp")));
    }
    void found(duck::BaseTableRef& ref) {
        const std::string said = ref.table_name;
        if (resolve(ref.catalog_name, ref.schema_name, ref.table_name) && ref.alias.empty())
            ref.alias = said;
    }
    /// A statement's target is no CTE.
    bool target(duck::TableRef& ref) {
        const bool before = std::exchange(any_, false);
        walk_.table(ref);
        const bool temporary = any_;
        any_ = any_ || before;
        return temporary;
    }
    void set(duck::UpdateSetInfo& info, const NameWalk::Ctes& ctes) {
        if (info.condition) walk_.expression(*info.condition, ctes);
        for (auto& each : info.expressions) walk_.expression(*each, ctes);
    }

    const TemporaryNames& names_;
    NameWalk walk_;
    bool any_ = false;
};

void check_constraints(const duck::CreateTableInfo& info) {
    for (const auto& constraint : info.constraints)
        if (constraint->type == duck::ConstraintType::FOREIGN_KEY)
            throw_error({Code::unimplemented, "a foreign key of a temporary table is not supported",
                         "0A000"});
}

/// DuckDB's texts have no length: a check looks at what is written into the column.
void check_lengths(duck::CreateTableInfo& info) {
    for (size_t i = 0; i < info.columns.LogicalColumnCount(); ++i) {
        auto& column = info.columns.GetColumnMutable(duck::LogicalIndex(i));
        const auto declared = declared_of(column.Type());
        if (!declared.is_text()) continue;
        const std::string text = declared_text(declared);
        column.SetType(duck::LogicalType::VARCHAR);
        info.tags[kTypeTag + column.Name()] = text;
        if (declared.length == 0) continue;
        duck::vector<duck::unique_ptr<duck::ParsedExpression>> arguments;
        arguments.push_back(duck::make_uniq<duck::ColumnRefExpression>(column.Name()));
        arguments.push_back(duck::make_uniq<duck::ConstantExpression>(duck::Value(text)));
        info.constraints.push_back(duck::make_uniq<duck::CheckConstraint>(
            duck::make_uniq<duck::FunctionExpression>(kFits, std::move(arguments))));
    }
}

/// A column that is there gets no check any more.
void refuse_length(duck::AlterTableInfo& info) {
    duck::LogicalType* type = nullptr;
    if (info.alter_table_type == duck::AlterTableType::ADD_COLUMN)
        type = &info.Cast<duck::AddColumnInfo>().new_column.TypeMutable();
    if (info.alter_table_type == duck::AlterTableType::ALTER_COLUMN_TYPE)
        type = &info.Cast<duck::ChangeColumnTypeInfo>().target_type;
    if (!type) return;
    const auto declared = declared_of(*type);
    if (declared.length > 0 || declared.is_time())
        throw_error({Code::unimplemented,
                     fmt::format("a column of {} that a temporary table gets later is not "
                                 "supported: declare it with the table, or without a length",
                                 pg_type(Kind::text, declared).name),
                     "0A000"});
    if (declared.is_text()) *type = plain_column(*type);
}

/// Where a temporary table or view is created, and under which name. Throws.
void place(duck::CreateInfo& info, std::string& name, const TemporaryNames& names) {
    const std::string schema = duck::StringUtil::Lower(info.schema);
    if (!schema.empty() && schema != "pg_temp" && schema != TEMP_CATALOG)
        throw_error({Code::invalid_argument,
                     "cannot create temporary relation in non-temporary schema", "42P16"});
    const std::string plain = plain_name(name);
    if (names.all.contains(plain) && info.on_conflict == duck::OnCreateConflict::ERROR_ON_CONFLICT)
        throw_error(
            {Code::already_exists, fmt::format("relation \"{}\" already exists", plain), "42P07"});
    if (names.all.size() >= kTemporaryTablesMax && !names.all.contains(plain))
        throw_error({Code::exhausted,
                     fmt::format("a session has at most {} temporary tables: drop some",
                                 kTemporaryTablesMax),
                     "54000"});
    info.catalog = TEMP_CATALOG;
    info.schema = DEFAULT_SCHEMA;
    name = temporary_name(plain);
}

[[noreturn]] void refuse_kind(const std::string& name, bool view) {
    throw_error({Code::invalid_argument,
                 fmt::format("\"{}\" is not a {}", name, view ? "view" : "table"), "42809"});
}

/// What other names mean now they mean as long as the view is there.
void fix_names(duck::ClientContext& context, const Resolver& resolver, duck::QueryNode& query) {
    NameWalk([&](duck::BaseTableRef& ref) {
        if (!ref.catalog_name.empty() ||
            resolver.means(ref.catalog_name, ref.schema_name, ref.table_name))
            return;
        std::string catalog, schema = ref.schema_name;
        duck::Binder::BindSchemaOrCatalog(context, catalog, schema);
        const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, ref.table_name);
        const auto entry = duck::Catalog::GetEntry(context, catalog, schema, lookup,
                                                   duck::OnEntryNotFound::RETURN_NULL);
        if (!entry) return;  // binding says so
        ref.catalog_name = entry->ParentCatalog().GetName();
        ref.schema_name = entry->ParentSchema().name;
    }).query(query);
}

/// As pg_get_viewdef() shows it.
std::string text_of(const duck::SelectStatement& query) {
    auto shown = duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(query.Copy());
    NameWalk([](duck::BaseTableRef& ref) { ref.catalog_name.clear(); }).query(*shown->node);
    std::string text = shown->ToString();
    if (text.size() > kTemporaryViewBytesMax)
        throw_error({Code::exhausted,
                     fmt::format("a temporary view's query has at most {} KiB",
                                 kTemporaryViewBytesMax >> 10),
                     "54000"});
    return text;
}

bool create_view(duck::ClientContext& context, duck::CreateViewInfo& view, Resolver& resolver,
                 const TemporaryNames& names) {
    auto resolved =
        duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(view.query->Copy());
    resolver.query(*resolved);
    if (!view.temporary && !resolver.any()) return false;
    const std::string plain = plain_name(view.view_name);
    if (view.on_conflict == duck::OnCreateConflict::REPLACE_ON_CONFLICT &&
        names.all.contains(plain) && !names.views.contains(plain))
        refuse_kind(plain, true);
    place(view, view.view_name, names);
    context.RunFunctionInTransaction([&] { fix_names(context, resolver, *view.query->node); },
                                     false);
    view.sql = text_of(*view.query);
    resolver.query(*view.query);
    cut_casts(*view.query);
    keep_casts(*view.query);
    view.temporary = true;
    return true;
}

bool create(duck::ClientContext& context, duck::CreateInfo& info, Resolver& resolver,
            const TemporaryNames& names, OnCommit on_commit) {
    if (info.type == duck::CatalogType::VIEW_ENTRY)
        return create_view(context, info.Cast<duck::CreateViewInfo>(), resolver, names);
    if (info.type != duck::CatalogType::TABLE_ENTRY) return false;
    auto& table = info.Cast<duck::CreateTableInfo>();
    if (table.query) resolver.query(*table.query);
    if (!info.temporary) return false;
    check_constraints(table);
    check_lengths(table);
    place(table, table.table, names);
    if (on_commit == OnCommit::drop) table.tags[kOnCommitTag] = "drop";
    if (on_commit == OnCommit::delete_rows) table.tags[kOnCommitTag] = "delete rows";
    return true;
}

bool alter(duck::AlterInfo& info, Resolver& resolver, const TemporaryNames& names) {
    if (!resolver.resolve(info.catalog, info.schema, info.name)) return false;
    const std::string plain = plain_name(info.name);
    if (info.type == duck::AlterType::ALTER_TABLE && names.views.contains(plain))
        refuse_kind(plain, false);
    if (info.type == duck::AlterType::ALTER_VIEW) {
        auto& renamed = info.Cast<duck::RenameViewInfo>().new_view_name;
        renamed = temporary_name(duck::StringUtil::Lower(renamed));
    }
    if (info.type != duck::AlterType::ALTER_TABLE) return true;
    auto& table = info.Cast<duck::AlterTableInfo>();
    refuse_length(table);
    if (table.alter_table_type == duck::AlterTableType::FOREIGN_KEY_CONSTRAINT)
        throw_error(
            {Code::unimplemented, "a foreign key of a temporary table is not supported", "0A000"});
    if (table.alter_table_type == duck::AlterTableType::RENAME_TABLE) {
        auto& renamed = table.Cast<duck::RenameTableInfo>().new_table_name;
        renamed = temporary_name(duck::StringUtil::Lower(renamed));
    }
    return true;
}

bool drop(duck::DropInfo& info, Resolver& resolver, const TemporaryNames& names) {
    const bool view = info.type == duck::CatalogType::VIEW_ENTRY;
    if (!view && info.type != duck::CatalogType::TABLE_ENTRY) return false;
    if (!resolver.resolve(info.catalog, info.schema, info.name)) return false;
    const std::string plain = plain_name(info.name);
    if (names.all.contains(plain) && view != names.views.contains(plain)) refuse_kind(plain, view);
    return true;
}

/// What the rows in one part of a table take, and the columns with texts that lie beside it.
struct Measured {
    uint64_t bytes = 0;
    std::set<std::string> long_texts;  // as expressions: their bytes
};

void measure(const duck::TableCatalogEntry& table, duck::RowGroupCollection& rows, Measured& out) {
    constexpr uint32_t kTextBytesInside = 4'096;  // StringUncompressed::DEFAULT_STRING_BLOCK_LIMIT
    const auto groups = rows.GetRowGroups();
    for (auto& group : groups->Segments()) out.bytes += group.GetAllocationSize();
    for (const auto& column : table.GetColumns().Physical()) {
        if (column.Type().InternalType() != duck::PhysicalType::VARCHAR) continue;
        const auto statistics = rows.CopyStats(duck::StorageIndex(column.Physical().index));
        if (!statistics || !duck::StringStats::HasMaxStringLength(*statistics) ||
            duck::StringStats::MaxStringLength(*statistics) > kTextBytesInside)
            out.long_texts.insert(
                column.Type().id() == duck::LogicalTypeId::BLOB
                    ? fmt::format("octet_length({})", quoted_name(column.Name()))
                    : fmt::format("strlen({}::VARCHAR)", quoted_name(column.Name())));
    }
}

uint64_t number_of(duck::Connection& connection, const std::string& sql) {
    const auto result = connection.Query(sql);
    if (result->HasError()) result->ThrowError();
    const auto value = result->GetValue(0, 0);
    return value.IsNull() ? 0 : value.GetValue<uint64_t>();
}

/// Tables and views stand in one set.
template <typename Entry>
void each_entry(duck::ClientContext& context,
                const std::function<void(const std::string& name, Entry&)>& found) {
    auto& catalog = duck::ClientData::Get(context).temporary_objects->GetCatalog();
    catalog.GetSchema(context, DEFAULT_SCHEMA)
        .Scan(context, Entry::Type, [&](duck::CatalogEntry& entry) {
            if (entry.type == Entry::Type && entry.name.starts_with(kPrefix))
                found(entry.name.substr(kPrefix.size()), entry.Cast<Entry>());
        });
}

void run(duck::Connection& connection, duck::unique_ptr<duck::SQLStatement> statement) {
    const auto result = connection.Query(std::move(statement));
    if (result->HasError()) result->ThrowError();
}

}  // namespace

void each_temporary(
    duck::ClientContext& context,
    const std::function<void(const std::string& name, duck::TableCatalogEntry&)>& found) {
    each_entry<duck::TableCatalogEntry>(context, found);
}

void each_temporary_view(
    duck::ClientContext& context,
    const std::function<void(const std::string& name, duck::ViewCatalogEntry&)>& found) {
    each_entry<duck::ViewCatalogEntry>(context, found);
}

uint32_t temporary_oid(const duck::CatalogEntry& entry) {
    return static_cast<uint32_t>(kFirstTemporaryOid + entry.oid);
}

DeclaredType temporary_type(const duck::CatalogEntry& entry, const std::string& column) {
    const auto tag = entry.tags.find(kTypeTag + column);
    return tag == entry.tags.end() ? DeclaredType() : parse_declared(tag->second);
}

std::string temporary_name(const std::string& name) {
    return name.starts_with(kPrefix) ? name : std::string(kPrefix) + name;
}

std::string temporary_sql(const std::string& name) {
    return fmt::format("{}.{}.{}", TEMP_CATALOG, DEFAULT_SCHEMA, quoted_name(temporary_name(name)));
}

bool is_temporary(const duck::CatalogEntry& entry) {
    return entry.ParentCatalog().IsTemporaryCatalog();
}

TemporaryNames temporary_names(duck::ClientContext& context) {
    TemporaryNames names;
    each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry&) {
        names.all.insert(name);
    });
    each_temporary_view(context, [&](const std::string& name, duck::ViewCatalogEntry&) {
        names.all.insert(name);
        names.views.insert(name);
    });
    return names;
}

bool resolve_temporary(duck::ClientContext& context, duck::SQLStatement& statement,
                       const TemporaryNames& names, OnCommit on_commit) {
    Resolver resolver(names);
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            resolver.query(statement.Cast<duck::SelectStatement>());
            return false;
        case duck::StatementType::EXPLAIN_STATEMENT:
            resolve_temporary(context, *statement.Cast<duck::ExplainStatement>().stmt, names,
                              on_commit);
            return false;
        case duck::StatementType::INSERT_STATEMENT:
            return resolver.insert(statement.Cast<duck::InsertStatement>());
        case duck::StatementType::UPDATE_STATEMENT:
            return resolver.update(statement.Cast<duck::UpdateStatement>());
        case duck::StatementType::DELETE_STATEMENT:
            return resolver.remove(statement.Cast<duck::DeleteStatement>());
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return resolver.merge(statement.Cast<duck::MergeIntoStatement>());
        case duck::StatementType::CREATE_STATEMENT:
            return create(context, *statement.Cast<duck::CreateStatement>().info, resolver, names,
                          on_commit);
        case duck::StatementType::ALTER_STATEMENT:
            return alter(*statement.Cast<duck::AlterStatement>().info, resolver, names);
        case duck::StatementType::DROP_STATEMENT:
            return drop(*statement.Cast<duck::DropStatement>().info, resolver, names);
        default:
            return false;
    }
}

std::vector<std::string> at_commit(duck::ClientContext& context) {
    std::vector<std::string> statements;
    each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry& table) {
        const auto tag = table.tags.find(kOnCommitTag);
        if (tag == table.tags.end()) return;
        statements.push_back((tag->second == "drop" ? "DROP TABLE " : "DELETE FROM ") +
                             temporary_sql(name));
    });
    return statements;
}

std::vector<std::string> drop_all(duck::ClientContext& context) {
    std::vector<std::string> statements;
    const auto names = temporary_names(context);
    for (const auto& name : names.all)
        statements.push_back((names.views.contains(name) ? "DROP VIEW " : "DROP TABLE ") +
                             temporary_sql(name));
    return statements;
}

uint64_t temporary_bytes(duck::ClientContext& context) {
    uint64_t bytes = 0;
    for (const auto& each : duck::BufferManager::GetBufferManager(context).GetMemoryUsageInfo())
        if (each.tag == duck::MemoryTag::IN_MEMORY_TABLE ||
            each.tag == duck::MemoryTag::OVERFLOW_STRINGS)
            bytes += each.size + each.evicted_data;
    return bytes;
}

uint64_t session_temporary_bytes(duck::Connection& connection) {
    auto& context = *connection.context;
    uint64_t bytes = 0;
    std::vector<std::string> sums;
    context.RunFunctionInTransaction(
        [&] {
            auto& local =
                duck::LocalStorage::Get(context, *duck::ClientData::Get(context).temporary_objects);
            each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry& table) {
                Measured measured;
                measure(table, *table.GetStorage().GetRowGroupCollection(), measured);
                if (auto added = local.GetStorage(table.GetStorage()))
                    measure(table, added->GetCollection(), measured);
                bytes += measured.bytes;
                for (const auto& text : measured.long_texts)
                    sums.push_back(
                        fmt::format("SELECT sum({}) FROM {}", text, temporary_sql(name)));
            });
        },
        false);
    for (const auto& sql : sums) bytes += number_of(connection, sql);
    return bytes;
}

void insert_temporary(duck::Connection& connection, const std::string& table,
                      const std::vector<std::string>& columns, duck::ColumnDataCollection& rows) {
    auto insert = duck::make_uniq<duck::InsertStatement>();
    insert->catalog = TEMP_CATALOG;
    insert->schema = DEFAULT_SCHEMA;
    insert->table = temporary_name(table);
    insert->columns.assign(columns.begin(), columns.end());
    auto select = duck::make_uniq<duck::SelectNode>();
    select->select_list.push_back(duck::make_uniq<duck::StarExpression>());
    select->from_table = duck::make_uniq<duck::ColumnDataRef>(rows, insert->columns);
    select->from_table->alias = "rows";
    insert->select_statement = duck::make_uniq<duck::SelectStatement>();
    insert->select_statement->node = std::move(select);
    run(connection, std::move(insert));
}

std::shared_ptr<const TemporaryCopy> copy_temporary(duck::Connection& connection, uint64_t room) {
    auto& context = *connection.context;
    auto copy = std::make_shared<TemporaryCopy>();
    std::vector<std::string> names;
    context.RunFunctionInTransaction(
        [&] {
            each_temporary(context, [&](const std::string& name, duck::TableCatalogEntry& table) {
                names.push_back(name);
                copy->tables.push_back({table.GetInfo(), nullptr});
            });
            each_temporary_view(context, [&](const std::string&, duck::ViewCatalogEntry& view) {
                copy->views.push_back(view.GetInfo());
            });
        },
        false);
    for (size_t i = 0; i < names.size(); ++i) {
        const auto result = connection.Query("SELECT * FROM " + temporary_sql(names[i]));
        if (result->HasError()) result->ThrowError();
        copy->tables[i].rows = result->TakeCollection();
        copy->bytes += copy->tables[i].rows->AllocationSize();
        if (copy->bytes > room)
            throw_error({Code::exhausted,
                         fmt::format("savepoints keep the temporary tables that the transaction "
                                     "changed, which would take more than {} MiB",
                                     room >> 20),
                         "53100"});
    }
    return copy;
}

void restore_temporary(duck::Connection& connection, const TemporaryCopy& copy) {
    auto& context = *connection.context;
    std::vector<std::string> drops;
    context.RunFunctionInTransaction([&] { drops = drop_all(context); }, false);
    for (const auto& sql : drops) {
        const auto result = connection.Query(sql);
        if (result->HasError()) result->ThrowError();
    }
    for (const auto& [definition, rows] : copy.tables) {
        auto create = duck::make_uniq<duck::CreateStatement>();
        create->info = definition->Copy();
        auto& table = create->info->Cast<duck::CreateTableInfo>();
        std::vector<std::string> columns;
        for (const auto& column : table.columns.Physical()) columns.push_back(column.Name());
        const std::string name = table.table;
        run(connection, std::move(create));
        insert_temporary(connection, name, columns, *rows);
    }
    // Without binding them: what one reads may be gone, or come after it.
    context.RunFunctionInTransaction(
        [&] {
            auto& catalog = duck::ClientData::Get(context).temporary_objects->GetCatalog();
            for (const auto& definition : copy.views)
                catalog.CreateView(context, definition->Copy()->Cast<duck::CreateViewInfo>());
        },
        false);
}

}  // namespace tarn::query

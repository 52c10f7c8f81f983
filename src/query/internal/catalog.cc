// The catalog and its entries, as DuckDB calls them. What they answer is the transaction's
// business.
#include <fmt/format.h>

#include "query/internal/duck_types.h"
#include "query/internal/scan.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

[[noreturn]] void refuse(const char* what) {
    throw duck::NotImplementedException("%s are not supported", what);
}

class LakeTransactions final : public duck::TransactionManager {
 public:
    LakeTransactions(duck::AttachedDatabase& attached, LakeCatalog& catalog)
        : TransactionManager(attached), catalog_(catalog) {}

    duck::Transaction& StartTransaction(duck::ClientContext& context) override {
        auto started = duck::make_uniq<LakeTransaction>(*this, context, catalog_);
        auto& transaction = *started;
        const std::lock_guard<std::mutex> lock(mutex_);
        running_[&transaction] = std::move(started);
        return transaction;
    }
    duck::ErrorData CommitTransaction(duck::ClientContext& context,
                                      duck::Transaction& transaction) override {
        const auto ended = take(transaction);
        const Status committed = ended->commit(context);
        if (committed.ok()) return {};
        try {
            throw_error(committed.error());
        } catch (const std::exception& problem) {
            return duck::ErrorData(problem);
        }
    }
    void RollbackTransaction(duck::Transaction& transaction) override { take(transaction); }
    void Checkpoint(duck::ClientContext&, bool) override {}

 private:
    duck::unique_ptr<LakeTransaction> take(duck::Transaction& transaction) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = running_.find(&transaction);
        auto ended = std::move(found->second);
        running_.erase(found);
        return ended;
    }
    LakeCatalog& catalog_;
    std::mutex mutex_;
    std::map<duck::Transaction*, duck::unique_ptr<LakeTransaction>> running_;
};

struct LakeStorageInfo : duck::StorageExtensionInfo {
    explicit LakeStorageInfo(Services& s) : services(s) {}
    Services& services;
};

duck::unique_ptr<duck::Catalog> attach(duck::optional_ptr<duck::StorageExtensionInfo> info,
                                       duck::ClientContext&, duck::AttachedDatabase& database,
                                       const duck::string&, duck::AttachInfo&,
                                       duck::AttachOptions&) {
    return duck::make_uniq<LakeCatalog>(database, static_cast<LakeStorageInfo&>(*info).services);
}

duck::unique_ptr<duck::TransactionManager> make_transactions(
    duck::optional_ptr<duck::StorageExtensionInfo>, duck::AttachedDatabase& database,
    duck::Catalog& catalog) {
    return duck::make_uniq<LakeTransactions>(database, catalog.Cast<LakeCatalog>());
}

}  // namespace

void register_lake(duck::DBConfig& config, Services& services) {
    auto extension = duck::make_shared_ptr<duck::StorageExtension>();
    extension->attach = attach;
    extension->create_transaction_manager = make_transactions;
    extension->storage_info = duck::make_shared_ptr<LakeStorageInfo>(services);
    duck::StorageExtension::Register(config, "tarn", std::move(extension));
}

LakeTable::LakeTable(duck::Catalog& owner, LakeSchema& in, duck::CreateTableInfo& info,
                     LakeTransaction& transaction, View view)
    : TableCatalogEntry(owner, in, info), transaction_(transaction), view_(std::move(view)) {}

duck::TableFunction LakeTable::GetScanFunction(duck::ClientContext& context,
                                               duck::unique_ptr<duck::FunctionData>& bind_data) {
    auto function = lake_scan_function(transaction_.services());
    bind_data = bind_lake_scan(context, function, *this);
    if (view_.governed) {
        function.name = kGovernedScan;
        function.init_global =
            [](duck::ClientContext&,
               duck::TableFunctionInitInput&) -> duck::unique_ptr<duck::GlobalTableFunctionState> {
            throw duck::PermissionException(
                "a restricted table was about to be read past its policy");
        };
    }
    return function;
}

duck::TableStorageInfo LakeTable::GetStorageInfo(duck::ClientContext&) {
    duck::TableStorageInfo info;
    const auto add = [&](const std::vector<int>& ids) {
        duck::IndexInfo key;
        key.is_unique = key.is_primary = true;
        key.is_foreign = false;
        for (size_t i = 0; i < view_.columns.size(); ++i)
            if (std::find(ids.begin(), ids.end(), view_.schema.fields[view_.columns[i]].id) !=
                ids.end())
                key.column_set.insert(i);
        if (!ids.empty() && key.column_set.size() == ids.size()) info.index_info.push_back(key);
    };
    add(view_.schema.identifier_field_ids);
    for (const auto& key : keys_of(view_.state->metadata->properties))
        if (key.fields != view_.schema.identifier_field_ids) add(key.fields);
    return info;
}

duck::virtual_column_map_t LakeTable::GetVirtualColumns() const {
    duck::virtual_column_map_t found;
    found.insert(
        {duck::COLUMN_IDENTIFIER_EMPTY, duck::TableColumn("", duck::LogicalType::BOOLEAN)});
    if (view_.governed) return found;
    found.insert({duck::MultiFileReader::COLUMN_IDENTIFIER_FILENAME,
                  duck::TableColumn("_file", duck::LogicalType::VARCHAR)});
    found.insert({duck::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER,
                  duck::TableColumn("_pos", duck::LogicalType::BIGINT)});
    return found;
}

duck::vector<duck::column_t> LakeTable::GetRowIdColumns() const {
    // Asked for by UPDATE, DELETE and MERGE: who sees a part of a table may not change its rows.
    if (view_.governed)
        throw_error({Code::permission_denied, "permission denied for table " + name, "42501"});
    return {duck::MultiFileReader::COLUMN_IDENTIFIER_FILENAME,
            duck::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER};
}

void LakeTable::BindUpdateConstraints(duck::Binder&, duck::LogicalGet& get,
                                      duck::LogicalProjection& projection,
                                      duck::LogicalUpdate& update, duck::ClientContext&) {
    // An updated row is written anew: the columns that stay are fetched too, each once.
    update.update_is_del_and_insert = true;
    for (const auto& changed : update.columns) {
        const auto& field = view_.schema.fields[view_.columns[changed.index]];
        const auto identity = identity_of(view_.state->metadata->properties, field.id);
        if (identity && identity->always)
            throw_error({Code::invalid_argument,
                         fmt::format("column \"{}\" can only be updated to DEFAULT", field.name), "428C9"});
    }
    for (const auto& column : GetColumns().Physical()) {
        if (std::find(update.columns.begin(), update.columns.end(), column.Physical()) !=
            update.columns.end())
            continue;
        const auto& ids = get.GetColumnIds();
        duck::idx_t at = 0;
        while (at < ids.size() && ids[at].GetPrimaryIndex() != column.Logical().index) ++at;
        if (at == ids.size()) get.AddColumnId(column.Logical().index);
        update.expressions.push_back(duck::make_uniq<duck::BoundColumnRefExpression>(
            column.Type(),
            duck::ColumnBinding(projection.table_index, projection.expressions.size())));
        projection.expressions.push_back(duck::make_uniq<duck::BoundColumnRefExpression>(
            column.Type(), duck::ColumnBinding(get.table_index, at)));
        update.columns.push_back(column.Physical());
    }
}

std::vector<tables::ScanTask> LakeTable::plan(const std::vector<tables::Predicate>& filter) const {
    if (view_.only) return *view_.only;
    tables::ScanOptions options = view_.scan;
    options.filter = filter;
    const bool travels = options.snapshot_id || options.as_of;
    tables::ScanPlan plan;
    if (travels || !transaction_.cleared(view_.state))
        plan = value_or_throw(
            tables::plan_scan(transaction_.services().parts.catalog, view_.state, options));
    if (travels) return std::move(plan.tasks);
    for (auto& file : transaction_.pending_files(view_.state))
        plan.tasks.push_back({std::move(file), 0, {}});
    return std::move(plan.tasks);
}

void LakeSchema::Scan(duck::ClientContext&, duck::CatalogType wanted,
                      const std::function<void(duck::CatalogEntry&)>& callback) {
    if (wanted != duck::CatalogType::TABLE_ENTRY && wanted != duck::CatalogType::VIEW_ENTRY) return;
    for (const auto& info : transaction_.relations(name)) {
        const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, info.name);
        if (auto* entry = transaction_.find_relation(*this, lookup)) callback(*entry);
    }
}

duck::optional_ptr<duck::CatalogEntry> LakeSchema::LookupEntry(
    duck::CatalogTransaction, const duck::EntryLookupInfo& lookup) {
    const auto wanted = lookup.GetCatalogType();
    if (wanted != duck::CatalogType::TABLE_ENTRY && wanted != duck::CatalogType::VIEW_ENTRY)
        return nullptr;
    return transaction_.find_relation(*this, lookup);
}

duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateTable(duck::CatalogTransaction,
                                                               duck::BoundCreateTableInfo& info) {
    transaction_.create_table(*this, info);
    const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, info.Base().table);
    return transaction_.find_relation(*this, lookup);
}

duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateView(duck::CatalogTransaction,
                                                              duck::CreateViewInfo& info) {
    transaction_.create_view(*this, info);
    return nullptr;
}

void LakeSchema::DropEntry(duck::ClientContext&, duck::DropInfo& info) {
    transaction_.drop(name, info);
}

void LakeSchema::Alter(duck::CatalogTransaction, duck::AlterInfo& info) {
    transaction_.alter(name, info);
}

duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateIndex(duck::CatalogTransaction,
                                                               duck::CreateIndexInfo&,
                                                               duck::TableCatalogEntry&) {
    refuse("indexes");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateFunction(duck::CatalogTransaction,
                                                                  duck::CreateFunctionInfo&) {
    refuse("own functions");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateSequence(duck::CatalogTransaction,
                                                                  duck::CreateSequenceInfo&) {
    refuse("sequences");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateTableFunction(
    duck::CatalogTransaction, duck::CreateTableFunctionInfo&) {
    refuse("own functions");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateCopyFunction(
    duck::CatalogTransaction, duck::CreateCopyFunctionInfo&) {
    refuse("own formats");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreatePragmaFunction(
    duck::CatalogTransaction, duck::CreatePragmaFunctionInfo&) {
    refuse("pragmas");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateCollation(duck::CatalogTransaction,
                                                                   duck::CreateCollationInfo&) {
    refuse("own collations");
}
duck::optional_ptr<duck::CatalogEntry> LakeSchema::CreateType(duck::CatalogTransaction,
                                                              duck::CreateTypeInfo&) {
    refuse("own types");
}

duck::optional_ptr<duck::CatalogEntry> LakeCatalog::CreateSchema(
    duck::CatalogTransaction transaction, duck::CreateSchemaInfo& info) {
    transaction.transaction->Cast<LakeTransaction>().create_schema(
        duck::StringUtil::Lower(info.schema),
        info.on_conflict == duck::OnCreateConflict::IGNORE_ON_CONFLICT);
    return nullptr;
}

void LakeCatalog::ScanSchemas(duck::ClientContext& context,
                              std::function<void(duck::SchemaCatalogEntry&)> callback) {
    auto& transaction = LakeTransaction::of(context, *this);
    for (const auto& database : transaction.databases())
        callback(*transaction.find_schema(database));
}

duck::optional_ptr<duck::SchemaCatalogEntry> LakeCatalog::LookupSchema(
    duck::CatalogTransaction transaction, const duck::EntryLookupInfo& lookup,
    duck::OnEntryNotFound if_not_found) {
    const std::string name = duck::StringUtil::Lower(lookup.GetEntryName());
    auto* schema = transaction.transaction->Cast<LakeTransaction>().find_schema(name);
    if (!schema && if_not_found == duck::OnEntryNotFound::THROW_EXCEPTION)
        throw_error({Code::not_found, fmt::format("schema \"{}\" does not exist", name), "3F000"});
    return schema;
}

void LakeCatalog::DropSchema(duck::ClientContext& context, duck::DropInfo& info) {
    LakeTransaction::of(context, *this)
        .drop_schema(duck::StringUtil::Lower(info.name),
                     info.if_not_found == duck::OnEntryNotFound::RETURN_NULL, info.cascade);
}

duck::ErrorData LakeCatalog::SupportsCreateTable(duck::BoundCreateTableInfo& info) {
    if (info.Base().options.empty()) return {};
    return duck::ErrorData(duck::ExceptionType::NOT_IMPLEMENTED, "table options are not supported");
}

duck::unique_ptr<duck::LogicalOperator> LakeCatalog::BindCreateIndex(
    duck::Binder&, duck::CreateStatement&, duck::TableCatalogEntry&,
    duck::unique_ptr<duck::LogicalOperator>) {
    refuse("indexes");
}

}  // namespace tarn::query

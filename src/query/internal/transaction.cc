// Names, as one principal sees them in one state of the lake, and the changes of one transaction.
#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "query/internal/casts.h"
#include "query/internal/duck_types.h"
#include "query/internal/identity.h"
#include "query/internal/scan.h"
#include "query/internal/table_rules.h"
#include "query/internal/table_spec.h"
#include "query/internal/writer.h"

namespace tarn::query {

namespace {

/// Grants name the columns of today: a snapshot in which one of the names stood for another column,
/// or a column had another name, cannot be judged by them.
void check_names(const LakeTable::View& view, const std::string& table) {
    for (const auto& field : view.schema.fields) {
        const auto* today = view.state->schema().find(field.name);
        if (today == nullptr || today->id != field.id)
            throw duck::PermissionException(
                "permission denied: the columns of %s had other names in this snapshot, which the "
                "policy does not know",
                table);
    }
}

}  // namespace

LakeTransaction::LakeTransaction(duck::TransactionManager& owner, duck::ClientContext& client,
                                 LakeCatalog& catalog)
    : Transaction(owner, client),
      services_(catalog.services()),
      catalog_(catalog),
      session_(SessionState::of(client)) {}

LakeTransaction::~LakeTransaction() {
    std::vector<tables::DataFile> orphans;
    for (const auto& [uuid, pending] : pending_)
        for (const auto& file : pending.appended) orphans.push_back(*file);
    orphans.insert(orphans.end(), left_.begin(), left_.end());
    remove_files_quietly(services_, orphans);
}

const tables::CatalogSnapshot& LakeTransaction::snapshot() {
    const std::lock_guard names(names_mutex_);
    if (!snapshot_) snapshot_.emplace(services_.parts.catalog.snapshot());
    return *snapshot_;
}

security::Caller LakeTransaction::caller_now() const {
    security::Caller caller = session_.caller;
    caller.at = services_.parts.clock.now();
    return caller;
}

TableAccess LakeTransaction::access(const std::string& database, const std::string& name) const {
    if (session_.sees_everything() || unguarded()) return TableAccess::everything();
    return value_or_throw(
        services_.parts.access.table_access(session_.caller.principal, database, name));
}

bool LakeTransaction::database_exists(const std::string& database) {
    if (dropped_databases_.contains(database)) return false;
    if (created_databases_.contains(database)) return true;
    return value_or_throw(snapshot().find_database(database)).has_value();
}

LakeSchema* LakeTransaction::find_schema(const std::string& database) {
    const std::lock_guard names(names_mutex_);
    if (const auto found = schemas_.find(database); found != schemas_.end())
        return dropped_databases_.contains(database) ? nullptr : found->second.get();
    if (!database_exists(database)) return nullptr;
    if (!session_.sees_everything() && !unguarded() && database != kDefaultDatabase) {
        const auto access = value_or_throw(
            services_.parts.access.database_access(session_.caller.principal, database));
        // A database is seen where anything in it is.
        if (!access.visible && relations(database).empty()) return nullptr;
    }
    duck::CreateSchemaInfo info;
    info.schema = database;
    info.catalog = kLake;
    auto schema = std::make_unique<LakeSchema>(catalog_, info, *this);
    return (schemas_[database] = std::move(schema)).get();
}

std::vector<std::string> LakeTransaction::databases() {
    const std::lock_guard names(names_mutex_);
    std::set<std::string> all(created_databases_);
    for (const auto& database : value_or_throw(snapshot().databases())) all.insert(database.name);
    std::vector<std::string> seen;
    for (const auto& name : all)
        if (find_schema(name)) seen.push_back(name);
    return seen;
}

std::vector<tables::RelationInfo> LakeTransaction::relations(const std::string& database) {
    const std::lock_guard names(names_mutex_);
    std::vector<tables::RelationInfo> seen;
    if (!created_databases_.contains(database))
        for (auto& info : value_or_throw(snapshot().relations(database)))
            if (!dropped_.contains({database, info.name}) &&
                !created_.contains({database, info.name}) && access(database, info.name).visible())
                seen.push_back(std::move(info));
    for (const auto& [name, info] : created_)
        if (name.first == database) seen.push_back(info);
    return seen;
}

std::optional<tables::RelationInfo> LakeTransaction::find_info(const std::string& database,
                                                               const std::string& name) {
    if (const auto found = created_.find({database, name}); found != created_.end())
        return found->second;
    if (dropped_.contains({database, name}) || created_databases_.contains(database))
        return std::nullopt;
    return value_or_throw(snapshot().find_relation(database, name));
}

tables::TablePtr LakeTransaction::load(const tables::RelationInfo& info) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto found = pending_.find(info.uuid); found != pending_.end())
            return found->second.table;
    }
    return value_or_throw(snapshot().load_table(info));
}

duck::CatalogEntry* LakeTransaction::find_relation(LakeSchema& schema,
                                                   const duck::EntryLookupInfo& lookup) {
    const std::lock_guard names(names_mutex_);
    const std::string name = duck::StringUtil::Lower(lookup.GetEntryName());
    const auto info = find_info(schema.name, name);
    if (!info) return make_sequence(schema, name);
    if (!access(schema.name, name).visible()) return nullptr;
    return info->kind == tables::RelationKind::view ? make_view(schema, *info)
                                                    : make_table(schema, *info, lookup);
}

namespace {

/// A mask is any text, so that the column is no JSON to whom it is shown.
bool is_masked(const LakeTable::View& view, const std::string& column) {
    return view.governed &&
           std::any_of(view.access.read.begin(), view.access.read.end(),
                       [&](const auto& grant) { return grant.masks.contains(column); });
}

}  // namespace

duck::CatalogEntry* LakeTransaction::make_table(LakeSchema& schema,
                                                const tables::RelationInfo& info,
                                                const duck::EntryLookupInfo& lookup) {
    LakeTable::View view;
    view.state = load(info);
    view.access = access(schema.name, info.name);
    view.schema = view.state->schema();
    if (const auto at = lookup.GetAtClause()) {
        view.scan = travel(*view.state, *at);
        const auto plan_schema =
            value_or_throw(tables::plan_scan(services_.parts.catalog, view.state, view.scan));
        view.schema = plan_schema.schema;
    }
    if (const auto only = only_.find(info.uuid); only != only_.end()) view.only = only->second;
    view.governed = !view.access.unrestricted();
    if (view.governed) check_names(view, info.name);
    for (size_t i = 0; i < view.schema.fields.size(); ++i) {
        bool shown = !view.governed;
        for (const auto& grant : view.access.read)
            shown = shown || grant.all_columns ||
                    std::find(grant.columns.begin(), grant.columns.end(),
                              view.schema.fields[i].name) != grant.columns.end();
        // Whoever may only insert names all columns.
        if (view.access.read.empty()) shown = true;
        if (shown) view.columns.push_back(i);
    }
    duck::CreateTableInfo create(schema, info.name);
    for (const size_t position : view.columns) {
        const auto& field = view.schema.fields[position];
        const auto& properties = view.state->metadata->properties;
        const bool masked = is_masked(view, field.name);
        duck::ColumnDefinition column(
            field.name, masked ? iceberg_to_duck(field.type) : column_type(properties, field));
        view.declared.push_back(masked ? DeclaredType() : declared_type(properties, field));
        if (auto value = default_of(*view.state, field.id))
            column.SetDefaultValue(std::move(value));
        create.columns.AddColumn(std::move(column));
        if (field.required)
            create.constraints.push_back(duck::make_uniq<duck::NotNullConstraint>(
                duck::LogicalIndex(create.columns.LogicalColumnCount() - 1)));
    }
    entries_.push_back(
        std::make_unique<LakeTable>(catalog_, schema, create, *this, std::move(view)));
    return entries_.back().get();
}

LakeTable& LakeTransaction::make_scan(const tables::TablePtr& table,
                                      std::vector<tables::ScanTask> files) {
    const std::lock_guard names(names_mutex_);
    auto* schema = find_schema(table->info.database);
    if (!schema) throw_error({Code::not_found, "the table's database is gone", "3F000"});
    LakeTable::View view;
    view.state = table;
    view.schema = table->schema();
    view.access = TableAccess::everything();
    view.only = std::move(files);
    duck::CreateTableInfo create(*schema, table->info.name);
    for (size_t i = 0; i < view.schema.fields.size(); ++i) {
        const auto& field = view.schema.fields[i];
        view.columns.push_back(i);
        create.columns.AddColumn(duck::ColumnDefinition(field.name, iceberg_to_duck(field.type)));
    }
    entries_.push_back(
        std::make_unique<LakeTable>(catalog_, *schema, create, *this, std::move(view)));
    return entries_.back()->Cast<LakeTable>();
}

duck::CatalogEntry* LakeTransaction::make_view(LakeSchema& schema,
                                               const tables::RelationInfo& info) {
    duck::Parser parser(parser_options());
    parser.ParseQuery(info.sql);
    if (parser.statements.size() != 1 ||
        parser.statements[0]->type != duck::StatementType::SELECT_STATEMENT)
        throw duck::CatalogException("the view %s has no query", info.full_name());
    duck::CreateViewInfo create(schema, info.name);
    create.query = duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(
        std::move(parser.statements[0]));
    create.sql = info.sql;
    cut_casts(*create.query);
    keep_casts(*create.query);
    for (const auto& column : info.columns) create.aliases.push_back(column.name);
    entries_.push_back(std::make_unique<duck::ViewCatalogEntry>(catalog_, schema, create));
    return entries_.back().get();
}

duck::CatalogEntry* LakeTransaction::make_sequence(LakeSchema& schema, const std::string& name) {
    const auto sequence = find_sequence(*this, schema.name, name);
    if (!sequence) return nullptr;
    duck::CreateViewInfo create(schema, name);
    create.sql =
        fmt::format("SELECT last_value, log_cnt, is_called FROM tarn_sequence_state({}, {})",
                    duck::Value(schema.name).ToSQLString(), duck::Value(name).ToSQLString());
    duck::Parser parser(parser_options());
    parser.ParseQuery(create.sql);
    create.query = duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(
        std::move(parser.statements[0]));
    entries_.push_back(std::make_unique<duck::ViewCatalogEntry>(catalog_, schema, create));
    return entries_.back().get();
}

PendingTable& LakeTransaction::pending_of(const tables::TablePtr& table) {
    auto& pending = pending_[table->info.uuid];
    if (!pending.table) pending.table = table;
    return pending;
}

void LakeTransaction::append(const tables::TablePtr& table, std::vector<tables::DataFile> files) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    for (auto& file : files)
        pending.appended.push_back(std::make_shared<const tables::DataFile>(std::move(file)));
}

void LakeTransaction::remove_rows(const tables::TablePtr& table,
                                  const std::map<std::string, Positions>& rows) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    for (const auto& [file, positions] : rows) pending.deleted[file] |= positions;
}

void LakeTransaction::read_only(const tables::TablePtr& table,
                                std::optional<std::vector<tables::ScanTask>> files) {
    if (files)
        only_[table->info.uuid] = std::move(*files);
    else
        only_.erase(table->info.uuid);
}

void LakeTransaction::work_on(const tables::TablePtr& table) {
    constexpr std::chrono::milliseconds kWait{500};  // compaction needs the turn for a moment
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (turns_[table->info.uuid].held()) return;
    }
    auto turn = tables::take_turn(services_.parts.catalog, table->info.uuid,
                                  tables::TurnKind::beside_others, kWait);
    const std::lock_guard<std::mutex> lock(mutex_);
    turns_[table->info.uuid] = std::move(turn);
}

void LakeTransaction::decide_by_base(const tables::TablePtr& table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_of(table).decided_by_base = true;
}

std::vector<tables::DataFilePtr> LakeTransaction::take_unchecked(const tables::TablePtr& table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    const size_t first = std::min(pending.keys_checked, pending.appended.size());
    pending.keys_checked = pending.appended.size();
    return {pending.appended.begin() + static_cast<std::ptrdiff_t>(first), pending.appended.end()};
}

tables::Properties LakeTransaction::properties_of(const tables::TablePtr& table) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto properties = table->metadata->properties;
    if (const auto found = pending_.find(table->info.uuid); found != pending_.end())
        for (const auto& [name, value] : found->second.set_properties) properties[name] = value;
    if (const auto found = pending_.find(table->info.uuid); found != pending_.end())
        for (const auto& name : found->second.remove_properties) properties.erase(name);
    return properties;
}

void LakeTransaction::lock_rows(const tables::TablePtr& table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_of(table).locked = true;
}

void LakeTransaction::clear(const tables::TablePtr& table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    discard(pending.appended);
    pending.appended.clear();
    pending.deleted.clear();
    pending.cleared = !pending.created;
}

void LakeTransaction::forget(const tables::TablePtr& table, const std::set<std::string>& paths) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    std::vector<tables::DataFilePtr> files;
    std::erase_if(pending.appended, [&](const tables::DataFilePtr& file) {
        if (!paths.contains(file->path)) return false;
        files.push_back(file);
        pending.deleted.erase(file->path);
        return true;
    });
    discard(files);
}

void LakeTransaction::discard(const std::vector<tables::DataFilePtr>& files) {
    std::vector<tables::DataFile> gone;
    for (const auto& file : files) (saved_ ? left_ : gone).push_back(*file);
    remove_files_quietly(services_, gone);
}

bool LakeTransaction::cleared(const tables::TablePtr& table) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = pending_.find(table->info.uuid);
    return found != pending_.end() && found->second.cleared;
}

std::vector<tables::DataFilePtr> LakeTransaction::pending_files(
    const tables::TablePtr& table) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = pending_.find(table->info.uuid);
    return found == pending_.end() ? std::vector<tables::DataFilePtr>{} : found->second.appended;
}

PositionsPtr LakeTransaction::pending_deletes(const tables::TablePtr& table,
                                              const std::string& file) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = pending_.find(table->info.uuid);
    if (found == pending_.end()) return nullptr;
    const auto rows = found->second.deleted.find(file);
    return rows == found->second.deleted.end() ? nullptr
                                               : std::make_shared<const Positions>(rows->second);
}

bool LakeTransaction::has_changes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !pending_.empty() || !extra_.empty();
}

Result<tables::TableChange> LakeTransaction::change_of(duck::ClientContext& client,
                                                       PendingTable& pending) {
    tables::TableChange change;
    change.table = pending.table;
    change.create = pending.created;
    change.decided_by_base = (pending.decided_by_base || pending.locked) && !pending.created;
    change.schema = pending.steps;
    change.set_properties = pending.set_properties;
    change.remove_properties = pending.remove_properties;
    std::map<std::string, tables::ScanTask> base;
    if (pending.cleared) {
        TARN_TRY(plan, tables::plan_scan(services_.parts.catalog, pending.table));
        for (const auto& task : plan.tasks) change.remove_files.push_back(task.file->path);
    } else if (!pending.deleted.empty() && !pending.created) {
        TARN_TRY(plan, tables::plan_scan(services_.parts.catalog, pending.table));
        for (auto& task : plan.tasks) base.emplace(task.file->path, std::move(task));
    }
    const std::string& location = pending.table->metadata->location;
    std::vector<tables::DataFile> unused;
    for (const auto& file : pending.appended) {
        const auto deleted = pending.deleted.find(file->path);
        if (deleted == pending.deleted.end()) {
            change.append.push_back(*file);
        } else if (static_cast<int64_t>(deleted->second.cardinality()) == file->record_count) {
            unused.push_back(*file);
        } else {
            change.append.push_back(*file);
            change.position_deletes.push_back(
                write_position_deletes(services_, client, location, *file, deleted->second));
            change.deletes_from.push_back(file->path);
        }
    }
    remove_files_quietly(services_, unused);
    for (const auto& [path, rows] : pending.deleted) {
        const auto found = base.find(path);
        if (found == base.end()) continue;
        const auto& task = found->second;
        Positions all = rows;
        for (const auto& file : task.deletes)
            if (const auto before = services_.deletes->positions(client, file->path, path))
                all |= *before;
        if (static_cast<int64_t>(all.cardinality()) >= task.file->record_count) {
            change.remove_files.push_back(path);
            continue;
        }
        change.position_deletes.push_back(
            write_position_deletes(services_, client, location, *task.file, rows));
        change.deletes_from.push_back(path);
    }
    return change;
}

Result<std::vector<tables::TableChange>> LakeTransaction::take_changes(
    duck::ClientContext& client) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<tables::TableChange> changes;
    bool changed = !extra_.empty();
    for (auto& [uuid, pending] : pending_) {
        TARN_TRY(change, change_of(client, pending));
        const bool changes_table = change.create || change.makes_snapshot() ||
                                   !change.schema.empty() || !change.set_properties.empty() ||
                                   !change.remove_properties.empty();
        changed = changed || changes_table;
        if (changes_table || pending.locked) changes.push_back(std::move(change));
    }
    pending_.clear();
    if (!changed) changes.clear();  // whoever only looked has nothing to be too late for
    return changes;
}

Status LakeTransaction::commit(duck::ClientContext& client) {
    if (!has_changes()) return {};
    session_.commit_table.clear();
    try {
        TARN_TRY(changes, take_changes(client));
        for (const auto& change : changes) {
            if (change.create || !change.makes_snapshot()) continue;  // recorded as CREATE, ALTER
            const bool removes = !change.position_deletes.empty() || !change.remove_files.empty();
            audit(!removes                ? "tarn:Insert"
                  : change.append.empty() ? "tarn:Delete"
                                          : "tarn:Update",
                  change.table->info);
        }
        if (changes.empty()) {
            if (extra_.empty()) return {};
            auto done = services_.parts.catalog.store().commit(std::move(extra_));
            if (!done.ok()) session_.commit_error = done.error();
            for (const auto& [uuid, field] : restarted_) services_.identities->forget(uuid, field);
            return done.ok() ? Status() : Status(done.error());
        }
        std::vector<tables::DataFile> files;
        for (const auto& change : changes) {
            files.insert(files.end(), change.append.begin(), change.append.end());
            files.insert(files.end(), change.position_deletes.begin(),
                         change.position_deletes.end());
        }
        if (changes.size() == 1) session_.commit_table = changes.front().table->info.uuid;
        // Appends of one table share commits: who waits for one takes no place of those who
        // compute.
        if (const auto slot = session_.slot.lock()) slot->only_commits();
        auto done =
            services_.parts.committer.commit(caller_now(), std::move(changes), std::move(extra_));
        if (!done.ok()) {
            // After an answer that leaves the outcome open the files may be in use.
            const Code code = done.error().code;
            if (code == Code::conflict || code == Code::not_found || code == Code::invalid_argument)
                remove_files_quietly(services_, files);
            session_.commit_error = done.error();
            return std::move(done).error();
        }
        for (const auto& [uuid, field] : restarted_) services_.identities->forget(uuid, field);
        return {};
    } catch (const std::exception& problem) {
        return Error{Code::internal, duck::ErrorData(problem).RawMessage()};
    }
}

}  // namespace tarn::query

// CREATE, ALTER and DROP: what a transaction stages of them. Each is authorised here, and its audit
// record is in the batch that makes it so.
#include <fmt/format.h>

#include "duckdb/common/enums/on_create_conflict.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/lake.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

Error denied(const std::string& what) {
    return {Code::permission_denied, "permission denied for " + what, "42501"};
}

}  // namespace

void LakeTransaction::audit(const char* action, const std::string& what) {
    const auto* trail = services_.parts.catalog.options().audit;
    if (!trail || session_.internal ||
        session_.caller.principal.kind == security::Principal::Kind::system)
        return;  // the server's own steps keep a history of their runs
    auto caller = caller_now();
    caller.action = action;
    caller.resource.resize(caller.resource.rfind(':') + 1);
    caller.resource += what;
    trail->attach(extra_, caller);
}

void LakeTransaction::audit(const char* action, const tables::RelationInfo& relation) {
    audit(action, "table/" + relation.database + "/" + relation.name);
}

void LakeTransaction::require_create(const std::string& database) {
    if (session_.sees_everything()) return;
    const auto access =
        value_or_throw(services_.parts.access.database_access(session_.caller.principal, database));
    if (!access.create) throw_error(denied("schema " + database));
}

void LakeTransaction::create_schema(const std::string& database, bool if_absent) {
    const std::lock_guard names(names_mutex_);
    if (!session_.sees_everything() &&
        !value_or_throw(services_.parts.access.may_create_database(session_.caller.principal)))
        throw_error(denied("database lake"));
    if (database_exists(database)) {
        if (if_absent) return;
        throw_error(
            {Code::already_exists, fmt::format("schema \"{}\" already exists", database), "42P06"});
    }
    tables::CreateDatabase spec;
    spec.name = database;
    value_or_throw(services_.parts.catalog.stage_create_database(caller_now(), spec, extra_));
    created_databases_.insert(database);
    dropped_databases_.erase(database);
    audit("tarn:Create", "database/" + database);
}

void LakeTransaction::drop_schema(const std::string& database, bool if_present, bool cascade) {
    const std::lock_guard names(names_mutex_);
    if (!session_.sees_everything()) throw_error(denied("schema " + database));
    if (!database_exists(database)) {
        if (if_present) return;
        throw_error(
            {Code::not_found, fmt::format("schema \"{}\" does not exist", database), "3F000"});
    }
    const auto inside = relations(database);
    if (!cascade && !inside.empty())
        throw_error(
            {Code::conflict,
             fmt::format("cannot drop schema {} because other objects depend on it", database),
             "2BP01"});
    for (const auto& relation : inside) drop_relation(relation);
    std::set<std::string> removed;
    for (const auto& [schema, name] : dropped_)
        if (schema == database) removed.insert(name);
    ok_or_throw(services_.parts.catalog.stage_drop_database(database, extra_, removed));
    created_databases_.erase(database);
    dropped_databases_.insert(database);
    audit("tarn:Drop", "database/" + database);
}

void LakeTransaction::create_table(LakeSchema& schema, duck::BoundCreateTableInfo& info) {
    const std::lock_guard names(names_mutex_);
    auto& base = info.Base();
    const std::string name = duck::StringUtil::Lower(base.table);
    require_create(schema.name);
    if (find_info(schema.name, name)) {
        if (base.on_conflict == duck::OnCreateConflict::IGNORE_ON_CONFLICT) return;
        if (base.on_conflict == duck::OnCreateConflict::REPLACE_ON_CONFLICT)
            throw_error(
                {Code::unimplemented, "CREATE OR REPLACE TABLE: drop the table first", "0A000"});
        throw_error(
            {Code::already_exists, fmt::format("relation \"{}\" already exists", name), "42P07"});
    }
    auto spec = value_or_throw(table_spec(schema.name, base));
    auto table = value_or_throw(services_.parts.catalog.stage_create_table(caller_now(), spec));
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_[table->info.uuid];
    pending.table = table;
    pending.created = true;
    created_[{schema.name, name}] = table->info;
    audit("tarn:Create", table->info);
}

void LakeTransaction::create_view(LakeSchema& schema, duck::CreateViewInfo& info) {
    const std::lock_guard names(names_mutex_);
    require_create(schema.name);
    tables::CreateView spec;
    spec.database = schema.name;
    spec.name = duck::StringUtil::Lower(info.view_name);
    spec.replace = info.on_conflict == duck::OnCreateConflict::REPLACE_ON_CONFLICT;
    spec.sql = info.query->ToString();
    const auto existing = find_info(spec.database, spec.name);
    if (existing && info.on_conflict == duck::OnCreateConflict::IGNORE_ON_CONFLICT) return;
    if (existing && !spec.replace)
        throw_error({Code::already_exists, fmt::format("relation \"{}\" already exists", spec.name),
                     "42P07"});
    if (existing && !access(spec.database, spec.name).alter)
        throw_error(denied("view " + spec.name));
    for (size_t i = 0; i < info.types.size(); ++i) {
        const bool aliased = i < info.aliases.size();
        auto type = duck_to_iceberg(info.types[i]);
        tables::ViewColumn column;
        column.name = aliased ? info.aliases[i] : info.names[i];
        column.type = type.ok() ? *type : tables::Type::of(tables::TypeId::string);
        spec.columns.push_back(std::move(column));
    }
    const auto& made = created_[{spec.database, spec.name}] =
        value_or_throw(services_.parts.catalog.stage_create_view(caller_now(), spec, extra_));
    audit("tarn:Create", made);
}

void LakeTransaction::drop(const std::string& database, duck::DropInfo& info) {
    const std::lock_guard names(names_mutex_);
    const std::string name = duck::StringUtil::Lower(info.name);
    const auto found = find_info(database, name);
    const auto rights = access(database, name);
    const bool view = info.type == duck::CatalogType::VIEW_ENTRY;
    if (!found || !rights.visible()) {
        if (info.if_not_found == duck::OnEntryNotFound::RETURN_NULL) return;
        throw_error({Code::not_found,
                     fmt::format("{} \"{}\" does not exist", view ? "view" : "table", name),
                     "42P01"});
    }
    if (view != (found->kind == tables::RelationKind::view))
        throw_error({Code::invalid_argument,
                     fmt::format("\"{}\" is not a {}", name, view ? "view" : "table"), "42809"});
    drop_relation(*found);
}

/// Authorised, staged and recorded, each by itself.
void LakeTransaction::drop_relation(const tables::RelationInfo& info) {
    const bool view = info.kind == tables::RelationKind::view;
    if (!access(info.database, info.name).alter)
        throw_error(denied((view ? "view " : "table ") + info.name));
    const Name name(info.database, info.name);
    const bool own = created_.contains(name);
    if (own && view)
        throw_error(
            {Code::unimplemented, "dropping a view in the transaction that made it", "0A000"});
    if (own)
        created_.erase(name);
    else if (view)
        ok_or_throw(services_.parts.catalog.stage_drop_view(info, extra_));
    else
        ok_or_throw(services_.parts.catalog.stage_drop_table(info, extra_));
    if (!own) dropped_.insert(name);
    audit("tarn:Drop", info);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto pending = pending_.find(info.uuid); pending != pending_.end()) {
        discard(pending->second.appended);
        pending_.erase(pending);
    }
}

void LakeTransaction::alter(const std::string& database, duck::AlterInfo& info) {
    const std::lock_guard names(names_mutex_);
    const std::string name = duck::StringUtil::Lower(info.name);
    const auto found = find_info(database, name);
    const auto rights = access(database, name);
    if (!found || !rights.visible()) {
        if (info.if_not_found == duck::OnEntryNotFound::RETURN_NULL) return;
        throw_error(
            {Code::not_found, fmt::format("relation \"{}\" does not exist", name), "42P01"});
    }
    if (!rights.alter) throw_error(denied("table " + name));
    if (has_changes())
        throw_error(
            {Code::unimplemented, "ALTER together with other changes in one transaction", "0A000"});
    if (const auto renamed = new_name(info)) {
        ok_or_throw(services_.parts.catalog.stage_rename(*found, database, *renamed, extra_));
        audit("tarn:Alter", *found);
        return;
    }
    if (found->kind == tables::RelationKind::view)
        throw_error({Code::invalid_argument, fmt::format("\"{}\" is not a table", name), "42809"});
    const auto table = load(*found);
    auto steps = value_or_throw(alter_steps(table->schema(), info));
    const std::lock_guard<std::mutex> lock(mutex_);
    pending_of(table).steps = std::move(steps);
    audit("tarn:Alter", *found);
}

}  // namespace tarn::query

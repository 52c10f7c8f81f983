// CREATE, ALTER and DROP: what a transaction stages of them. Each is authorised here, and its audit
// record is in the batch that makes it so.
#include <fmt/format.h>

#include <numeric>

#include "duckdb/common/enums/on_create_conflict.hpp"
#include "duckdb/parser/parsed_data/comment_on_column_info.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/identity.h"
#include "query/internal/keys.h"
#include "query/internal/lake.h"
#include "query/internal/references.h"
#include "query/internal/row_checks.h"
#include "query/internal/table_rules.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

/// The foreign keys of a new table, each for itself or something that is there.
void put_references(duck::ClientContext& context, const tables::TableState& table,
                    duck::CreateTableInfo& info, tables::Properties& rules) {
    for (size_t i = 0; info.tags.find(kReference + std::to_string(i)) != info.tags.end(); ++i) {
        const auto written =
            value_or_throw(parse_reference(info.tags[kReference + std::to_string(i)]));
        if (!written)
            throw_error({Code::invalid_argument, "a foreign key is not understood", "42601"});
        const bool itself = duck::StringUtil::CIEquals(written->table, table.info.name) &&
                            (written->schema.empty() ||
                             duck::StringUtil::CIEquals(written->schema, table.info.database));
        std::vector<size_t> all(table.schema().fields.size());
        std::iota(all.begin(), all.end(), size_t{0});
        if (itself) {
            const auto with_keys = with_properties(table, rules);
            put_reference(table, *written, *with_keys, all, rules, rules);
            continue;
        }
        const auto* target = find_table(context, written->schema.empty() ? "" : kLake,
                                        written->schema, written->table);
        if (!target)
            throw_error({Code::not_found,
                         fmt::format("relation \"{}\" does not exist", written->table), "42P01"});
        put_reference(table, *written, *target->state(), target->view().columns, rules, rules);
    }
}

/// Defaults and constraints of a new table, by the ids that its columns were given.
tables::Properties rules_of(duck::ClientContext& context, const tables::TableState& table,
                            duck::CreateTableInfo& info) {
    tables::Properties rules;
    size_t keys = 0;
    const auto id_of = [&](const duck::ColumnDefinition& column) {
        return table.schema().find(column.Name())->id;
    };
    for (const auto& column : info.columns.Logical()) {
        put_type(rules, id_of(column), column.Type());
        if (!column.HasDefaultValue()) continue;
        const auto& field = *table.schema().find(column.Name());
        check_default(context, column_type(rules, field), column.DefaultValue());
        put_default(rules, field.id, column.DefaultValue());
    }
    for (const auto& constraint : info.constraints) {
        if (constraint->type != duck::ConstraintType::UNIQUE) continue;
        const std::string name = info.tags[kKeyName + std::to_string(keys++)];
        auto& unique = constraint->Cast<duck::UniqueConstraint>();
        if (unique.IsPrimaryKey() && info.tags.find(kNotEnforced) != info.tags.end()) continue;
        TableKey key;
        key.primary = unique.IsPrimaryKey();
        std::vector<std::string> names;
        for (const auto& index : unique.GetLogicalIndexes(info.columns)) {
            const auto& column = info.columns.GetColumn(index);
            names.push_back(column.Name());
            key.fields.push_back(id_of(column));
        }
        key.name = name.empty() ? key_name(table.info.name, key.primary, names) : name;
        put_key(rules, key);
    }
    for (size_t i = 0; info.tags.find(kCheck + std::to_string(i)) != info.tags.end(); ++i)
        put_check(context, table, info.tags[kCheckName + std::to_string(i)],
                  info.tags[kCheck + std::to_string(i)], rules, rules);
    put_references(context, table, info, rules);
    return rules;
}

/// ADD COLUMN ... [DEFAULT [NOT NULL]]. The rows that are there get the value by who asked for it
/// (LakeSession::change_in_steps).
void add_rules(duck::ClientContext& context, const tables::TableState& table, duck::AlterInfo& info,
               std::vector<tables::SchemaStep>& steps, RuleChanges& changes) {
    if (steps.size() != 1 || steps[0].kind != tables::SchemaStep::Kind::add) return;
    auto& column = info.Cast<duck::AddColumnInfo>().new_column;
    tables::Field field;
    field.id = table.metadata->last_column_id + 1;
    field.name = steps[0].name;
    field.type = steps[0].type;
    put_type(changes.set, field.id, column.Type());
    if (!column.HasDefaultValue()) return;
    steps[0].required = !column.Comment().IsNull();
    check_default(context, column_type(changes.set, field), column.DefaultValue());
    put_default(changes.set, field.id, column.DefaultValue());
}

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
    if (const auto rules = rules_of(*context.lock(), *table, base); !rules.empty())
        table = with_properties(*table, rules);
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
        throw_error({Code::unimplemented,
                     "dropping a view in the transaction that made or renamed it", "0A000"});
    if (own && !is_new_table(info.uuid))
        throw_error(
            {Code::unimplemented, "dropping a table in the transaction that renamed it", "0A000"});
    if (own)
        created_.erase(name);
    else if (view)
        ok_or_throw(services_.parts.catalog.stage_drop_view(info, extra_));
    else
        ok_or_throw(services_.parts.catalog.stage_drop_table(info, extra_));
    if (!view) {
        const auto table = load(info);
        for (const auto& field : table->schema().fields)
            if (identity_of(table->metadata->properties, field.id))
                extra_.erase(identity_key(info.uuid, field.id));
    }
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
    if (comment(*found, info)) return audit("tarn:Alter", *found);
    if (const auto renamed = new_name(info)) {
        rename(*found, *renamed);
        return audit("tarn:Alter", *found);
    }
    if (found->kind == tables::RelationKind::view)
        throw_error({Code::invalid_argument, fmt::format("\"{}\" is not a table", name), "42809"});
    const auto table = load(*found);
    auto rules = alter_rules(*context.lock(), *table, info);
    auto steps = rules ? std::vector<tables::SchemaStep>()
                       : value_or_throw(alter_steps(table->schema(), info));
    // Later statements of the transaction see the table as it will be, and write files with the ids
    // that its columns will have.
    for (size_t i = 0; i < steps.size(); ++i)
        if (steps[i].kind == tables::SchemaStep::Kind::add)
            steps[i].expected_id = table->metadata->last_column_id + 1;
    RuleChanges changes = rules ? std::move(*rules) : RuleChanges();
    if (!steps.empty() && steps[0].kind == tables::SchemaStep::Kind::drop)
        changes.remove = properties_of_column(properties_of(table), steps[0].field_id);
    if (!steps.empty() && steps[0].kind == tables::SchemaStep::Kind::widen)
        changes.remove = {type_property(steps[0].field_id)};
    add_rules(*context.lock(), *table, info, steps, changes);
    const auto altered = value_or_throw(tables::with_schema_steps(table, steps));
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        auto& pending = pending_of(table);
        pending.table = altered;
        if (!pending.created) pending.steps.insert(pending.steps.end(), steps.begin(), steps.end());
    }
    stage_rules(altered, changes.set, changes.remove);
    audit("tarn:Alter", *found);
}

void LakeTransaction::require_rules(const LakeTable& table) const {
    if (table.view().governed || !table.view().access.alter)
        throw_error(denied("table " + table.name));
}

void LakeTransaction::change_rules(const LakeTable& table, const tables::Properties& set,
                                   const std::vector<std::string>& remove) {
    require_rules(table);
    audit("tarn:Alter", table.state()->info);
    stage_rules(table.state(), set, remove);
}

void LakeTransaction::stage_rules(const tables::TablePtr& table, const tables::Properties& set,
                                  const std::vector<std::string>& remove) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& pending = pending_of(table);
    pending.table = with_properties(*pending.table, set, remove);
    if (pending.created) return;
    for (const auto& name : remove) {
        pending.set_properties.erase(name);
        pending.remove_properties.push_back(name);
    }
    for (const auto& [name, value] : set) {
        pending.set_properties[name] = value;
        std::erase(pending.remove_properties, name);
    }
}

void LakeTransaction::restart_numbers(const LakeTable& table) {
    const auto& state = table.state();
    if (table.view().governed || !table.view().access.update)
        throw_error(denied("table " + state->info.name));
    for (const auto& field : state->schema().fields) {
        if (!identity_of(properties_of(state), field.id)) continue;
        extra_.erase(identity_key(state->info.uuid, field.id));
        restarted_.emplace_back(state->info.uuid, field.id);
    }
}

/// Made by this transaction, and not yet more than a name in it.
bool LakeTransaction::is_new_table(const std::string& uuid) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = pending_.find(uuid);
    return found != pending_.end() && found->second.created;
}

/// Beside other changes, too: tools swap a new table for an old one.
void LakeTransaction::rename(const tables::RelationInfo& relation, const std::string& name) {
    if (find_info(relation.database, name))
        throw_error(
            {Code::already_exists, fmt::format("relation \"{}\" already exists", name), "42P07"});
    tables::RelationInfo changed = relation;
    changed.name = name;
    if (is_new_table(relation.uuid)) {
        ok_or_throw(tables::check_name("table", name));
        const std::lock_guard<std::mutex> lock(mutex_);
        auto& pending = pending_[relation.uuid];
        auto table = std::make_shared<tables::TableState>(*pending.table);
        table->info.name = name;
        pending.table = std::move(table);
    } else {
        ok_or_throw(
            services_.parts.catalog.stage_rename(relation, relation.database, name, extra_));
    }
    if (created_.erase({relation.database, relation.name}) == 0)
        dropped_.insert({relation.database, relation.name});
    created_[{relation.database, name}] = std::move(changed);
}

/// COMMENT ON; false: something else. It goes beside other changes.
bool LakeTransaction::comment(const tables::RelationInfo& relation, duck::AlterInfo& info) {
    const bool column = info.type == duck::AlterType::SET_COLUMN_COMMENT;
    if (!column && info.type != duck::AlterType::SET_COMMENT) return false;
    const duck::Value& given = column ? info.Cast<duck::SetColumnCommentInfo>().comment_value
                                      : info.Cast<duck::SetCommentInfo>().comment_value;
    const std::string text = given.IsNull() ? "" : given.ToString();
    const auto own = created_.find({relation.database, relation.name});
    const bool is_new = is_new_table(relation.uuid);
    if (!column) {
        if (own != created_.end()) own->second.comment = text;
        if (!is_new) {
            ok_or_throw(services_.parts.catalog.stage_comment(relation, text, extra_));
            return true;
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        auto& pending = pending_[relation.uuid];
        auto changed = std::make_shared<tables::TableState>(*pending.table);
        changed->info.comment = text;
        pending.table = std::move(changed);
        return true;
    }
    if (relation.kind == tables::RelationKind::view)
        throw_error(
            {Code::unimplemented, "a comment on a column of a view is not supported", "0A000"});
    const std::string& name = info.Cast<duck::SetColumnCommentInfo>().column_name;
    const auto table = load(relation);
    const auto* field = table->schema().find(name);
    if (!field)
        throw_error(
            {Code::not_found,
             fmt::format("column \"{}\" of relation \"{}\" does not exist", name, relation.name),
             "42703"});
    const auto doc = text.empty() ? std::nullopt : std::optional(text);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!is_new)
        pending_of(table).steps.push_back(tables::SchemaStep::set_doc(field->id, doc));
    else
        pending_of(table).table = with_doc(*table, field->id, doc);
    return true;
}

}  // namespace tarn::query

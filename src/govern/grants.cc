#include "govern/grants.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "meta/keys.h"

namespace tarn::govern {
namespace {

// "gr" text(role): the role's grants as JSON; docs/formats/keys.md.
std::string key_of(const std::string& role) {
    return meta::Key("gr").rest(role).str();
}

bool covers(const std::string& pattern, const std::string& database, const std::string& table) {
    return pattern == "*" || pattern == database + ".*" || pattern == database + "." + table;
}

bool touches(const std::string& pattern, const std::string& database) {
    return pattern == "*" || pattern.starts_with(database + ".");
}

}  // namespace

Result<std::unique_ptr<Grants>> Grants::open(meta::Store& store, security::Users& users,
                                             const security::Authorizer& authorizer,
                                             const tables::Catalog& catalog, std::string region) {
    std::unique_ptr<Grants> grants(
        new Grants(store, users, authorizer, catalog, std::move(region)));
    TARN_CHECK_OK(grants->reload());
    return grants;
}

Status Grants::reload() {
    auto roles = std::make_shared<Roles>();
    const std::string all = meta::Key("gr").str();
    auto walk = store_.scan({all, meta::prefix_end(all), false});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(record, walk->record());
        const std::string role(walk->key().substr(all.size()));
        auto grants = parse_grants(record.value);
        if (!grants.ok())
            return Error(Code::corrupted, "the grants of role " + role + " do not decode");
        (*roles)[role] = std::move(grants).value();
    }
    TARN_CHECK_OK(walk->status());
    MutexLock lock(mutex_);
    roles_ = std::move(roles);
    return ok_status();
}

std::shared_ptr<const Grants::Roles> Grants::current() const {
    MutexLock lock(mutex_);
    return roles_;
}

std::map<std::string, RoleGrants> Grants::roles() const {
    return *current();
}

std::string Grants::table_arn(std::string_view database, std::string_view table) const {
    return "arn:aws:tarn:" + region_ + ":" + users_.account_id() + ":table/" +
           std::string(database) + "/" + std::string(table);
}

/// The policy that says the same as the grants, as far as policies go: which tables, which actions.
std::string Grants::policy_of(const RoleGrants& grants) const {
    nlohmann::json statements = nlohmann::json::array();
    for (const auto& [pattern, grant] : grants) {
        const size_t dot = pattern.find('.');
        const std::string arn = pattern == "*"
                                    ? table_arn("*", "*")
                                    : table_arn(pattern.substr(0, dot), pattern.substr(dot + 1));
        std::vector<std::string> actions;
        if (grant.read) actions.push_back("tarn:Select");
        if (grant.insert) actions.push_back("tarn:Insert");
        if (grant.update) actions.push_back("tarn:Update");
        if (grant.remove) actions.push_back("tarn:Delete");
        if (grant.alter) actions.push_back("tarn:Alter");
        if (!actions.empty())
            statements.push_back({{"Effect", "Allow"}, {"Action", actions}, {"Resource", arn}});
    }
    // Whoever may see a table may also connect and ask.
    statements.push_back({{"Effect", "Allow"},
                          {"Action", {"tarn:Connect", "tarn:ExecuteStatement"}},
                          {"Resource", "*"}});
    return nlohmann::json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump();
}

Status Grants::put_role(const std::string& role, const RoleGrants& grants,
                        std::map<std::string, std::string> policies, meta::Batch with) {
    if (role.empty() || role.size() > 64)
        return Error(Code::invalid_argument, "a role's name has 1 to 64 bytes");
    const std::string made(kGrantsPolicy);
    if (policies.contains(made))
        return Error(Code::invalid_argument,
                     "the policy name \"grants\" is taken: it is made of the grants");
    policies[made] = policy_of(grants);
    MutexLock one_at_a_time(change_mutex_);
    with.put(key_of(role), to_json(grants));
    TARN_CHECK_OK(users_.put_role(role, std::move(policies), std::move(with)));
    return reload();
}

Status Grants::delete_role(const std::string& role, meta::Batch with) {
    MutexLock one_at_a_time(change_mutex_);
    with.require_present(key_of(role), Error(Code::not_found, "there is no role " + role));
    with.erase(key_of(role));
    TARN_CHECK_OK(users_.delete_role(role, std::move(with)));
    return reload();
}

bool Grants::policy_allows(const security::Principal& principal, std::string_view action,
                           const std::string& arn) const {
    security::Caller caller;
    caller.principal = principal;
    return authorizer_.decide(caller, action, arn).ok();
}

/// `hide` means: all columns there are but these, so that a column added later is seen without a
/// new grant.
Result<query::ReadGrant> Grants::read_grant(const TableGrant& grant, const std::string& database,
                                            const std::string& table) const {
    query::ReadGrant out;
    out.row_filter = grant.rows;
    out.masks = grant.masks;
    out.columns = grant.columns;
    out.all_columns = grant.columns.empty() && grant.hide.empty();
    if (grant.hide.empty()) return out;
    const auto state = catalog_.snapshot();
    TARN_TRY(relation, state.find_relation(database, table));
    if (!relation) return out;
    const auto show = [&](const std::string& column) {
        if (std::find(grant.hide.begin(), grant.hide.end(), column) == grant.hide.end())
            out.columns.push_back(column);
    };
    if (relation->kind == tables::RelationKind::view) {
        for (const auto& column : relation->columns) show(column.name);
        return out;
    }
    TARN_TRY(loaded, state.load_table(*relation));
    for (const auto& field : loaded->schema().fields) show(field.name);
    return out;
}

Result<query::TableAccess> Grants::table_access(const security::Principal& principal,
                                                const std::string& database,
                                                const std::string& table) const {
    if (principal.is_root()) return query::TableAccess::everything();
    query::TableAccess access;
    const auto roles = current();
    for (const auto& role : principal.roles) {
        const auto found = roles->find(role);
        if (found == roles->end()) continue;
        for (const auto& [pattern, grant] : found->second) {
            if (!covers(pattern, database, table)) continue;
            if (grant.read) {
                TARN_TRY(read, read_grant(grant, database, table));
                access.read.push_back(std::move(read));
            }
            access.insert = access.insert || grant.insert;
            access.update = access.update || grant.update;
            access.remove = access.remove || grant.remove;
            access.alter = access.alter || grant.alter;
        }
    }
    const std::string arn = table_arn(database, table);
    if (!access.read.empty() && !policy_allows(principal, "tarn:Select", arn)) access.read.clear();
    access.insert = access.insert && policy_allows(principal, "tarn:Insert", arn);
    access.update = access.update && policy_allows(principal, "tarn:Update", arn);
    access.remove = access.remove && policy_allows(principal, "tarn:Delete", arn);
    access.alter = access.alter && policy_allows(principal, "tarn:Alter", arn);
    return access;
}

Result<query::DatabaseAccess> Grants::database_access(const security::Principal& principal,
                                                      const std::string& database) const {
    query::DatabaseAccess access;
    const auto roles = current();
    for (const auto& role : principal.roles) {
        const auto found = roles->find(role);
        if (found == roles->end()) continue;
        for (const auto& [pattern, grant] : found->second)
            access.visible = access.visible || touches(pattern, database);
    }
    access.create = policy_allows(principal, "tarn:CreateTable", table_arn(database, "*"));
    return access;
}

Result<bool> Grants::may_create_database(const security::Principal& principal) const {
    return policy_allows(principal, "tarn:CreateDatabase",
                         "arn:aws:tarn:" + region_ + ":" + users_.account_id() + ":lake");
}

}  // namespace tarn::govern

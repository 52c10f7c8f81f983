// What each role may see and change of each table: columns, rows, masks. A user's roles combine per
// cell. Policies (IAM) and grants must both allow; writing a role's grants writes the policy that
// goes with them, in the same batch.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "meta/store.h"
#include "query/access.h"
#include "security/authorizer.h"
#include "security/users.h"
#include "tables/catalog.h"

namespace tarn::govern {

/// One role's window on one table, or on all tables of a database ("erp.*"), or on everything
/// ("*").
struct TableGrant {
    bool read = true;
    std::vector<std::string> columns;  // only these; empty: all but `hide`
    std::vector<std::string> hide;
    std::string rows;  // SQL over the table's columns; user.x is the user's attribute; empty: all
    std::map<std::string, std::string> masks;  // column -> SQL shown in its place
    bool insert = false, update = false, remove = false, alter = false;

    bool operator==(const TableGrant&) const = default;
};

/// Table pattern -> grant.
using RoleGrants = std::map<std::string, TableGrant>;

/// {"erp.sales": {"columns": [...], "hide": [...], "rows": "...", "masks": {...}, "write":
/// ["insert", "update", "delete", "alter"], "read": true}}. invalid_argument names the table and
/// the key that is wrong.
Result<RoleGrants> parse_grants(std::string_view json);
std::string to_json(const RoleGrants& grants);

/// The name of the policy that is made of a role's grants.
inline constexpr std::string_view kGrantsPolicy = "grants";

/// Owner: wiring. Lane: look-ups any but a loop; changes any but a loop.
class Grants final : public query::AccessProvider {
 public:
    /// All outlive it.
    static Result<std::unique_ptr<Grants>> open(meta::Store& store, security::Users& users,
                                                const security::Authorizer& authorizer,
                                                const tables::Catalog& catalog, std::string region);

    /// Replaces the role's grants and the policy made of them; `policies` are further documents
    /// (name -> JSON) of the role.
    Status put_role(const std::string& role, const RoleGrants& grants,
                    std::map<std::string, std::string> policies, meta::Batch with = {});
    /// not_found.
    Status delete_role(const std::string& role, meta::Batch with = {});
    std::map<std::string, RoleGrants> roles() const;

    Result<query::TableAccess> table_access(const security::Principal& principal,
                                            const std::string& database,
                                            const std::string& table) const override;
    Result<query::DatabaseAccess> database_access(const security::Principal& principal,
                                                  const std::string& database) const override;
    Result<bool> may_create_database(const security::Principal& principal) const override;

    /// "arn:aws:tarn:<region>:<account>:table/<database>/<table>"
    std::string table_arn(std::string_view database, std::string_view table) const;

 private:
    using Roles = std::map<std::string, RoleGrants>;

    Grants(meta::Store& store, security::Users& users, const security::Authorizer& authorizer,
           const tables::Catalog& catalog, std::string region)
        : store_(store),
          users_(users),
          authorizer_(authorizer),
          catalog_(catalog),
          region_(std::move(region)) {}
    Status reload() TARN_EXCLUDES(mutex_);
    std::shared_ptr<const Roles> current() const;
    bool policy_allows(const security::Principal& principal, std::string_view action,
                       const std::string& arn) const;
    std::string policy_of(const RoleGrants& grants) const;
    Result<query::ReadGrant> read_grant(const TableGrant& grant, const std::string& database,
                                        const std::string& table) const;

    meta::Store& store_;
    security::Users& users_;
    const security::Authorizer& authorizer_;
    const tables::Catalog& catalog_;
    const std::string region_;
    Mutex change_mutex_;  // one change at a time; held over its commit
    mutable Mutex mutex_;
    std::shared_ptr<const Roles> roles_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::govern

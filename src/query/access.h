// Who may see and change what, as the engine asks for it. govern/ answers from grants; root and the
// server itself are never asked about: they see everything without a barrier.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "security/caller.h"

namespace tarn::query {

/// One grant's window on a table. Several grants combine per cell: a cell is visible if one grant
/// shows both its row and its column; a row is visible if any grant shows it.
struct ReadGrant {
    bool all_columns = false;
    std::vector<std::string> columns;  // when not all_columns
    /// SQL over the table's columns, hidden ones too. `user.region` stands for the principal's
    /// attribute (NULL when it has none). Empty: every row.
    std::string row_filter;
    /// Column -> SQL shown instead of its value, of the same type. Functions resolve to the
    /// built-in ones.
    std::map<std::string, std::string> masks;

    bool unrestricted() const { return all_columns && row_filter.empty() && masks.empty(); }
};

struct TableAccess {
    std::vector<ReadGrant>
        read;  // empty: the table does not exist for this principal, unless it may insert
    bool insert = false;
    bool update = false;  // needs an unrestricted read grant as well
    bool remove = false;  // DELETE, TRUNCATE, MERGE; needs an unrestricted read grant as well
    bool alter = false;   // ALTER, DROP, comments

    bool visible() const { return !read.empty() || insert; }
    /// One grant alone shows everything: no barrier.
    bool unrestricted() const {
        for (const auto& grant : read)
            if (grant.unrestricted()) return true;
        return false;
    }
    static TableAccess everything() {
        return {{ReadGrant{true, {}, {}, {}}}, true, true, true, true};
    }
};

struct DatabaseAccess {
    bool visible = false;  // named in listings and errors even when no table of it is visible
    bool create = false;   // CREATE TABLE, CREATE VIEW in it
};

/// Lane: any. An error refuses the statement. Answers are asked for anew by every statement: they
/// may be cached by the provider, and must change as soon as a grant is withdrawn.
class AccessProvider {
 public:
    virtual ~AccessProvider() = default;
    virtual Result<TableAccess> table_access(const security::Principal& principal,
                                             const std::string& database,
                                             const std::string& table) const = 0;
    virtual Result<DatabaseAccess> database_access(const security::Principal& principal,
                                                   const std::string& database) const = 0;
    /// CREATE DATABASE/SCHEMA.
    virtual Result<bool> may_create_database(const security::Principal& principal) const = 0;
};

/// Until grants exist: root sees everything, everyone else nothing.
class RootOnly final : public AccessProvider {
 public:
    Result<TableAccess> table_access(const security::Principal&, const std::string&,
                                     const std::string&) const override {
        return TableAccess{};
    }
    Result<DatabaseAccess> database_access(const security::Principal&,
                                           const std::string&) const override {
        return DatabaseAccess{};
    }
    Result<bool> may_create_database(const security::Principal&) const override { return false; }
};

}  // namespace tarn::query

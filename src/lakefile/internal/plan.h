// Makes plans: what a parsed lakefile would do to what is applied.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lakefile/applier.h"
#include "lakefile/internal/records.h"

namespace tarn::lakefile {

/// A plan with everything that apply needs to do it.
struct Prepared {
    Plan plan;
    Parsed parsed;
    Applied applied;  // as of the plan
};

class Planner {
 public:
    Planner(const ApplierParts& parts, const Parsed& parsed, const Applied& applied)
        : parts_(parts), parsed_(parsed), applied_(applied), catalog_(parts.catalog.snapshot()) {}

    Result<Plan> make(const std::string& file_name, const PlanOptions& options);

 private:
    Status changes();
    Status added(const Item& item, Change& change);
    Status changed(const Item& item, const AppliedItem& before, Change& change);
    Status removed(const AppliedItem& gone);
    Status renamed(const Item& item, const AppliedItem& before, Change& change);
    void defaults(const Item& item, Change& change) const;
    Status cost(const Item& item, Change& change) const;
    Status refuse_foreign(const Item& item);
    Status check_sql();
    Status check_select(const Item& item, const std::string& sql, const std::string& what,
                        std::vector<std::string> columns);
    Status check_references();
    Status known(const Item& item, const flows::TableRef& table, const std::string& what);
    Result<bool> is_known(const flows::TableRef& table) const;
    void visibility();
    Status drift();
    Status replays(const PlanOptions& options);
    Result<uint64_t> rows_of(const flows::TableRef& table) const;
    Result<std::vector<tables::RelationInfo>> tables_of(const Item& item) const;
    void problem(const Item& item, bool at_sql, std::string message);
    std::string make_id() const;
    const AppliedItem* find_applied(Kind kind, const std::string& name) const;

    friend class Applier;
    const ApplierParts& parts_;
    const Parsed& parsed_;
    const Applied& applied_;
    const tables::CatalogSnapshot catalog_;
    std::string file_name_;
    Plan plan_;
    std::set<std::string> moving_;  // outputs that this plan makes or makes anew
};

/// The relations that an item fills and that exist: its outputs, and what goes with them
/// (<name>_rejected ...).
Result<std::vector<tables::RelationInfo>> existing_tables(const tables::CatalogSnapshot& catalog,
                                                          const Item& item);
Result<uint64_t> count_rows(const tables::CatalogSnapshot& catalog,
                            const tables::RelationInfo& relation);

/// "1,234,567"
std::string with_commas(uint64_t number);

}  // namespace tarn::lakefile

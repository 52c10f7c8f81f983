// What a query demands of single columns: a column compared with constants. Such a condition neither fails nor does anything, so a
// copy of it may be checked below a policy's barrier, on hidden rows too: it saves reading what the query would drop anyway.
#pragma once

#include <vector>

#include "query/internal/duck.h"

namespace tarn::query {

/// The conditions that all rows of one operator must meet to matter. A value; lives while one statement is planned.
class Conditions {
 public:
    /// Takes those of the conjuncts that are such conditions.
    void add(duck::ClientContext& context, const duck::Expression& expression);
    /// The same for the projection's child.
    Conditions below(const duck::LogicalProjection& projection) const;
    /// Copies of the conditions on the columns of `table_index`, each with the column's expression in the column's place;
    /// columns whose expression is more than a column are left out.
    duck::vector<duck::unique_ptr<duck::Expression>> on(
        duck::idx_t table_index, const duck::vector<duck::unique_ptr<duck::Expression>>& columns) const;

 private:
    struct Condition {
        duck::ColumnBinding column;
        duck::shared_ptr<duck::Expression> expression;
    };
    std::vector<Condition> all_;
};

}  // namespace tarn::query

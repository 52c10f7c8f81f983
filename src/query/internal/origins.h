// Which column of a table a column of a result is.
#pragma once

#include <map>
#include <vector>

#include "query/engine.h"
#include "query/internal/duck.h"

namespace tarn::query {

/// Of a bound, not yet optimised plan. What is as it stands in a table is its column, also through
/// subqueries, views and groups; of everything else nothing is known.
class Origins {
 public:
    /// The plan outlives it.
    explicit Origins(duck::LogicalOperator& plan) { note(plan); }

    ColumnOrigin of(const duck::ColumnBinding& binding, int depth = 0) const;
    ColumnOrigin of(const duck::Expression& expression, int depth = 0) const;

 private:
    void note(duck::LogicalOperator& op);
    ColumnOrigin of_expression(const duck::vector<duck::unique_ptr<duck::Expression>>& given,
                               duck::idx_t column, int depth) const;
    ColumnOrigin of_child(duck::LogicalOperator& child, duck::idx_t column, int depth) const;
    ColumnOrigin of_all(duck::LogicalOperator& op, duck::idx_t column, int depth) const;
    ColumnOrigin of_cte(duck::idx_t cte, duck::idx_t column, int depth) const;

    std::map<duck::idx_t, duck::LogicalOperator*> by_index_;
    std::map<duck::idx_t, duck::LogicalOperator*> ctes_;
};

/// Of the columns that the plan gives.
std::vector<ColumnOrigin> origins_of(duck::LogicalOperator& plan);

/// A result as clients are told of it. `origins`: empty when nobody wants to know.
std::vector<ResultColumn> result_columns(const duck::vector<duck::string>& names,
                                         const duck::vector<duck::LogicalType>& types,
                                         const std::vector<ColumnOrigin>& origins);

}  // namespace tarn::query

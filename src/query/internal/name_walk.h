// The tables that a parsed statement names, and that are not its own CTEs.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/tableref/list.hpp"
#include "query/internal/duck.h"

namespace tarn::query {

/// Calls `found` for each, which may change it. Where it does not look (SHOW, say) names go unseen:
/// nothing that guards may hang on it.
class NameWalk {
 public:
    using Ctes = std::set<std::string>;
    using Found = std::function<void(duck::BaseTableRef&)>;
    /// Called for each part of a FROM, which it may put something else in the place of.
    using Part = std::function<void(duck::unique_ptr<duck::TableRef>&)>;
    /// Called for each expression, after those within it.
    using Each = std::function<void(duck::ParsedExpression&)>;
    explicit NameWalk(Found found, Part part = {}, Each each = {})
        : found_(std::move(found)), part_(std::move(part)), each_(std::move(each)) {}

    /// `ctes`: names that are in scope.
    void query(duck::QueryNode& node, Ctes ctes = {});
    void table(duck::TableRef& ref, const Ctes& ctes = {});
    void part(duck::unique_ptr<duck::TableRef>& ref, const Ctes& ctes);
    void expression(duck::ParsedExpression& given, const Ctes& ctes = {});
    /// WITH: looks into each and returns `outer` with their names.
    Ctes with(duck::CommonTableExpressionMap& map, Ctes outer = {});

 private:
    Found found_;
    Part part_;
    Each each_;
};

}  // namespace tarn::query

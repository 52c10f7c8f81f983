#include "query/internal/settle_jsonb.h"

#include "duckdb/function/function_binder.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/jsonb.h"

namespace tarn::query {

namespace {

using Child = duck::unique_ptr<duck::Expression>;

bool is_json(const Child& given) {
    return given && given->return_type.IsJSONType();
}

class Comparisons {
 public:
    explicit Comparisons(duck::ClientContext& context) : context_(context) {}

    void visit(duck::LogicalOperator& op) {
        using Type = duck::LogicalOperatorType;
        for (auto& child : op.children) visit(*child);
        duck::LogicalOperatorVisitor::EnumerateExpressions(
            op, [&](Child* child) { look_into(*child); });
        if (op.type == Type::LOGICAL_COMPARISON_JOIN || op.type == Type::LOGICAL_DELIM_JOIN) {
            for (auto& condition : op.Cast<duck::LogicalComparisonJoin>().conditions)
                // A correlated subquery's join with the rows that it was made for has these.
                if (condition.comparison != duck::ExpressionType::COMPARE_NOT_DISTINCT_FROM)
                    replace(condition.left, condition.right);
        } else if (op.type == Type::LOGICAL_ORDER_BY) {
            sort(op.Cast<duck::LogicalOrder>().orders);
        }
    }

    void look_into(Child& given) {
        duck::ExpressionIterator::EnumerateChildren(*given,
                                                    [&](Child& child) { look_into(child); });
        settle(given);
    }

 private:
    void call(const char* function, Child& child) {
        duck::vector<Child> arguments;
        arguments.push_back(std::move(child));
        duck::ErrorData problem;
        duck::FunctionBinder binder(context_);
        child = binder.BindScalarFunction(DEFAULT_SCHEMA, function, std::move(arguments), problem);
        if (!child) problem.Throw();
    }
    void key_of(Child& child) { call(kJsonbSortKey, child); }
    void replace(Child& left, Child& right) {
        if (!is_json(left) || !is_json(right)) return;
        key_of(left);
        key_of(right);
    }
    void sort(duck::vector<duck::BoundOrderByNode>& orders) {
        for (auto& order : orders)
            if (is_json(order.expression)) key_of(order.expression);
    }

    void settle(Child& given) {
        switch (given->GetExpressionClass()) {
            case duck::ExpressionClass::BOUND_COMPARISON: {
                auto& comparison = given->Cast<duck::BoundComparisonExpression>();
                return replace(comparison.left, comparison.right);
            }
            case duck::ExpressionClass::BOUND_CAST: {
                auto& cast = given->Cast<duck::BoundCastExpression>();
                if (!is_json(given) || cast.try_cast || is_json(cast.child) ||
                    cast.child->return_type.id() != duck::LogicalTypeId::VARCHAR)
                    return;
                const bool binary = is_jsonb(given->return_type);
                auto text = std::move(cast.child);
                call(binary ? kReadJsonb : kReadJson, text);
                given = std::move(text);
                return;
            }
            case duck::ExpressionClass::BOUND_BETWEEN: {
                auto& between = given->Cast<duck::BoundBetweenExpression>();
                if (!is_json(between.input)) return;
                key_of(between.input);
                return replace(between.lower, between.upper);
            }
            case duck::ExpressionClass::BOUND_OPERATOR: {
                if (given->GetExpressionType() != duck::ExpressionType::COMPARE_IN &&
                    given->GetExpressionType() != duck::ExpressionType::COMPARE_NOT_IN)
                    return;
                auto& all = given->Cast<duck::BoundOperatorExpression>().children;
                if (std::all_of(all.begin(), all.end(), is_json))
                    for (auto& each : all) key_of(each);
                return;
            }
            case duck::ExpressionClass::BOUND_WINDOW:
                return sort(given->Cast<duck::BoundWindowExpression>().orders);
            case duck::ExpressionClass::BOUND_AGGREGATE: {
                auto& aggregate = given->Cast<duck::BoundAggregateExpression>();
                if (aggregate.order_bys) sort(aggregate.order_bys->orders);
                return;
            }
            default:
                return;
        }
    }

    duck::ClientContext& context_;
};

}  // namespace

void settle_jsonb(duck::ClientContext& context, duck::LogicalOperator& plan) {
    Comparisons(context).visit(plan);
}

void settle_jsonb(duck::ClientContext& context, duck::unique_ptr<duck::Expression>& expression) {
    Comparisons(context).look_into(expression);
}

}  // namespace tarn::query

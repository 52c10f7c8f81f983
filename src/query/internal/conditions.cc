#include "query/internal/conditions.h"

namespace tarn::query {

namespace {

using Class = duck::ExpressionClass;

const duck::BoundColumnRefExpression* column_of(const duck::Expression& expression) {
    return expression.GetExpressionClass() == Class::BOUND_COLUMN_REF
               ? &expression.Cast<duck::BoundColumnRefExpression>()
               : nullptr;
}

/// A constant, or a cast of one that succeeds.
duck::unique_ptr<duck::Expression> constant_of(duck::ClientContext& context,
                                               const duck::Expression& expression) {
    const auto* inner = &expression;
    while (inner->GetExpressionClass() == Class::BOUND_CAST)
        inner = inner->Cast<duck::BoundCastExpression>().child.get();
    if (inner->GetExpressionClass() != Class::BOUND_CONSTANT) return nullptr;
    duck::Value value;
    if (!duck::ExpressionExecutor::TryEvaluateScalar(context, expression, value)) return nullptr;
    return duck::make_uniq<duck::BoundConstantExpression>(std::move(value));
}

/// The expression with its constants computed; null when it is anything but a column beside constants.
duck::unique_ptr<duck::Expression> condition_of(duck::ClientContext& context,
                                                const duck::Expression& expression) {
    switch (expression.GetExpressionClass()) {
        case Class::BOUND_COMPARISON:
        case Class::BOUND_BETWEEN:
        case Class::BOUND_OPERATOR:
            break;
        default:
            return nullptr;
    }
    using Type = duck::ExpressionType;
    const auto type = expression.GetExpressionType();
    if (expression.GetExpressionClass() == Class::BOUND_OPERATOR && type != Type::COMPARE_IN &&
        type != Type::OPERATOR_IS_NULL && type != Type::OPERATOR_IS_NOT_NULL)
        return nullptr;
    auto copy = expression.Copy();
    size_t columns = 0;
    bool plain = true;
    duck::ExpressionIterator::EnumerateChildren(*copy, [&](duck::unique_ptr<duck::Expression>& child) {
        if (column_of(*child)) {
            ++columns;
        } else if (auto constant = constant_of(context, *child)) {
            child = std::move(constant);
        } else {
            plain = false;
        }
    });
    return plain && columns == 1 ? std::move(copy) : nullptr;
}

/// Puts `by` into the place of the expression's one column.
void replace_column(duck::Expression& expression, const duck::BoundColumnRefExpression& by) {
    duck::ExpressionIterator::EnumerateChildren(expression,
                                                [&](duck::unique_ptr<duck::Expression>& child) {
                                                    if (column_of(*child)) child = by.Copy();
                                                });
}

}  // namespace

void Conditions::add(duck::ClientContext& context, const duck::Expression& expression) {
    if (expression.GetExpressionType() == duck::ExpressionType::CONJUNCTION_AND) {
        for (const auto& child : expression.Cast<duck::BoundConjunctionExpression>().children)
            add(context, *child);
        return;
    }
    duck::shared_ptr<duck::Expression> found(condition_of(context, expression));
    if (!found) return;
    duck::ExpressionIterator::EnumerateChildren(*found, [&](duck::Expression& child) {
        if (const auto* column = column_of(child)) all_.push_back({column->binding, found});
    });
}

Conditions Conditions::below(const duck::LogicalProjection& projection) const {
    Conditions out;
    for (const auto& [column, expression] : all_) {
        if (column.table_index != projection.table_index) continue;
        const auto* inner = column_of(*projection.expressions[column.column_index]);
        if (!inner) continue;
        duck::shared_ptr<duck::Expression> moved(expression->Copy());
        replace_column(*moved, *inner);
        out.all_.push_back({inner->binding, std::move(moved)});
    }
    return out;
}

duck::vector<duck::unique_ptr<duck::Expression>> Conditions::on(
    duck::idx_t table_index, const duck::vector<duck::unique_ptr<duck::Expression>>& columns) const {
    duck::vector<duck::unique_ptr<duck::Expression>> out;
    for (const auto& [column, expression] : all_) {
        if (column.table_index != table_index) continue;
        const auto* inner = column_of(*columns[column.column_index]);
        if (!inner) continue;
        out.push_back(expression->Copy());
        replace_column(*out.back(), *inner);
    }
    return out;
}

}  // namespace tarn::query

#include "query/internal/settle_char.h"

#include "duckdb/function/function_binder.hpp"
#include "query/internal/lake.h"
#include "query/internal/origins.h"

namespace tarn::query {

namespace {

using Operand = duck::unique_ptr<duck::Expression>;

bool reads_char(duck::LogicalOperator& op) {
    if (op.type == duck::LogicalOperatorType::LOGICAL_GET) {
        const auto entry = op.Cast<duck::LogicalGet>().GetTable();
        if (const auto* table = entry ? dynamic_cast<const LakeTable*>(entry.get()) : nullptr)
            for (const auto& declared : table->view().declared)
                if (declared.kind == DeclaredType::Kind::bpchar) return true;
    }
    return std::any_of(op.children.begin(), op.children.end(),
                       [](const auto& child) { return reads_char(*child); });
}

class CharComparisons {
 public:
    CharComparisons(duck::ClientContext& context, const Origins& origins)
        : context_(context), origins_(origins) {}

    void visit(duck::LogicalOperator& op) {
        for (auto& child : op.children) visit(*child);
        duck::LogicalOperatorVisitor::EnumerateExpressions(
            op, [&](Operand* operand) { look_into(*operand); });
    }

 private:
    bool is_char(const Operand& given) const {
        return origins_.of(*given).declared.kind == DeclaredType::Kind::bpchar;
    }
    static bool has_column(const duck::Expression& given) {
        bool found = given.GetExpressionClass() == duck::ExpressionClass::BOUND_COLUMN_REF ||
                     given.GetExpressionClass() == duck::ExpressionClass::BOUND_SUBQUERY;
        duck::ExpressionIterator::EnumerateChildren(
            given, [&](const duck::Expression& child) { found = found || has_column(child); });
        return found;
    }
    /// A literal, a parameter or a varchar(n); what else is text keeps its spaces, as in
    /// PostgreSQL.
    void trim(Operand& given) {
        if (given->return_type.id() != duck::LogicalTypeId::VARCHAR) return;
        const bool varchar = origins_.of(*given).declared.kind == DeclaredType::Kind::varchar;
        if (!varchar && has_column(*given)) return;
        if (given->GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT) {
            auto& value = given->Cast<duck::BoundConstantExpression>().value;
            if (value.IsNull()) return;
            std::string text = duck::StringValue::Get(value);
            text.erase(text.find_last_not_of(' ') + 1);
            value = duck::Value(std::move(text));
            return;
        }
        duck::vector<Operand> arguments;
        arguments.push_back(std::move(given));
        arguments.push_back(
            duck::make_uniq<duck::BoundConstantExpression>(duck::Value(duck::string(" "))));
        duck::ErrorData problem;
        duck::FunctionBinder binder(context_);
        given = binder.BindScalarFunction(DEFAULT_SCHEMA, "rtrim", std::move(arguments), problem);
        if (!given) problem.Throw();
    }

    void look_into(Operand& given) {
        duck::ExpressionIterator::EnumerateChildren(*given,
                                                    [&](Operand& child) { look_into(child); });
        if (given->GetExpressionClass() == duck::ExpressionClass::BOUND_COMPARISON) {
            auto& comparison = given->Cast<duck::BoundComparisonExpression>();
            if (is_char(comparison.left)) trim(comparison.right);
            if (is_char(comparison.right)) trim(comparison.left);
        } else if (given->GetExpressionClass() == duck::ExpressionClass::BOUND_BETWEEN) {
            auto& between = given->Cast<duck::BoundBetweenExpression>();
            if (!is_char(between.input)) return;
            trim(between.lower);
            trim(between.upper);
        } else if (given->GetExpressionType() == duck::ExpressionType::COMPARE_IN ||
                   given->GetExpressionType() == duck::ExpressionType::COMPARE_NOT_IN) {
            auto& all = given->Cast<duck::BoundOperatorExpression>().children;
            if (!is_char(all.front())) return;
            for (size_t i = 1; i < all.size(); ++i) trim(all[i]);
        }
    }

    duck::ClientContext& context_;
    const Origins& origins_;
};

}  // namespace

void settle_char(duck::ClientContext& context, duck::LogicalOperator& plan) {
    if (!reads_char(plan)) return;
    const Origins origins(plan);
    CharComparisons(context, origins).visit(plan);
}

}  // namespace tarn::query

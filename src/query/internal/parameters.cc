#include "query/internal/parameters.h"

#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "query/internal/unknown_operands.h"

namespace tarn::query {

namespace {

using Expression = duck::unique_ptr<duck::ParsedExpression>;

bool is_arithmetic(const duck::FunctionExpression& call) {
    static const std::set<std::string> kOperators = {"+", "-", "*", "/", "//", "%", "&", "|"};
    return call.is_operator && call.children.size() == 2 && kOperators.contains(call.function_name);
}

bool is_parameter(const duck::ParsedExpression& given) {
    return given.GetExpressionClass() == duck::ExpressionClass::PARAMETER;
}

/// CASE WHEN other = $1 THEN other ELSE other END, where `other` is of the type that a literal would
/// have in the place of $1.
Expression compared(Expression parameter, const duck::ParsedExpression& like,
                    const std::string& name) {
    duck::vector<Expression> given;
    given.push_back(duck::make_uniq<duck::ConstantExpression>(duck::Value(name)));
    given.push_back(like.Copy());
    Expression other = duck::make_uniq<duck::FunctionExpression>(kOperand, std::move(given));
    auto made = duck::make_uniq<duck::CaseExpression>();
    duck::CaseCheck check;
    check.when_expr = duck::make_uniq<duck::ComparisonExpression>(
        duck::ExpressionType::COMPARE_EQUAL, other->Copy(), std::move(parameter));
    check.then_expr = other->Copy();
    made->case_checks.push_back(std::move(check));
    made->else_expr = std::move(other);
    return made;
}

struct Seen {
    bool has_parameters = false;
    /// Of the same type, without parameters, so that copies of it do not grow; null: not known.
    const duck::ParsedExpression* like = nullptr;
};

bool is_row(const duck::ParsedExpression& given) {
    return given.GetExpressionClass() == duck::ExpressionClass::FUNCTION && given.Cast<duck::FunctionExpression>().function_name == "row";
}

Expression compare(duck::ExpressionType how, const duck::ParsedExpression& left, const duck::ParsedExpression& right) {
    return duck::make_uniq<duck::ComparisonExpression>(how, left.Copy(), right.Copy());
}

Expression joined(duck::ExpressionType how, Expression left, Expression right) {
    return left ? duck::make_uniq<duck::ConjunctionExpression>(how, std::move(left), std::move(right)) : std::move(right);
}

/// (a, b) = (c, d) is a = c AND b = d; (a, b) < (c, d) is a < c OR a = c AND b < d. Null: not of rows of one size.
Expression compare_rows(duck::ExpressionType how, const duck::ParsedExpression& left, const duck::ParsedExpression& right) {
    using duck::ExpressionType;
    if (!is_row(left) || !is_row(right)) return nullptr;
    const auto& one = left.Cast<duck::FunctionExpression>().children;
    const auto& other = right.Cast<duck::FunctionExpression>().children;
    if (one.size() != other.size() || one.empty()) return nullptr;
    const bool equal = how == ExpressionType::COMPARE_EQUAL;
    Expression all;
    if (equal || how == ExpressionType::COMPARE_NOTEQUAL) {
        for (size_t i = 0; i < one.size(); ++i)
            all = joined(equal ? ExpressionType::CONJUNCTION_AND : ExpressionType::CONJUNCTION_OR, std::move(all), compare(how, *one[i], *other[i]));
        return all;
    }
    const bool less = how == ExpressionType::COMPARE_LESSTHAN || how == ExpressionType::COMPARE_LESSTHANOREQUALTO;
    if (!less && how != ExpressionType::COMPARE_GREATERTHAN && how != ExpressionType::COMPARE_GREATERTHANOREQUALTO) return nullptr;
    for (size_t last = one.size(); last-- > 0;) {
        const bool strict = last + 1 < one.size();
        const auto step = !strict ? how : less ? ExpressionType::COMPARE_LESSTHAN : ExpressionType::COMPARE_GREATERTHAN;
        Expression here = compare(step, *one[last], *other[last]);
        if (!all) {
            all = std::move(here);
            continue;
        }
        Expression tie = joined(ExpressionType::CONJUNCTION_AND, compare(ExpressionType::COMPARE_EQUAL, *one[last], *other[last]), std::move(all));
        all = joined(ExpressionType::CONJUNCTION_OR, std::move(here), std::move(tie));
    }
    return all;
}

/// Rows compared with rows, element by element: the type of a parameter is that of what it stands against.
Expression without_rows(const duck::ParsedExpression& given) {
    if (given.GetExpressionClass() == duck::ExpressionClass::COMPARISON) {
        const auto& comparison = given.Cast<duck::ComparisonExpression>();
        return compare_rows(comparison.GetExpressionType(), *comparison.left, *comparison.right);
    }
    if (given.GetExpressionType() != duck::ExpressionType::COMPARE_IN) return nullptr;
    const auto& list = given.Cast<duck::OperatorExpression>().children;
    Expression any;
    for (size_t i = 1; i < list.size(); ++i) {
        Expression each = compare_rows(duck::ExpressionType::COMPARE_EQUAL, *list[0], *list[i]);
        if (!each) return nullptr;
        any = joined(duck::ExpressionType::CONJUNCTION_OR, std::move(any), std::move(each));
    }
    return any;
}

Seen look_into(Expression& given) {
    if (!given) return {};
    if (Expression plain = without_rows(*given)) given = std::move(plain);
    if (is_parameter(*given)) return {true, nullptr};
    if (given->GetExpressionClass() == duck::ExpressionClass::CAST &&
        is_parameter(*given->Cast<duck::CastExpression>().child))
        return {false, given.get()};
    if (given->GetExpressionClass() == duck::ExpressionClass::FUNCTION &&
        is_arithmetic(given->Cast<duck::FunctionExpression>())) {
        auto& call = given->Cast<duck::FunctionExpression>();
        auto& left = call.children[0];
        auto& right = call.children[1];
        const Seen one = look_into(left);
        const Seen other = look_into(right);
        const std::string& name = call.function_name;
        if (is_parameter(*left) && other.like) left = compared(std::move(left), *other.like, name);
        if (is_parameter(*right) && one.like) right = compared(std::move(right), *one.like, name);
        const bool any = one.has_parameters || other.has_parameters;
        return {any, !any ? given.get() : one.like ? one.like : other.like};
    }
    const bool takes_type = given->GetExpressionType() == duck::ExpressionType::OPERATOR_COALESCE;
    bool any = false;
    const duck::ParsedExpression* like = nullptr;
    duck::ParsedExpressionIterator::EnumerateChildren(*given, [&](Expression& child) {
        const Seen seen = look_into(child);
        any = seen.has_parameters || any;
        if (takes_type && !like) like = seen.like;
    });
    return {any, any ? like : given.get()};
}

void look_into(duck::QueryNode& node) {
    duck::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, [](Expression& each) { look_into(each); });
}

void look_into(duck::UpdateSetInfo& set) {
    look_into(set.condition);
    for (auto& each : set.expressions) look_into(each);
}

}  // namespace

void compare_operands(duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            return look_into(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::INSERT_STATEMENT: {
            auto& insert = statement.Cast<duck::InsertStatement>();
            if (insert.select_statement) look_into(*insert.select_statement->node);
            if (insert.on_conflict_info && insert.on_conflict_info->set_info)
                look_into(*insert.on_conflict_info->set_info);
            return;
        }
        case duck::StatementType::UPDATE_STATEMENT: {
            auto& update = statement.Cast<duck::UpdateStatement>();
            if (update.set_info) look_into(*update.set_info);
            return;
        }
        case duck::StatementType::DELETE_STATEMENT:
            look_into(statement.Cast<duck::DeleteStatement>().condition);
            return;
        default:
            return;
    }
}

}  // namespace tarn::query

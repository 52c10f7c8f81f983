#include "query/internal/casts.h"

#include "duckdb/parser/expression/type_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "query/internal/declared_columns.h"
#include "query/internal/name_walk.h"
#include "query/internal/pg_catalog/functions.h"

namespace tarn::query {

namespace {

using Parsed = duck::unique_ptr<duck::ParsedExpression>;

/// CAST(x AS varchar(3)) becomes CAST(tarn_cut(CAST(x AS varchar), 3) AS varchar).
void size_cast(duck::ParsedExpression& given) {
    if (given.GetExpressionClass() != duck::ExpressionClass::CAST) return;
    auto& cast = given.Cast<duck::CastExpression>();
    const int32_t length = text_length(cast.cast_type);
    if (length == 0) return;
    cast.cast_type = duck::LogicalType::VARCHAR;
    duck::vector<Parsed> arguments;
    arguments.push_back(
        duck::make_uniq<duck::CastExpression>(cast.cast_type, std::move(cast.child)));
    arguments.push_back(duck::make_uniq<duck::ConstantExpression>(duck::Value::INTEGER(length)));
    cast.child = duck::make_uniq<duck::FunctionExpression>(kCut, std::move(arguments));
}

/// The queries whose columns are a result's, or those of a table that is made.
class GivenCasts {
 public:
    void query(duck::QueryNode& node) {
        for (const auto& [name, info] : node.cte_map.map) query(*info->query->node);
        if (node.type == duck::QueryNodeType::SELECT_NODE) {
            auto& select = node.Cast<duck::SelectNode>();
            if (select.from_table) table(*select.from_table);
            all(select.select_list);
            all(select.groups.group_expressions);
            if (select.having) keep(select.having);
            if (select.qualify) keep(select.qualify);
        } else if (node.type == duck::QueryNodeType::SET_OPERATION_NODE) {
            for (auto& child : node.Cast<duck::SetOperationNode>().children) query(*child);
        }
        for (auto& modifier : node.modifiers) {
            if (modifier->type == duck::ResultModifierType::ORDER_MODIFIER)
                for (auto& order : modifier->Cast<duck::OrderModifier>().orders)
                    keep(order.expression);
            if (modifier->type == duck::ResultModifierType::DISTINCT_MODIFIER)
                all(modifier->Cast<duck::DistinctModifier>().distinct_on_targets);
        }
    }
    void all(duck::vector<Parsed>& given) {
        for (auto& each : given) keep(each);
    }

 private:
    void table(duck::TableRef& ref) {
        if (ref.type == duck::TableReferenceType::SUBQUERY) {
            query(*ref.Cast<duck::SubqueryRef>().subquery->node);
        } else if (ref.type == duck::TableReferenceType::JOIN) {
            table(*ref.Cast<duck::JoinRef>().left);
            table(*ref.Cast<duck::JoinRef>().right);
        }
    }
    static bool of_column(const duck::ParsedExpression& given) {
        if (given.GetExpressionClass() != duck::ExpressionClass::CAST) return false;
        const auto& cast = given.Cast<duck::CastExpression>();
        if (cast.child->GetExpressionClass() != duck::ExpressionClass::COLUMN_REF ||
            cast.cast_type.id() != duck::LogicalTypeId::UNBOUND)
            return false;
        const std::string type = duck::StringUtil::Lower(cast.cast_type.ToString());
        return type == "varchar" || type == "integer";
    }
    /// CASE WHEN true THEN x END is x to the optimizer.
    void keep(Parsed& given) {
        duck::ParsedExpressionIterator::EnumerateChildren(*given,
                                                          [&](Parsed& child) { keep(child); });
        if (!of_column(*given)) return;
        auto kept = duck::make_uniq<duck::CaseExpression>();
        kept->SetAlias(given->GetAlias());
        duck::CaseCheck always;
        always.when_expr = duck::make_uniq<duck::ConstantExpression>(duck::Value::BOOLEAN(true));
        always.then_expr = std::move(given);
        kept->case_checks.push_back(std::move(always));
        kept->else_expr = duck::make_uniq<duck::ConstantExpression>(duck::Value());
        given = std::move(kept);
    }
};

class SizedCasts {
 public:
    void query(duck::QueryNode& node, const NameWalk::Ctes& ctes = {}) { walk_.query(node, ctes); }
    void all(duck::vector<Parsed>& given, const NameWalk::Ctes& ctes) {
        for (auto& each : given) one(each, ctes);
    }
    void one(Parsed& given, const NameWalk::Ctes& ctes) {
        if (given) walk_.expression(*given, ctes);
    }
    void set(duck::unique_ptr<duck::UpdateSetInfo>& info, const NameWalk::Ctes& ctes) {
        if (!info) return;
        one(info->condition, ctes);
        all(info->expressions, ctes);
    }
    NameWalk::Ctes with(duck::CommonTableExpressionMap& map) { return walk_.with(map); }
    void table(duck::unique_ptr<duck::TableRef>& ref, const NameWalk::Ctes& ctes) {
        if (ref) walk_.table(*ref, ctes);
    }

 private:
    NameWalk walk_{[](duck::BaseTableRef&) {}, {}, size_cast};
};

void cut_in_insert(duck::InsertStatement& insert) {
    SizedCasts sized;
    const auto ctes = sized.with(insert.cte_map);
    if (insert.select_statement) sized.query(*insert.select_statement->node, ctes);
    sized.all(insert.returning_list, ctes);
    if (insert.on_conflict_info) sized.set(insert.on_conflict_info->set_info, ctes);
}

void cut_in_update(duck::UpdateStatement& update) {
    SizedCasts sized;
    const auto ctes = sized.with(update.cte_map);
    sized.table(update.from_table, ctes);
    sized.set(update.set_info, ctes);
    sized.all(update.returning_list, ctes);
}

void cut_in_delete(duck::DeleteStatement& remove) {
    SizedCasts sized;
    const auto ctes = sized.with(remove.cte_map);
    for (auto& each : remove.using_clauses) sized.table(each, ctes);
    sized.one(remove.condition, ctes);
    sized.all(remove.returning_list, ctes);
}

void cut_in_merge(duck::MergeIntoStatement& merge) {
    SizedCasts sized;
    const auto ctes = sized.with(merge.cte_map);
    sized.table(merge.source, ctes);
    sized.one(merge.join_condition, ctes);
    for (auto& [condition, actions] : merge.actions)
        for (auto& action : actions) {
            sized.one(action->condition, ctes);
            sized.set(action->update_info, ctes);
            sized.all(action->expressions, ctes);
        }
    sized.all(merge.returning_list, ctes);
}

/// The query of CREATE TABLE AS; null: something else.
duck::SelectStatement* made_of(duck::SQLStatement& statement) {
    auto& info = *statement.Cast<duck::CreateStatement>().info;
    return info.type == duck::CatalogType::TABLE_ENTRY
               ? info.Cast<duck::CreateTableInfo>().query.get()
               : nullptr;
}

}  // namespace

void cut_casts(duck::SQLStatement& statement) {
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            return SizedCasts().query(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::INSERT_STATEMENT:
            return cut_in_insert(statement.Cast<duck::InsertStatement>());
        case duck::StatementType::UPDATE_STATEMENT:
            return cut_in_update(statement.Cast<duck::UpdateStatement>());
        case duck::StatementType::DELETE_STATEMENT:
            return cut_in_delete(statement.Cast<duck::DeleteStatement>());
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return cut_in_merge(statement.Cast<duck::MergeIntoStatement>());
        case duck::StatementType::CREATE_STATEMENT:
            if (auto* query = made_of(statement)) SizedCasts().query(*query->node);
            return;
        case duck::StatementType::EXPLAIN_STATEMENT:
            return cut_casts(*statement.Cast<duck::ExplainStatement>().stmt);
        default:
            return;
    }
}

void keep_casts(duck::SQLStatement& statement) {
    GivenCasts given;
    switch (statement.type) {
        case duck::StatementType::SELECT_STATEMENT:
            return given.query(*statement.Cast<duck::SelectStatement>().node);
        case duck::StatementType::INSERT_STATEMENT:
            return given.all(statement.Cast<duck::InsertStatement>().returning_list);
        case duck::StatementType::UPDATE_STATEMENT:
            return given.all(statement.Cast<duck::UpdateStatement>().returning_list);
        case duck::StatementType::DELETE_STATEMENT:
            return given.all(statement.Cast<duck::DeleteStatement>().returning_list);
        case duck::StatementType::MERGE_INTO_STATEMENT:
            return given.all(statement.Cast<duck::MergeIntoStatement>().returning_list);
        case duck::StatementType::CREATE_STATEMENT:
            if (auto* query = made_of(statement)) given.query(*query->node);
            return;
        default:
            return;
    }
}

}  // namespace tarn::query

// What a SELECT reads and how its result hangs on each table.
#include <set>

#include "duckdb/planner/planner.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/name_walk.h"
#include "query/internal/session.h"
#include "query/internal/table_spec.h"
#include "query/work.h"

namespace tarn::query {

namespace {

using duck::JoinType;
using duck::LogicalOperatorType;

/// How the rows of one operator hang on one table.
enum class Hangs : uint8_t { not_at_all, row_wise, otherwise };

/// Of a bound, not yet optimised plan.
class Dependence {
 public:
    explicit Dependence(const LakeTable* table) : table_(table) {}

    Hangs of(duck::LogicalOperator& op) {
        switch (op.type) {
            case LogicalOperatorType::LOGICAL_GET: {
                auto& get = op.Cast<duck::LogicalGet>();
                auto table = get.GetTable();
                if (!table || get.function.name != kLakeScan) return worst(op);
                return same_table(*table) ? Hangs::row_wise : Hangs::not_at_all;
            }
            case LogicalOperatorType::LOGICAL_CTE_REF:
                return ctes_[op.Cast<duck::LogicalCTERef>().cte_index];
            case LogicalOperatorType::LOGICAL_MATERIALIZED_CTE:
                ctes_[op.Cast<duck::LogicalMaterializedCTE>().table_index] = of(*op.children[0]);
                return of(*op.children[1]);
            case LogicalOperatorType::LOGICAL_PROJECTION:
            case LogicalOperatorType::LOGICAL_FILTER:
            case LogicalOperatorType::LOGICAL_ORDER_BY:
            case LogicalOperatorType::LOGICAL_UNNEST:
                return of(*op.children[0]);
            case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
            case LogicalOperatorType::LOGICAL_ANY_JOIN:
            case LogicalOperatorType::LOGICAL_JOIN:
                return of_join(op, op.Cast<duck::LogicalJoin>().join_type);
            case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
                return of_join(op, JoinType::INNER);
            case LogicalOperatorType::LOGICAL_ASOF_JOIN:
            case LogicalOperatorType::LOGICAL_DELIM_JOIN:
            case LogicalOperatorType::LOGICAL_DEPENDENT_JOIN: {
                const auto type = op.Cast<duck::LogicalJoin>().join_type;
                return of_join(op, type == JoinType::INNER ? JoinType::LEFT : type);
            }
            case LogicalOperatorType::LOGICAL_UNION: {
                const Hangs all = either(op);
                return op.Cast<duck::LogicalSetOperation>().setop_all ? all : spoilt(all);
            }
            default:
                return worst(op);
        }
    }

 private:
    bool same_table(const duck::TableCatalogEntry& entry) const {
        return entry.Cast<LakeTable>().state()->info.uuid == table_->state()->info.uuid;
    }
    static Hangs spoilt(Hangs hangs) {
        return hangs == Hangs::not_at_all ? hangs : Hangs::otherwise;
    }
    /// Any of the children, each for itself.
    Hangs either(duck::LogicalOperator& op) {
        Hangs found = Hangs::not_at_all;
        for (auto& child : op.children) found = std::max(found, of(*child));
        return found;
    }
    Hangs worst(duck::LogicalOperator& op) { return spoilt(either(op)); }

    Hangs of_join(duck::LogicalOperator& op, JoinType type) {
        const Hangs left = of(*op.children[0]);
        const Hangs right = of(*op.children[1]);
        switch (type) {
            case JoinType::INNER:
                // Of both sides: pairs of new and old rows would be missed.
                if (left != Hangs::not_at_all && right != Hangs::not_at_all)
                    return Hangs::otherwise;
                return std::max(left, right);
            case JoinType::LEFT:
            case JoinType::SEMI:
            case JoinType::ANTI:
            case JoinType::MARK:
            case JoinType::SINGLE:
                return right == Hangs::not_at_all ? left : Hangs::otherwise;
            case JoinType::RIGHT:
                return left == Hangs::not_at_all ? right : Hangs::otherwise;
            default:
                return spoilt(std::max(left, right));
        }
    }

    const LakeTable* table_;
    std::map<duck::idx_t, Hangs> ctes_;
};

/// The tables of a plan, and whether something in it gives another answer each time.
class Survey {
 public:
    void visit(duck::LogicalOperator& op) {
        if (op.type == LogicalOperatorType::LOGICAL_GET) {
            auto& get = op.Cast<duck::LogicalGet>();
            if (auto table = get.GetTable();
                table && get.function.name == kLakeScan) {
                auto& entry = table->Cast<LakeTable>();
                auto& seen = tables[entry.state()->info.full_name()];
                seen.first = &entry;
                ++seen.second;
                travels = travels || entry.view().scan.snapshot_id || entry.view().scan.as_of;
            }
        }
        duck::LogicalOperatorVisitor::EnumerateExpressions(
            op, [&](duck::unique_ptr<duck::Expression>* expression) {
                if (*expression && !(*expression)->IsConsistent()) consistent = false;
            });
        for (auto& child : op.children) visit(*child);
    }
    std::map<std::string, std::pair<LakeTable*, size_t>> tables;
    bool consistent = true;
    bool travels = false;
};

Result<duck::unique_ptr<duck::SelectStatement>> parse_select(std::string_view sql) {
    const auto tokens = tokenize(sql);
    auto edits = rewrite_spellings(sql, tokens, {});
    const std::string text = edits.finish();
    try {
        duck::Parser parser(parser_options());
        parser.ParseQuery(text);
        if (parser.statements.size() != 1 ||
            parser.statements[0]->type != duck::StatementType::SELECT_STATEMENT)
            return Error{Code::invalid_argument, "not one SELECT", "42601"};
        return duck::unique_ptr_cast<duck::SQLStatement, duck::SelectStatement>(
            std::move(parser.statements[0]));
    } catch (const std::exception& problem) {
        return to_error(duck::ErrorData(problem), text).error;
    }
}

}  // namespace

Result<SelectFacts> describe_select(Session& given, std::string_view sql) {
    auto& session = static_cast<LakeSession&>(given);
    TARN_TRY(select, parse_select(sql));
    TARN_CHECK_OK(session.settle_open_cursor());
    const bool own = session.transaction_state() == TransactionState::idle;
    if (own) TARN_CHECK_OK(session.begin(true));
    SelectFacts facts;
    const RunningCall call(session);
    auto& context = *session.connection().context;
    Status done;
    try {
        context.RunFunctionInTransaction(
            [&] {
                duck::Planner planner(context);
                planner.CreatePlan(std::move(select));
                Survey survey;
                survey.visit(*planner.plan);
                facts.repeatable = survey.consistent && !survey.travels;
                for (size_t i = 0; i < planner.names.size(); ++i)
                    facts.columns.push_back({planner.names[i], type_from_duck(planner.types[i])});
                for (const auto& [name, seen] : survey.tables) {
                    const auto& info = seen.first->state()->info;
                    TableUse use{info.database, info.name, seen.second, false};
                    use.row_wise = facts.repeatable &&
                                   Dependence(seen.first).of(*planner.plan) == Hangs::row_wise;
                    facts.tables.push_back(std::move(use));
                }
            },
            false);
    } catch (const std::exception& problem) {
        done = session.failed(duck::ErrorData(problem), nullptr, nullptr);
    }
    if (own) static_cast<void>(session.rollback());
    if (!done.ok()) return std::move(done).error();
    return facts;
}

Result<std::vector<std::pair<std::string, std::string>>> named_tables(std::string_view sql,
                                                                      const std::string& database) {
    TARN_TRY(select, parse_select(sql));
    std::set<std::pair<std::string, std::string>> names;
    NameWalk([&](duck::BaseTableRef& ref) {
        std::string schema = duck::StringUtil::Lower(ref.schema_name);
        if (schema == "pg_catalog" || schema == "information_schema") return;
        if (schema.empty()) schema = database;
        names.emplace(std::move(schema), duck::StringUtil::Lower(ref.table_name));
    }).query(*select->node);
    return std::vector<std::pair<std::string, std::string>>(names.begin(), names.end());
}

Result<std::optional<Comparison>> split_comparison(std::string_view expression) {
    const std::string text(expression);
    try {
        const auto parsed = duck::Parser::ParseExpressionList(text, parser_options());
        if (parsed.size() != 1)
            return Error{Code::invalid_argument, "\"" + text + "\" is not one expression", "42601"};
        if (parsed[0]->GetExpressionClass() != duck::ExpressionClass::COMPARISON)
            return std::optional<Comparison>();
        const auto& both = parsed[0]->Cast<duck::ComparisonExpression>();
        return std::optional<Comparison>(
            Comparison{both.left->ToString(),
                       duck::ExpressionTypeToOperator(both.GetExpressionType()),
                       both.right->ToString()});
    } catch (const std::exception& problem) {
        return to_error(duck::ErrorData(problem), text).error;
    }
}

}  // namespace tarn::query

// Policies. A table that a principal may see in part is bound as a table of the columns that it may
// see, whose scan refuses to run. After binding each such scan is replaced by the policy's plan:
// filter and masks over the whole table, under a barrier (barrier.h), so that nothing the
// principal wrote is ever computed on a row or value that it may not see. Only comparisons with constants
// are made below it, too (conditions.h): they can't fail.
#include <fmt/format.h>

#include "query/internal/barrier.h"
#include "query/internal/conditions.h"
#include "query/internal/declared_columns.h"
#include "query/internal/database.h"
#include "query/internal/duck_types.h"
#include "query/internal/origins.h"
#include "query/internal/settle_char.h"
#include "query/internal/settle_jsonb.h"
#include "query/internal/lake.h"
#include "query/internal/returning.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_spec.h"
#include "query/internal/temporary.h"

namespace tarn::query {

namespace {

/// user.region becomes a literal of the principal's attribute, NULL when it has none.
std::string with_attributes(const std::string& sql, const security::Principal& principal) {
    const auto tokens = tokenize(sql);
    EditedSql edited(sql);
    for (size_t i = 0; i + 2 < tokens.size(); ++i) {
        const bool qualified = i > 0 && tokens[i - 1].is_symbol('.');
        if (!tokens[i].is("user") || !tokens[i + 1].is_symbol('.') || qualified) continue;
        const Token& name = tokens[i + 2];
        const auto found = principal.attributes.find(name.name());
        const std::string literal = found == principal.attributes.end()
                                        ? "CAST(NULL AS VARCHAR)"
                                        : duck::KeywordHelper::WriteQuoted(found->second, '\'');
        edited.replace(tokens[i].offset, name.offset + name.raw.size() - tokens[i].offset, literal);
        i += 2;
    }
    return edited.finish();
}

std::string type_text(const duck::LogicalType& type) {
    return is_jsonb(type) ? "jsonb" : type.ToString();
}

/// The policy of one table for one principal, as SQL.
class PolicySql {
 public:
    PolicySql(const LakeTable& table, const security::Principal& principal)
        : table_(table), principal_(principal) {}

    std::string row_filter() const {
        std::string any;
        for (const auto& grant : table_.view().access.read) {
            if (grant.row_filter.empty()) return "TRUE";
            any +=
                (any.empty() ? "(" : " OR (") + with_attributes(grant.row_filter, principal_) + ")";
        }
        return any.empty() ? "FALSE" : any;
    }

    /// The value of a column: of each grant that shows it, where that grant shows the row.
    std::string column(const std::string& name) const {
        const auto& grants = table_.view().access.read;
        std::string cases;
        for (const auto& grant : grants) {
            const bool shown =
                grant.all_columns ||
                std::find(grant.columns.begin(), grant.columns.end(), name) != grant.columns.end();
            if (!shown) continue;
            const auto mask = grant.masks.find(name);
            const std::string value = mask == grant.masks.end()
                                          ? plain_value(name)
                                          : "(" + with_attributes(mask->second, principal_) + ")";
            if (grants.size() == 1) return value;
            const std::string when =
                grant.row_filter.empty()
                    ? "TRUE"
                    : "(" + with_attributes(grant.row_filter, principal_) + ")";
            // Grants that show the plain value come first: they win over masks.
            const std::string arm = " WHEN " + when + " THEN " + value;
            cases = mask == grant.masks.end() ? arm + cases : cases + arm;
        }
        return cases.empty() ? "NULL" : "CASE" + cases + " ELSE NULL END";
    }

 private:
    /// As what the principal sees of it: JSON that somebody else's mask stands beside is text.
    std::string plain_value(const std::string& name) const {
        return fmt::format("CAST(t.{} AS {})", quoted_name(name),
                           type_text(table_.GetColumn(name).Type()));
    }

    const LakeTable& table_;
    const security::Principal& principal_;
};

std::string policy_query(const LakeTable& table, const security::Principal& principal,
                         const duck::vector<duck::ColumnIndex>& columns) {
    const PolicySql policy(table, principal);
    std::string list;
    for (const auto& column : columns) {
        if (!list.empty()) list += ", ";
        if (column.IsVirtualColumn() || column.IsRowIdColumn()) {
            list += "TRUE";
            continue;
        }
        const auto& shown =
            table.GetColumns().GetColumn(duck::LogicalIndex(column.GetPrimaryIndex()));
        list += "CAST(" + policy.column(shown.Name()) + " AS " + type_text(shown.Type()) + ")";
    }
    if (list.empty()) list = "TRUE";
    std::string at;
    if (table.view().scan.snapshot_id)
        at = fmt::format(" AT (VERSION => {})", *table.view().scan.snapshot_id);
    if (table.view().scan.as_of)
        at =
            fmt::format(" AT (TIMESTAMP => make_timestamptz({}))", table.view().scan.as_of->micros);
    return fmt::format("SELECT {} FROM {}.{}.{} AS t{} WHERE {}", list, kLake,
                       quoted_name(table.schema.name), quoted_name(table.name), at, policy.row_filter());
}

/// How far a scan is tells where rows lie that are not shown: of a statement with such a scan nobody learns how far it is.
void hide_progress(duck::LogicalOperator& op) {
    if (op.type == duck::LogicalOperatorType::LOGICAL_GET) op.Cast<duck::LogicalGet>().function.table_scan_progress = nullptr;
    for (auto& child : op.children) hide_progress(*child);
}

class Rewriter {
 public:
    Rewriter(duck::PlannerExtensionInput& input, bool explained)
        : input_(input), explained_(explained) {}

    bool governed() const { return governed_; }

    /// `wanted`: what rows of `op` must meet so that the query looks at them.
    void visit(duck::unique_ptr<duck::LogicalOperator>& op, const Conditions& wanted) {
        using Type = duck::LogicalOperatorType;
        switch (op->type) {
            case Type::LOGICAL_FILTER: {
                Conditions more = wanted;
                for (const auto& expression : op->expressions)
                    more.add(input_.context, *expression);
                return visit(op->children[0], more);
            }
            case Type::LOGICAL_PROJECTION:
                return visit(op->children[0], wanted.below(op->Cast<duck::LogicalProjection>()));
            case Type::LOGICAL_CROSS_PRODUCT:
                visit(op->children[0], wanted);
                return visit(op->children[1], wanted);
            case Type::LOGICAL_COMPARISON_JOIN:
            case Type::LOGICAL_ANY_JOIN: {
                // Rows of a side that may be missing from the result or stand beside NULLs stay as they are.
                const auto kind = op->Cast<duck::LogicalJoin>().join_type;
                const bool inner = kind == duck::JoinType::INNER;
                visit(op->children[0],
                      inner || kind == duck::JoinType::LEFT ? wanted : Conditions());
                return visit(op->children[1], inner ? wanted : Conditions());
            }
            case Type::LOGICAL_GET:
                return visit_scan(op, wanted);
            default:
                for (auto& child : op->children) visit(child, {});
        }
    }

 private:
    /// Notes the table and its columns that the query names.
    void note(duck::LogicalGet& get) {
        constexpr size_t kColumnsMax = 24;
        const auto entry = get.GetTable();
        const auto* table = entry ? dynamic_cast<const LakeTable*>(entry.get()) : nullptr;
        if (!table) return;
        auto& touched = SessionState::of(input_.context).touched;
        auto& columns = touched[{table->schema.name, table->name}];
        const auto& all = table->GetColumns();
        for (const auto& column : get.GetColumnIds())
            if (!column.IsVirtualColumn() && !column.IsRowIdColumn())
                columns.insert(all.GetColumn(duck::LogicalIndex(column.GetPrimaryIndex())).Name());
        if (columns.contains("*") || columns.size() >= all.LogicalColumnCount() ||
            columns.size() > kColumnsMax)
            columns = {"*"};
    }

    void visit_scan(duck::unique_ptr<duck::LogicalOperator>& op, const Conditions& wanted) {
        auto& get = op->Cast<duck::LogicalGet>();
        note(get);
        for (auto& child : op->children) visit(child, {});
        if (get.function.name == kGovernedScan) {
            replace(op, get, wanted);
            governed_ = true;
        } else if (!SessionState::of(input_.context).internal &&
                   !table_function_allowed(get.function.name) && !scans_temporary(get)) {
            throw duck::PermissionException("permission denied for function %s", get.function.name);
        }
    }

    static bool scans_temporary(duck::LogicalGet& get) {
        const auto entry = get.GetTable();
        return entry && is_temporary(*entry);
    }

    /// The policy's query over the whole table; names in it mean what they mean in the default database, whatever the session
    /// has made or set.
    duck::unique_ptr<duck::LogicalOperator> bind_policy(LakeTable& table, const std::string& sql) {
        duck::Parser parser(parser_options());
        parser.ParseQuery(sql);
        if (parser.statements.size() != 1 ||
            parser.statements[0]->type != duck::StatementType::SELECT_STATEMENT)
            throw duck::PermissionException("the policy of %s is not one expression", table.name);
        const LakeTransaction::Unguarded whole(table.transaction());
        const auto binder = duck::Binder::CreateBinder(input_.context, &input_.binder,
                                                       duck::BinderType::VIEW_BINDER);
        binder->EntryRetriever().SetSearchPath({{kLake, kDefaultDatabase}});
        binder->EntryRetriever().SetCallback([&](duck::CatalogEntry& entry) {
            if (!entry.internal && is_temporary(entry))
                throw duck::PermissionException(
                    "permission denied: the policy of %s met a temporary table", table.name);
        });
        auto plan =
            std::move(binder->Bind(*parser.statements[0]->Cast<duck::SelectStatement>().node).plan);
        if (plan->type != duck::LogicalOperatorType::LOGICAL_PROJECTION)
            throw duck::PermissionException("the policy of %s is not a plain query", table.name);
        settle_jsonb(input_.context, *plan);
        hide_progress(*plan);
        return plan;
    }

    void replace(duck::unique_ptr<duck::LogicalOperator>& op, duck::LogicalGet& get,
                 const Conditions& wanted) {
        auto& table = get.GetTable()->Cast<LakeTable>();
        const auto& session = SessionState::of(input_.context);
        auto plan = bind_policy(
            table, policy_query(table, session.caller.principal, get.GetColumnIds()));
        auto conditions = wanted.on(get.table_index, plan->expressions);
        if (!conditions.empty()) {
            auto filter = duck::make_uniq<duck::LogicalFilter>();
            filter->expressions = std::move(conditions);
            filter->children.push_back(std::move(plan->children[0]));
            plan->children[0] = std::move(filter);
        }
        auto barrier = make_barrier(std::move(plan), explained_);
        const auto bindings = barrier->GetColumnBindings();
        duck::vector<duck::unique_ptr<duck::Expression>> columns;
        for (size_t i = 0; i < bindings.size(); ++i)
            columns.push_back(
                duck::make_uniq<duck::BoundColumnRefExpression>(barrier->types[i], bindings[i]));
        auto projection =
            duck::make_uniq<duck::LogicalProjection>(get.table_index, std::move(columns));
        projection->children.push_back(std::move(barrier));
        projection->ResolveOperatorTypes();
        op = std::move(projection);
    }

    duck::PlannerExtensionInput& input_;
    const bool explained_;
    bool governed_ = false;
};

/// CREATE TABLE AS: a column that stands in a table is declared as it is there.
void keep_declared(duck::LogicalOperator& plan) {
    if (plan.type != duck::LogicalOperatorType::LOGICAL_CREATE_TABLE || plan.children.empty())
        return;
    auto& create = plan.Cast<duck::LogicalCreateTable>();
    if (create.schema.ParentCatalog().IsTemporaryCatalog()) return;
    auto& columns = create.info->Base().columns;
    const auto origins = origins_of(*plan.children[0]);
    for (size_t i = 0; i < origins.size() && i < columns.LogicalColumnCount(); ++i) {
        auto& column = columns.GetColumnMutable(duck::LogicalIndex(i));
        column.SetType(declared_column(column.Type(), origins[i].declared));
    }
}

void after_binding(duck::PlannerExtensionInput& input, duck::BoundStatement& statement) {
    if (!statement.plan) return;
    const auto* explain = statement.plan->type == duck::LogicalOperatorType::LOGICAL_EXPLAIN
                              ? &statement.plan->Cast<duck::LogicalExplain>()
                              : nullptr;
    SessionState::of(input.context).origins = origins_of(*statement.plan);
    keep_declared(*statement.plan);
    fetch_deleted(*statement.plan);
    settle_char(input.context, *statement.plan);
    settle_jsonb(input.context, *statement.plan);  // before conditions on texts go below barriers
    Rewriter rewriter(input, explain != nullptr);
    rewriter.visit(statement.plan, {});
    // What was counted while it ran is counted below the barrier too.
    if (rewriter.governed() && explain && explain->explain_type == duck::ExplainType::EXPLAIN_ANALYZE)
        throw duck::PermissionException(
            "permission denied: EXPLAIN ANALYZE of a table with a policy; EXPLAIN shows the plan");
}

}  // namespace

void register_governance(duck::DBConfig& config) {
    duck::PlannerExtension extension;
    extension.post_bind_function = after_binding;
    duck::PlannerExtension::Register(config, extension);
    register_barriers(config);
}

}  // namespace tarn::query

// Policies. A table that a principal may see in part is bound as a table of the columns that it may
// see, whose scan refuses to run. After binding each such scan is replaced by the policy's plan:
// filter and masks over the whole table, under a barrier that copies rows, so that nothing the
// principal wrote is ever computed on a row or value that it may not see - the optimizer can't move
// anything below it.
#include <fmt/format.h>

#include "query/internal/database.h"
#include "query/internal/lake.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

class PhysicalBarrier final : public duck::PhysicalOperator {
 public:
    PhysicalBarrier(duck::PhysicalPlan& plan, duck::vector<duck::LogicalType> out_types,
                    duck::idx_t rows)
        : PhysicalOperator(plan, duck::PhysicalOperatorType::EXTENSION, std::move(out_types),
                           rows) {}
    duck::string GetName() const override { return "POLICY"; }
    bool ParallelOperator() const override { return true; }
    duck::unique_ptr<duck::OperatorState> GetOperatorState(duck::ExecutionContext&) const override {
        return duck::make_uniq<duck::OperatorState>();
    }
    duck::OperatorResultType Execute(duck::ExecutionContext&, duck::DataChunk& input,
                                     duck::DataChunk& chunk, duck::GlobalOperatorState&,
                                     duck::OperatorState&) const override {
        // A copy, not a reference: dictionaries of whole row groups must not come through.
        input.Copy(chunk);
        return duck::OperatorResultType::NEED_MORE_INPUT;
    }
};

class Barrier final : public duck::LogicalExtensionOperator {
 public:
    duck::vector<duck::ColumnBinding> GetColumnBindings() override {
        return children[0]->GetColumnBindings();
    }
    void ResolveTypes() override { types = children[0]->types; }
    duck::idx_t EstimateCardinality(duck::ClientContext& context) override {
        return children[0]->EstimateCardinality(context);
    }
    duck::PhysicalOperator& CreatePlan(duck::ClientContext&,
                                       duck::PhysicalPlanGenerator& planner) override {
        auto& child = planner.CreatePlan(*children[0]);
        auto& barrier = planner.Make<PhysicalBarrier>(child.types, estimated_cardinality);
        barrier.children.push_back(child);
        return barrier;
    }
    duck::string GetName() const override { return "POLICY"; }
    duck::string GetExtensionName() const override { return "tarn_policy"; }
};

std::string quoted(const std::string& name) {
    return duck::KeywordHelper::WriteQuoted(name, '"');
}

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
                                          ? "t." + quoted(name)
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
        list += "CAST(" + policy.column(shown.Name()) + " AS " + shown.Type().ToString() + ")";
    }
    if (list.empty()) list = "TRUE";
    std::string at;
    if (table.view().scan.snapshot_id)
        at = fmt::format(" AT (VERSION => {})", *table.view().scan.snapshot_id);
    if (table.view().scan.as_of)
        at =
            fmt::format(" AT (TIMESTAMP => make_timestamptz({}))", table.view().scan.as_of->micros);
    return fmt::format("SELECT {} FROM {}.{}.{} AS t{} WHERE {}", list, kLake,
                       quoted(table.schema.name), quoted(table.name), at, policy.row_filter());
}

class Rewriter {
 public:
    explicit Rewriter(duck::PlannerExtensionInput& input) : input_(input) {}

    void visit(duck::unique_ptr<duck::LogicalOperator>& op) {
        for (auto& child : op->children) visit(child);
        if (op->type == duck::LogicalOperatorType::LOGICAL_EXPLAIN) explains_ = true;
        if (op->type != duck::LogicalOperatorType::LOGICAL_GET) return;
        auto& get = op->Cast<duck::LogicalGet>();
        if (get.function.name == kGovernedScan) {
            replace(op, get);
            governed_ = true;
        } else if (!SessionState::of(input_.context).internal &&
                   !table_function_allowed(get.function.name)) {
            throw duck::PermissionException("permission denied for function %s", get.function.name);
        }
    }

    bool explains_restricted() const { return explains_ && governed_; }

 private:
    void replace(duck::unique_ptr<duck::LogicalOperator>& op, duck::LogicalGet& get) {
        auto& table = get.GetTable()->Cast<LakeTable>();
        const auto& session = SessionState::of(input_.context);
        const std::string sql = policy_query(table, session.caller.principal, get.GetColumnIds());
        duck::Parser parser(parser_options());
        parser.ParseQuery(sql);
        if (parser.statements.size() != 1 ||
            parser.statements[0]->type != duck::StatementType::SELECT_STATEMENT)
            throw duck::PermissionException("the policy of %s is not one expression", table.name);

        const LakeTransaction::Unguarded whole(table.transaction());
        const auto binder = duck::Binder::CreateBinder(input_.context, &input_.binder,
                                                       duck::BinderType::VIEW_BINDER);
        auto bound = binder->Bind(*parser.statements[0]->Cast<duck::SelectStatement>().node);
        auto plan = std::move(bound.plan);
        plan->ResolveOperatorTypes();
        const auto bindings = plan->GetColumnBindings();
        duck::vector<duck::unique_ptr<duck::Expression>> columns;
        for (size_t i = 0; i < bindings.size(); ++i)
            columns.push_back(
                duck::make_uniq<duck::BoundColumnRefExpression>(plan->types[i], bindings[i]));

        auto barrier = duck::make_uniq<Barrier>();
        barrier->children.push_back(std::move(plan));
        auto projection =
            duck::make_uniq<duck::LogicalProjection>(get.table_index, std::move(columns));
        projection->children.push_back(std::move(barrier));
        projection->ResolveOperatorTypes();
        op = std::move(projection);
    }

    duck::PlannerExtensionInput& input_;
    bool explains_ = false;
    bool governed_ = false;
};

void after_binding(duck::PlannerExtensionInput& input, duck::BoundStatement& statement) {
    if (!statement.plan) return;
    Rewriter rewriter(input);
    rewriter.visit(statement.plan);
    // A plan shows the policy and what lies below it.
    if (rewriter.explains_restricted())
        throw duck::PermissionException("permission denied: EXPLAIN of a table with a policy");
}

}  // namespace

void register_governance(duck::DBConfig& config) {
    duck::PlannerExtension extension;
    extension.post_bind_function = after_binding;
    duck::PlannerExtension::Register(config, extension);
}

}  // namespace tarn::query

#include "query/internal/barrier.h"

#include "duckdb/execution/column_binding_resolver.hpp"
#include "duckdb/optimizer/optimizer.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "query/internal/shown_column.h"

namespace tarn::query {

namespace {

struct BarrierState final : duck::OperatorState {
    explicit BarrierState(size_t count) : columns(count) {}
    std::vector<ShownColumn> columns;
};

class PhysicalBarrier final : public duck::PhysicalOperator {
 public:
    PhysicalBarrier(duck::PhysicalPlan& plan, duck::vector<duck::LogicalType> out_types,
                    duck::idx_t rows, bool explained)
        : PhysicalOperator(plan, duck::PhysicalOperatorType::EXTENSION, std::move(out_types), rows),
          explained_(explained) {}
    duck::string GetName() const override { return "POLICY"; }
    /// A plan that is shown ends here; it is never run.
    duck::vector<duck::const_reference<duck::PhysicalOperator>> GetChildren() const override {
        if (explained_) return {};
        return PhysicalOperator::GetChildren();
    }
    bool ParallelOperator() const override { return true; }
    duck::unique_ptr<duck::OperatorState> GetOperatorState(duck::ExecutionContext&) const override {
        return duck::make_uniq<BarrierState>(types.size());
    }
    duck::OperatorResultType Execute(duck::ExecutionContext&, duck::DataChunk& input,
                                     duck::DataChunk& chunk, duck::GlobalOperatorState&,
                                     duck::OperatorState& state) const override {
        auto& columns = state.Cast<BarrierState>().columns;
        for (duck::idx_t i = 0; i < input.ColumnCount(); ++i) columns[i].pass(input.data[i], chunk.data[i], input.size());
        chunk.SetCardinality(input.size());
        return duck::OperatorResultType::NEED_MORE_INPUT;
    }

 private:
    const bool explained_;
};

/// How many rows come out, as far as the plan above may know: the power of ten above what is expected.
duck::idx_t magnitude(duck::idx_t rows) {
    duck::idx_t bound = 1;
    while (bound < rows && bound < 1'000'000'000'000) bound *= 10;
    return bound;
}

const duck::vector<duck::LogicalType>& types_of(duck::LogicalOperator& op) {
    op.ResolveOperatorTypes();
    return op.types;
}

class Barrier final : public duck::LogicalExtensionOperator {
 public:
    static constexpr const char* kName = "tarn_policy";

    Barrier(duck::unique_ptr<duck::LogicalOperator> policy, bool explained)
        : policy_(std::move(policy)),
          columns_(policy_->GetColumnBindings()),
          column_types_(types_of(*policy_)),
          explained_(explained) {
        types = column_types_;
    }
    duck::vector<duck::ColumnBinding> GetColumnBindings() override { return columns_; }
    duck::idx_t EstimateCardinality(duck::ClientContext& context) override {
        if (has_estimated_cardinality) return estimated_cardinality;
        SetEstimatedCardinality(explained_ ? 1 : magnitude(policy_->EstimateCardinality(context)));
        return estimated_cardinality;
    }
    void ResolveColumnBindings(duck::ColumnBindingResolver& resolver,
                               duck::vector<duck::ColumnBinding>& bindings) override {
        policy_->ResolveOperatorTypes();
        duck::ColumnBindingResolver inner;
        inner.VisitOperator(*policy_);
        LogicalExtensionOperator::ResolveColumnBindings(resolver, bindings);
    }
    duck::PhysicalOperator& CreatePlan(duck::ClientContext&,
                                       duck::PhysicalPlanGenerator& planner) override {
        auto& child = planner.CreatePlan(*policy_);
        auto& barrier = planner.Make<PhysicalBarrier>(column_types_, estimated_cardinality, explained_);
        barrier.children.push_back(child);
        return barrier;
    }
    duck::string GetName() const override { return "POLICY"; }
    duck::string GetExtensionName() const override { return kName; }

    /// `used`: the columns that the query looks at; the others are not read.
    void optimize(duck::Binder& binder, duck::ClientContext& context,
                  const duck::column_binding_set_t& used) {
        for (size_t i = 0; i < columns_.size(); ++i)
            if (!used.contains(columns_[i]))
                policy_->expressions[i] =
                    duck::make_uniq<duck::BoundConstantExpression>(duck::Value(column_types_[i]));
        duck::Optimizer optimizer(binder, context);
        policy_ = optimizer.Optimize(std::move(policy_));
    }

 protected:
    void ResolveTypes() override { types = column_types_; }

 private:
    duck::unique_ptr<duck::LogicalOperator> policy_;
    const duck::vector<duck::ColumnBinding> columns_;
    const duck::vector<duck::LogicalType> column_types_;
    const bool explained_;
};

void collect(duck::LogicalOperator& op, std::vector<Barrier*>& barriers,
             duck::column_binding_set_t& used) {
    if (op.type == duck::LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR &&
        op.Cast<duck::LogicalExtensionOperator>().GetExtensionName() == Barrier::kName)
        barriers.push_back(static_cast<Barrier*>(&op));
    duck::LogicalOperatorVisitor::EnumerateExpressions(
        op, [&](duck::unique_ptr<duck::Expression>* root) {
            duck::ExpressionIterator::VisitExpression<duck::BoundColumnRefExpression>(
                **root, [&](const duck::BoundColumnRefExpression& column) {
                    used.insert(column.binding);
                });
        });
    for (auto& child : op.children) collect(*child, barriers, used);
}

void optimize(duck::OptimizerExtensionInput& input, duck::unique_ptr<duck::LogicalOperator>& plan) {
    std::vector<Barrier*> barriers;
    duck::column_binding_set_t used;
    collect(*plan, barriers, used);
    for (auto* barrier : barriers) barrier->optimize(input.optimizer.binder, input.context, used);
}

}  // namespace

duck::unique_ptr<duck::LogicalOperator> make_barrier(
    duck::unique_ptr<duck::LogicalOperator> policy, bool explained) {
    return duck::make_uniq<Barrier>(std::move(policy), explained);
}

void register_barriers(duck::DBConfig& config) {
    duck::OptimizerExtension extension;
    extension.optimize_function = optimize;
    duck::OptimizerExtension::Register(config, extension);
}

}  // namespace tarn::query

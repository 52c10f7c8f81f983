// How changes run: one operator that deletes rows by (file, position) and writes new ones, planned
// for INSERT, UPDATE, DELETE, MERGE and CREATE TABLE AS. What it did becomes part of the
// transaction when all its input has been seen, so that a statement never reads its own changes.
#include <fmt/format.h>

#include "query/internal/declared_columns.h"
#include "query/internal/duck_types.h"
#include "query/internal/row_checks.h"
#include "query/internal/writer.h"

namespace tarn::query {

namespace {

struct WriteGlobal : duck::GlobalSinkState {
    std::mutex mutex;
    duck::idx_t rows = 0;
    tables::TablePtr table;
    std::map<std::string, Positions> deleted;
    std::unique_ptr<TableWriter> writer;
    duck::unique_ptr<duck::ColumnDataCollection> returned;
};

struct WriteLocal : duck::LocalSinkState {
    std::unique_ptr<TableWriter::Lane> lane;
    std::unique_ptr<DeclaredRows> declared;
    std::unique_ptr<RowChecks> checks;
    duck::unique_ptr<duck::ExpressionExecutor> executor;
    duck::DataChunk made;
};

struct WriteSource : duck::GlobalSourceState {
    bool done = false;
    duck::ColumnDataScanState scan;
};

class LakeWrite final : public duck::PhysicalOperator {
 public:
    LakeWrite(duck::PhysicalPlan& plan, duck::vector<duck::LogicalType> out_types)
        : PhysicalOperator(plan, duck::PhysicalOperatorType::EXTENSION, std::move(out_types), 1) {}

    LakeTable* table = nullptr;  // null: `create` makes it
    LakeSchema* schema = nullptr;
    duck::unique_ptr<duck::BoundCreateTableInfo> create;
    bool removes = false;
    bool matched_twice_is_an_error = false;  // MERGE; UPDATE takes the first match
    bool keyed = false;  // MERGE into a table with a key: that a row was not there must still hold
    duck::idx_t row_id = 0;  // column with the file name; the position follows
    bool inserts = false;
    bool returns_rows = false;
    duck::vector<duck::unique_ptr<duck::Expression>>
        made;  // the new row, or the one that goes, from the input; empty: the input is it

    duck::string GetName() const override { return "LAKE_WRITE"; }
    bool IsSink() const override { return true; }
    bool IsSource() const override { return true; }
    bool ParallelSink() const override { return true; }

    duck::unique_ptr<duck::GlobalSinkState> GetGlobalSinkState(
        duck::ClientContext& context) const override;
    duck::unique_ptr<duck::LocalSinkState> GetLocalSinkState(
        duck::ExecutionContext& context) const override;
    duck::SinkResultType Sink(duck::ExecutionContext& context, duck::DataChunk& chunk,
                              duck::OperatorSinkInput& input) const override;
    duck::SinkCombineResultType Combine(duck::ExecutionContext& context,
                                        duck::OperatorSinkCombineInput& input) const override;
    duck::SinkFinalizeType Finalize(duck::Pipeline& pipeline, duck::Event& event,
                                    duck::ClientContext& context,
                                    duck::OperatorSinkFinalizeInput& input) const override;
    duck::unique_ptr<duck::GlobalSourceState> GetGlobalSourceState(
        duck::ClientContext&) const override {
        return duck::make_uniq<WriteSource>();
    }
    duck::SourceResultType GetDataInternal(duck::ExecutionContext& context, duck::DataChunk& chunk,
                                           duck::OperatorSourceInput& input) const override;

 private:
    /// Notes the rows as deleted and keeps only those of the chunk that were not yet.
    void remove(WriteGlobal& global, duck::DataChunk& chunk, duck::DataChunk& fresh) const;
};

duck::unique_ptr<duck::GlobalSinkState> LakeWrite::GetGlobalSinkState(
    duck::ClientContext& context) const {
    auto global = duck::make_uniq<WriteGlobal>();
    std::vector<size_t> columns;
    LakeTransaction* transaction = nullptr;
    if (create) {
        auto& entry =
            schema->CreateTable(duck::CatalogTransaction(schema->catalog, context), *create)
                ->Cast<LakeTable>();
        global->table = entry.state();
        columns = entry.view().columns;
        transaction = &entry.transaction();
    } else {
        global->table = table->state();
        columns = table->view().columns;
        transaction = &table->transaction();
        if (removes) transaction->work_on(table->state());
        if (keyed) transaction->decide_by_base(table->state());
    }
    if (inserts)
        global->writer = std::make_unique<TableWriter>(transaction->services(), context,
                                                       global->table, std::move(columns));
    if (returns_rows)
        global->returned = duck::make_uniq<duck::ColumnDataCollection>(context, types);
    return global;
}

duck::unique_ptr<duck::LocalSinkState> LakeWrite::GetLocalSinkState(
    duck::ExecutionContext& context) const {
    auto local = duck::make_uniq<WriteLocal>();
    if (!made.empty()) {
        local->executor = duck::make_uniq<duck::ExpressionExecutor>(context.client, made);
        duck::vector<duck::LogicalType> row;
        for (const auto& expression : made) row.push_back(expression->return_type);
        local->made.Initialize(context.client, row);
    }
    return local;
}

void LakeWrite::remove(WriteGlobal& global, duck::DataChunk& chunk, duck::DataChunk& fresh) const {
    duck::UnifiedVectorFormat files;
    duck::UnifiedVectorFormat rows;
    chunk.data[row_id].ToUnifiedFormat(chunk.size(), files);
    chunk.data[row_id + 1].ToUnifiedFormat(chunk.size(), rows);
    const auto* file = duck::UnifiedVectorFormat::GetData<duck::string_t>(files);
    const auto* row = duck::UnifiedVectorFormat::GetData<int64_t>(rows);
    duck::SelectionVector kept(chunk.size());
    duck::idx_t count = 0;
    {
        const std::lock_guard<std::mutex> guard(global.mutex);
        Positions* positions = nullptr;
        std::string current;
        for (duck::idx_t i = 0; i < chunk.size(); ++i) {
            const auto& name = file[files.sel->get_index(i)];
            if (!positions || std::string_view(name.GetData(), name.GetSize()) != current) {
                current.assign(name.GetData(), name.GetSize());
                positions = &global.deleted[current];
            }
            if (positions->addChecked(static_cast<uint64_t>(row[rows.sel->get_index(i)])))
                kept.set_index(count++, i);
            else if (matched_twice_is_an_error)
                throw_error({Code::invalid_argument,
                             "MERGE command cannot affect row a second time", "21000"});
        }
    }
    fresh.InitializeEmpty(chunk.GetTypes());
    if (count == chunk.size())
        fresh.Reference(chunk);
    else
        fresh.Slice(chunk, kept, count);
}

duck::SinkResultType LakeWrite::Sink(duck::ExecutionContext& context, duck::DataChunk& chunk,
                                     duck::OperatorSinkInput& input) const {
    auto& global = input.global_state.Cast<WriteGlobal>();
    auto& local = input.local_state.Cast<WriteLocal>();
    duck::DataChunk fresh;
    duck::DataChunk* rows = &chunk;
    if (removes) {
        remove(global, chunk, fresh);
        rows = &fresh;
    }
    const duck::idx_t count = rows->size();
    if (local.executor && count > 0) {
        local.made.Reset();
        local.executor->Execute(*rows, local.made);
        rows = &local.made;
    }
    if (inserts && count > 0) {
        if (!local.lane) local.lane = std::make_unique<TableWriter::Lane>(*global.writer);
        if (table && !local.checks) {
            const auto properties = table->transaction().properties_of(global.table);
            const auto& columns = table->view().columns;
            local.declared =
                std::make_unique<DeclaredRows>(global.table->schema(), properties, columns);
            local.checks = std::make_unique<RowChecks>(context.client, *global.table, properties,
                                                       columns);
        }
        if (local.declared) local.declared->fit(*rows);
        if (local.checks) local.checks->verify(*rows);
        local.lane->append(context, *rows);
    }
    const std::lock_guard<std::mutex> guard(global.mutex);
    global.rows += count;
    if (global.returned && count > 0) global.returned->Append(*rows);
    return duck::SinkResultType::NEED_MORE_INPUT;
}

duck::SinkCombineResultType LakeWrite::Combine(duck::ExecutionContext& context,
                                               duck::OperatorSinkCombineInput& input) const {
    auto& local = input.local_state.Cast<WriteLocal>();
    if (local.lane) local.lane->finish(context);
    return duck::SinkCombineResultType::FINISHED;
}

duck::SinkFinalizeType LakeWrite::Finalize(duck::Pipeline&, duck::Event&,
                                           duck::ClientContext& context,
                                           duck::OperatorSinkFinalizeInput& input) const {
    auto& global = input.global_state.Cast<WriteGlobal>();
    auto& transaction = LakeTransaction::of(context, table ? table->catalog : schema->catalog);
    if (!global.deleted.empty()) transaction.remove_rows(global.table, global.deleted);
    if (global.writer) {
        auto files = global.writer->take();
        if (!files.empty()) transaction.append(global.table, std::move(files));
    }
    return duck::SinkFinalizeType::READY;
}

duck::SourceResultType LakeWrite::GetDataInternal(duck::ExecutionContext&, duck::DataChunk& chunk,
                                                  duck::OperatorSourceInput& input) const {
    auto& source = input.global_state.Cast<WriteSource>();
    auto& global = sink_state->Cast<WriteGlobal>();
    if (!returns_rows) {
        if (source.done) return duck::SourceResultType::FINISHED;
        source.done = true;
        chunk.SetCardinality(1);
        chunk.SetValue(0, 0, duck::Value::BIGINT(static_cast<int64_t>(global.rows)));
        return duck::SourceResultType::FINISHED;
    }
    if (!source.done) global.returned->InitializeScan(source.scan);
    source.done = true;
    global.returned->Scan(source.scan, chunk);
    return chunk.size() == 0 ? duck::SourceResultType::FINISHED
                             : duck::SourceResultType::HAVE_MORE_OUTPUT;
}

[[noreturn]] void deny(const LakeTable& table) {
    throw_error({Code::permission_denied, "permission denied for table " + table.name, "42501"});
}

LakeTable& writable(duck::TableCatalogEntry& entry, bool TableAccess::*right,
                    bool needs_everything) {
    auto& table = entry.Cast<LakeTable>();
    if (!(table.view().access.*right)) deny(table);
    if (needs_everything && table.view().governed) deny(table);
    return table;
}

/// The new row of an UPDATE, in the order of the table's columns. `defaults`: what DEFAULT stands
/// for, by column.
duck::vector<duck::unique_ptr<duck::Expression>> in_table_order(
    duck::TableCatalogEntry& table, const duck::vector<duck::PhysicalIndex>& columns,
    duck::vector<duck::unique_ptr<duck::Expression>>& expressions,
    const duck::vector<duck::unique_ptr<duck::Expression>>& defaults) {
    duck::vector<duck::unique_ptr<duck::Expression>> row(table.GetColumns().PhysicalColumnCount());
    for (size_t i = 0; i < columns.size(); ++i) {
        const bool is_default =
            expressions[i]->GetExpressionType() == duck::ExpressionType::VALUE_DEFAULT;
        row[columns[i].index] =
            is_default ? defaults[columns[i].index]->Copy() : std::move(expressions[i]);
    }
    return row;
}

}  // namespace

duck::PhysicalOperator& LakeCatalog::PlanCreateTableAs(duck::ClientContext& context,
                                                       duck::PhysicalPlanGenerator& planner,
                                                       duck::LogicalCreateTable& op,
                                                       duck::PhysicalOperator& plan) {
    // The rows are cast to what a table can hold.
    duck::vector<duck::unique_ptr<duck::Expression>> casts;
    duck::vector<duck::LogicalType> types;
    for (const auto& column : op.info->Base().columns.Logical()) {
        const auto i = types.size();
        types.push_back(iceberg_to_duck(value_or_throw(duck_to_iceberg(column.Type()))));
        casts.push_back(duck::BoundCastExpression::AddCastToType(
            context, duck::make_uniq<duck::BoundReferenceExpression>(plan.types[i], i),
            types.back()));
    }
    auto& projection =
        planner.Make<duck::PhysicalProjection>(types, std::move(casts), op.estimated_cardinality);
    projection.children.push_back(plan);
    auto& write = planner.Make<LakeWrite>(op.types).Cast<LakeWrite>();
    write.schema = &op.schema.Cast<LakeSchema>();
    write.create = std::move(op.info);
    write.inserts = true;
    write.children.push_back(projection);
    return write;
}

duck::PhysicalOperator& LakeCatalog::PlanInsert(duck::ClientContext&,
                                                duck::PhysicalPlanGenerator& planner,
                                                duck::LogicalInsert& op,
                                                duck::optional_ptr<duck::PhysicalOperator> plan) {
    if (op.on_conflict_info.action_type != duck::OnConflictAction::THROW)
        throw duck::NotImplementedException("ON CONFLICT is not supported: use MERGE");
    auto& table = writable(op.table, &TableAccess::insert, op.return_chunk);
    if (!op.column_index_map.empty()) plan = &planner.ResolveDefaultsProjection(op, *plan);
    auto& write = planner.Make<LakeWrite>(op.types).Cast<LakeWrite>();
    write.table = &table;
    write.inserts = true;
    write.returns_rows = op.return_chunk;
    write.children.push_back(*plan);
    return write;
}

duck::PhysicalOperator& LakeCatalog::PlanDelete(duck::ClientContext&,
                                                duck::PhysicalPlanGenerator& planner,
                                                duck::LogicalDelete& op,
                                                duck::PhysicalOperator& plan) {
    auto& write = planner.Make<LakeWrite>(op.types).Cast<LakeWrite>();
    write.table = &writable(op.table, &TableAccess::remove, true);
    write.removes = true;
    write.row_id = op.expressions[0]->Cast<duck::BoundReferenceExpression>().index;
    write.returns_rows = op.return_chunk;
    for (size_t i = 2; op.return_chunk && i < op.expressions.size(); ++i)  // returning.h
        write.made.push_back(std::move(op.expressions[i]));
    write.children.push_back(plan);
    return write;
}

duck::PhysicalOperator& LakeCatalog::PlanUpdate(duck::ClientContext&,
                                                duck::PhysicalPlanGenerator& planner,
                                                duck::LogicalUpdate& op,
                                                duck::PhysicalOperator& plan) {
    auto& write = planner.Make<LakeWrite>(op.types).Cast<LakeWrite>();
    write.table = &writable(op.table, &TableAccess::update, true);
    write.removes = true;
    write.row_id = plan.types.size() - 2;
    write.inserts = true;
    write.returns_rows = op.return_chunk;
    write.made = in_table_order(op.table, op.columns, op.expressions, op.bound_defaults);
    write.children.push_back(plan);
    return write;
}

duck::PhysicalOperator& LakeCatalog::PlanMergeInto(duck::ClientContext&,
                                                   duck::PhysicalPlanGenerator& planner,
                                                   duck::LogicalMergeInto& op,
                                                   duck::PhysicalOperator& plan) {
    auto& table = writable(op.table, &TableAccess::remove, true);
    writable(op.table, &TableAccess::insert, true);
    writable(op.table, &TableAccess::update, true);
    duck::vector<duck::LogicalType> types{duck::LogicalType::BIGINT};
    if (op.return_chunk) {
        types = op.types;
        types.pop_back();  // the name of the action, which the operator above adds
    }
    const auto make = [&](bool removes, bool inserts) -> LakeWrite& {
        auto& write = planner.Make<LakeWrite>(types).Cast<LakeWrite>();
        write.returns_rows = op.return_chunk;
        write.table = &table;
        write.removes = removes;
        write.matched_twice_is_an_error = removes;
        write.row_id = op.row_id_start;
        write.inserts = inserts;
        write.keyed = !table.view().schema.identifier_field_ids.empty();
        return write;
    };
    duck::map<duck::MergeActionCondition, duck::vector<duck::unique_ptr<duck::MergeIntoOperator>>>
        actions;
    for (auto& [condition, bound_actions] : op.actions) {
        auto& planned = actions[condition];
        for (auto& action : bound_actions) {
            auto out = duck::make_uniq<duck::MergeIntoOperator>();
            out->action_type = action->action_type;
            out->condition = std::move(action->condition);
            switch (action->action_type) {
                case duck::MergeActionType::MERGE_DELETE:
                    if (op.return_chunk)
                        throw duck::NotImplementedException(
                            "MERGE ... DELETE ... RETURNING is not supported");
                    out->op = &make(true, false);
                    break;
                case duck::MergeActionType::MERGE_UPDATE: {
                    auto& write = make(true, true);
                    write.made = in_table_order(op.table, action->columns, action->expressions,
                                                op.bound_defaults);
                    out->op = &write;
                    break;
                }
                case duck::MergeActionType::MERGE_INSERT: {
                    out->op = &make(false, true);
                    if (!action->column_index_map.empty()) {
                        duck::vector<duck::unique_ptr<duck::Expression>> row;
                        for (const auto& column : op.table.GetColumns().Physical()) {
                            const auto from = action->column_index_map[column.Physical()];
                            row.push_back(from == duck::DConstants::INVALID_INDEX
                                              ? op.bound_defaults[column.StorageOid()]->Copy()
                                              : std::move(action->expressions[from]));
                        }
                        action->expressions = std::move(row);
                    }
                    out->expressions = std::move(action->expressions);
                    break;
                }
                case duck::MergeActionType::MERGE_ERROR:
                    out->expressions = std::move(action->expressions);
                    break;
                default:
                    break;
            }
            planned.push_back(std::move(out));
        }
    }
    auto& merge = planner.Make<duck::PhysicalMergeInto>(
        op.types, std::move(actions), op.row_id_start, op.source_marker, true, op.return_chunk);
    merge.children.push_back(plan);
    return merge;
}

}  // namespace tarn::query

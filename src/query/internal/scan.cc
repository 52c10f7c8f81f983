#include "query/internal/scan.h"

#include <array>

#include "base/cache_metrics.h"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/scan_statistics.h"

namespace tarn::query {

namespace {

using duck::vector;

struct ScanInfo : duck::TableFunctionInfo {
    LakeTable* table = nullptr;
};

/// The files of one scan, planned when first asked for.
class LakeFileList final : public duck::MultiFileList {
 public:
    LakeFileList(LakeTable& table, std::vector<tables::Predicate> filter)
        : table_(table), filter_(std::move(filter)) {}

    LakeTable& table() const { return table_; }

    vector<duck::OpenFileInfo> GetAllFiles() const override {
        ensure_planned();
        return paths_;
    }
    // Anything but MULTIPLE_FILES scans on one thread.
    duck::FileExpandResult GetExpandResult() const override {
        return duck::FileExpandResult::MULTIPLE_FILES;
    }
    duck::idx_t GetTotalFileCount() const override {
        ensure_planned();
        return paths_.size();
    }
    duck::unique_ptr<duck::NodeStatistics> GetCardinality(duck::ClientContext&) const override {
        ensure_planned();
        return duck::make_uniq<duck::NodeStatistics>(records_, records_);
    }
    duck::unique_ptr<duck::MultiFileList> Copy() const override {
        return duck::make_uniq<LakeFileList>(table_, filter_);
    }
    duck::unique_ptr<duck::MultiFileList> ComplexFilterPushdown(
        duck::ClientContext&, const duck::MultiFileOptions&, duck::MultiFilePushdownInfo& info,
        vector<duck::unique_ptr<duck::Expression>>& filters) const override;

    std::vector<const tables::DataFile*> files() const {
        ensure_planned();
        std::vector<const tables::DataFile*> out;
        for (const auto& [path, task] : tasks_) out.push_back(task.file.get());
        return out;
    }

    /// How many rows there are; nullopt where some of them are deleted.
    std::optional<duck::idx_t> exact_rows() const {
        ensure_planned();
        for (const auto& [path, task] : tasks_)
            if (!task.deletes.empty() || table_.transaction().pending_deletes(table_.state(), path))
                return std::nullopt;
        return records_;
    }

    /// The delete files that apply to a data file.
    std::vector<tables::DataFilePtr> deletes(const std::string& path) const {
        ensure_planned();
        const auto found = tasks_.find(path);
        return found == tasks_.end() ? std::vector<tables::DataFilePtr>{} : found->second.deletes;
    }

 protected:
    duck::OpenFileInfo GetFile(duck::idx_t index) const override {
        ensure_planned();
        return index < paths_.size() ? paths_[index] : duck::OpenFileInfo("");
    }

 private:
    void ensure_planned() const {
        std::call_once(planned_, [this] {
            // Paths are never used twice: what is cached of a file stays true. One for all: nobody
            // changes it.
            const auto options = duck::make_shared_ptr<duck::ExtendedOpenFileInfo>();
            options->options["validate_external_file_cache"] = duck::Value::BOOLEAN(false);
            for (auto& task : table_.plan(filter_)) {
                duck::OpenFileInfo file(task.file->path);
                file.extended_info = options;
                paths_.push_back(std::move(file));
                records_ += static_cast<duck::idx_t>(task.file->record_count);
                tasks_.emplace(task.file->path, std::move(task));
            }
        });
    }

    LakeTable& table_;
    const std::vector<tables::Predicate> filter_;
    mutable std::once_flag planned_;
    mutable vector<duck::OpenFileInfo> paths_;
    mutable std::unordered_map<std::string, tables::ScanTask> tasks_;
    mutable duck::idx_t records_ = 0;
};

std::optional<tables::Predicate::Op> predicate_op(duck::ExpressionType type) {
    using Op = tables::Predicate::Op;
    switch (type) {
        case duck::ExpressionType::COMPARE_EQUAL:
            return Op::eq;
        case duck::ExpressionType::COMPARE_NOTEQUAL:
            return Op::ne;
        case duck::ExpressionType::COMPARE_LESSTHAN:
            return Op::lt;
        case duck::ExpressionType::COMPARE_LESSTHANOREQUALTO:
            return Op::le;
        case duck::ExpressionType::COMPARE_GREATERTHAN:
            return Op::gt;
        case duck::ExpressionType::COMPARE_GREATERTHANOREQUALTO:
            return Op::ge;
        default:
            return std::nullopt;
    }
}

/// Turns the conjuncts of a scan into predicates. What it does not understand it leaves out: that
/// prunes less.
class PredicateMaker {
 public:
    PredicateMaker(const LakeTable& table, const duck::MultiFilePushdownInfo& info)
        : table_(table), info_(info) {}

    void add(const duck::Expression& expression, std::vector<tables::Predicate>& out) const {
        switch (expression.GetExpressionClass()) {
            case duck::ExpressionClass::BOUND_COMPARISON:
                return add_comparison(expression.Cast<duck::BoundComparisonExpression>(), out);
            case duck::ExpressionClass::BOUND_BETWEEN: {
                const auto& between = expression.Cast<duck::BoundBetweenExpression>();
                add_pair(*between.input, between.LowerComparisonType(), *between.lower, out);
                add_pair(*between.input, between.UpperComparisonType(), *between.upper, out);
                return;
            }
            case duck::ExpressionClass::BOUND_CONJUNCTION:
                if (expression.GetExpressionType() == duck::ExpressionType::CONJUNCTION_AND)
                    for (const auto& child :
                         expression.Cast<duck::BoundConjunctionExpression>().children)
                        add(*child, out);
                return;
            case duck::ExpressionClass::BOUND_OPERATOR:
                return add_operator(expression.Cast<duck::BoundOperatorExpression>(), out);
            default:
                return;
        }
    }

 private:
    const tables::Field* field_of(const duck::Expression& expression) const {
        if (expression.GetExpressionClass() != duck::ExpressionClass::BOUND_COLUMN_REF)
            return nullptr;
        const auto& binding = expression.Cast<duck::BoundColumnRefExpression>().binding;
        if (binding.table_index != info_.table_index ||
            binding.column_index >= info_.column_ids.size())
            return nullptr;
        const auto column = info_.column_ids[binding.column_index];
        const auto& view = table_.view();
        if (column >= view.columns.size()) return nullptr;
        return &view.schema.fields[view.columns[column]];
    }

    void add_pair(const duck::Expression& column, duck::ExpressionType type,
                  const duck::Expression& constant, std::vector<tables::Predicate>& out) const {
        const auto* field = field_of(column);
        const auto op = predicate_op(type);
        if (!field || !op || constant.GetExpressionClass() != duck::ExpressionClass::BOUND_CONSTANT)
            return;
        auto literal =
            literal_from_duck(field->type, constant.Cast<duck::BoundConstantExpression>().value);
        if (literal) out.push_back({field->id, *op, {std::move(*literal)}});
    }

    void add_comparison(const duck::BoundComparisonExpression& comparison,
                        std::vector<tables::Predicate>& out) const {
        add_pair(*comparison.left, comparison.GetExpressionType(), *comparison.right, out);
        add_pair(*comparison.right, duck::FlipComparisonExpression(comparison.GetExpressionType()),
                 *comparison.left, out);
    }

    void add_operator(const duck::BoundOperatorExpression& op,
                      std::vector<tables::Predicate>& out) const {
        const auto* field = op.children.empty() ? nullptr : field_of(*op.children[0]);
        if (!field) return;
        tables::Predicate predicate{field->id, tables::Predicate::Op::in, {}};
        switch (op.GetExpressionType()) {
            case duck::ExpressionType::OPERATOR_IS_NULL:
                predicate.op = tables::Predicate::Op::is_null;
                break;
            case duck::ExpressionType::OPERATOR_IS_NOT_NULL:
                predicate.op = tables::Predicate::Op::not_null;
                break;
            case duck::ExpressionType::COMPARE_IN:
                for (size_t i = 1; i < op.children.size(); ++i) {
                    if (op.children[i]->GetExpressionClass() !=
                        duck::ExpressionClass::BOUND_CONSTANT)
                        return;
                    const auto& value = op.children[i]->Cast<duck::BoundConstantExpression>().value;
                    if (value.IsNull()) continue;
                    auto literal = literal_from_duck(field->type, value);
                    if (!literal) return;
                    predicate.values.push_back(std::move(*literal));
                }
                break;
            default:
                return;
        }
        out.push_back(std::move(predicate));
    }

    const LakeTable& table_;
    const duck::MultiFilePushdownInfo& info_;
};

duck::unique_ptr<duck::MultiFileList> LakeFileList::ComplexFilterPushdown(
    duck::ClientContext&, const duck::MultiFileOptions&, duck::MultiFilePushdownInfo& info,
    vector<duck::unique_ptr<duck::Expression>>& filters) const {
    std::vector<tables::Predicate> found = filter_;
    const PredicateMaker maker(table_, info);
    for (const auto& filter : filters) maker.add(*filter, found);
    if (found.size() == filter_.size()) return nullptr;
    return duck::make_uniq<LakeFileList>(table_, std::move(found));
}

/// Goes through the deleted rows of a chunk, not through its rows: most have none.
class SkipDeleted final : public duck::DeleteFilter {
 public:
    explicit SkipDeleted(std::vector<PositionsPtr> deleted) : deleted_(std::move(deleted)) {}

    duck::idx_t Filter(duck::row_t first, duck::idx_t count,
                       duck::SelectionVector& selection) override {
        if (!selection.data()) selection.Initialize(STANDARD_VECTOR_SIZE);
        const auto begin = static_cast<uint64_t>(first);
        std::array<bool, STANDARD_VECTOR_SIZE> gone{};
        for (const auto& positions : deleted_) {
            Positions::const_iterator row(*positions);
            const auto end = positions->end();
            for (bool more = row.move(begin); more && *row < begin + count; more = (++row) != end)
                gone[*row - begin] = true;
        }
        duck::idx_t kept = 0;
        for (duck::idx_t i = 0; i < count; ++i)
            if (!gone[i]) selection.set_index(kept++, i);
        return kept;
    }

 private:
    const std::vector<PositionsPtr> deleted_;
};

duck::MultiFileColumnDefinition column_definition(const tables::Field& field) {
    duck::MultiFileColumnDefinition column(field.name, iceberg_to_duck(field.type));
    column.identifier = duck::Value::INTEGER(field.id);
    column.default_expression = duck::make_uniq<duck::ConstantExpression>(duck::Value(column.type));
    for (const auto& child : field.type.fields) column.children.push_back(column_definition(child));
    return column;
}

class LakeReader final : public duck::MultiFileReader {
 public:
    explicit LakeReader(LakeTable& table) : table_(table) {}

    static duck::unique_ptr<MultiFileReader> create(const duck::TableFunction& function) {
        return duck::make_uniq<LakeReader>(*function.function_info->Cast<ScanInfo>().table);
    }
    duck::unique_ptr<MultiFileReader> Copy() const override {
        return duck::make_uniq<LakeReader>(table_);
    }
    duck::shared_ptr<duck::MultiFileList> CreateFileList(duck::ClientContext&,
                                                         const vector<duck::string>&,
                                                         const duck::FileGlobInput&) override {
        return duck::make_shared_ptr<LakeFileList>(table_, std::vector<tables::Predicate>{});
    }
    bool Bind(duck::MultiFileOptions&, duck::MultiFileList&, vector<duck::LogicalType>& types,
              vector<duck::string>& names, duck::MultiFileReaderBindData& bind_data) override {
        for (const size_t position : table_.view().columns) {
            const auto& field = table_.view().schema.fields[position];
            bind_data.schema.push_back(column_definition(field));
            names.push_back(field.name);
            types.push_back(bind_data.schema.back().type);
        }
        bind_data.mapping = duck::MultiFileColumnMappingMode::BY_FIELD_ID;
        return true;
    }
    void BindOptions(duck::MultiFileOptions&, duck::MultiFileList&, vector<duck::LogicalType>&,
                     vector<duck::string>&, duck::MultiFileReaderBindData&) override {}
    duck::ReaderInitializeType InitializeReader(
        duck::MultiFileReaderData& reader_data, const duck::MultiFileBindData& bind_data,
        const vector<duck::MultiFileColumnDefinition>& columns,
        const vector<duck::ColumnIndex>& column_ids,
        duck::optional_ptr<duck::TableFilterSet> filters, duck::ClientContext& context,
        duck::MultiFileGlobalState& state) override {
        const auto& list = bind_data.file_list->Cast<LakeFileList>();
        const std::string& path = reader_data.reader->GetFileName();
        auto& transaction = table_.transaction();
        std::vector<PositionsPtr> deleted;
        for (const auto& file : list.deletes(path))
            if (auto rows = transaction.services().deletes->positions(context, file->path, path))
                deleted.push_back(std::move(rows));
        if (auto rows = transaction.pending_deletes(table_.state(), path))
            deleted.push_back(std::move(rows));
        if (!deleted.empty())
            reader_data.reader->deletion_filter = duck::make_uniq<SkipDeleted>(std::move(deleted));
        return MultiFileReader::InitializeReader(reader_data, bind_data, columns, column_ids,
                                                 filters, context, state);
    }

 private:
    LakeTable& table_;
};

duck::BindInfo bind_info(const duck::optional_ptr<duck::FunctionData> bind_data) {
    return duck::BindInfo(
        bind_data->Cast<duck::MultiFileBindData>().file_list->Cast<LakeFileList>().table());
}

duck::virtual_column_map_t virtual_columns(duck::ClientContext& context,
                                           duck::optional_ptr<duck::FunctionData> bind_data) {
    auto& table =
        bind_data->Cast<duck::MultiFileBindData>().file_list->Cast<LakeFileList>().table();
    // The reader's own call also notes the columns in the bind data; names are ours.
    table.transaction().services().parquet_scan->get_virtual_columns(context, bind_data);
    return table.GetVirtualColumns();
}

duck::unique_ptr<duck::BaseStatistics> statistics_of(duck::ClientContext&,
                                                     const duck::FunctionData* bind_data,
                                                     duck::column_t column) {
    const auto& list = bind_data->Cast<duck::MultiFileBindData>().file_list->Cast<LakeFileList>();
    const auto& view = list.table().view();
    if (column >= view.columns.size()) return nullptr;
    return column_statistics(view.schema.fields[view.columns[column]], list.files());
}

/// count(*) of a whole table reads no file.
vector<duck::PartitionStatistics> row_counts(duck::ClientContext&,
                                             duck::GetPartitionStatsInput& input) {
    const auto rows = input.bind_data->Cast<duck::MultiFileBindData>()
                          .file_list->Cast<LakeFileList>()
                          .exact_rows();
    if (!rows) return {};
    duck::PartitionStatistics all;
    all.count = *rows;
    all.count_type = duck::CountType::COUNT_EXACT;
    return {all};
}

vector<duck::column_t> row_id_columns(duck::ClientContext&,
                                      duck::optional_ptr<duck::FunctionData> bind_data) {
    return bind_data->Cast<duck::MultiFileBindData>()
        .file_list->Cast<LakeFileList>()
        .table()
        .GetRowIdColumns();
}

/// A table function's whole life outside of a plan.
void run_scan(duck::ClientContext& context, duck::TableFunction& function,
              duck::FunctionData& bind_data, vector<duck::column_t> ids,
              const vector<duck::LogicalType>& types,
              const std::function<void(duck::DataChunk&)>& take,
              duck::optional_ptr<duck::TableFilterSet> filters = nullptr) {
    duck::TableFunctionInitInput init(&bind_data, std::move(ids), {}, filters);
    auto global = function.init_global(context, init);
    duck::ThreadContext thread(context);
    duck::ExecutionContext execution(context, thread, nullptr);
    auto local = function.init_local(execution, init, global.get());
    if (!local) return;  // no files
    duck::DataChunk chunk;
    chunk.Initialize(context, types);
    while (true) {
        chunk.Reset();
        duck::TableFunctionInput call(&bind_data, local.get(), global.get());
        function.function(context, call, chunk);
        if (chunk.size() == 0) break;
        take(chunk);
    }
}

}  // namespace

duck::TableFunction lake_scan_function(Services& services) {
    duck::TableFunction function = *services.parquet_scan;
    function.name = kLakeScan;
    function.get_multi_file_reader = LakeReader::create;
    function.get_bind_info = bind_info;
    function.get_virtual_columns = virtual_columns;
    function.get_row_id_columns = row_id_columns;
    function.serialize = nullptr;
    function.deserialize = nullptr;
    function.get_partition_stats = nullptr;  // the reader's own ignores deletes
    function.statistics = nullptr;           // the reader's own would open files while planning
    function.statistics_extended = nullptr;
    function.late_materialization = false;
    return function;
}

duck::unique_ptr<duck::FunctionData> bind_lake_scan(duck::ClientContext& context,
                                                    duck::TableFunction& function,
                                                    LakeTable& table) {
    auto info = duck::make_shared_ptr<ScanInfo>();
    info->table = &table;
    function.function_info = std::move(info);
    // Only where the principal sees the whole table: what is known of hidden rows must not shape a
    // plan.
    if (!table.view().governed && !table.transaction().unguarded()) {
        function.statistics = statistics_of;
        function.get_partition_stats = row_counts;
    }
    vector<duck::Value> inputs{duck::Value("")};
    duck::named_parameter_map_t named;
    vector<duck::LogicalType> input_types;
    vector<duck::string> input_names;
    duck::TableFunctionRef reference;
    duck::TableFunctionBindInput input(inputs, named, input_types, input_names,
                                       function.function_info.get(), nullptr, function, reference);
    vector<duck::LogicalType> types;
    vector<duck::string> names;
    return function.bind(context, input, types, names);
}

void read_parquet(Services& services, duck::ClientContext& context, const std::string& path,
                  const std::vector<std::string>& columns,
                  const std::function<void(duck::DataChunk&)>& take) {
    duck::TableFunction function = *services.parquet_scan;
    vector<duck::Value> inputs{duck::Value(path)};
    duck::named_parameter_map_t named;
    vector<duck::LogicalType> input_types;
    vector<duck::string> input_names;
    duck::TableFunctionRef reference;
    duck::TableFunctionBindInput input(inputs, named, input_types, input_names,
                                       function.function_info.get(), nullptr, function, reference);
    vector<duck::LogicalType> types;
    vector<duck::string> names;
    auto bind_data = function.bind(context, input, types, names);

    vector<duck::column_t> ids;
    vector<duck::LogicalType> wanted;
    for (const auto& column : columns) {
        const auto found = std::find(names.begin(), names.end(), column);
        if (found == names.end()) throw duck::IOException("%s has no column %s", path, column);
        ids.push_back(static_cast<duck::column_t>(found - names.begin()));
        wanted.push_back(types[ids.back()]);
    }
    run_scan(context, function, *bind_data, std::move(ids), wanted, take);
}

void read_table(duck::ClientContext& context, LakeTable& table,
                const std::function<void(duck::DataChunk&)>& take) {
    auto function = lake_scan_function(table.transaction().services());
    const auto bind_data = bind_lake_scan(context, function, table);
    vector<duck::column_t> ids;
    for (duck::column_t i = 0; i < table.GetTypes().size(); ++i) ids.push_back(i);
    run_scan(context, function, *bind_data, std::move(ids), table.GetTypes(), take);
}

void read_positions(duck::ClientContext& context, LakeTable& table,
                    const std::vector<size_t>& columns, const std::vector<uint64_t>* only,
                    const std::function<void(duck::DataChunk&)>& take) {
    auto function = lake_scan_function(table.transaction().services());
    const auto bind_data = bind_lake_scan(context, function, table);
    // The reader's own call notes the virtual columns in the bind data.
    function.get_virtual_columns(context, bind_data.get());
    vector<duck::column_t> ids;
    vector<duck::LogicalType> types;
    for (const size_t column : columns) {
        ids.push_back(column);
        types.push_back(table.GetTypes()[column]);
    }
    ids.push_back(duck::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER);
    types.push_back(duck::LogicalType::BIGINT);
    duck::TableFilterSet filters;
    if (only) {
        vector<duck::Value> values;
        for (const uint64_t position : *only)
            values.push_back(duck::Value::BIGINT(static_cast<int64_t>(position)));
        filters.filters[columns.size()] = duck::make_uniq<duck::OptionalFilter>(
            duck::make_uniq<duck::InFilter>(std::move(values)));
    }
    run_scan(context, function, *bind_data, std::move(ids), types, take, only ? &filters : nullptr);
}

DeleteCache::DeleteCache(Services& services)
    : services_(services),
      bytes_gauge_(cache_gauge(services.parts.metrics, "sql_deleted_rows", kBytesMax)) {}

PositionsPtr DeleteCache::positions(duck::ClientContext& context, const std::string& delete_file,
                                    const std::string& data_file) {
    std::shared_ptr<const ByDataFile> rows;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto found = entries_.find(delete_file); found != entries_.end()) {
            ages_.splice(ages_.begin(), ages_, found->second.age);
            rows = found->second.rows;
        }
    }
    if (!rows) {
        rows = load(context, delete_file);
        keep(delete_file, rows);
    }
    const auto found = rows->find(data_file);
    return found == rows->end() ? nullptr : found->second;
}

void DeleteCache::keep(const std::string& delete_file, std::shared_ptr<const ByDataFile> rows) {
    size_t bytes = delete_file.size() * 2 + sizeof(Entry);
    for (const auto& [data_file, positions] : *rows)
        bytes += data_file.size() + sizeof(Positions) + positions->getSizeInBytes();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.contains(delete_file)) return;
    ages_.push_front(delete_file);
    entries_[delete_file] = {std::move(rows), ages_.begin(), bytes};
    bytes_ += bytes;
    while (entries_.size() > kEntriesMax || bytes_ > kBytesMax) {
        const auto oldest = entries_.find(ages_.back());
        bytes_ -= oldest->second.bytes;
        entries_.erase(oldest);
        ages_.pop_back();
    }
    bytes_gauge_.set(static_cast<double>(bytes_));
}

void DeleteCache::written(const std::string& delete_file, const std::string& data_file,
                          const Positions& rows) {
    auto own = std::make_shared<const Positions>(rows);
    keep(delete_file, std::make_shared<const ByDataFile>(ByDataFile{{data_file, std::move(own)}}));
}

std::shared_ptr<const DeleteCache::ByDataFile> DeleteCache::load(duck::ClientContext& context,
                                                                 const std::string& delete_file) {
    std::unordered_map<std::string, std::shared_ptr<Positions>> rows;
    read_parquet(services_, context, delete_file, {"file_path", "pos"},
                 [&](duck::DataChunk& chunk) {
                     duck::UnifiedVectorFormat paths;
                     duck::UnifiedVectorFormat positions;
                     chunk.data[0].ToUnifiedFormat(chunk.size(), paths);
                     chunk.data[1].ToUnifiedFormat(chunk.size(), positions);
                     const auto* path = duck::UnifiedVectorFormat::GetData<duck::string_t>(paths);
                     const auto* position = duck::UnifiedVectorFormat::GetData<int64_t>(positions);
                     std::string current;
                     std::shared_ptr<Positions> into;
                     for (duck::idx_t i = 0; i < chunk.size(); ++i) {
                         const auto& name = path[paths.sel->get_index(i)];
                         if (!into || std::string_view(name.GetData(), name.GetSize()) != current) {
                             current.assign(name.GetData(), name.GetSize());
                             auto& slot = rows[current];
                             if (!slot) slot = std::make_shared<Positions>();
                             into = slot;
                         }
                         into->add(static_cast<uint64_t>(position[positions.sel->get_index(i)]));
                     }
                 });
    return std::make_shared<const ByDataFile>(rows.begin(), rows.end());
}

}  // namespace tarn::query

#include "query/internal/writer.h"

#include "base/log.h"
#include "base/random.h"
#include "duckdb/parser/parsed_data/copy_info.hpp"
#include "query/internal/bytea_text.h"
#include "query/internal/duck_types.h"
#include "query/internal/scan.h"
#include "query/internal/sql_text.h"
#include "query/row_group.h"
#include "query/row_places.h"

namespace tarn::query {

namespace {

/// DuckDB's field_ids option: a tree of ids that follows the type.
duck::Value field_ids(const tables::Field& field) {
    if (field.type.primitive()) return duck::Value::INTEGER(field.id);
    duck::child_list_t<duck::Value> ids;
    ids.emplace_back("__duckdb_field_id", duck::Value::INTEGER(field.id));
    for (const auto& child : field.type.fields) ids.emplace_back(child.name, field_ids(child));
    return duck::Value::STRUCT(std::move(ids));
}

std::optional<int64_t> count_of(const duck::case_insensitive_map_t<duck::Value>& statistics,
                                const char* name) {
    const auto found = statistics.find(name);
    if (found == statistics.end() || found->second.IsNull()) return std::nullopt;
    return found->second.GetValue<int64_t>();
}

std::optional<tables::Literal> bound_of(const tables::Type& type,
                                        const duck::case_insensitive_map_t<duck::Value>& statistics,
                                        const char* name) {
    const auto found = statistics.find(name);
    if (found == statistics.end() || found->second.IsNull()) return std::nullopt;
    // Statistics come as text, those of bytes as digits.
    if (type.id == tables::TypeId::binary || type.id == tables::TypeId::fixed) {
        const auto bytes = parse_bytea("\\x" + found->second.ToString());
        if (!bytes) return std::nullopt;
        return literal_from_duck(type, duck::Value::BLOB_RAW(*bytes));
    }
    duck::Value value;
    duck::string problem;
    if (!found->second.DefaultTryCastAs(iceberg_to_duck(type), value, &problem))
        return std::nullopt;
    return literal_from_duck(type, value);
}

void add_statistics(const FileColumn& column,
                    const duck::case_insensitive_map_t<duck::Value>& statistics,
                    tables::DataFile& file) {
    if (const auto bytes = count_of(statistics, "column_size_bytes"))
        file.column_sizes.emplace_back(column.field_id, *bytes);
    if (const auto values = count_of(statistics, "num_values"))
        file.value_counts.emplace_back(column.field_id, *values);
    if (const auto nulls = count_of(statistics, "null_count"))
        file.null_value_counts.emplace_back(column.field_id, *nulls);
    const auto nan = statistics.find("has_nan");
    if (nan != statistics.end() && !nan->second.GetValue<bool>())
        file.nan_value_counts.emplace_back(column.field_id, 0);
    if (!column.field) return;
    const auto& type = column.field->type;
    if (const auto lower = bound_of(type, statistics, "min"))
        file.lower_bounds.emplace_back(
            column.field_id,
            tables::truncate_lower_bound(type, tables::encode_bound(type, *lower)));
    if (const auto upper = bound_of(type, statistics, "max"))
        if (auto bytes = tables::truncate_upper_bound(type, tables::encode_bound(type, *upper)))
            file.upper_bounds.emplace_back(column.field_id, std::move(*bytes));
}

std::string partition_key(const std::vector<tables::Type>& types,
                          const tables::Partition& partition) {
    std::string key;
    for (size_t i = 0; i < partition.size(); ++i) {
        key += partition[i].is_null() ? 'n' : 'v';
        if (partition[i].is_null()) continue;
        const std::string bytes = tables::encode_bound(types[i], partition[i]);
        key += std::to_string(bytes.size()) + ':' + bytes;
    }
    return key;
}

/// The values of one partition column for all rows of a chunk.
std::vector<tables::Literal> partition_literals(duck::Vector& vector, duck::idx_t rows,
                                                const tables::Type& type,
                                                const tables::Transform& transform) {
    std::vector<tables::Literal> out(rows);
    for (duck::idx_t row = 0; row < rows; ++row) {
        const duck::Value value = vector.GetValue(row);
        if (value.IsNull()) continue;
        const auto literal = literal_from_duck(type, value);
        if (!literal) throw duck::InternalException("a partition value does not fit its type");
        out[row] = tables::apply_transform(transform, type, *literal);
    }
    return out;
}

}  // namespace

ParquetFile::ParquetFile(Services& services, duck::ClientContext& context, std::string path,
                         const std::vector<FileColumn>& columns, Compress compress)
    : services_(services), context_(context), path_(std::move(path)), columns_(columns) {
    duck::CopyInfo info;
    info.file_path = path_;
    info.format = "parquet";
    info.is_from = false;
    duck::child_list_t<duck::Value> ids;
    duck::vector<duck::string> names;
    duck::vector<duck::LogicalType> types;
    for (const auto& column : columns) {
        ids.emplace_back(column.name, column.field ? field_ids(*column.field)
                                                   : duck::Value::INTEGER(column.field_id));
        names.push_back(column.name);
        types.push_back(column.type);
    }
    info.options["field_ids"] = {duck::Value::STRUCT(std::move(ids))};
    info.options["compression"] = {duck::Value("zstd")};
    info.options["row_group_size"] = {duck::Value::UBIGINT(kRowGroupRows)};
    if (compress == Compress::little)
        info.options["compression_level"] = {duck::Value::BIGINT(1)};
    duck::CopyFunctionBindInput input(info);
    const auto& function = *services_.parquet_copy;
    bind_data_ = function.copy_to_bind(context, input, names, types);
    global_ = function.copy_to_initialize_global(context, *bind_data_, path_);
    statistics_ = duck::make_uniq<duck::CopyFunctionFileStatistics>();
    function.copy_to_get_written_statistics(context, *bind_data_, *global_, *statistics_);
}

ParquetFile::~ParquetFile() = default;

void ParquetFile::append(duck::ExecutionContext& context, duck::DataChunk& rows) {
    const auto& function = *services_.parquet_copy;
    if (!local_) local_ = function.copy_to_initialize_local(context, *bind_data_);
    function.copy_to_sink(context, *bind_data_, *global_, *local_, rows);
}

bool ParquetFile::full() const {
    return services_.parquet_copy->rotate_next_file(*global_, *bind_data_,
                                                    services_.options.data_file_bytes);
}

tables::DataFile ParquetFile::finish(duck::ExecutionContext& context) {
    const auto& function = *services_.parquet_copy;
    if (local_) function.copy_to_combine(context, *bind_data_, *global_, *local_);
    function.copy_to_finalize(context_, *bind_data_, *global_);
    tables::DataFile file;
    file.path = path_;
    file.record_count = static_cast<int64_t>(statistics_->row_count);
    file.file_size_bytes = static_cast<int64_t>(statistics_->file_size_bytes);
    for (const auto& column : columns_) {
        const auto found =
            statistics_->column_statistics.find(quoted_name(column.name));
        if (found == statistics_->column_statistics.end()) continue;
        if (column.field && !column.field->type.primitive()) continue;
        add_statistics(column, found->second, file);
    }
    const auto by_id = [](const auto& a, const auto& b) { return a.first < b.first; };
    for (auto* counts :
         {&file.column_sizes, &file.value_counts, &file.null_value_counts, &file.nan_value_counts})
        std::sort(counts->begin(), counts->end(), by_id);
    std::sort(file.lower_bounds.begin(), file.lower_bounds.end(), by_id);
    std::sort(file.upper_bounds.begin(), file.upper_bounds.end(), by_id);
    return file;
}

TableWriter::TableWriter(Services& services, duck::ClientContext& context, tables::TablePtr table,
                         std::vector<size_t> columns, Compress compress)
    : services_(services), context_(context), table_(std::move(table)), compress_(compress) {
    const auto& schema = table_->schema();
    for (const size_t position : columns) {
        const auto& field = schema.fields[position];
        columns_.push_back({field.name, iceberg_to_duck(field.type), &field, field.id});
    }
    for (size_t i = 0; i < schema.fields.size(); ++i)
        if (schema.fields[i].required &&
            std::find(columns.begin(), columns.end(), i) == columns.end())
            throw_error({Code::invalid_argument,
                         "null value in column \"" + schema.fields[i].name + "\" of relation \"" +
                             table_->info.name + "\" violates not-null constraint",
                         "23502"});
    for (const auto& field : table_->metadata->spec().fields) {
        const auto found = std::find_if(
            columns_.begin(), columns_.end(),
            [&](const FileColumn& column) { return column.field_id == field.source_id; });
        const auto* source = schema.find(field.source_id);
        if (!source)
            throw duck::NotImplementedException(
                "the table is partitioned by a column that is gone");
        partition_.push_back(
            {static_cast<size_t>(found - columns_.begin()), source->type, field.transform});
    }
}

TableWriter::~TableWriter() {
    remove_files_quietly(services_, done_);
}

std::vector<tables::DataFile> TableWriter::take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::move(done_);
}

void TableWriter::Lane::append(duck::ExecutionContext& context, duck::DataChunk& rows,
                               std::vector<PlacedRow>* places) {
    if (rows.size() == 0) return;
    PlacesOf told{places, places ? places->size() : 0, nullptr};
    if (places) places->resize(places->size() + rows.size());
    for (size_t i = 0; i < writer_.columns_.size(); ++i) {
        const auto* field = writer_.columns_[i].field;
        if (!field->required) continue;
        duck::UnifiedVectorFormat format;
        rows.data[i].ToUnifiedFormat(rows.size(), format);
        if (format.validity.AllValid()) continue;
        for (duck::idx_t row = 0; row < rows.size(); ++row)
            if (!format.validity.RowIsValid(format.sel->get_index(row)))
                throw duck::ConstraintException(
                    "null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                    field->name, writer_.table_->info.name);
    }
    if (writer_.partition_.empty()) return append_to(context, "", {}, rows, told);

    std::vector<std::vector<tables::Literal>> literals;
    std::vector<tables::Type> types;
    for (const auto& source : writer_.partition_) {
        types.push_back(value_or_throw(tables::transform_result(source.transform, source.type)));
        if (source.column < writer_.columns_.size())
            literals.push_back(partition_literals(rows.data[source.column], rows.size(),
                                                  source.type, source.transform));
        else
            literals.emplace_back(rows.size());  // a column that is left out is NULL
    }
    struct Group {
        tables::Partition partition;
        std::vector<duck::sel_t> rows;
    };
    std::map<std::string, Group> groups;
    for (duck::idx_t row = 0; row < rows.size(); ++row) {
        tables::Partition partition;
        for (const auto& column : literals) partition.push_back(column[row]);
        auto& group = groups[partition_key(types, partition)];
        if (group.rows.empty()) group.partition = std::move(partition);
        group.rows.push_back(static_cast<duck::sel_t>(row));
    }
    for (auto& [key, group] : groups) {
        duck::SelectionVector selection(group.rows.data());
        duck::DataChunk part;
        part.Initialize(context.client, rows.GetTypes());
        part.Slice(rows, selection, group.rows.size());
        told.at = &group.rows;
        append_to(context, key, std::move(group.partition), part, told);
    }
}

void TableWriter::Lane::append_to(duck::ExecutionContext& context, const std::string& key,
                                  tables::Partition partition, duck::DataChunk& rows,
                                  const PlacesOf& told) {
    auto& open = open_[key];
    open.used = ++uses_;
    if (!open.file) {
        open.partition = std::move(partition);
        const std::string path =
            writer_.table_->metadata->location + "/data/" + random_uuid() + ".parquet";
        open.file = std::make_unique<ParquetFile>(writer_.services_, writer_.context_, path,
                                                  writer_.columns_, writer_.compress_);
        const std::lock_guard<std::mutex> lock(writer_.mutex_);
        open.number = static_cast<uint32_t>(writer_.paths_.size());
        writer_.paths_.push_back(path);
    }
    open.file->append(context, rows);
    if (told.places)
        for (size_t i = 0; i < rows.size(); ++i)
            (*told.places)[told.first + (told.at ? (*told.at)[i] : i)] = {open.number,
                                                                          open.rows + i};
    open.rows += rows.size();
    if (open.file->full()) {
        close(context, open);
        open_.erase(key);
    }
    if (open_.size() <= kOpenMax) return;
    const auto oldest = std::min_element(
        open_.begin(), open_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    close(context, oldest->second);
    open_.erase(oldest);
}

void TableWriter::Lane::close(duck::ExecutionContext& context, Open& open) {
    auto file = open.file->finish(context);
    file.spec_id = writer_.table_->metadata->default_spec_id;
    file.partition = std::move(open.partition);
    const std::lock_guard<std::mutex> lock(writer_.mutex_);
    writer_.done_.push_back(std::move(file));
}

void TableWriter::Lane::finish(duck::ExecutionContext& context) {
    for (auto& [key, open] : open_) close(context, open);
    open_.clear();
}

tables::DataFile write_position_deletes(Services& services, duck::ClientContext& context,
                                        const std::string& location,
                                        const tables::DataFile& data_file, const Positions& rows) {
    const std::vector<FileColumn> columns = {
        {"file_path", duck::LogicalType::VARCHAR, nullptr, tables::kDeletePathFieldId},
        {"pos", duck::LogicalType::BIGINT, nullptr, tables::kDeletePosFieldId}};
    const std::string path = location + "/data/" + random_uuid() + "-deletes.parquet";
    duck::ThreadContext thread(context);
    duck::ExecutionContext execution(context, thread, nullptr);
    ParquetFile file(services, context, path, columns, Compress::little);
    duck::DataChunk chunk;
    chunk.Initialize(context, {duck::LogicalType::VARCHAR, duck::LogicalType::BIGINT});
    const auto flush = [&](duck::idx_t count) {
        chunk.data[0].Reference(duck::Value(data_file.path));
        chunk.SetCardinality(count);
        file.append(execution, chunk);
        chunk.Reset();
    };
    duck::idx_t count = 0;
    for (const uint64_t row : in_order(rows)) {
        duck::FlatVector::GetData<int64_t>(chunk.data[1])[count++] = static_cast<int64_t>(row);
        if (count == STANDARD_VECTOR_SIZE) {
            flush(count);
            count = 0;
        }
    }
    if (count > 0) flush(count);
    tables::DataFile out = file.finish(execution);
    out.content = tables::FileContent::position_deletes;
    out.spec_id = data_file.spec_id;
    out.partition = data_file.partition;
    out.referenced_data_file = data_file.path;
    // Bounds of the path, untruncated: readers tell by them which data file is meant.
    out.lower_bounds = {{tables::kDeletePathFieldId, data_file.path}};
    out.upper_bounds = {{tables::kDeletePathFieldId, data_file.path}};
    services.deletes->written(out.path, data_file.path, rows);
    return out;
}

void remove_files_quietly(Services& services, const std::vector<tables::DataFile>& files) {
    std::vector<std::string> paths;
    for (const auto& file : files) paths.push_back(file.path);
    if (paths.empty()) return;
    const Status removed = services.parts.catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("query", "files of a statement that failed stay behind",
                    {{"error", removed.error().message}});
}

}  // namespace tarn::query

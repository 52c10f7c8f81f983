#include "query/internal/rows.h"

#include <fmt/format.h>

#include <unordered_map>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/conjunction_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/column_data_ref.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/error.h"
#include "query/internal/scan.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

Result<std::vector<size_t>> positions_of(const tables::TableState& table,
                                         const std::vector<std::string>& columns) {
    const auto& fields = table.schema().fields;
    std::vector<size_t> positions;
    if (columns.empty())
        for (size_t i = 0; i < fields.size(); ++i) positions.push_back(i);
    for (const auto& name : columns) {
        const auto* field = table.schema().find(name);
        if (!field)
            return Error{Code::invalid_argument,
                         fmt::format("column \"{}\" of table \"{}\" does not exist", name,
                                     table.info.full_name()),
                         "42703"};
        positions.push_back(static_cast<size_t>(field - fields.data()));
    }
    return positions;
}

/// Of several rows with one key the last; all rows whose key has a NULL.
std::vector<size_t> last_per_key(const Chunk& rows, const std::vector<size_t>& key) {
    std::unordered_map<std::string, size_t> last;
    std::vector<size_t> chosen;
    for (size_t row = 0; row < rows.rows(); ++row) {
        std::string bytes;
        bool has_null = false;
        for (const size_t column : key) {
            has_null = has_null || rows.columns[column].is_null(row);
            std::string part;
            if (!rows.columns[column].is_null(row))
                rows.columns[column].append_pg_binary(row, part);
            bytes += std::to_string(part.size()) + ':' + part;
        }
        if (has_null)
            chosen.push_back(row);
        else
            last[std::move(bytes)] = row;
    }
    for (const auto& [bytes, row] : last) chosen.push_back(row);
    std::sort(chosen.begin(), chosen.end());
    return chosen;
}

/// The rows with the least and the greatest value of a column, of those that have one; nullopt:
/// there is none, or the type's order is not worth having here.
std::optional<std::pair<size_t, size_t>> extremes(const Column& column,
                                                  const std::vector<size_t>& chosen) {
    const auto kind = column.type().kind;
    if (kind == Kind::boolean || kind == Kind::uuid) return std::nullopt;
    const auto store = Column::store_of(column.type());
    const auto less = [&](size_t a, size_t b) {
        if (store == Column::Store::numbers) return column.number(a) < column.number(b);
        if (store == Column::Store::wides) return column.wide(a) < column.wide(b);
        return column.text(a) < column.text(b);
    };
    if (store != Column::Store::numbers && store != Column::Store::wides &&
        store != Column::Store::texts)
        return std::nullopt;
    std::optional<std::pair<size_t, size_t>> found;
    for (const size_t row : chosen) {
        if (column.is_null(row)) continue;
        if (!found) found = {row, row};
        if (less(row, found->first)) found->first = row;
        if (less(found->second, row)) found->second = row;
    }
    return found;
}

/// Adds "t.key between the least and the greatest of `rows`" to a condition: the join says the
/// same, but only constants rule out files and row groups before they are read. Keys of what
/// arrives mostly grow, so that nearly all of a table is ruled out.
void add_key_bounds(duck::unique_ptr<duck::ParsedExpression>& condition,
                    const std::vector<std::string>& key, const std::vector<size_t>& key_columns,
                    const Chunk& rows, const std::vector<size_t>& chosen) {
    const auto add = [&](duck::ExpressionType comparison, const std::string& name,
                         const Column& column, size_t row) {
        auto bound = duck::make_uniq<duck::ComparisonExpression>(
            comparison, duck::make_uniq<duck::ColumnRefExpression>(name, "t"),
            duck::make_uniq<duck::ConstantExpression>(
                value_to_duck(column.type(), column.value(row))));
        condition = duck::make_uniq<duck::ConjunctionExpression>(
            duck::ExpressionType::CONJUNCTION_AND, std::move(condition), std::move(bound));
    };
    for (size_t i = 0; i < key.size(); ++i) {
        const auto& column = rows.columns[key_columns[i]];
        const auto found = extremes(column, chosen);
        if (!found) continue;
        add(duck::ExpressionType::COMPARE_GREATERTHANOREQUALTO, key[i], column, found->first);
        add(duck::ExpressionType::COMPARE_LESSTHANOREQUALTO, key[i], column, found->second);
    }
}

/// DELETE FROM table USING the key columns of `rows`.
void delete_keys(duck::Connection& connection, const tables::TableState& table,
                 const std::vector<std::string>& key, const std::vector<size_t>& key_columns,
                 const Chunk& rows, const std::vector<size_t>& chosen) {
    auto& context = *connection.context;
    duck::vector<duck::LogicalType> types;
    duck::vector<duck::string> names;
    std::string on;
    for (size_t i = 0; i < key.size(); ++i) {
        types.push_back(type_to_duck(rows.columns[key_columns[i]].type()));
        names.push_back("k" + std::to_string(i));
        on += fmt::format("{}t.{} = k.k{}", i == 0 ? "" : " AND ", quoted_name(key[i]), i);
    }
    auto collection = duck::make_uniq<duck::ColumnDataCollection>(context, types);
    duck::DataChunk chunk;
    chunk.Initialize(context, types);
    for (size_t at = 0; at < chosen.size(); at += STANDARD_VECTOR_SIZE) {
        const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, chosen.size() - at);
        chunk.Reset();
        for (size_t i = 0; i < key.size(); ++i) {
            Column part(rows.columns[key_columns[i]].type());
            for (size_t row = 0; row < count; ++row)
                part.append(rows.columns[key_columns[i]].value(chosen[at + row]));
            fill_vector(part, 0, count, chunk.data[i]);
        }
        chunk.SetCardinality(count);
        collection->Append(chunk);
    }
    duck::Parser parser(parser_options());
    parser.ParseQuery(fmt::format("DELETE FROM {}.{}.{} AS t USING (SELECT 1) AS k WHERE {}", kLake,
                                  quoted_name(table.info.database), quoted_name(table.info.name),
                                  on));
    auto& statement = parser.statements[0]->Cast<duck::DeleteStatement>();
    auto keys = duck::make_uniq<duck::ColumnDataRef>(
        duck::optionally_owned_ptr<duck::ColumnDataCollection>(std::move(collection)),
        std::move(names));
    keys->alias = "k";
    statement.using_clauses[0] = std::move(keys);
    add_key_bounds(statement.condition, key, key_columns, rows, chosen);
    const auto result = connection.Query(std::move(parser.statements[0]));
    if (result->HasError()) result->ThrowError();
}

}  // namespace

void in_vectors(duck::ClientContext& context, const duck::vector<duck::LogicalType>& types,
                const Chunk& rows, const std::function<void(duck::DataChunk&)>& take) {
    duck::DataChunk chunk;
    chunk.Initialize(context, types);
    for (size_t at = 0; at < rows.rows(); at += STANDARD_VECTOR_SIZE) {
        const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, rows.rows() - at);
        chunk.Reset();
        for (size_t i = 0; i < types.size(); ++i)
            fill_vector(rows.columns[i], at, count, chunk.data[i]);
        chunk.SetCardinality(count);
        take(chunk);
    }
}

Result<std::unique_ptr<LakeRowWriter>> LakeRowWriter::open(
    Services& services, std::unique_ptr<duck::Connection> connection, tables::TablePtr table,
    const std::vector<std::string>& columns) {
    TARN_TRY(positions, positions_of(*table, columns));
    for (size_t i = 0; i < table->schema().fields.size(); ++i)
        if (table->schema().fields[i].required &&
            std::find(positions.begin(), positions.end(), i) == positions.end())
            return Error{Code::invalid_argument,
                         fmt::format("column \"{}\" of \"{}\" may not be left out",
                                     table->schema().fields[i].name, table->info.full_name()),
                         "23502"};
    std::unique_ptr<LakeRowWriter> made(new LakeRowWriter(std::move(connection), std::move(table)));
    for (const size_t position : positions) {
        const auto& field = made->table_->schema().fields[position];
        made->columns_.push_back({field.name, type_from_duck(iceberg_to_duck(field.type))});
    }
    try {
        made->connection_->BeginTransaction();
    } catch (const std::exception& problem) {
        return error_of(problem);
    }
    TARN_CHECK_OK(made->guarded([&] {
        made->writer_ = std::make_unique<TableWriter>(services, *made->connection_->context,
                                                      made->table_, positions);
        made->lane_ = std::make_unique<TableWriter::Lane>(*made->writer_);
    }));
    return made;
}

LakeRowWriter::~LakeRowWriter() {
    lane_.reset();
    writer_.reset();
    try {
        if (connection_->HasActiveTransaction()) connection_->Rollback();
    } catch (const std::exception&) {
        // Nothing was changed through it.
    }
}

Status LakeRowWriter::guarded(const std::function<void()>& work) {
    if (void_) return Error{Code::precondition_failed, "the writer has failed or finished before"};
    try {
        connection_->context->RunFunctionInTransaction(work, false);
    } catch (const std::exception& problem) {
        void_ = true;
        return error_of(problem);
    }
    return {};
}

Status LakeRowWriter::append(const Chunk& rows) {
    if (rows.rows() == 0) return {};
    if (rows.columns.size() != columns_.size())
        return Error{Code::invalid_argument,
                     "the rows have another number of columns than the writer"};
    for (size_t i = 0; i < columns_.size(); ++i)
        if (type_to_duck(rows.columns[i].type()) != type_to_duck(columns_[i].type))
            return Error{Code::invalid_argument,
                         fmt::format("column \"{}\" is {}, the rows have {}", columns_[i].name,
                                     sql_name(columns_[i].type), sql_name(rows.columns[i].type()))};
    return guarded([&] {
        auto& context = *connection_->context;
        duck::ThreadContext thread(context);
        duck::ExecutionContext execution(context, thread, nullptr);
        duck::vector<duck::LogicalType> types;
        for (const auto& column : writer_->columns()) types.push_back(column.type);
        in_vectors(context, types, rows,
                   [&](duck::DataChunk& chunk) { lane_->append(execution, chunk); });
    });
}

Status LakeRowWriter::append_rows(const Chunk& rows, const std::vector<size_t>& chosen) {
    Chunk some;
    for (const auto& column : rows.columns) {
        some.columns.emplace_back(column.type());
        for (const size_t row : chosen) some.columns.back().append(column.value(row));
    }
    return append(some);
}

Result<std::vector<tables::DataFile>> LakeRowWriter::finish() {
    std::vector<tables::DataFile> files;
    TARN_CHECK_OK(guarded([&] {
        duck::ThreadContext thread(*connection_->context);
        duck::ExecutionContext execution(*connection_->context, thread, nullptr);
        lane_->finish(execution);
        files = writer_->take();
    }));
    void_ = true;
    return files;
}

Result<tables::TableChange> upsert_rows(Services& services, Database& database,
                                        const tables::TablePtr& table,
                                        const std::vector<std::string>& key, const Chunk& rows,
                                        const std::vector<std::string>& columns) {
    if (key.empty()) return Error{Code::invalid_argument, "an upsert needs key columns"};
    const auto caller = system_caller(services.parts.clock.now());
    TARN_TRY(writer,
             LakeRowWriter::open(services, database.connect(caller, true, {table->info.database}),
                                 table, columns));
    std::vector<size_t> key_columns;
    for (const auto& name : key) {
        size_t at = 0;
        while (at < writer->columns().size() && writer->columns()[at].name != name) ++at;
        if (at == writer->columns().size())
            return Error{Code::invalid_argument,
                         fmt::format("the rows have no key column \"{}\"", name), "42703"};
        key_columns.push_back(at);
    }
    if (rows.columns.size() != writer->columns().size())
        return Error{Code::invalid_argument,
                     "the rows have another number of columns than the table"};
    const auto chosen = last_per_key(rows, key_columns);
    TARN_CHECK_OK(writer->append_rows(rows, chosen));

    tables::TableChange change;
    change.table = table;
    try {
        const auto connection = database.connect(caller, true, {table->info.database});
        connection->BeginTransaction();
        delete_keys(*connection, *table, key, key_columns, rows, chosen);
        auto& context = *connection->context;
        Result<std::vector<tables::TableChange>> changes(std::vector<tables::TableChange>{});
        context.RunFunctionInTransaction([&] {
            auto& lake = duck::Catalog::GetCatalog(context, kLake);
            changes = LakeTransaction::of(context, lake).take_changes(context);
        });
        connection->Rollback();
        if (!changes.ok()) return std::move(changes).error();
        // The state that was read, not the one given: it is the base of the deletes.
        if (!changes->empty()) change = std::move(changes->front());
    } catch (const std::exception& problem) {
        return error_of(problem);
    }
    TARN_TRY(files, writer->finish());
    change.append.insert(change.append.end(), std::make_move_iterator(files.begin()),
                         std::make_move_iterator(files.end()));
    return change;
}

Result<std::vector<tables::DataFile>> rewrite_files(Services& services, Database& database,
                                                    const tables::CompactionGroup& group) {
    const auto caller = system_caller(services.parts.clock.now());
    std::vector<tables::DataFile> files;
    try {
        const auto connection = database.connect(caller, true, {group.table->info.database});
        auto& context = *connection->context;
        connection->BeginTransaction();
        context.RunFunctionInTransaction([&] {
            auto& lake = duck::Catalog::GetCatalog(context, kLake);
            auto& scan = LakeTransaction::of(context, lake).make_scan(group.table, group.files);
            TableWriter writer(services, context, group.table, scan.view().columns);
            TableWriter::Lane lane(writer);
            duck::ThreadContext thread(context);
            duck::ExecutionContext execution(context, thread, nullptr);
            read_table(context, scan, [&](duck::DataChunk& rows) { lane.append(execution, rows); });
            lane.finish(execution);
            files = writer.take();
        });
        connection->Rollback();
    } catch (const std::exception& problem) {
        remove_files_quietly(services, files);
        return error_of(problem);
    }
    return files;
}

}  // namespace tarn::query

#include "models/internal/table_io.h"

#include <cmath>

#include "tables/scan.h"

namespace tarn::models {

std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

std::string quoted(const flows::TableRef& name) {
    return quoted(name.database) + "." + quoted(name.table);
}

Result<uint64_t> read_all(query::Session& session, const std::string& sql,
                          const std::function<Status(const query::Chunk&)>& take) {
    TARN_TRY(statement, session.prepare(sql, {}));
    TARN_TRY(cursor, session.execute(*statement, {}));
    uint64_t rows = 0;
    for (;;) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) return rows;
        rows += chunk->rows();
        TARN_CHECK_OK(take(*chunk));
    }
}

bool same_columns(const tables::Schema& schema, const std::vector<OutputColumn>& columns) {
    if (schema.fields.size() != columns.size()) return false;
    for (size_t i = 0; i < columns.size(); ++i)
        if (schema.fields[i].name != columns[i].name || !(schema.fields[i].type == columns[i].type))
            return false;
    return true;
}

namespace {

/// The table as it is, or one that is only staged.
Result<tables::TableChange> begin_change(const Parts& parts, const flows::TableRef& name,
                                         const std::string& comment,
                                         const std::vector<OutputColumn>& columns) {
    const auto now = parts.catalog.snapshot();
    TARN_TRY(found, now.find_relation(name.database, name.table));
    tables::TableChange change;
    if (found) {
        if (found->kind != tables::RelationKind::table)
            return Error(Code::conflict,
                         name.full_name() + " is a view; the model needs the name for its table");
        TARN_TRY(table, now.load_table(*found));
        if (same_columns(table->schema(), columns)) {
            change.table = table;
            TARN_TRY(plan, tables::plan_scan(parts.catalog, table, {}));
            for (const auto& task : plan.tasks) change.remove_files.push_back(task.file->path);
            return change;
        }
        TARN_CHECK_OK(parts.catalog.drop_table(parts.system, *found));
    }
    tables::CreateTable create;
    create.database = name.database;
    create.name = name.table;
    create.comment = comment;
    for (const auto& column : columns) {
        tables::Field field;
        field.id = static_cast<int>(create.schema.fields.size()) + 1;
        field.name = column.name;
        field.type = column.type;
        create.schema.fields.push_back(field);
    }
    TARN_TRY(staged, parts.catalog.stage_create_table(parts.system, create));
    change.table = staged;
    change.create = true;
    return change;
}

}  // namespace

Result<tables::TableChange> replace_rows(const Parts& parts, const flows::TableRef& name,
                                         const std::string& comment,
                                         const std::vector<OutputColumn>& columns,
                                         const query::Chunk& rows, uint64_t* bytes_written) {
    TARN_TRY(change, begin_change(parts, name, comment, columns));
    if (rows.rows() == 0) return change;
    TARN_TRY(writer, parts.engine.write_rows_of(change.table));
    TARN_CHECK_OK(writer->append(rows));
    TARN_TRY(files, writer->finish());
    for (const auto& file : files)
        if (bytes_written != nullptr) *bytes_written += static_cast<uint64_t>(file.file_size_bytes);
    change.append = std::move(files);
    return change;
}

Result<query::Type> query_type(const tables::Type& type) {
    using query::Kind;
    switch (type.id) {
        case tables::TypeId::boolean:
            return query::Type(Kind::boolean);
        case tables::TypeId::int32:
            return query::Type(Kind::int32);
        case tables::TypeId::int64:
            return query::Type(Kind::int64);
        case tables::TypeId::float32:
            return query::Type(Kind::float32);
        case tables::TypeId::float64:
            return query::Type(Kind::float64);
        case tables::TypeId::decimal:
            return query::Type::decimal(static_cast<uint8_t>(type.precision),
                                        static_cast<uint8_t>(type.scale));
        case tables::TypeId::date:
            return query::Type(Kind::date);
        case tables::TypeId::timestamp:
            return query::Type(Kind::timestamp);
        case tables::TypeId::timestamptz:
            return query::Type(Kind::timestamptz);
        case tables::TypeId::string:
            return query::Type(Kind::text);
        case tables::TypeId::uuid:
            return query::Type(Kind::uuid);
        default:
            return Error(Code::unimplemented, "a column of type " + tables::type_name(type) +
                                                  " can't be a key or time of a model");
    }
}

double number_of(const query::Column& column, size_t row) {
    if (column.is_null(row)) return NAN;
    return query::Column::store_of(column.type()) == query::Column::Store::reals
               ? column.real(row)
               : static_cast<double>(column.number(row));
}

}  // namespace tarn::models

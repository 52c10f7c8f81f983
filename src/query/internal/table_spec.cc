#include "query/internal/table_spec.h"

#include <fmt/format.h>

#include "duckdb/planner/tableref/bound_at_clause.hpp"
#include "query/internal/clauses.h"
#include "query/internal/duck_types.h"
#include "query/internal/error.h"

namespace tarn::query {

namespace {

Result<tables::Transform> transform_of(const duck::FunctionExpression& call) {
    const std::string name = duck::StringUtil::Lower(call.function_name);
    if (name == "bucket" || name == "truncate") {
        for (const auto& child : call.children)
            if (child->GetExpressionClass() == duck::ExpressionClass::CONSTANT)
                return tables::parse_transform(fmt::format(
                    "{}[{}]", name, child->Cast<duck::ConstantExpression>().value.ToString()));
        return Error{Code::invalid_argument, name + " wants a number and a column", "42P17"};
    }
    if (name == "years" || name == "months" || name == "days" || name == "hours")
        return tables::parse_transform(name.substr(0, name.size() - 1));
    if (name == "year" || name == "month" || name == "day" || name == "hour" || name == "identity")
        return tables::parse_transform(name);
    return not_built("partitioning by " + name + "()");
}

/// PARTITIONED BY: a column, or a transform of one.
Result<tables::PartitionField> partition_field(const tables::Schema& schema,
                                               const duck::ParsedExpression& key) {
    tables::PartitionField field;
    const duck::ParsedExpression* column = &key;
    std::string suffix;
    if (key.GetExpressionClass() == duck::ExpressionClass::FUNCTION) {
        const auto& call = key.Cast<duck::FunctionExpression>();
        TARN_TRY(transform, transform_of(call));
        field.transform = transform;
        for (const auto& child : call.children)
            if (child->GetExpressionClass() == duck::ExpressionClass::COLUMN_REF)
                column = child.get();
        suffix = "_" + duck::StringUtil::Lower(call.function_name);
    }
    if (column->GetExpressionClass() != duck::ExpressionClass::COLUMN_REF)
        return Error{Code::invalid_argument, "PARTITIONED BY takes columns and transforms of them",
                     "42P17"};
    const std::string name = column->Cast<duck::ColumnRefExpression>().GetColumnName();
    const auto* source = schema.find(name);
    if (!source)
        return Error{Code::invalid_argument, fmt::format("column \"{}\" does not exist", name),
                     "42703"};
    field.source_id = source->id;
    field.name = source->name + suffix;
    return field;
}

Result<int> field_id(const tables::Schema& schema, const std::string& name) {
    const auto* field = schema.find(name);
    if (!field)
        return Error{Code::not_found, fmt::format("column \"{}\" does not exist", name), "42703"};
    return field->id;
}

/// The key's columns are the identifier fields, and required.
Status set_key(const duck::CreateTableInfo& info, const duck::UniqueConstraint& key,
               tables::Schema& schema) {
    for (const auto& column : key.GetLogicalIndexes(info.columns)) {
        auto& field = schema.fields[column.index];
        if (field.type.id == tables::TypeId::float32 || field.type.id == tables::TypeId::float64)
            return Error{
                Code::invalid_argument,
                fmt::format(
                    "column \"{}\" cannot be of a key: floating point numbers are not equal enough",
                    field.name),
                "42P16"};
        field.required = true;
        schema.identifier_field_ids.push_back(field.id);
    }
    return {};
}

}  // namespace

Result<tables::CreateTable> table_spec(const std::string& database, duck::CreateTableInfo& info) {
    tables::CreateTable spec;
    spec.database = database;
    spec.name = duck::StringUtil::Lower(info.table);
    TARN_CHECK_OK(tables::check_name("table", spec.name));
    int next_id = 1;
    for (const auto& column : info.columns.Logical()) {
        if (column.Generated()) return not_built("a generated column");
        TARN_TRY(type, duck_to_iceberg(column.Type()));
        tables::Field field;
        field.id = next_id++;  // only links the partition keys below: the catalog gives the ids
        field.name = column.Name();
        field.required =
            column.HasDefaultValue() &&
            column.DefaultValue().GetExpressionClass() == duck::ExpressionClass::FUNCTION &&
            column.DefaultValue().Cast<duck::FunctionExpression>().function_name ==
                kIdentityDefault;
        field.type = std::move(type);
        spec.schema.fields.push_back(std::move(field));
    }
    for (const auto& constraint : info.constraints) {
        if (constraint->type == duck::ConstraintType::NOT_NULL) {
            const auto column = constraint->Cast<duck::NotNullConstraint>().index.index;
            spec.schema.fields[column].required = true;
        } else if (constraint->type == duck::ConstraintType::UNIQUE) {
            auto& key = constraint->Cast<duck::UniqueConstraint>();
            if (key.IsPrimaryKey()) TARN_CHECK_OK(set_key(info, key, spec.schema));
        } else {
            return not_built(
                "a constraint other than NOT NULL, PRIMARY KEY, UNIQUE, CHECK and FOREIGN KEY");
        }
    }
    for (const auto& key : info.partition_keys) {
        TARN_TRY(field, partition_field(spec.schema, *key));
        spec.partition.push_back(std::move(field));
    }
    if (!info.sort_keys.empty()) return not_built("SORTED BY");
    return spec;
}

std::optional<std::string> new_name(duck::AlterInfo& info) {
    if (info.type == duck::AlterType::ALTER_TABLE) {
        auto& table = info.Cast<duck::AlterTableInfo>();
        if (table.alter_table_type == duck::AlterTableType::RENAME_TABLE)
            return duck::StringUtil::Lower(table.Cast<duck::RenameTableInfo>().new_table_name);
    }
    if (info.type == duck::AlterType::ALTER_VIEW)
        return duck::StringUtil::Lower(info.Cast<duck::RenameViewInfo>().new_view_name);
    return std::nullopt;
}

Result<std::vector<tables::SchemaStep>> alter_steps(const tables::Schema& schema,
                                                    duck::AlterInfo& info) {
    using tables::SchemaStep;
    if (info.type != duck::AlterType::ALTER_TABLE) return not_built("this kind of ALTER");
    auto& table = info.Cast<duck::AlterTableInfo>();
    std::vector<SchemaStep> steps;
    switch (table.alter_table_type) {
        case duck::AlterTableType::ADD_COLUMN: {
            auto& add = table.Cast<duck::AddColumnInfo>();
            if (schema.find(add.new_column.Name())) {
                if (add.if_column_not_exists) return steps;
                return Error{Code::already_exists,
                             fmt::format("column \"{}\" of relation \"{}\" already exists",
                                         add.new_column.Name(), info.name),
                             "42701"};
            }
            if (!add.new_column.Comment().IsNull() && !add.new_column.HasDefaultValue())
                return Error{Code::unimplemented,
                             "ADD COLUMN ... NOT NULL without a DEFAULT is not supported: rows "
                             "that are there would have none",
                             "0A000"};
            TARN_TRY(type, duck_to_iceberg(add.new_column.Type()));
            steps.push_back(SchemaStep::add(add.new_column.Name(), std::move(type)));
            return steps;
        }
        case duck::AlterTableType::REMOVE_COLUMN: {
            auto& drop = table.Cast<duck::RemoveColumnInfo>();
            if (!schema.find(drop.removed_column) && drop.if_column_exists) return steps;
            TARN_TRY(id, field_id(schema, drop.removed_column));
            steps.push_back(SchemaStep::drop(id));
            return steps;
        }
        case duck::AlterTableType::RENAME_COLUMN: {
            auto& rename = table.Cast<duck::RenameColumnInfo>();
            TARN_TRY(id, field_id(schema, rename.old_name));
            steps.push_back(SchemaStep::rename(id, rename.new_name));
            return steps;
        }
        case duck::AlterTableType::ALTER_COLUMN_TYPE: {
            auto& change = table.Cast<duck::ChangeColumnTypeInfo>();
            TARN_TRY(id, field_id(schema, change.column_name));
            TARN_TRY(type, duck_to_iceberg(change.target_type));
            steps.push_back(SchemaStep::widen(id, std::move(type)));
            return steps;
        }
        case duck::AlterTableType::DROP_NOT_NULL: {
            TARN_TRY(id, field_id(schema, table.Cast<duck::DropNotNullInfo>().column_name));
            steps.push_back(SchemaStep::make_optional(id));
            return steps;
        }
        default:
            return not_built("this kind of ALTER TABLE");
    }
}

tables::ScanOptions travel(const tables::TableState&, const duck::BoundAtClause& at) {
    tables::ScanOptions options;
    const std::string unit = duck::StringUtil::Lower(at.Unit());
    if (unit == "version") {
        options.snapshot_id =
            at.GetValue().DefaultCastAs(duck::LogicalType::BIGINT).GetValue<int64_t>();
    } else if (unit == "timestamp") {
        const auto value = at.GetValue().DefaultCastAs(duck::LogicalType::TIMESTAMP_TZ);
        options.as_of = Timestamp{value.GetValueUnsafe<int64_t>()};
    } else {
        throw duck::NotImplementedException("AT takes VERSION or TIMESTAMP");
    }
    return options;
}

duck::ParserOptions parser_options() {
    duck::ParserOptions options;
    options.integer_division = true;
    options.preserve_identifier_case = false;
    return options;
}

}  // namespace tarn::query

#include "query/internal/declared_columns.h"

#include <fmt/format.h>

#include <limits>

#include "duckdb/parser/expression/type_expression.hpp"
#include "query/internal/services.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

namespace {

int32_t length_of(const duck::TypeExpression& type, const char* name) {
    if (type.GetChildren().size() != 1 ||
        type.GetChildren()[0]->GetExpressionClass() != duck::ExpressionClass::CONSTANT)
        throw_error({Code::invalid_argument, "invalid type modifier", "22023"});
    const auto& value = type.GetChildren()[0]->Cast<duck::ConstantExpression>().value;
    const auto length = value.DefaultCastAs(duck::LogicalType::BIGINT).GetValue<int64_t>();
    if (length < 1)
        throw_error({Code::invalid_argument,
                     fmt::format("length for type {} must be at least 1", name), "22023"});
    if (length > kDeclaredLengthMax)
        throw_error({Code::invalid_argument,
                     fmt::format("length for type {} cannot exceed {}", name, kDeclaredLengthMax),
                     "22023"});
    return static_cast<int32_t>(length);
}

/// What the parser left of a type's name; none: no type of ours.
DeclaredType written_type(const duck::LogicalType& type) {
    if (type.id() != duck::LogicalTypeId::UNBOUND) return {};
    const auto& parsed = *duck::UnboundType::GetTypeExpression(type);
    if (parsed.GetExpressionClass() != duck::ExpressionClass::TYPE) return {};
    const auto& named = parsed.Cast<duck::TypeExpression>();
    const std::string name = duck::StringUtil::Lower(named.GetTypeName());
    const bool sized = !named.GetChildren().empty();
    if (name == kBpchar) return {DeclaredType::Kind::bpchar, sized ? length_of(named, "char") : 0};
    if (name == kVarchar || (name == "varchar" && sized))
        return {DeclaredType::Kind::varchar, sized ? length_of(named, "varchar") : 0};
    return {};
}

void declare_type(duck::LogicalType& type) {
    if (const auto declared = written_type(type))
        type = declared_column(duck::LogicalType::VARCHAR, declared);
}

/// Rows of a text column with what is too long cut, or thrown for.
void fit_texts(const DeclaredType& declared, duck::Vector& texts, duck::idx_t count) {
    duck::UnifiedVectorFormat format;
    texts.ToUnifiedFormat(count, format);
    const auto* given = duck::UnifiedVectorFormat::GetData<duck::string_t>(format);
    std::optional<duck::Vector> changed;
    for (duck::idx_t row = 0; row < count; ++row) {
        const auto at = format.sel->get_index(row);
        if (!format.validity.RowIsValid(at)) continue;
        const std::string_view text(given[at].GetData(), given[at].GetSize());
        const auto kept = fit_text(declared, text);
        if (!kept) throw_error({Code::invalid_argument, too_long(declared), "22001"});
        if (kept->size() == text.size()) continue;
        if (!changed) {
            changed.emplace(texts.GetType(), count);
            duck::VectorOperations::Copy(texts, *changed, count, 0, 0);
        }
        duck::FlatVector::GetData<duck::string_t>(*changed)[row] =
            duck::StringVector::AddString(*changed, kept->data(), kept->size());
    }
    if (changed) texts.Reference(*changed);
}

void check_smallints(duck::Vector& numbers, duck::idx_t count) {
    using Limits = std::numeric_limits<int16_t>;
    duck::UnifiedVectorFormat format;
    numbers.ToUnifiedFormat(count, format);
    const auto* given = duck::UnifiedVectorFormat::GetData<int32_t>(format);
    for (duck::idx_t row = 0; row < count; ++row) {
        const auto at = format.sel->get_index(row);
        if (!format.validity.RowIsValid(at)) continue;
        if (given[at] < Limits::min() || given[at] > Limits::max())
            throw_error({Code::out_of_range, "smallint out of range", "22003"});
    }
}

}  // namespace

void declare_columns(duck::SQLStatement& statement) {
    if (statement.type == duck::StatementType::CREATE_STATEMENT) {
        auto& info = *statement.Cast<duck::CreateStatement>().info;
        if (info.type != duck::CatalogType::TABLE_ENTRY) return;
        auto& columns = info.Cast<duck::CreateTableInfo>().columns;
        for (size_t i = 0; i < columns.LogicalColumnCount(); ++i)
            declare_type(columns.GetColumnMutable(duck::LogicalIndex(i)).TypeMutable());
    } else if (statement.type == duck::StatementType::ALTER_STATEMENT) {
        auto& info = *statement.Cast<duck::AlterStatement>().info;
        if (info.type != duck::AlterType::ALTER_TABLE) return;
        auto& alter = info.Cast<duck::AlterTableInfo>();
        if (alter.alter_table_type == duck::AlterTableType::ADD_COLUMN)
            declare_type(alter.Cast<duck::AddColumnInfo>().new_column.TypeMutable());
        if (alter.alter_table_type == duck::AlterTableType::ALTER_COLUMN_TYPE)
            declare_type(alter.Cast<duck::ChangeColumnTypeInfo>().target_type);
    }
}

DeclaredType declared_of(const duck::LogicalType& type) {
    if (type.id() == duck::LogicalTypeId::SMALLINT) return {DeclaredType::Kind::smallint, 0};
    return type.HasAlias() ? parse_declared(type.GetAlias()) : DeclaredType();
}

int32_t text_length(const duck::LogicalType& type) {
    return written_type(type).length;
}

duck::LogicalType declared_column(const duck::LogicalType& plain, const DeclaredType& declared) {
    if (!declared) return plain;
    if (declared.kind == DeclaredType::Kind::smallint) return duck::LogicalType::SMALLINT;
    duck::LogicalType said(plain.id());
    said.SetAlias(declared_text(declared));
    return said;
}

DeclaredRows::DeclaredRows(const tables::Schema& schema, const tables::Properties& properties,
                           const std::vector<size_t>& columns) {
    for (size_t i = 0; i < columns.size(); ++i)
        if (const auto declared = declared_type(properties, schema.fields[columns[i]]))
            columns_.emplace_back(i, declared);
}

void DeclaredRows::fit(duck::DataChunk& rows) const {
    for (const auto& [column, declared] : columns_) {
        auto& values = rows.data[column];
        if (declared.kind == DeclaredType::Kind::smallint)
            check_smallints(values, rows.size());
        else
            fit_texts(declared, values, rows.size());
    }
}

}  // namespace tarn::query

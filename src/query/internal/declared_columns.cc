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

int32_t digits_of(const duck::TypeExpression& type) {
    const auto& given = *type.GetChildren()[0];
    const int64_t digits = given.GetExpressionClass() == duck::ExpressionClass::CONSTANT
                               ? given.Cast<duck::ConstantExpression>()
                                     .value.DefaultCastAs(duck::LogicalType::BIGINT)
                                     .GetValue<int64_t>()
                               : -1;
    if (digits < 0) throw_error({Code::invalid_argument, "invalid precision of a time", "22023"});
    return static_cast<int32_t>(std::min<int64_t>(digits, kSecondDigitsMax));
}

/// As the parser left it; none: no type of ours.
DeclaredType named_type(const duck::ParsedExpression& given) {
    if (given.GetExpressionClass() != duck::ExpressionClass::TYPE) return {};
    const auto& type = given.Cast<duck::TypeExpression>();
    const std::string name = duck::StringUtil::Lower(type.GetTypeName());
    const bool sized = type.GetChildren().size() == 1;
    if (name == "list" && sized) {
        auto element = named_type(*type.GetChildren()[0]);
        element.array = true;
        return element ? element : DeclaredType();
    }
    if (name == kBpchar)
        return {DeclaredType::Kind::bpchar, sized ? length_of(type, "char") : 0, false};
    if (name == kVarchar || (name == "varchar" && sized))
        return {DeclaredType::Kind::varchar, sized ? length_of(type, "varchar") : 0, false};
    if (!sized) return {};
    if (name == "time") return {DeclaredType::Kind::time, digits_of(type), false};
    if (name == "timestamp") return {DeclaredType::Kind::timestamp, digits_of(type), false};
    if (name == "timestamp with time zone" || name == "timestamptz")
        return {DeclaredType::Kind::timestamptz, digits_of(type), false};
    return {};
}

DeclaredType written_type(const duck::LogicalType& type) {
    return type.id() == duck::LogicalTypeId::UNBOUND
               ? named_type(*duck::UnboundType::GetTypeExpression(type))
               : DeclaredType();
}

/// What no table can hold, and would be text without a word.
void refuse_type(const duck::LogicalType& type) {
    if (type.id() != duck::LogicalTypeId::UNBOUND) return;
    const auto& parsed = *duck::UnboundType::GetTypeExpression(type);
    if (parsed.GetExpressionClass() != duck::ExpressionClass::TYPE) return;
    const std::string name =
        duck::StringUtil::Lower(parsed.Cast<duck::TypeExpression>().GetTypeName());
    for (const char* other : {"interval", "bit", "bitstring", "time with time zone", "timetz"})
        if (name == other)
            throw_error({Code::unimplemented,
                         fmt::format("a column of type {} is not supported: tables of the lake "
                                     "hold none\nHINT: Make it text, or a number.",
                                     name),
                         "0A000"});
}

void declare_type(duck::LogicalType& type) {
    if (const auto declared = written_type(type))
        type = declared_column(stored_type(declared), declared);
}

/// DuckDB's own tables keep times as they say themselves, and arrays of any texts.
void declare_temporary(duck::LogicalType& type) {
    const auto declared = written_type(type);
    if (!declared.is_text()) return;
    type =
        declared.array ? stored_type(declared) : declared_column(stored_type(declared), declared);
}

/// `keep` gives what takes the place of a value, nullopt when it stays, as most do.
template <typename T, typename Keep, typename Put>
void fit_values(duck::Vector& values, duck::idx_t count, Keep keep, Put put) {
    duck::UnifiedVectorFormat format;
    values.ToUnifiedFormat(count, format);
    const auto* given = duck::UnifiedVectorFormat::GetData<T>(format);
    std::optional<duck::Vector> changed;
    for (duck::idx_t row = 0; row < count; ++row) {
        const auto at = format.sel->get_index(row);
        if (!format.validity.RowIsValid(at)) continue;
        const auto kept = keep(given[at]);
        if (!kept) continue;
        if (!changed) {
            changed.emplace(values.GetType(), count);
            duck::VectorOperations::Copy(values, *changed, count, 0, 0);
        }
        duck::FlatVector::GetData<T>(*changed)[row] = put(*changed, *kept);
    }
    if (changed) values.Reference(*changed);
}

void fit_texts(const DeclaredType& declared, duck::Vector& texts, duck::idx_t count) {
    fit_values<duck::string_t>(
        texts, count,
        [&](const duck::string_t& text) -> std::optional<std::string_view> {
            const auto kept = fit_text(declared, {text.GetData(), text.GetSize()});
            if (!kept) throw_error({Code::invalid_argument, too_long(declared), "22001"});
            return kept->size() == text.GetSize() ? std::nullopt : kept;
        },
        [](duck::Vector& made, std::string_view text) {
            return duck::StringVector::AddString(made, text.data(), text.size());
        });
}

void fit_times(const DeclaredType& declared, duck::Vector& times, duck::idx_t count) {
    fit_values<int64_t>(
        times, count,
        [&](int64_t micros) -> std::optional<int64_t> {
            const int64_t kept = fit_time(declared, micros);
            return kept == micros ? std::nullopt : std::optional(kept);
        },
        [](duck::Vector&, int64_t micros) { return micros; });
}

void check_smallints(duck::Vector& numbers, duck::idx_t count) {
    using Limits = std::numeric_limits<int16_t>;
    fit_values<int32_t>(
        numbers, count,
        [](int32_t number) -> std::optional<int32_t> {
            if (number < Limits::min() || number > Limits::max())
                throw_error({Code::out_of_range, "smallint out of range", "22003"});
            return std::nullopt;
        },
        [](duck::Vector&, int32_t number) { return number; });
}

void fit_column(DeclaredType declared, duck::Vector& values, duck::idx_t count) {
    if (declared.array) {
        duck::Vector own(values.GetType(), count);  // whose elements are those of its rows only
        duck::VectorOperations::Copy(values, own, count, 0, 0);
        declared.array = false;
        fit_column(declared, duck::ListVector::GetEntry(own), duck::ListVector::GetListSize(own));
        return values.Reference(own);
    }
    if (declared.is_text()) return fit_texts(declared, values, count);
    if (declared.is_time()) return fit_times(declared, values, count);
    check_smallints(values, count);
}

}  // namespace

duck::LogicalType stored_type(const DeclaredType& declared) {
    const auto element =
        declared.kind == DeclaredType::Kind::smallint      ? duck::LogicalType::INTEGER
        : declared.kind == DeclaredType::Kind::time        ? duck::LogicalType::TIME
        : declared.kind == DeclaredType::Kind::timestamp   ? duck::LogicalType::TIMESTAMP
        : declared.kind == DeclaredType::Kind::timestamptz ? duck::LogicalType::TIMESTAMP_TZ
                                                           : duck::LogicalType::VARCHAR;
    return declared.array ? duck::LogicalType::LIST(element) : element;
}

void declare_columns(duck::SQLStatement& statement) {
    if (statement.type == duck::StatementType::CREATE_STATEMENT) {
        auto& info = *statement.Cast<duck::CreateStatement>().info;
        if (info.type != duck::CatalogType::TABLE_ENTRY) return;
        auto& columns = info.Cast<duck::CreateTableInfo>().columns;
        for (size_t i = 0; i < columns.LogicalColumnCount(); ++i) {
            auto& type = columns.GetColumnMutable(duck::LogicalIndex(i)).TypeMutable();
            if (info.temporary) {
                declare_temporary(type);
                continue;
            }
            refuse_type(type);
            declare_type(type);
        }
    } else if (statement.type == duck::StatementType::ALTER_STATEMENT) {
        auto& info = *statement.Cast<duck::AlterStatement>().info;
        if (info.type != duck::AlterType::ALTER_TABLE) return;
        auto& alter = info.Cast<duck::AlterTableInfo>();
        if (alter.alter_table_type == duck::AlterTableType::ADD_COLUMN) {
            auto& type = alter.Cast<duck::AddColumnInfo>().new_column.TypeMutable();
            refuse_type(type);
            declare_type(type);
        }
        if (alter.alter_table_type == duck::AlterTableType::ALTER_COLUMN_TYPE)
            declare_type(alter.Cast<duck::ChangeColumnTypeInfo>().target_type);
    }
}

DeclaredType declared_of(const duck::LogicalType& type) {
    const bool array = type.id() == duck::LogicalTypeId::LIST;
    const auto& element = array ? duck::ListType::GetChildType(type) : type;
    if (element.id() == duck::LogicalTypeId::SMALLINT)
        return {DeclaredType::Kind::smallint, 0, array};
    return type.HasAlias() ? parse_declared(type.GetAlias()) : DeclaredType();
}

duck::LogicalType plain_column(const duck::LogicalType& type) {
    const auto declared = declared_of(type);
    return declared ? stored_type(declared) : type;
}

int32_t text_length(const duck::LogicalType& type) {
    const auto declared = written_type(type);
    return declared.is_text() && !declared.array ? declared.length : 0;
}

duck::LogicalType declared_column(const duck::LogicalType& plain, const DeclaredType& declared) {
    if (!declared) return plain;
    auto said = stored_type(declared);
    if (declared.kind == DeclaredType::Kind::smallint)
        return declared.array ? duck::LogicalType::LIST(duck::LogicalType::SMALLINT)
                              : duck::LogicalType::SMALLINT;
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
    for (const auto& [column, declared] : columns_)
        fit_column(declared, rows.data[column], rows.size());
}

}  // namespace tarn::query

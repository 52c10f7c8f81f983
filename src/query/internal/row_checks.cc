#include "query/internal/row_checks.h"

#include <fmt/format.h>

#include <functional>

#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/planner/expression_binder/check_binder.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/services.h"
#include "query/internal/settle_jsonb.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_rules.h"
#include "query/internal/table_spec.h"

namespace tarn::query {

namespace {

constexpr std::string_view kCheckProperty = "tarn.check.";

using Rename = std::function<std::string(const duck::ColumnRefExpression&)>;

void rename_columns(duck::ParsedExpression& expression, const Rename& rename) {
    if (expression.GetExpressionClass() == duck::ExpressionClass::COLUMN_REF) {
        auto& column = expression.Cast<duck::ColumnRefExpression>();
        column.column_names = {rename(column)};
        return;
    }
    duck::ParsedExpressionIterator::EnumerateChildren(
        expression, [&](duck::ParsedExpression& child) { rename_columns(child, rename); });
}

duck::unique_ptr<duck::ParsedExpression> parsed(const TableCheck& check) {
    return std::move(duck::Parser::ParseExpressionList(check.expression, parser_options()).front());
}

/// x = ANY (array) is a subquery to DuckDB's parser; as a function it is one row's.
void spell_any(duck::unique_ptr<duck::ParsedExpression>& expression) {
    duck::ParsedExpressionIterator::EnumerateChildren(
        *expression, [](duck::unique_ptr<duck::ParsedExpression>& child) { spell_any(child); });
    if (expression->GetExpressionClass() != duck::ExpressionClass::SUBQUERY) return;
    auto& any = expression->Cast<duck::SubqueryExpression>();
    if (any.subquery_type != duck::SubqueryType::ANY ||
        any.comparison_type != duck::ExpressionType::COMPARE_EQUAL ||
        any.subquery->node->type != duck::QueryNodeType::SELECT_NODE)
        return;
    auto& select = any.subquery->node->Cast<duck::SelectNode>();
    if (select.select_list.size() != 1 ||
        select.select_list[0]->GetExpressionClass() != duck::ExpressionClass::FUNCTION ||
        (select.from_table && select.from_table->type != duck::TableReferenceType::EMPTY_FROM))
        return;
    auto& unnest = select.select_list[0]->Cast<duck::FunctionExpression>();
    if (duck::StringUtil::Lower(unnest.function_name) != "unnest" || unnest.children.size() != 1)
        return;
    duck::vector<duck::unique_ptr<duck::ParsedExpression>> arguments;
    arguments.push_back(std::move(unnest.children[0]));
    arguments.push_back(std::move(any.child));
    spell_any(arguments[0]);
    expression = duck::make_uniq<duck::FunctionExpression>("list_contains", std::move(arguments));
}

duck::unique_ptr<duck::ParsedExpression> parse_check(const std::string& given) {
    const auto tokens = tokenize(given);
    const std::string text = rewrite_spellings(given, tokens, {}).finish();
    auto parsed = duck::Parser::ParseExpressionList(text, parser_options());
    if (parsed.size() != 1)
        throw_error({Code::invalid_argument, "a check is one expression", "42601"});
    spell_any(parsed.front());
    return std::move(parsed.front());
}

/// Over the schema's fields: a reference's index is the place there.
duck::unique_ptr<duck::Expression> bind_check(duck::ClientContext& context,
                                              const tables::TableState& table,
                                              const tables::Properties& properties,
                                              duck::unique_ptr<duck::ParsedExpression> given) {
    duck::ColumnList columns;
    for (const auto& field : table.schema().fields)
        columns.AddColumn(
            duck::ColumnDefinition(std::to_string(field.id), column_type(properties, field)));
    duck::physical_index_set_t used;
    const auto binder = duck::Binder::CreateBinder(context);
    duck::CheckBinder checks(*binder, context, table.info.name, columns, used);
    checks.target_type = duck::LogicalType::BOOLEAN;
    auto bound = checks.Bind(given);
    settle_jsonb(context, bound);
    return bound;
}

/// References become those of the chunk; to a column that is left out, NULL.
void place_columns(duck::unique_ptr<duck::Expression>& expression,
                   const std::vector<size_t>& columns) {
    if (expression->GetExpressionClass() == duck::ExpressionClass::BOUND_REF) {
        auto& reference = expression->Cast<duck::BoundReferenceExpression>();
        const auto found = std::find(columns.begin(), columns.end(), reference.index);
        if (found != columns.end())
            reference.index = static_cast<duck::idx_t>(found - columns.begin());
        else
            expression =
                duck::make_uniq<duck::BoundConstantExpression>(duck::Value(reference.return_type));
        return;
    }
    duck::ExpressionIterator::EnumerateChildren(
        *expression,
        [&](duck::unique_ptr<duck::Expression>& child) { place_columns(child, columns); });
}

bool ends_the_statement(duck::ExceptionType type) {
    return type == duck::ExceptionType::INTERRUPT || type == duck::ExceptionType::OUT_OF_MEMORY ||
           type == duck::ExceptionType::FATAL || type == duck::ExceptionType::INTERNAL;
}

}  // namespace

std::vector<TableCheck> checks_of(const tables::Properties& properties) {
    std::vector<TableCheck> checks;
    for (auto at = properties.lower_bound(std::string(kCheckProperty));
         at != properties.end() && at->first.starts_with(kCheckProperty); ++at)
        if (!at->second.empty())
            checks.push_back({at->first.substr(kCheckProperty.size()), at->second});
    return checks;
}

std::vector<int> columns_of(const TableCheck& check) {
    std::vector<int> ids;
    auto expression = parsed(check);
    rename_columns(*expression, [&](const duck::ColumnRefExpression& column) {
        const int id = std::atoi(column.GetColumnName().c_str());
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        return column.GetColumnName();
    });
    return ids;
}

std::optional<std::string> check_text(const TableCheck& check, const tables::Schema& schema,
                                      const std::vector<size_t>& shown) {
    auto expression = parsed(check);
    bool all = true;
    rename_columns(*expression, [&](const duck::ColumnRefExpression& column) {
        const int id = std::atoi(column.GetColumnName().c_str());
        for (const size_t position : shown)
            if (schema.fields[position].id == id) return schema.fields[position].name;
        all = false;
        return column.GetColumnName();
    });
    return all ? std::optional(expression->ToString()) : std::nullopt;
}

void put_check(duck::ClientContext& context, const tables::TableState& table, std::string name,
               const std::string& given, const tables::Properties& taken,
               tables::Properties& into) {
    auto expression = parse_check(given);
    if (expression->HasSubquery())
        throw_error({Code::unimplemented, "cannot use subquery in check constraint", "0A000"});
    std::string only;  // the column, when there is just one
    bool several = false;
    rename_columns(*expression, [&](const duck::ColumnRefExpression& column) {
        const std::string& wanted = column.GetColumnName();
        const auto* field = table.schema().find(wanted);
        const bool own = column.column_names.size() == 1 ||
                         duck::StringUtil::CIEquals(column.GetTableName(), table.info.name);
        if (!field || !own)
            throw_error(
                {Code::not_found, fmt::format("column \"{}\" does not exist", wanted), "42703"});
        several = several || (!only.empty() && only != field->name);
        only = field->name;
        return std::to_string(field->id);
    });
    std::string text = expression->ToString();
    duck::Parser::ParseExpressionList(
        text, parser_options());  // it will be read again: now is the time to fail
    static_cast<void>(bind_check(context, table, taken, std::move(expression)));
    const auto key = [](const std::string& of) { return std::string(kCheckProperty) + of; };
    if (name.empty()) {
        const std::string base =
            table.info.name + (several || only.empty() ? "" : "_" + only) + "_check";
        name = base;
        for (int number = 1; taken.contains(key(name)) || into.contains(key(name)); ++number)
            name = base + std::to_string(number);
    } else if (taken.contains(key(name)) || into.contains(key(name))) {
        throw_error({Code::already_exists,
                     fmt::format("constraint \"{}\" for relation \"{}\" already exists", name,
                                 table.info.name),
                     "42710"});
    }
    into[key(name)] = std::move(text);
}

RowChecks::RowChecks(duck::ClientContext& context, const tables::TableState& table,
                     const tables::Properties& properties, const std::vector<size_t>& columns)
    : table_name_(table.info.name) {
    for (const auto& check : checks_of(properties)) {
        Bound bound;
        bound.name = check.name;
        bound.expression = bind_check(context, table, properties, parsed(check));
        place_columns(bound.expression, columns);
        bound.executor = std::make_unique<duck::ExpressionExecutor>(context, *bound.expression);
        checks_.push_back(std::move(bound));
    }
}

void RowChecks::verify(duck::DataChunk& rows) {
    for (auto& check : checks_) {
        duck::Vector kept(duck::LogicalType::BOOLEAN, rows.size());
        try {
            check.executor->ExecuteExpression(rows, kept);
        } catch (const std::exception& problem) {
            // What the engine says of a value that cannot be computed names the value.
            if (ends_the_statement(duck::ErrorData(problem).Type())) throw;
            throw_error(
                {Code::invalid_argument,
                 fmt::format(
                     "check constraint \"{}\" of relation \"{}\" cannot be computed for a row",
                     check.name, table_name_),
                 "23514"});
        }
        duck::UnifiedVectorFormat format;
        kept.ToUnifiedFormat(rows.size(), format);
        const auto* values = duck::UnifiedVectorFormat::GetData<bool>(format);
        for (duck::idx_t row = 0; row < rows.size(); ++row) {
            const auto at = format.sel->get_index(row);
            if (format.validity.RowIsValid(at) && !values[at])
                throw_error(
                    {Code::invalid_argument,
                     fmt::format("new row for relation \"{}\" violates check constraint \"{}\"",
                                 table_name_, check.name),
                     "23514"});
        }
    }
}

}  // namespace tarn::query

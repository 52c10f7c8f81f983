// Both are string_agg() of JSON texts with something around it, so that order, DISTINCT, FILTER and
// windows are its own.
#include "query/internal/pg_catalog/aggregates.h"

#include "duckdb/function/function_binder.hpp"
#include "duckdb/parser/parsed_data/create_aggregate_function_info.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/jsonb.h"
#include "query/internal/services.h"

namespace tarn::query {

namespace {

using BoundPtr = duck::unique_ptr<duck::Expression>;

BoundPtr bound_call(duck::ClientContext& context, const char* name,
                    duck::vector<BoundPtr> arguments) {
    duck::ErrorData problem;
    duck::FunctionBinder binder(context);
    auto bound = binder.BindScalarFunction(DEFAULT_SCHEMA, name, std::move(arguments), problem);
    if (!bound) problem.Throw();
    return bound;
}

/// What is JSON or a number with all its digits stays as it is: to_json would write it anew.
BoundPtr plain_json_text(duck::ClientContext& context, BoundPtr value) {
    if (!value->return_type.IsJSONType() &&
        value->return_type.id() != duck::LogicalTypeId::DECIMAL) {
        duck::vector<BoundPtr> arguments;
        arguments.push_back(std::move(value));
        value = bound_call(context, "to_json", std::move(arguments));
    }
    return duck::BoundCastExpression::AddCastToType(context, std::move(value),
                                                    duck::LogicalType::VARCHAR);
}

}  // namespace

BoundPtr bound_json_text(duck::ClientContext& context, BoundPtr value, bool null) {
    auto text = plain_json_text(context, std::move(value));
    if (!null) return text;
    auto or_null = duck::make_uniq<duck::BoundOperatorExpression>(
        duck::ExpressionType::OPERATOR_COALESCE, duck::LogicalType::VARCHAR);
    or_null->children.push_back(std::move(text));
    or_null->children.push_back(
        duck::make_uniq<duck::BoundConstantExpression>(duck::Value("null")));
    return or_null;
}

namespace {

/// string_agg's own, taken when the functions are added.
duck::aggregate_finalize_t finalize_text = nullptr;
duck::bind_aggregate_function_t bind_text = nullptr;

template <char Opens, char Closes, bool Canonical>
void finalize_json(duck::Vector& states, duck::AggregateInputData& input, duck::Vector& result,
                   duck::idx_t count, duck::idx_t offset) {
    finalize_text(states, input, result, count, offset);
    const auto around = [&](duck::string_t text) {
        const std::string whole = Opens + text.GetString() + Closes;
        return duck::StringVector::AddString(result, Canonical ? canonical_jsonb(whole) : whole);
    };
    if (result.GetVectorType() == duck::VectorType::CONSTANT_VECTOR) {
        auto* value = duck::ConstantVector::GetData<duck::string_t>(result);
        if (!duck::ConstantVector::IsNull(result)) *value = around(*value);
        return;
    }
    auto* values = duck::FlatVector::GetData<duck::string_t>(result);
    for (duck::idx_t i = offset; i < offset + count; ++i)
        if (duck::FlatVector::Validity(result).RowIsValid(i)) values[i] = around(values[i]);
}

duck::unique_ptr<duck::FunctionData> bind_joined(duck::ClientContext& context,
                                                 duck::AggregateFunction& function,
                                                 duck::vector<BoundPtr>& arguments, BoundPtr text) {
    arguments.clear();
    arguments.push_back(std::move(text));
    arguments.push_back(duck::make_uniq<duck::BoundConstantExpression>(duck::Value(", ")));
    function.arguments = {duck::LogicalType::VARCHAR, duck::LogicalType::VARCHAR};
    return bind_text(context, function, arguments);  // takes the separator away
}

void wait_for_types(const duck::vector<BoundPtr>& arguments) {
    for (const auto& argument : arguments)
        if (argument->return_type.id() == duck::LogicalTypeId::UNKNOWN)
            throw duck::ParameterNotResolvedException();
}

duck::unique_ptr<duck::FunctionData> bind_array(duck::ClientContext& context,
                                                duck::AggregateFunction& function,
                                                duck::vector<BoundPtr>& arguments) {
    wait_for_types(arguments);
    return bind_joined(context, function, arguments,
                       bound_json_text(context, std::move(arguments[0])));
}

/// A key that is NULL is refused, as PostgreSQL does.
duck::unique_ptr<duck::FunctionData> bind_object(duck::ClientContext& context,
                                                 duck::AggregateFunction& function,
                                                 duck::vector<BoundPtr>& arguments) {
    wait_for_types(arguments);
    duck::vector<BoundPtr> key;
    key.push_back(duck::BoundCastExpression::AddCastToType(context, std::move(arguments[0]),
                                                           duck::LogicalType::VARCHAR));
    duck::vector<BoundPtr> parts;
    parts.push_back(
        bound_json_text(context, bound_call(context, "tarn_field_name", std::move(key))));
    parts.push_back(duck::make_uniq<duck::BoundConstantExpression>(duck::Value(" : ")));
    parts.push_back(bound_json_text(context, std::move(arguments[1])));
    return bind_joined(context, function, arguments,
                       bound_call(context, "concat", std::move(parts)));
}

void refuse_null(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnifiedVectorFormat format;
    arguments.data[0].ToUnifiedFormat(arguments.size(), format);
    for (duck::idx_t row = 0; row < arguments.size(); ++row)
        if (!format.validity.RowIsValid(format.sel->get_index(row)))
            throw_error({Code::invalid_argument, "field name must not be null", "22004"});
    result.Reference(arguments.data[0]);
}

}  // namespace

void add_catalog_aggregates(duck::ClientContext& context, duck::Catalog& system) {
    const auto any = duck::LogicalType::ANY;
    const auto text = duck::LogicalType::VARCHAR;
    duck::ScalarFunction field("tarn_field_name", {text}, text, refuse_null);
    field.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
    field.SetFallible();
    duck::CreateScalarFunctionInfo field_info(field);
    field_info.internal = true;
    system.CreateFunction(context, field_info);
    auto& joins =
        system.GetEntry<duck::AggregateFunctionCatalogEntry>(context, DEFAULT_SCHEMA, "string_agg");
    auto joined = joins.functions.functions.back();
    finalize_text = joined.GetStateFinalizeCallback();
    bind_text = joined.GetBindCallback();
    for (const char* name : {"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"}) {
        const bool object = std::string_view(name).find("object") != std::string_view::npos;
        auto function = joined;
        function.name = name;
        function.arguments = object ? duck::vector<duck::LogicalType>{any, any}
                                    : duck::vector<duck::LogicalType>{any};
        const bool canonical = std::string_view(name).starts_with("jsonb");
        function.SetReturnType(canonical ? jsonb_type() : duck::LogicalType::JSON());
        function.SetBindCallback(object ? bind_object : bind_array);
        if (canonical)
            function.SetStateFinalizeCallback(object ? finalize_json<'{', '}', true>
                                                     : finalize_json<'[', ']', true>);
        else
            function.SetStateFinalizeCallback(object ? finalize_json<'{', '}', false>
                                                     : finalize_json<'[', ']', false>);
        duck::CreateAggregateFunctionInfo info(function);
        info.internal = true;
        info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
        system.CreateFunction(context, info);
    }
}

}  // namespace tarn::query

#include "query/internal/unknown_operands.h"

#include <fmt/format.h>

#include "duckdb/function/function_binder.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "query/declared_type.h"
#include "query/internal/duck_types.h"
#include "query/internal/error.h"

namespace tarn::query {

namespace {

using duck::LogicalType;
using duck::LogicalTypeId;
using Operands = duck::vector<duck::unique_ptr<duck::Expression>>;

void cast_operand(duck::ClientContext& context, duck::unique_ptr<duck::Expression>& operand,
                  const LogicalType& type) {
    operand = duck::BoundCastExpression::AddCastToType(context, std::move(operand), type);
}

/// A literal that is none of its type is refused before anything is made of it.
void cast_literal(duck::ClientContext& context, duck::unique_ptr<duck::Expression>& literal,
                  const LogicalType& type) {
    const bool constant = literal->GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT;
    cast_operand(context, literal, type);
    if (constant)
        literal = duck::make_uniq<duck::BoundConstantExpression>(
            duck::ExpressionExecutor::EvaluateScalar(context, *literal));
}

bool is_unknown(const duck::Expression& given) {
    return given.return_type.id() == LogicalTypeId::UNKNOWN ||
           given.return_type.id() == LogicalTypeId::SQLNULL ||
           (given.GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT &&
            given.return_type.id() == LogicalTypeId::VARCHAR);
}

std::string operand_name(const duck::Expression& given) {
    return is_unknown(given) ? "unknown" : pg_type(type_from_duck(given.return_type), {}).name;
}

[[noreturn]] void refuse_operator(const std::string& name, const Operands& operands, bool several) {
    throw_error({Code::invalid_argument,
                 fmt::format("operator {}: {} {} {}", several ? "is not unique" : "does not exist",
                             operand_name(*operands[0]), name == "//" ? "/" : name,
                             operand_name(*operands[1])),
                 several ? "42725" : "42883"});
}

// Arithmetic

/// An operator as it was before, which is asked when the literal has a type.
struct TypedOperator : duck::ScalarFunctionInfo {
    duck::ScalarFunctionSet functions{""};
};

/// As a number that is written without quotes; nullopt: it is no such number.
std::optional<duck::Value> plain_number(const std::string& text, bool whole) {
    constexpr size_t kDigitsMax = 38;
    size_t digits = 0, scale = 0, points = whole ? 1 : 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] >= '0' && text[i] <= '9') {
            ++digits;
            scale += whole ? 0 : points;
        } else if (text[i] == '.' && points == 0) {
            points = 1;
        } else if (i > 0 || (text[i] != '-' && text[i] != '+')) {
            return std::nullopt;
        }
    }
    if (digits == 0 || digits > kDigitsMax) return std::nullopt;
    return duck::Value(text).DefaultCastAs(
        LogicalType::DECIMAL(static_cast<uint8_t>(digits), static_cast<uint8_t>(scale)));
}

void settle_number(duck::ClientContext& context, duck::unique_ptr<duck::Expression>& literal,
                   const LogicalType& type) {
    const bool constant = literal->GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT &&
                          literal->return_type.id() == LogicalTypeId::VARCHAR;
    if (constant && (type.IsIntegral() || type.id() == LogicalTypeId::DECIMAL)) {
        std::string text =
            duck::StringValue::Get(literal->Cast<duck::BoundConstantExpression>().value);
        duck::StringUtil::Trim(text);
        const auto number = plain_number(text, type.IsIntegral());
        if (type.id() == LogicalTypeId::DECIMAL) {  // with its own digits, not the column's
            constexpr uint8_t kScale = 9;
            if (number)
                literal = duck::make_uniq<duck::BoundConstantExpression>(*number);
            else  // 1e3
                cast_literal(
                    context, literal,
                    LogicalType::DECIMAL(38, std::max(kScale, duck::DecimalType::GetScale(type))));
            return;
        }
        if (!number)  // DuckDB would round 1.5
            throw_error({Code::invalid_argument,
                         fmt::format("invalid input syntax for type {}: \"{}\"",
                                     pg_type(type_from_duck(type), {}).name, text),
                         "22P02"});
    }
    cast_literal(context, literal, type);
}

/// The type of a literal beside one of type `other`; nullopt: several would do.
std::optional<LogicalType> literal_type(const std::string& name, const LogicalType& other) {
    const bool adds = name == "+";
    switch (other.id()) {
        case LogicalTypeId::DATE:
            if (adds) return std::nullopt;
            return other;
        case LogicalTypeId::TIME:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return adds ? LogicalType::INTERVAL : other;
        case LogicalTypeId::INTERVAL:
            return adds || name == "-" ? other : LogicalType::DOUBLE;
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::SQLNULL:
            if (!other.IsJSONType()) return std::nullopt;
            return name == "-" ? LogicalType::VARCHAR : other;
        default:
            return other;
    }
}

void settle_literal(duck::ClientContext& context, const std::string& name, Operands& operands) {
    const bool first = is_unknown(*operands[0]), second = is_unknown(*operands[1]);
    if (first == second) refuse_operator(name, operands, first);
    auto& literal = operands[first ? 0 : 1];
    const auto& other = operands[first ? 1 : 0]->return_type;
    const auto type = literal_type(name, other);
    if (!type) refuse_operator(name, operands, other.id() != LogicalTypeId::VARCHAR);
    if (type->IsNumeric())
        settle_number(context, literal, *type);
    else
        cast_literal(context, literal, *type);
}

duck::unique_ptr<duck::FunctionData> bind_unknown(duck::ClientContext& context,
                                                  duck::ScalarFunction& bound, Operands& operands) {
    const auto info = bound.function_info;  // it holds what takes the place of `bound`
    auto& functions = static_cast<TypedOperator&>(*info).functions;
    for (const auto& operand : operands)
        if (operand->return_type.id() == LogicalTypeId::UNKNOWN)
            throw duck::ParameterNotResolvedException();
    const auto is_json = [](const auto& operand) { return operand->return_type.IsJSONType(); };
    if (std::none_of(operands.begin(), operands.end(), is_json))
        settle_literal(context, functions.name, operands);
    duck::ErrorData problem;
    duck::FunctionBinder binder(context);
    const auto found = binder.BindFunction(functions.name, functions, operands, problem);
    if (!found.IsValid()) problem.Throw();
    bound = functions.GetFunctionByOffset(found.GetIndex());
    return bound.HasBindCallback() ? bound.GetBindCallback()(context, bound, operands) : nullptr;
}

duck::ScalarFunctionSet& functions_of(duck::ClientContext& context, duck::Catalog& system,
                                      const char* name) {
    return system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, name)
        .functions;
}

/// A literal becomes VARCHAR at least cost. A value of that type comes here, too; only jsonb has an
/// operator for it.
void settle_operator(duck::ClientContext& context, duck::Catalog& system, const char* name) {
    auto& functions = functions_of(context, system, name);
    auto before = duck::make_shared_ptr<TypedOperator>();
    before->functions = functions;
    std::erase_if(functions.functions, [](const duck::ScalarFunction& function) {
        return function.arguments.size() == 2 && function.arguments[1] == LogicalType::VARCHAR;
    });
    const LogicalType any = LogicalType::ANY, text = LogicalType::VARCHAR;
    for (const auto& [left, right] :
         {std::pair(any, text), std::pair(text, any), std::pair(text, text)}) {
        duck::ScalarFunction function(name, {left, right}, any, nullptr, bind_unknown);
        function.SetExtraFunctionInfo(before);
        functions.AddFunction(std::move(function));
    }
}

duck::unique_ptr<duck::FunctionData> bind_operand(duck::ClientContext&, duck::ScalarFunction& bound,
                                                  Operands& operands) {
    const auto& other = operands[1]->return_type;
    if (other.id() == LogicalTypeId::UNKNOWN) throw duck::ParameterNotResolvedException();
    if (operands[0]->GetExpressionClass() != duck::ExpressionClass::BOUND_CONSTANT)
        refuse_operator(kOperand, operands, false);
    const auto name = operands[0]->Cast<duck::BoundConstantExpression>().value.ToString();
    bound.SetReturnType(literal_type(name, other).value_or(other));
    return nullptr;
}

void compute_operand(duck::DataChunk&, duck::ExpressionState&, duck::Vector&) {
    throw_error({Code::unimplemented, std::string(kOperand) + " gives nothing", "0A000"});
}

// Arrays

int dimensions(const LogicalType& type) {
    return type.id() == LogicalTypeId::LIST ? 1 + dimensions(duck::ListType::GetChildType(type))
                                            : 0;
}

duck::unique_ptr<duck::Expression> call_function(duck::ClientContext& context, const char* name,
                                                 Operands operands) {
    duck::ErrorData problem;
    auto made = duck::FunctionBinder(context).BindScalarFunction(DEFAULT_SCHEMA, name,
                                                                 std::move(operands), problem);
    if (!made) problem.Throw();
    return made;
}

/// A NULL is an array without elements to it, which it is not to ||.
duck::unique_ptr<duck::Expression> concat_arrays(duck::FunctionBindExpressionInput& input) {
    return call_function(input.context, "list_concat", std::move(input.children));
}

duck::bind_scalar_function_t bind_other_joining = nullptr;

void make_arrays(duck::ClientContext& context, Operands& operands) {
    const int one = dimensions(operands[0]->return_type);
    const int other = dimensions(operands[1]->return_type);
    auto& shorter = operands[one < other ? 0 : 1];
    const LogicalType array = operands[one < other ? 1 : 0]->return_type;
    if (one != other && is_unknown(*shorter)) {
        cast_literal(context, shorter, array);
    } else if (one != other) {
        if (std::abs(one - other) > 1) refuse_operator("||", operands, false);
        Operands element;
        element.push_back(std::move(shorter));
        shorter = call_function(context, "list_value", std::move(element));
    }
    const auto element = [&](size_t i) {
        return duck::ListType::GetChildType(operands[i]->return_type).id();
    };
    const auto is_text = [&](size_t i) { return element(i) == LogicalTypeId::VARCHAR; };
    const auto is_null = [&](size_t i) { return element(i) == LogicalTypeId::SQLNULL; };
    if (is_text(0) != is_text(1) && !is_null(0) && !is_null(1))
        refuse_operator("||", operands, false);
}

duck::unique_ptr<duck::FunctionData> bind_joined(duck::ClientContext& context,
                                                 duck::ScalarFunction& bound, Operands& operands) {
    const auto any = [&](const auto& is) {
        return operands.size() == 2 &&
               (is(operands[0]->return_type) || is(operands[1]->return_type));
    };
    const bool arrays = any([](const LogicalType& type) { return dimensions(type) > 0; }) &&
                        !any([](const LogicalType& type) { return type.IsJSONType(); });
    if (!arrays) {
        bound.SetNullHandling(duck::FunctionNullHandling::DEFAULT_NULL_HANDLING);
        for (auto& operand : operands)
            if (operand->return_type.id() == LogicalTypeId::SQLNULL && operands.size() == 2 &&
                !any([](const LogicalType& type) {
                    return type.IsJSONType() || type.id() == LogicalTypeId::BLOB;
                }))
                cast_operand(context, operand, LogicalType::VARCHAR);
        return bind_other_joining(context, bound, operands);
    }
    make_arrays(context, operands);
    bound.arguments = {operands[0]->return_type, operands[1]->return_type};
    bound.SetReturnType(operands[0]->return_type);
    bound.SetBindExpressionCallback(concat_arrays);
    return nullptr;
}

void join_arrays(duck::ClientContext& context, duck::Catalog& system) {
    for (auto& function : functions_of(context, system, "||").functions) {
        bind_other_joining = function.GetBindCallback();
        function.SetBindCallback(bind_joined);
        function.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
    }
}

// What DuckDB does not have

void subtract_times(duck::DataChunk& operands, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::dtime_t, duck::dtime_t, duck::interval_t>(
        operands.data[0], operands.data[1], result, operands.size(),
        [](duck::dtime_t left, duck::dtime_t right) {
            return duck::Interval::FromMicro(left.micros - right.micros);
        });
}

/// An integer in PostgreSQL, which can be added to a date.
void subtract_dates(duck::DataChunk& operands, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::date_t, duck::date_t, int32_t>(
        operands.data[0], operands.data[1], result, operands.size(),
        [](duck::date_t left, duck::date_t right) {
            const int64_t days = int64_t{left.days} - right.days;
            if (!duck::Date::IsFinite(left) || !duck::Date::IsFinite(right) ||
                days != static_cast<int32_t>(days))
                throw_error({Code::out_of_range, "cannot subtract infinite dates", "22008"});
            return static_cast<int32_t>(days);
        });
}

void subtract(duck::ClientContext& context, duck::Catalog& system) {
    auto& functions = functions_of(context, system, "-");
    for (auto& function : functions.functions) {
        if (function.arguments != duck::vector<LogicalType>{LogicalType::DATE, LogicalType::DATE})
            continue;
        function = duck::ScalarFunction("-", {LogicalType::DATE, LogicalType::DATE},
                                        LogicalType::INTEGER, subtract_dates);
        function.SetFallible();
    }
    functions.AddFunction(duck::ScalarFunction("-", {LogicalType::TIME, LogicalType::TIME},
                                               LogicalType::INTERVAL, subtract_times));
}

/// The parser makes // of /, which has no intervals.
void divide_intervals(duck::ClientContext& context, duck::Catalog& system) {
    auto& whole = functions_of(context, system, "//");
    for (const auto& function : functions_of(context, system, "/").functions)
        if (function.arguments[0].id() == LogicalTypeId::INTERVAL) whole.AddFunction(function);
}

}  // namespace

void settle_unknown_operands(duck::ClientContext& context, duck::Catalog& system) {
    divide_intervals(context, system);
    subtract(context, system);
    duck::CreateScalarFunctionInfo operand(
        duck::ScalarFunction(kOperand, {LogicalType::VARCHAR, LogicalType::ANY}, LogicalType::ANY,
                             compute_operand, bind_operand));
    system.CreateFunction(context, operand);
    for (const char* name : {"+", "-", "*", "/", "//", "%"}) settle_operator(context, system, name);
    join_arrays(context, system);
}

}  // namespace tarn::query

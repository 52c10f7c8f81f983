#include "query/internal/pg_catalog/jsonb.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "duckdb/common/operator/cast_operators.hpp"
#include "duckdb/function/cast/cast_function_set.hpp"
#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/functions.h"
#include "query/internal/pg_catalog/jsonb_operators.h"
#include "query/internal/scalar_rows.h"
#include "query/internal/services.h"
#include "query/jsonb.h"

namespace tarn::query {

namespace {

using duck::LogicalType;
using duck::LogicalTypeId;

Jsonb jsonb_at(const ScalarRows& rows, size_t column, duck::idx_t row) {
    return value_or_throw(parse_jsonb(rows.text(column, row)));
}

/// The elements of a list of texts; NULLs are left out, or refused where they would be steps of a
/// path.
std::vector<std::string> texts_at(const ScalarRows& rows, size_t column, duck::idx_t row,
                                  bool path) {
    std::vector<std::string> texts;
    const auto list = rows.value(column, row);
    for (const auto& element : duck::ListValue::GetChildren(list)) {
        if (!element.IsNull())
            texts.push_back(duck::StringValue::Get(element));
        else if (path)
            throw_error(
                {Code::invalid_argument,
                 "path element at position " + std::to_string(texts.size() + 1) + " is null",
                 "22004"});
    }
    return texts;
}

/// make(rows, row) gives a Jsonb.
template <typename Make>
duck::scalar_function_t gives_jsonb(Make make) {
    return [make](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
        const ScalarRows rows(arguments);
        rows.fill<duck::string_t>(result, [&](duck::idx_t row) {
            return duck::StringVector::AddString(result, format_jsonb(make(rows, row)));
        });
    };
}

template <typename Make>
duck::scalar_function_t gives_bool(Make make) {
    return [make](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
        const ScalarRows rows(arguments);
        rows.fill<bool>(result, [&](duck::idx_t row) { return make(rows, row); });
    };
}

template <typename Make>
duck::scalar_function_t gives_text(Make make) {
    return [make](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
        const ScalarRows rows(arguments);
        rows.fill<duck::string_t>(result, [&](duck::idx_t row) {
            return duck::StringVector::AddStringOrBlob(result, make(rows, row));
        });
    };
}

/// make(value) gives a std::vector of optional texts.
template <typename Make>
duck::scalar_function_t gives_list(Make make) {
    return [make](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
        const ScalarRows rows(arguments);
        const auto element = duck::ListType::GetChildType(result.GetType());
        rows.fill<duck::list_entry_t>(result, [&](duck::idx_t row) {
            duck::list_entry_t entry(duck::ListVector::GetListSize(result), 0);
            for (auto& text : make(jsonb_at(rows, 0, row))) {
                duck::Value value(element);
                if (text) (value = duck::Value(std::move(*text))).Reinterpret(element);
                duck::ListVector::PushBack(result, value);
                ++entry.length;
            }
            return entry;
        });
    };
}

using Texts = std::vector<std::optional<std::string>>;

/// As ->> gives it.
std::optional<std::string> plain_text(const Jsonb& value) {
    if (value.kind == Jsonb::Kind::null) return std::nullopt;
    return value.kind == Jsonb::Kind::text ? value.text : format_jsonb(value);
}

Error misused(std::string message) {
    return {Code::invalid_argument, std::move(message), "22023"};
}

template <bool Text>
Texts elements_of(const Jsonb& value) {
    if (value.kind != Jsonb::Kind::array)
        throw_error(misused(value.scalar() ? "cannot extract elements from a scalar"
                                           : "cannot extract elements from an object"));
    Texts texts;
    for (const auto& element : value.elements)
        texts.push_back(Text ? plain_text(element) : format_jsonb(element));
    return texts;
}

void need_object(const Jsonb& value, const char* function) {
    if (value.kind != Jsonb::Kind::object)
        throw_error(misused(std::string("cannot call ") + function +
                            (value.scalar() ? " on a scalar" : " on an array")));
}

Texts names_in(const Jsonb& value) {
    need_object(value, "jsonb_object_keys");
    Texts texts;
    for (const auto& field : value.fields) texts.emplace_back(field.first);
    return texts;
}

template <bool Text>
Texts values_of(const Jsonb& value) {
    need_object(value, Text ? "jsonb_each_text" : "jsonb_each");
    Texts texts;
    for (const auto& field : value.fields)
        texts.push_back(Text ? plain_text(field.second) : format_jsonb(field.second));
    return texts;
}

const char* type_name(const Jsonb& value) {
    static constexpr const char* kNames[] = {"null",    "string", "number",
                                             "boolean", "array",  "object"};
    return kNames[static_cast<size_t>(value.kind)];
}

void array_length(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    rows.fill<int32_t>(result, [&](duck::idx_t row) {
        const Jsonb value = jsonb_at(rows, 0, row);
        if (value.kind != Jsonb::Kind::array)
            throw_error(misused(value.scalar() ? "cannot get array length of a scalar"
                                               : "cannot get array length of a non-array"));
        return static_cast<int32_t>(value.elements.size());
    });
}

/// json stays as it was written.
Result<std::string> json_text(std::string_view text, bool canonical) {
    if (canonical) {
        TARN_TRY(value, parse_jsonb(text));
        return format_jsonb(value);
    }
    if (!nlohmann::json::accept(text))
        return Error{Code::invalid_argument, "invalid input syntax for type json", "22P02"};
    return std::string(text);
}

template <bool Canonical>
void read_json(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    rows.fill<duck::string_t>(result, [&](duck::idx_t row) {
        return duck::StringVector::AddString(
            result, value_or_throw(json_text(rows.text(0, row), Canonical)));
    });
}

/// What operators take. Anything may become JSON in DuckDB, which would make them candidates for 5
/// - 1; only JSON and literals become this.
LogicalType operand_type() {
    auto type = LogicalType(LogicalTypeId::VARCHAR);
    type.SetAlias("tarn_jsonb_operand");
    return type;
}

bool is_literal(const duck::Expression& given) {
    return given.return_type.id() == LogicalTypeId::UNKNOWN ||
           given.return_type.id() == LogicalTypeId::SQLNULL ||
           (given.GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT &&
            given.return_type.id() == LogicalTypeId::VARCHAR);
}

Jsonb joined_values(const ScalarRows& rows, duck::idx_t row) {
    return jsonb_concat(jsonb_at(rows, 0, row), jsonb_at(rows, 1, row));
}

/// DuckDB's own, taken when the functions are added: what is not json joins texts and lists.
duck::bind_scalar_function_t bind_joining = nullptr;

duck::unique_ptr<duck::FunctionData> bind_concat(
    duck::ClientContext& context, duck::ScalarFunction& bound,
    duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    const auto is_json = [&](size_t i) { return arguments[i]->return_type.IsJSONType(); };
    if (arguments.size() != 2 || (!is_json(0) && !is_json(1)))
        return bind_joining(context, bound, arguments);
    const size_t other = is_json(0) ? 1 : 0;
    const auto& type = arguments[other]->return_type;
    if (is_json(other) || is_literal(*arguments[other])) {
        bound.arguments = {jsonb_type(), jsonb_type()};
        bound.SetReturnType(jsonb_type());
        bound.SetFunctionCallback(gives_jsonb(joined_values));
        bound.SetFallible();
        return nullptr;
    }
    if (type.id() == LogicalTypeId::VARCHAR) return bind_joining(context, bound, arguments);
    throw_error({Code::not_found,
                 "operator does not exist: " + arguments[0]->return_type.ToString() + " || " +
                     arguments[1]->return_type.ToString(),
                 "42883"});
}

/// DuckDB's own of -> and ->>, for its paths ('$.a[0]').
duck::bind_scalar_function_t bind_reading = nullptr;

JsonbPath path_steps(std::string_view path) {
    JsonbPath steps;
    for (size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '/')
            steps.emplace_back();
        else if (path[i] == '~' && i + 1 < path.size())
            steps.back() += path[++i] == '0' ? '~' : '/';
        else
            steps.back() += path[i];
    }
    return steps;
}

std::optional<std::string_view> step_into(const ScalarRows& rows, duck::idx_t row, bool binary) {
    const std::string_view json = rows.text(0, row);
    if (rows.type(1).id() != LogicalTypeId::VARCHAR) {
        const auto index = rows.at<int64_t>(1, row);
        // A jsonb that is a scalar counts as an array of it here, too.
        const bool scalar = json.empty() || (json[0] != '[' && json[0] != '{');
        if (binary && scalar && (index == 0 || index == -1)) return json;
        return json_element(json, index);
    }
    const std::string_view key = rows.text(1, row), prefix = kJsonPathPrefix;
    if (key.starts_with(prefix)) return json_at(json, path_steps(key.substr(prefix.size())));
    return json_field(json, key);
}

template <bool Text>
duck::scalar_function_t steps(bool binary) {
    return [binary](duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
        const ScalarRows rows(arguments);
        rows.fill<duck::string_t>(result, [&](duck::idx_t row) -> std::optional<duck::string_t> {
            const auto found = step_into(rows, row, binary);
            if (!found) return std::nullopt;
            if (!Text) return duck::StringVector::AddString(result, found->data(), found->size());
            const auto text = json_plain_text(*found);
            return text ? std::optional(duck::StringVector::AddString(result, *text))
                        : std::nullopt;
        });
    };
}

/// -> and ->> as PostgreSQL's: of a text as it stands, so that numbers keep their digits.
template <bool Text>
duck::unique_ptr<duck::FunctionData> bind_arrow(
    duck::ClientContext& context, duck::ScalarFunction& bound,
    duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    const bool text = bound.arguments[1].id() == LogicalTypeId::VARCHAR;
    bool own = arguments[0]->return_type.IsJSONType();
    if (text && arguments[1]->GetExpressionClass() == duck::ExpressionClass::BOUND_CONSTANT) {
        const auto& key = arguments[1]->Cast<duck::BoundConstantExpression>().value;
        own = own && (key.IsNull() || !key.ToString().starts_with('$') ||
                      key.ToString().starts_with(kJsonPathPrefix));
    }
    if (!own) return bind_reading(context, bound, arguments);
    const bool binary = is_jsonb(arguments[0]->return_type);
    if (!Text) bound.SetReturnType(binary ? jsonb_type() : LogicalType::JSON());
    bound.SetFunctionCallback(steps<Text>(binary));
    return nullptr;
}

/// Beside what is there under the name, if there is something.
void add_function(duck::ClientContext& context, duck::Catalog& system, const char* name,
                  duck::vector<LogicalType> arguments, LogicalType gives,
                  duck::scalar_function_t run, bool alone = false) {
    duck::ScalarFunction function(std::move(arguments), std::move(gives), std::move(run));
    function.SetFallible();
    const auto there = system.GetEntry<duck::ScalarFunctionCatalogEntry>(
        context, DEFAULT_SCHEMA, name, duck::OnEntryNotFound::RETURN_NULL);
    duck::ScalarFunctionSet set(name);
    if (there && !alone) set = there->functions;
    set.AddFunction(std::move(function));
    put_functions(context, system, std::move(set));
}

using BoundPtr = duck::unique_ptr<duck::Expression>;

void need_types(const duck::vector<BoundPtr>& arguments) {
    for (const auto& argument : arguments)
        if (argument->return_type.id() == LogicalTypeId::UNKNOWN)
            throw duck::ParameterNotResolvedException();
}

/// jsonb_build_object(name, value, ...), jsonb_build_array(value, ...): of names and of texts of
/// JSON.
template <bool Object>
duck::unique_ptr<duck::FunctionData> bind_building(duck::ClientContext& context,
                                                   duck::ScalarFunction& bound,
                                                   duck::vector<BoundPtr>& arguments) {
    need_types(arguments);
    if (Object && arguments.size() % 2 != 0)
        throw_error(misused("argument list must have even number of elements"));
    bound.arguments.clear();
    bound.varargs = LogicalType::INVALID;
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (!Object || i % 2 == 1) arguments[i] = bound_json_text(context, std::move(arguments[i]));
        bound.arguments.push_back(LogicalType::VARCHAR);
    }
    return nullptr;
}

template <bool Object>
void build(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    const ScalarRows rows(arguments);
    const auto made = [&](duck::idx_t row) {
        std::string text(1, Object ? '{' : '[');
        for (size_t i = 0; i < rows.columns(); ++i) {
            const bool name = Object && i % 2 == 0;
            if (name && rows.is_null(i, row))
                throw_error(misused(fmt::format("argument {}: key must not be null", i + 1)));
            if (i > 0) text += Object && !name ? ':' : ',';
            Jsonb key;
            key.kind = Jsonb::Kind::text;
            if (name) key.text = rows.text(i, row);
            text += name ? format_jsonb(key) : std::string(rows.text(i, row));
        }
        return duck::StringVector::AddString(result, canonical_jsonb(text + (Object ? '}' : ']')));
    };
    rows.fill<duck::string_t>(result, made, true);
}

/// NULL stays NULL.
duck::unique_ptr<duck::FunctionData> bind_to_jsonb(duck::ClientContext& context,
                                                   duck::ScalarFunction& bound,
                                                   duck::vector<BoundPtr>& arguments) {
    need_types(arguments);
    arguments[0] = bound_json_text(context, std::move(arguments[0]), false);
    bound.arguments = {LogicalType::VARCHAR};
    return nullptr;
}

void add_builders(duck::ClientContext& context, duck::Catalog& system) {
    const auto add = [&](const char* name, duck::vector<LogicalType> arguments,
                         duck::scalar_function_t run, duck::bind_scalar_function_t bind,
                         bool more) {
        duck::ScalarFunction function(std::move(arguments), jsonb_type(), std::move(run), bind);
        if (more) function.varargs = LogicalType::ANY;
        function.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
        function.SetFallible();
        duck::ScalarFunctionSet set(name);
        set.AddFunction(std::move(function));
        put_functions(context, system, std::move(set));
    };
    add("jsonb_build_object", {}, build<true>, bind_building<true>, true);
    add("jsonb_build_array", {}, build<false>, bind_building<false>, true);
    add("to_jsonb", {LogicalType::ANY}, read_json<true>, bind_to_jsonb, false);
}

void add_operators(duck::ClientContext& context, duck::Catalog& system) {
    const LogicalType json = operand_type(), text = LogicalType::VARCHAR;
    const LogicalType texts = LogicalType::LIST(text), boolean = LogicalType::BOOLEAN;
    const auto add = [&](const char* name, duck::vector<LogicalType> arguments, LogicalType gives,
                         duck::scalar_function_t run) {
        add_function(context, system, name, std::move(arguments), std::move(gives), std::move(run));
    };
    auto joining =
        system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, "||").functions;
    for (auto& function : joining.functions) {
        bind_joining = function.GetBindCallback();
        function.SetBindCallback(bind_concat);
    }
    put_functions(context, system, std::move(joining));
    for (const char* name : {"json_extract", "json_extract_string", "->>"}) {
        auto set = system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, name)
                       .functions;
        for (auto& function : set.functions) {
            if (function.arguments.size() != 2 || function.arguments[1].id() == LogicalTypeId::LIST)
                continue;
            bind_reading = function.GetBindCallback();
            function.SetBindCallback(name == std::string_view("json_extract") ? bind_arrow<false>
                                                                              : bind_arrow<true>);
        }
        put_functions(context, system, std::move(set));
    }
    add("@>", {json, json}, boolean, gives_bool([](const auto& rows, auto row) {
            return value_or_throw(jsonb_contains(jsonb_at(rows, 0, row), jsonb_at(rows, 1, row)));
        }));
    add("<@", {json, json}, boolean, gives_bool([](const auto& rows, auto row) {
            return value_or_throw(jsonb_contains(jsonb_at(rows, 1, row), jsonb_at(rows, 0, row)));
        }));
    add(kJsonbExists, {json, text}, boolean, gives_bool([](const auto& rows, auto row) {
            return jsonb_exists(jsonb_at(rows, 0, row), rows.text(1, row));
        }));
    const auto exists = [](bool all) {
        return gives_bool([all](const auto& rows, auto row) {
            const Jsonb value = jsonb_at(rows, 0, row);
            const auto names = texts_at(rows, 1, row, false);
            const auto found =
                std::count_if(names.begin(), names.end(),
                              [&](const std::string& name) { return jsonb_exists(value, name); });
            return all ? static_cast<size_t>(found) == names.size() : found > 0;
        });
    };
    add(kJsonbExistsAny, {json, texts}, boolean, exists(false));
    add(kJsonbExistsAll, {json, texts}, boolean, exists(true));
    add("-", {json, text}, jsonb_type(), gives_jsonb([](const auto& rows, auto row) {
            return value_or_throw(
                jsonb_without(jsonb_at(rows, 0, row), {std::string(rows.text(1, row))}));
        }));
    add("-", {json, texts}, jsonb_type(), gives_jsonb([](const auto& rows, auto row) {
            return value_or_throw(
                jsonb_without(jsonb_at(rows, 0, row), texts_at(rows, 1, row, false)));
        }));
    add("-", {json, LogicalType::BIGINT}, jsonb_type(), gives_jsonb([](const auto& rows, auto row) {
            return value_or_throw(
                jsonb_without(jsonb_at(rows, 0, row), rows.template at<int64_t>(1, row)));
        }));
    add(kJsonbDeletePath, {json, texts}, jsonb_type(), gives_jsonb([](const auto& rows, auto row) {
            return value_or_throw(
                jsonb_without_path(jsonb_at(rows, 0, row), texts_at(rows, 1, row, true)));
        }));
}

}  // namespace

std::string canonical_jsonb(std::string_view text) {
    return format_jsonb(value_or_throw(parse_jsonb(text)));
}

void add_jsonb_casts(duck::ClientContext& context) {
    constexpr int64_t kCheap = 1;
    auto& casts = duck::CastFunctionSet::Get(context);
    casts.RegisterCastFunction(LogicalType::JSON(), operand_type(),
                               duck::DefaultCasts::ReinterpretCast, kCheap);
    casts.RegisterCastFunction(LogicalType::VARCHAR, operand_type(),
                               duck::DefaultCasts::ReinterpretCast);
}

void add_jsonb_functions(duck::ClientContext& context, duck::Catalog& system) {
    const LogicalType json = operand_type(), text = LogicalType::VARCHAR;
    const LogicalType texts = LogicalType::LIST(text), boolean = LogicalType::BOOLEAN;
    add_operators(context, system);
    add_builders(context, system);
    const auto add = [&](const char* name, duck::vector<LogicalType> arguments, LogicalType gives,
                         duck::scalar_function_t run) {
        add_function(
            context, system, name, std::move(arguments), std::move(gives), std::move(run),
            name != std::string_view("jsonb_set") && name != std::string_view("jsonb_insert"));
    };
    for (const bool given : {false, true}) {
        duck::vector<LogicalType> arguments = {json, texts, json};
        if (given) arguments.push_back(boolean);
        add("jsonb_set", arguments, jsonb_type(), gives_jsonb([given](const auto& rows, auto row) {
                return value_or_throw(
                    jsonb_set(jsonb_at(rows, 0, row), texts_at(rows, 1, row, true),
                              jsonb_at(rows, 2, row), !given || rows.template at<bool>(3, row)));
            }));
        add("jsonb_insert", arguments, jsonb_type(),
            gives_jsonb([given](const auto& rows, auto row) {
                return value_or_throw(
                    jsonb_insert(jsonb_at(rows, 0, row), texts_at(rows, 1, row, true),
                                 jsonb_at(rows, 2, row), given && rows.template at<bool>(3, row)));
            }));
    }
    add("jsonb_strip_nulls", {json}, jsonb_type(), gives_jsonb([](const auto& rows, auto row) {
            return jsonb_without_nulls(jsonb_at(rows, 0, row));
        }));
    add("jsonb_pretty", {json}, text, gives_text([](const auto& rows, auto row) {
            return value_or_throw(format_jsonb_lines(jsonb_at(rows, 0, row)));
        }));
    for (const char* name : {"json_typeof", "jsonb_typeof"})
        add(name, {json}, text, gives_text([](const auto& rows, auto row) {
                return std::string(type_name(jsonb_at(rows, 0, row)));
            }));
    for (const char* name : {"json_array_length", "jsonb_array_length"})
        add(name, {json}, LogicalType::INTEGER, array_length);
    add(kReadJson, {text}, LogicalType::JSON(), read_json<false>);
    add(kReadJsonb, {text}, jsonb_type(), read_json<true>);
    add(kJsonbSortKey, {LogicalType::JSON()}, LogicalType::BLOB,
        gives_text(
            [](const auto& rows, auto row) { return jsonb_sort_key(jsonb_at(rows, 0, row)); }));
    const auto values = LogicalType::LIST(jsonb_type());
    add("tarn_list_jsonb_array_elements", {json}, values, gives_list(elements_of<false>));
    add("tarn_list_jsonb_array_elements_text", {json}, texts, gives_list(elements_of<true>));
    add("tarn_list_jsonb_object_keys", {json}, texts, gives_list(names_in));
    add("tarn_list_jsonb_each", {json}, values, gives_list(values_of<false>));
    add("tarn_list_jsonb_each_text", {json}, texts, gives_list(values_of<true>));
}

}  // namespace tarn::query

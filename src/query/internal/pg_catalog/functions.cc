// PostgreSQL's functions that are no expressions of DuckDB's: to_char and its way back, encode and
// decode, names of the JSON functions.
#include "query/internal/pg_catalog/functions.h"

#include "codec/text.h"
#include "duckdb/common/types/blob.hpp"
#include "query/internal/bytea_text.h"
#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/jsonb.h"
#include "query/internal/pg_catalog/quoting.h"
#include "query/internal/services.h"
#include "query/pg_format.h"

namespace tarn::query {

namespace {

using duck::LogicalType;
using duck::LogicalTypeId;

std::string_view view(const duck::string_t& text) {
    return {text.GetData(), text.GetSize()};
}

void format_times(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::timestamp_t, duck::string_t, duck::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duck::timestamp_t at, duck::string_t pattern) {
            if (!duck::Timestamp::IsFinite(at))
                return duck::StringVector::AddString(result,
                                                     at.value > 0 ? "infinity" : "-infinity");
            return duck::StringVector::AddString(result, format_time(at.value, view(pattern)));
        });
}

void format_numbers(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, duck::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duck::string_t number, duck::string_t pattern) {
            return duck::StringVector::AddString(
                result, value_or_throw(format_number(view(number), view(pattern))));
        });
}

/// to_char(time or number, pattern): which of the two is known when it is bound.
duck::unique_ptr<duck::FunctionData> bind_to_char(
    duck::ClientContext&, duck::ScalarFunction& bound,
    duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    const auto& type = arguments[0]->return_type;
    switch (type.id()) {
        case LogicalTypeId::UNKNOWN:
            throw duck::ParameterNotResolvedException();
        case LogicalTypeId::DATE:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
        case LogicalTypeId::TIMESTAMP_SEC:
        case LogicalTypeId::TIMESTAMP_MS:
        case LogicalTypeId::TIMESTAMP_NS:
            bound.arguments[0] = LogicalType::TIMESTAMP;
            bound.SetFunctionCallback(format_times);
            return nullptr;
        default:
            if (!type.IsNumeric() && type.id() != LogicalTypeId::SQLNULL)
                throw_error({Code::unimplemented,
                             "to_char takes a time or a number, not " + type.ToString(), "42883"});
            bound.arguments[0] = LogicalType::VARCHAR;
            return nullptr;
    }
}

template <bool Date>
void read_times(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    using Made = std::conditional_t<Date, duck::date_t, duck::timestamp_t>;
    duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, Made>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [](duck::string_t text, duck::string_t pattern) {
            const duck::timestamp_t at(value_or_throw(parse_time(view(text), view(pattern))));
            if constexpr (Date)
                return duck::Timestamp::GetDate(at);
            else
                return at;
        });
}

[[noreturn]] void refuse_encoding(std::string_view name) {
    throw_error({Code::invalid_argument,
                 "unrecognized encoding: \"" + std::string(name.substr(0, 40)) + "\"", "22023"});
}

/// encode(bytes, 'hex' | 'base64' | 'escape')
void encode_bytes(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, duck::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duck::string_t bytes, duck::string_t name) {
            std::string out;
            if (view(name) == "base64") {
                constexpr size_t kLine = 76;  // as in mail
                const std::string all = duck::Blob::ToBase64(bytes);
                for (size_t at = 0; at < all.size(); at += kLine)
                    out += (at == 0 ? "" : "\n") + all.substr(at, kLine);
            } else if (view(name) == "hex" || view(name) == "escape") {
                constexpr char kDigits[] = "0123456789abcdef";
                const bool hex = view(name) == "hex";
                for (const char c : view(bytes)) {
                    const auto byte = static_cast<unsigned char>(c);
                    if (hex) {
                        out += {kDigits[byte >> 4], kDigits[byte & 15]};
                    } else if (byte == 0 || byte >= 0x80) {
                        out += {'\\', static_cast<char>('0' + (byte >> 6)),
                                static_cast<char>('0' + (byte >> 3 & 7)),
                                static_cast<char>('0' + (byte & 7))};
                    } else {
                        out.append(c == '\\' ? 2 : 1, c);
                    }
                }
            } else {
                refuse_encoding(view(name));
            }
            return duck::StringVector::AddString(result, out);
        });
}

std::string from_hex(std::string_view text) {
    std::string digits(text);
    std::erase_if(digits, [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; });
    if (digits.size() % 2 != 0)
        throw_error(
            {Code::invalid_argument, "invalid hexadecimal data: odd number of digits", "22023"});
    auto bytes = codec::hex_decode(digits);
    if (!bytes.ok()) throw_error({Code::invalid_argument, "invalid hexadecimal digit", "22023"});
    return std::move(bytes).value();
}

void decode_text(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, duck::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duck::string_t text, duck::string_t name) {
            std::string out;
            if (view(name) == "base64") {
                std::string given(view(text));
                std::erase_if(
                    given, [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; });
                out = duck::Blob::FromBase64(
                    duck::string_t(given.data(), static_cast<uint32_t>(given.size())));
            } else if (view(name) == "hex") {
                out = from_hex(view(text));
            } else if (view(name) == "escape") {
                auto bytes = parse_escaped(view(text));
                if (!bytes)
                    throw_error(
                        {Code::invalid_argument, "invalid input syntax for type bytea", "22P02"});
                out = std::move(*bytes);
            } else {
                refuse_encoding(view(name));
            }
            return duck::StringVector::AddStringOrBlob(result, out);
        });
}

/// Words begin behind what is no letter and no digit; letters beyond ASCII stay.
void capitalize(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnaryExecutor::Execute<duck::string_t, duck::string_t>(
        arguments.data[0], result, arguments.size(), [&](duck::string_t text) {
            std::string out(view(text));
            bool inside = false;
            for (char& c : out) {
                const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
                if (upper && inside) c = static_cast<char>(c | 0x20);
                if (lower && !inside) c = static_cast<char>(c & ~0x20);
                inside = upper || lower || (c >= '0' && c <= '9') ||
                         static_cast<unsigned char>(c) >= 0x80;
            }
            return duck::StringVector::AddString(result, out);
        });
}

void count_elements(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnaryExecutor::Execute<duck::list_entry_t, int32_t>(
        arguments.data[0], result, arguments.size(),
        [](duck::list_entry_t list) { return static_cast<int32_t>(list.length); });
}

void count_bytes(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnaryExecutor::Execute<duck::string_t, int64_t>(
        arguments.data[0], result, arguments.size(),
        [](duck::string_t bytes) { return static_cast<int64_t>(bytes.GetSize()); });
}

/// int2vector of a list: a cast by its name would lose the name.
void name_vector(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    result.Reinterpret(arguments.data[0]);
}

void check_fit(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, bool>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [](duck::string_t text, duck::string_t type) {
            const auto declared = parse_declared(view(type));
            if (!fit_text(declared, view(text)))
                throw_error({Code::invalid_argument, too_long(declared), "22001"});
            return true;
        });
}

void cut_text(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::BinaryExecutor::Execute<duck::string_t, int32_t, duck::string_t>(
        arguments.data[0], arguments.data[1], result, arguments.size(),
        [&](duck::string_t text, int32_t length) {
            const auto end = bytes_of_characters(view(text), length);
            return duck::StringVector::AddString(result, text.GetData(),
                                                 end.value_or(text.GetSize()));
        });
}

/// 'name'::regproc::oid, of which there are none.
void refuse_function(duck::DataChunk& arguments, duck::ExpressionState&, duck::Vector& result) {
    duck::UnaryExecutor::Execute<duck::string_t, int64_t>(
        arguments.data[0], result, arguments.size(), [](duck::string_t name) -> int64_t {
            throw_error(
                {Code::not_found,
                 "function \"" + std::string(view(name).substr(0, 100)) + "\" does not exist",
                 "42883"});
        });
}

/// Beside what DuckDB has under the name.
void add_overload(duck::ClientContext& context, duck::Catalog& system, const char* name,
                  duck::ScalarFunction function) {
    function.SetFallible();
    auto set =
        system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, name).functions;
    set.AddFunction(std::move(function));
    put_functions(context, system, std::move(set));
}

void add_alone(duck::ClientContext& context, duck::Catalog& system, const char* name,
               duck::ScalarFunction function) {
    function.SetFallible();
    duck::ScalarFunctionSet set(name);
    set.AddFunction(std::move(function));
    put_functions(context, system, std::move(set));
}

}  // namespace

void put_functions(duck::ClientContext& context, duck::Catalog& system,
                   duck::ScalarFunctionSet set) {
    duck::CreateScalarFunctionInfo info(std::move(set));
    info.internal = true;
    info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
    system.CreateFunction(context, info);
}

void add_catalog_functions(duck::ClientContext& context, duck::Catalog& system) {
    const auto text = LogicalType::VARCHAR;
    add_alone(context, system, "to_char",
              {{LogicalType::ANY, text}, text, format_numbers, bind_to_char});
    add_alone(context, system, "to_date", {{text, text}, LogicalType::DATE, read_times<true>});
    add_overload(context, system, "to_timestamp",
                 {{text, text}, LogicalType::TIMESTAMP_TZ, read_times<false>});
    add_alone(context, system, "tarn_vector",
              {{LogicalType::LIST(LogicalType::SMALLINT)}, vector_type(), name_vector});
    add_alone(context, system, "tarn_regproc", {{text}, LogicalType::BIGINT, refuse_function});
    add_alone(context, system, kFits, {{text, text}, LogicalType::BOOLEAN, check_fit});
    add_alone(context, system, kCut, {{text, LogicalType::INTEGER}, text, cut_text});
    add_alone(context, system, "initcap", {{text}, text, capitalize});
    add_overload(context, system, "encode", {{LogicalType::BLOB, text}, text, encode_bytes});
    add_overload(context, system, "octet_length", {{text}, LogicalType::BIGINT, count_bytes});
    add_overload(context, system, "length",
                 {{LogicalType::BLOB}, LogicalType::BIGINT, count_bytes});
    add_overload(context, system, "decode", {{text, text}, LogicalType::BLOB, decode_text});
    add_overload(context, system, "cardinality",
                 {{LogicalType::LIST(LogicalType::ANY)}, LogicalType::INTEGER, count_elements});
    for (const auto& [name, like] : {std::pair("json_build_object", "json_object"),
                                     std::pair("json_build_array", "json_array")}) {
        auto set = system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, like)
                       .functions;
        set.name = name;
        put_functions(context, system, std::move(set));
    }
    add_jsonb_functions(context, system);
    add_quoting_functions(context, system);
}

}  // namespace tarn::query

#include "query/internal/error.h"

#include <charconv>
#include <cstdlib>

#include "query/sqlstate.h"

namespace tarn::query {

namespace {

constexpr const char* kState = "sqlstate";
constexpr const char* kCode = "tarn_code";

struct Mapped {
    Code code;
    const char* state;
};

Mapped map_type(duck::ExceptionType type) {
    using duck::ExceptionType;
    switch (type) {
        case ExceptionType::PARSER:
        case ExceptionType::SYNTAX:
            return {Code::invalid_argument, "42601"};
        case ExceptionType::CATALOG:
            return {Code::not_found, "42P01"};
        case ExceptionType::BINDER:
            return {Code::invalid_argument, "42601"};
        case ExceptionType::CONVERSION:
            return {Code::invalid_argument, "22P02"};
        case ExceptionType::OUT_OF_RANGE:
        case ExceptionType::DECIMAL:
            return {Code::out_of_range, "22003"};
        case ExceptionType::DIVIDE_BY_ZERO:
            return {Code::invalid_argument, "22012"};
        case ExceptionType::MISMATCH_TYPE:
            return {Code::invalid_argument, "42804"};
        case ExceptionType::INVALID_INPUT:
            return {Code::invalid_argument, "22023"};
        case ExceptionType::CONSTRAINT:
            return {Code::invalid_argument, "23502"};
        case ExceptionType::NOT_IMPLEMENTED:
            return {Code::unimplemented, "0A000"};
        case ExceptionType::PERMISSION:
            return {Code::permission_denied, "42501"};
        case ExceptionType::TRANSACTION:
            return {Code::conflict, "40001"};
        case ExceptionType::INTERRUPT:
            return {Code::cancelled, "57014"};
        case ExceptionType::FATAL:
            return {Code::unavailable, "57P02"};  // the engine is replaced: connect again
        case ExceptionType::OUT_OF_MEMORY:
            return {Code::exhausted, "53200"};
        case ExceptionType::IO:
            return {Code::io, "58030"};
        case ExceptionType::DEPENDENCY:
            return {Code::conflict, "2BP01"};
        case ExceptionType::PARAMETER_NOT_RESOLVED:
        case ExceptionType::PARAMETER_NOT_ALLOWED:
            return {Code::invalid_argument, "42P18"};
        case ExceptionType::EXPRESSION:
        case ExceptionType::INVALID_TYPE:
            return {Code::invalid_argument, "42804"};
        default:
            return {Code::internal, "XX000"};
    }
}

constexpr const char* kTooLong = "value too long for type ";

/// DuckDB says the same of a number that is too large as of what is none.
bool overflows_decimal(std::string_view message) {
    if (message.find("DECIMAL(") == std::string_view::npos) return false;
    if (message.starts_with("Could not cast value") ||
        message.find("value is out of range") != std::string_view::npos)
        return true;
    const size_t begin = message.find('"') + 1;
    const size_t end = message.find("\" to DECIMAL(");
    if (!message.starts_with("Could not convert string \"") || end == std::string_view::npos ||
        end == begin)
        return false;
    const std::string text(message.substr(begin, end - begin));
    char* rest = nullptr;
    static_cast<void>(std::strtod(text.c_str(), &rest));
    return rest != text.c_str() && *rest == '\0' &&
           text.find_first_not_of("0123456789+-.eE") == std::string::npos;
}

/// Where DuckDB puts several of PostgreSQL's states under one type.
Mapped refine(duck::ExceptionType type, const std::string& subtype, const std::string& message,
              Mapped otherwise) {
    const auto has = [&](const char* part) { return message.find(part) != std::string::npos; };
    if (type == duck::ExceptionType::BINDER) {
        if (subtype == "COLUMN_NOT_FOUND" || has("Referenced column") ||
            has("does not have a column named"))
            return {Code::invalid_argument, "42703"};
        if (has("Can only ") && has(" base table"))  // a view
            return {Code::precondition_failed, "55000"};
        if (has("infinite recursion detected")) return {Code::invalid_argument, "42P17"};
        if (has("Ambiguous reference")) return {Code::invalid_argument, "42702"};
        if (has("must appear in the GROUP BY")) return {Code::invalid_argument, "42803"};
        if (has("aggregates cannot") || has("cannot contain aggregate"))
            return {Code::invalid_argument, "42803"};
        if (has("No function matches") || has("No operator matches"))
            return {Code::invalid_argument, "42883"};
        if (has("Referenced table")) return {Code::invalid_argument, "42P01"};
        if (has("conflict target are not referenced") || has("no UNIQUE/PRIMARY KEY constraints"))
            return {Code::invalid_argument, "42P10"};
        if (has("Duplicate alias")) return {Code::invalid_argument, "42712"};
        if (has("Cannot mix values") || has("Cannot compare values"))
            return {Code::invalid_argument, "42804"};
    }
    if (type == duck::ExceptionType::CATALOG) {
        if (has("already exists")) return {Code::already_exists, "42P07"};
        if (has("is not an table")) return {Code::precondition_failed, "55000"};
        if (has("Function with name")) return {Code::not_found, "42883"};
        if (has("Type with name")) return {Code::not_found, "42704"};
        if (has("Schema with name")) return {Code::not_found, "3F000"};
    }
    if (type == duck::ExceptionType::IO && has("No space left")) return {Code::exhausted, "53100"};
    if (type == duck::ExceptionType::OUT_OF_RANGE && has("division by zero"))
        return {Code::invalid_argument, "22012"};
    if (type == duck::ExceptionType::CONSTRAINT && has("uplicate key"))
        return {Code::already_exists, "23505"};
    if (type == duck::ExceptionType::CONSTRAINT && has(kTooLong))
        return {Code::invalid_argument, "22001"};
    if (type == duck::ExceptionType::CONSTRAINT && has("CHECK constraint"))
        return {Code::invalid_argument, "23514"};
    if (type == duck::ExceptionType::CONVERSION && overflows_decimal(message))
        return {Code::out_of_range, "22003"};
    if (type == duck::ExceptionType::CONVERSION && has("field value out of range"))
        return {Code::invalid_argument, "22008"};
    if (type == duck::ExceptionType::CONVERSION && has("out of range"))
        return {Code::out_of_range, "22003"};
    if (type == duck::ExceptionType::CONVERSION && (has("date field") || has("timestamp field")))
        return {Code::invalid_argument, "22007"};
    return otherwise;
}

/// Parser errors count characters, binder errors bytes.
size_t byte_offset(std::string_view sql, size_t characters) {
    size_t at = 0;
    while (at < sql.size() && characters > 0) {
        ++at;
        while (at < sql.size() && (static_cast<unsigned char>(sql[at]) & 0xc0) == 0x80) ++at;
        --characters;
    }
    return at;
}

}  // namespace

void throw_error(const Error& error) {
    duck::unordered_map<duck::string, duck::string> info;
    info[kState] = sqlstate_of(error);
    info[kCode] = std::to_string(static_cast<int>(error.code));
    throw duck::Exception(info, duck::ExceptionType::INVALID_INPUT, error.message);
}

LocatedError to_error(const duck::ErrorData& data, std::string_view sql) {
    // With errors_as_json the message is the whole error again.
    const duck::ErrorData inner = data.RawMessage().rfind("{\"exception_type", 0) == 0
                                      ? duck::ErrorData(data.RawMessage())
                                      : data;
    auto info = data.ExtraInfo();
    for (const auto& [name, value] : inner.ExtraInfo()) info[name] = value;

    LocatedError out;
    out.error.message = inner.RawMessage();
    const auto code = info.find(kCode);
    if (code != info.end()) {
        out.error.code = static_cast<Code>(std::atoi(code->second.c_str()));
        out.error.reason = info[kState];
    } else {
        const auto subtype = info.find("error_subtype");
        const Mapped mapped = refine(inner.Type(), subtype == info.end() ? "" : subtype->second,
                                     inner.RawMessage(), map_type(inner.Type()));
        out.error.code = mapped.code;
        out.error.reason = mapped.state;
        if (inner.Type() == duck::ExceptionType::INTERRUPT)
            out.error.message = "canceling statement due to user request";
        // Of the check of a temporary table, in whose message it stands in parentheses.
        if (const auto said = out.error.message.find(kTooLong);
            out.error.reason == "22001" && said != std::string::npos) {
            const auto end = out.error.message.rfind(')');
            out.error.message = out.error.message.substr(said, end - said);
        }
        if (out.error.reason == "22003" && overflows_decimal(inner.RawMessage()))
            out.error.message = "numeric field overflow";
    }
    if (const auto position = info.find("position"); position != info.end()) {
        size_t number = 0;
        const auto& text = position->second;
        if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) {
            const bool parser = inner.Type() == duck::ExceptionType::PARSER;
            out.offset = std::min(parser ? byte_offset(sql, number) : number, sql.size());
        }
    }
    return out;
}

Error not_built(const std::string& what) {
    return {Code::unimplemented, what + " is not supported", "0A000"};
}

Error error_of(const std::exception& problem) {
    return to_error(duck::ErrorData(problem), {}).error;
}

}  // namespace tarn::query

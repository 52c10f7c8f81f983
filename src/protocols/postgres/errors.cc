// Errors and warnings on this wire.
#include <algorithm>

#include "protocols/postgres/internal/backend.h"
#include "protocols/postgres/internal/errors.h"
#include "query/sqlstate.h"

namespace tarn::postgres {
namespace {

void append_field(std::string& out, char name, std::string_view value) {
    out.push_back(name);
    for (const char c : value) out.push_back(c == '\0' ? ' ' : c);
    out.push_back('\0');
}

struct Parts {
    std::string message, detail, hint;
};

Parts split_message(std::string_view text) {
    Parts parts;
    std::string* into = &parts.message;
    while (!text.empty()) {
        const size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto begins = [&](std::string_view word, std::string& field) {
            if (!line.starts_with(word)) return;
            line.remove_prefix(std::min(line.find_first_not_of(' ', word.size()), line.size()));
            into = &field;
        };
        begins("DETAIL:", parts.detail);
        begins("HINT:", parts.hint);
        if (!into->empty()) into->push_back('\n');
        *into += line;
    }
    return parts;
}

/// PostgreSQL's code of a warning that it gives in the same words.
std::string_view warning_code(std::string_view text) {
    if (text == "there is already a transaction in progress") return "25001";
    if (text == "there is no transaction in progress" ||
        text == "SET LOCAL can only be used in transaction blocks")
        return "25P01";
    return "01000";
}

}  // namespace

void append_error(std::string& out, Severity severity, const Error& error, uint32_t position) {
    const std::string_view word = severity == Severity::fatal ? "FATAL" : "ERROR";
    const Parts parts = split_message(error.message);
    const MessageScope message(out, 'E');
    append_field(out, 'S', word);
    append_field(out, 'V', word);
    append_field(out, 'C', query::sqlstate_of(error));
    append_field(out, 'M', parts.message);
    if (!parts.detail.empty()) append_field(out, 'D', parts.detail);
    if (!parts.hint.empty()) append_field(out, 'H', parts.hint);
    if (position > 0) append_field(out, 'P', std::to_string(position));
    out.push_back('\0');
}

void append_notice(std::string& out, std::string_view text) {
    const MessageScope message(out, 'N');
    append_field(out, 'S', "WARNING");
    append_field(out, 'V', "WARNING");
    append_field(out, 'C', warning_code(text));
    append_field(out, 'M', text);
    out.push_back('\0');
}

}  // namespace tarn::postgres

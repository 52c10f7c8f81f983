#include "query/internal/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "query/internal/sql_text.h"

namespace tarn::query {

namespace {

enum class Change : uint8_t { free, fixed };

struct Known {
    const char* name;
    const char* value;
    Change change;
    const char* description;
};

constexpr std::array<Known, 42> kKnown = {{
    {"application_name", "", Change::free, "The name the client gave itself."},
    {"backslash_quote", "safe_encoding", Change::fixed,
     "Whether \\' is allowed in string literals."},
    {"bytea_output", "hex", Change::fixed, "How bytea is printed."},
    {"check_function_bodies", "on", Change::free, "No effect."},
    {"client_encoding", "UTF8", Change::free, "The client's character set; only UTF8."},
    {"client_min_messages", "notice", Change::free,
     "The least level of messages sent to the client."},
    {"datestyle", "ISO, MDY", Change::free, "How dates are printed; only ISO."},
    {"default_table_access_method", "heap", Change::free, "No effect."},
    {"default_tablespace", "", Change::free, "No effect."},
    {"default_transaction_deferrable", "off", Change::free, "No effect."},
    {"default_transaction_isolation", "repeatable read", Change::free,
     "Every level is snapshot isolation."},
    {"default_transaction_read_only", "off", Change::free, "Whether new transactions only read."},
    {"escape_string_warning", "on", Change::free, "No effect."},
    {"extra_float_digits", "1", Change::free, "Floats are always printed exactly."},
    {"geqo", "on", Change::free, "No effect."},
    {"idle_in_transaction_session_timeout", "0", Change::free, "No effect."},
    {"integer_datetimes", "on", Change::fixed, "Times are 64-bit integers."},
    {"intervalstyle", "postgres", Change::free, "How intervals are printed."},
    {"is_superuser", "off", Change::fixed, "Rights come from policies and grants."},
    {"jit", "off", Change::free, "No effect."},
    {"lc_collate", "C", Change::fixed, "Text sorts by its bytes."},
    {"lc_ctype", "C", Change::fixed, "Text sorts by its bytes."},
    {"lc_messages", "C", Change::free, "Messages are English."},
    {"lc_monetary", "C", Change::free, "No effect."},
    {"lc_numeric", "C", Change::free, "No effect."},
    {"lc_time", "C", Change::free, "No effect."},
    {"lock_timeout", "0", Change::free, "Nothing waits for locks."},
    {"max_identifier_length", "63", Change::fixed, "Bytes of a name."},
    {"max_index_keys", "32", Change::fixed, "Columns of a key."},
    {"row_security", "on", Change::free, "Policies always apply."},
    {"search_path", "main", Change::free, "Databases in which unqualified names are looked up."},
    {"server_encoding", "UTF8", Change::fixed, "The server's character set."},
    {"server_version", "15.0", Change::fixed,
     "The PostgreSQL release whose behaviour this follows."},
    {"server_version_num", "150000", Change::fixed, "The same as a number."},
    {"standard_conforming_strings", "on", Change::free, "Backslashes are plain characters."},
    {"statement_timeout", "0", Change::free, "Milliseconds a statement may run; 0: no limit."},
    {"synchronize_seqscans", "on", Change::free, "No effect."},
    {"synchronous_commit", "on", Change::free, "Commits are always durable."},
    {"timezone", "UTC", Change::free, "Times are printed in UTC."},
    {"transaction_isolation", "repeatable read", Change::free,
     "Every level is snapshot isolation."},
    {"transaction_read_only", "off", Change::free, "Whether this transaction only reads."},
    {"xmloption", "content", Change::free, "No effect."},
}};

constexpr const char* kReadOnly = "transaction_read_only";
constexpr const char* kReadOnlyByDefault = "default_transaction_read_only";

const Known* find_known(const std::string& name) {
    for (const auto& known : kKnown)
        if (name == known.name) return &known;
    return nullptr;
}

std::optional<bool> truth_of(std::string_view text) {
    const std::string word = lower_ascii(text);
    if (word == "on" || word == "true" || word == "yes" || word == "1") return true;
    if (word == "off" || word == "false" || word == "no" || word == "0") return false;
    return std::nullopt;
}

/// "1500", "1500ms", "2s", "1min".
Result<std::chrono::milliseconds> parse_span(const std::string& text) {
    int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(read.ptr, text.data() + text.size());
    unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
    const int64_t factor = unit.empty() || unit == "ms" ? 1
                           : unit == "s"                ? 1'000
                           : unit == "min"              ? 60'000
                                                        : 0;
    if (read.ec != std::errc() || factor == 0 || number < 0 || number > 2'147'483'647)
        return Error{Code::invalid_argument,
                     fmt::format("invalid value for parameter \"statement_timeout\": \"{}\"", text),
                     "22023"};
    return std::chrono::milliseconds(number * factor);
}

}  // namespace

Settings::Settings(std::chrono::milliseconds statement_timeout)
    : default_timeout_(statement_timeout),
      now_{statement_timeout, {}},
      lasting_(now_),
      before_(now_) {}

void Settings::begin() {
    commit();
    before_ = lasting_;
}

void Settings::commit() {
    now_ = lasting_;
    has_local_ = false;
}

void Settings::rollback() {
    lasting_ = before_;
    commit();
}

void Settings::go_back(const Saved& saved) {
    now_ = saved.now;
    lasting_ = saved.lasting;
}

void Settings::put(const std::string& name, const std::optional<std::string>& value,
                   SettingScope scope) {
    const auto in = [&](Values& values) {
        if (value)
            values.changed[name] = *value;
        else
            values.changed.erase(name);
    };
    in(now_);
    if (scope == SettingScope::session)
        in(lasting_);
    else
        has_local_ = true;
}

void Settings::put_timeout(std::chrono::milliseconds timeout, SettingScope scope) {
    now_.timeout = timeout;
    if (scope == SettingScope::session) lasting_.timeout = timeout;
}

bool Settings::reads_only() const {
    return truth_of(*get(kReadOnly)).value_or(false);
}

Status Settings::set(const std::string& given_name, const std::string& value, SettingScope scope) {
    const std::string name = lower_ascii(given_name);
    const Known* known = find_known(name);
    if (!known) {
        // Names with a dot are the client's own.
        if (name.find('.') == std::string::npos || now_.changed.size() > 256)
            return Error{Code::not_found,
                         fmt::format("unrecognized configuration parameter \"{}\"", given_name),
                         "42704"};
        put(name, value, scope);
        return {};
    }
    if (known->change == Change::fixed) {
        if (lower_ascii(value) == lower_ascii(known->value)) return {};
        return Error{Code::permission_denied,
                     fmt::format("parameter \"{}\" cannot be changed", name), "55P02"};
    }
    if (name == "client_encoding") {
        const std::string encoding = lower_ascii(value);
        if (encoding != "utf8" && encoding != "utf-8" && encoding != "unicode" &&
            encoding != "sql_ascii")
            return Error{
                Code::invalid_argument,
                fmt::format("invalid value for parameter \"client_encoding\": \"{}\"", value),
                "22023"};
        return {};
    }
    if (name == "datestyle" && lower_ascii(value).rfind("iso", 0) != 0)
        return Error{Code::unimplemented, "only DateStyle ISO is supported", "0A000"};
    if (name == "statement_timeout") {
        TARN_TRY(span, parse_span(value));
        put_timeout(span, scope);
    }
    if (name != kReadOnly && name != kReadOnlyByDefault) {
        put(name, value, scope);
        return {};
    }
    const auto truth = truth_of(value);
    if (!truth)
        return Error{Code::invalid_argument,
                     fmt::format("parameter \"{}\" requires a Boolean value", name), "22023"};
    put(name, *truth ? "on" : "off", name == kReadOnly ? SettingScope::transaction : scope);
    return {};
}

Status Settings::reset(const std::string& given_name, SettingScope scope) {
    const std::string name = lower_ascii(given_name);
    if (!find_known(name) && !now_.changed.contains(name))
        return Error{Code::not_found,
                     fmt::format("unrecognized configuration parameter \"{}\"", given_name),
                     "42704"};
    put(name, std::nullopt, scope);
    if (name == "statement_timeout") put_timeout(default_timeout_, scope);
    return {};
}

void Settings::reset_all() {
    now_ = {default_timeout_, {}};
    lasting_ = now_;
}

std::optional<std::string> Settings::get(const std::string& given_name) const {
    const std::string name = lower_ascii(given_name);
    if (name == "statement_timeout")
        return now_.timeout.count() == 0 ? "0" : fmt::format("{}ms", now_.timeout.count());
    if (const auto found = now_.changed.find(name); found != now_.changed.end())
        return found->second;
    if (name == kReadOnly) return get(kReadOnlyByDefault);
    if (const Known* known = find_known(name)) return known->value;
    return std::nullopt;
}

std::vector<Settings::Line> Settings::all() const {
    std::vector<Line> lines;
    for (const auto& known : kKnown)
        lines.push_back({known.name, *get(known.name), known.description});
    return lines;
}

std::vector<std::string> Settings::search_path() const {
    std::vector<std::string> names;
    const std::string path = *get("search_path");  // the tokens look into it
    for (const auto& token : tokenize(path)) {
        if (token.is_symbol(',')) continue;
        const std::string name = token.kind == Token::Kind::text ? token.literal() : token.name();
        if (!name.empty() && name[0] != '$' && name != "user" && name != "pg_catalog")
            names.push_back(name);
    }
    if (names.empty()) names.emplace_back("main");
    return names;
}

}  // namespace tarn::query

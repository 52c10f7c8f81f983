// PostgreSQL's text form of values, both ways.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/ascii.h"
#include "base/time.h"
#include "query/internal/bytea_text.h"
#include "query/interval_text.h"
#include "query/types.h"

namespace tarn::query {

namespace {

constexpr int64_t kDayMicros = 86'400'000'000;
// DuckDB's infinities, which are ours too.
constexpr int64_t kInfiniteTimestamp = std::numeric_limits<int64_t>::max();
constexpr int32_t kInfiniteDate = std::numeric_limits<int32_t>::max();

Error malformed(const Type& type, std::string_view text) {
    std::string shown(text.substr(0, 60));
    return {Code::invalid_argument,
            fmt::format("invalid input syntax for type {}: \"{}\"", pg_name(type), shown), "22P02"};
}

void append_unsigned128(unsigned __int128 number, std::string& out) {
    char digits[40];
    size_t at = sizeof digits;
    do {
        digits[--at] = static_cast<char>('0' + static_cast<int>(number % 10));
        number /= 10;
    } while (number != 0);
    out.append(digits + at, sizeof digits - at);
}

void append_decimal(Int128 unscaled, int scale, std::string& out) {
    if (unscaled < 0) out += '-';
    std::string digits;
    const auto magnitude = static_cast<unsigned __int128>(unscaled);
    append_unsigned128(unscaled < 0 ? -magnitude : magnitude, digits);
    const auto places = static_cast<size_t>(scale);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    out.append(digits, 0, digits.size() - places);
    if (places == 0) return;
    out += '.';
    out.append(digits, digits.size() - places, places);
}

void append_real(double real, bool single, std::string& out) {
    if (std::isnan(real)) {
        out += "NaN";
    } else if (std::isinf(real)) {
        out += real < 0 ? "-Infinity" : "Infinity";
    } else {
        // Shortest text that reads back; exponents from 1e15 (1e6 for real) on as PostgreSQL has
        // them.
        char digits[40];
        const auto made =
            single ? std::to_chars(digits, digits + sizeof digits, static_cast<float>(real),
                                   std::chars_format::scientific)
                   : std::to_chars(digits, digits + sizeof digits, real,
                                   std::chars_format::scientific);
        const std::string_view scientific(digits, static_cast<size_t>(made.ptr - digits));
        const size_t power = scientific.find('e') + 1;
        int exponent = 0;  // from_chars takes no plus sign
        std::from_chars(digits + power + (digits[power] == '+'), made.ptr, exponent);
        if (exponent < -4 || exponent >= (single ? 6 : 15)) {
            out += scientific;
            return;
        }
        const auto plain =
            single ? std::to_chars(digits, digits + sizeof digits, static_cast<float>(real),
                                   std::chars_format::fixed)
                   : std::to_chars(digits, digits + sizeof digits, real, std::chars_format::fixed);
        out.append(digits, static_cast<size_t>(plain.ptr - digits));
    }
}

/// Dates go farther than timestamps can say; the calendar comes again every 400 years.
void append_day(int64_t days, std::string& out, bool& before_christ) {
    constexpr int64_t kEraDays = 146'097;
    const int64_t eras = days / kEraDays;
    CivilTime at = civil({(days - eras * kEraDays) * kDayMicros});
    at.year += static_cast<int>(eras * 400);
    before_christ = at.year <= 0;
    out +=
        fmt::format("{:04}-{:02}-{:02}", before_christ ? 1 - at.year : at.year, at.month, at.day);
}

void append_date(int64_t days, std::string& out) {
    if (days == kInfiniteDate || days == -int64_t{kInfiniteDate}) {
        out += days < 0 ? "-infinity" : "infinity";
        return;
    }
    bool before_christ = false;
    append_day(days, out, before_christ);
    if (before_christ) out += " BC";
}

void append_fraction(int64_t micros, std::string& out) {
    if (micros == 0) return;
    std::string digits = fmt::format(".{:06}", micros);
    while (digits.back() == '0') digits.pop_back();
    out += digits;
}

void append_time(int64_t micros, std::string& out) {
    const int64_t seconds = micros / 1'000'000;
    out += fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    append_fraction(micros % 1'000'000, out);
}

void append_timestamp(int64_t micros, bool zoned, std::string& out) {
    if (micros == kInfiniteTimestamp || micros == -kInfiniteTimestamp) {
        out += micros < 0 ? "-infinity" : "infinity";
        return;
    }
    int64_t days = micros / kDayMicros;
    if (micros % kDayMicros < 0) --days;
    bool before_christ = false;
    append_day(days, out, before_christ);
    out += ' ';
    append_time(micros - days * kDayMicros, out);
    if (zoned) out += "+00";
    if (before_christ) out += " BC";
}

void append_interval(const Interval& interval, std::string& out) {
    const size_t begin = out.size();
    bool after_negative = false;  // then a sign is written
    const auto unit = [&](int64_t count, const char* name) {
        if (count == 0) return;
        if (out.size() > begin) out += ' ';
        out += fmt::format("{}{} {}{}", after_negative && count > 0 ? "+" : "", count, name,
                           count == 1 ? "" : "s");
        after_negative = count < 0;
    };
    unit(interval.months / 12, "year");
    unit(interval.months % 12, "mon");
    unit(interval.days, "day");
    if (interval.micros == 0 && out.size() > begin) return;
    if (out.size() > begin) out += ' ';
    if (interval.micros < 0)
        out += '-';
    else if (after_negative)
        out += '+';
    append_time(std::abs(interval.micros), out);
}

void append_uuid(Int128 number, std::string& out) {
    const auto bits = static_cast<unsigned __int128>(number);
    for (int nibble = 31; nibble >= 0; --nibble) {
        out += "0123456789abcdef"[static_cast<int>(bits >> (nibble * 4)) & 15];
        if (nibble == 24 || nibble == 20 || nibble == 16 || nibble == 12) out += '-';
    }
}

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
            out += c;
        }
    }
    out += '"';
}

void append_json(const Type& type, const Value& value, std::string& out);

void append_json_object(const Type& type, const Values& values, std::string& out) {
    out += '{';
    const bool map = type.kind == Kind::map;
    const size_t members = map ? values.size() / 2 : values.size();
    for (size_t i = 0; i < members; ++i) {
        if (i > 0) out += ',';
        const std::string name =
            map ? pg_text(type.children[0].second, values[2 * i]) : type.children[i].first;
        append_json_string(name, out);
        out += ':';
        append_json(type.children[map ? 1 : i].second, values[map ? 2 * i + 1 : i], out);
    }
    out += '}';
}

void append_json(const Type& type, const Value& value, std::string& out) {
    if (value.is_null()) {
        out += "null";
        return;
    }
    switch (type.kind) {
        case Kind::boolean:
            out += std::get<bool>(value.of) ? "true" : "false";
            return;
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::oid:
        case Kind::decimal:
        case Kind::json:
        case Kind::jsonb:
            append_pg_text(type, value, out);
            return;
        case Kind::float32:
        case Kind::float64:
            if (std::isfinite(std::get<double>(value.of))) {
                append_pg_text(type, value, out);
                return;
            }
            break;
        case Kind::list: {
            out += '[';
            for (const auto& element : std::get<Values>(value.of)) {
                if (out.back() != '[') out += ',';
                append_json(type.children[0].second, element, out);
            }
            out += ']';
            return;
        }
        case Kind::structure:
        case Kind::map:
            append_json_object(type, std::get<Values>(value.of), out);
            return;
        default:
            break;
    }
    append_json_string(pg_text(type, value), out);
}

bool needs_array_quotes(std::string_view text) {
    if (text.empty()) return true;
    if (text.size() == 4 && strncasecmp(text.data(), "null", 4) == 0) return true;
    return text.find_first_of("{}\",\\ \t\n\r\v\f") != std::string_view::npos;
}

void append_array(const Type& type, const Values& elements, std::string& out) {
    const Type& element_type = type.children.front().second;
    if (type.children.front().first == kVectorElement) {
        for (size_t i = 0; i < elements.size(); ++i) {
            if (i > 0) out += ' ';
            append_pg_text(element_type, elements[i], out);
        }
        return;
    }
    out += '{';
    bool first = true;
    for (const auto& element : elements) {
        if (!first) out += ',';
        first = false;
        if (element.is_null()) {
            out += "NULL";
            continue;
        }
        const std::string text = pg_text(element_type, element);
        if (!needs_array_quotes(text)) {
            out += text;
            continue;
        }
        out += '"';
        for (char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    out += '}';
}

Int128 decimal_of(const Value& value) {
    if (const int64_t* narrow = std::get_if<int64_t>(&value.of)) return *narrow;
    return std::get<Int128>(value.of);
}

Result<Value> parse_boolean(const Type& type, std::string_view text) {
    std::string lower;
    for (char c : trim(text, " \t\n\v\f\r"))
        lower += static_cast<char>(tolower(static_cast<unsigned char>(c)));
    if (lower == "1" || lower == "on" ||
        (!lower.empty() && std::string_view("true").starts_with(lower)) ||
        (!lower.empty() && std::string_view("yes").starts_with(lower)))
        return Value(true);
    if (lower == "0" || lower == "off" || lower == "of" ||
        (!lower.empty() && std::string_view("false").starts_with(lower)) ||
        (!lower.empty() && std::string_view("no").starts_with(lower)))
        return Value(false);
    return malformed(type, text);
}

Result<Value> parse_integer(const Type& type, std::string_view text, int64_t least, int64_t most) {
    std::string_view digits = trim(text, " \t\n\v\f\r");
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool overflow = read.ec == std::errc::result_out_of_range;
    if (!overflow &&
        (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || digits.empty()))
        return malformed(type, text);
    if (overflow || number < least || number > most)
        return Error{Code::out_of_range,
                     fmt::format("value \"{}\" is out of range for type {}", text, pg_name(type)),
                     "22003"};
    return Value(number);
}

Result<Value> parse_real(const Type& type, std::string_view text) {
    std::string digits(trim(text, " \t\n\v\f\r"));
    if (digits.empty() || digits.size() > 400) return malformed(type, text);
    char* end = nullptr;
    const double number = type.kind == Kind::float32
                              ? static_cast<double>(std::strtof(digits.c_str(), &end))
                              : std::strtod(digits.c_str(), &end);
    if (end != digits.c_str() + digits.size() || digits.find_first_of("xX") != std::string::npos)
        return malformed(type, text);
    return Value(number);
}

Result<Value> parse_decimal(const Type& type, std::string_view text) {
    std::string_view rest = trim(text, " \t\n\v\f\r");
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    int exponent = 0;
    if (const size_t e = rest.find_first_of("eE"); e != std::string_view::npos) {
        const std::string_view power = rest.substr(e + 1);
        const bool plus = power.starts_with('+');
        const auto read =
            std::from_chars(power.data() + plus, power.data() + power.size(), exponent);
        if (read.ec != std::errc() || read.ptr != power.data() + power.size() ||
            std::abs(exponent) > 400)
            return malformed(type, text);
        rest = rest.substr(0, e);
    }
    std::string digits;
    int places = 0;
    bool point = false;
    for (char c : rest) {
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits += c;
            places += point;
        } else {
            return malformed(type, text);
        }
    }
    if (digits.empty()) return malformed(type, text);
    int shift = type.scale - places + exponent;
    bool round_up = false;
    while (shift < 0 && !digits.empty()) {
        round_up = digits.back() >= '5';
        digits.pop_back();
        ++shift;
    }
    if (shift < 0) round_up = false;
    const Error overflow{
        Code::out_of_range,
        fmt::format("numeric field overflow: \"{}\" does not fit {}", text, pg_name(type)),
        "22003"};
    const size_t zeros = digits.find_first_not_of('0');
    digits = zeros == std::string::npos ? "" : digits.substr(zeros);
    if (!digits.empty() && shift > 0) digits.append(static_cast<size_t>(shift), '0');
    if (digits.size() > type.precision) return overflow;
    Int128 unscaled = 0;
    for (char c : digits) unscaled = unscaled * 10 + (c - '0');
    if (round_up) ++unscaled;
    Int128 limit = 1;
    for (int i = 0; i < type.precision; ++i) limit *= 10;
    if (unscaled >= limit) return overflow;
    if (negative) unscaled = -unscaled;
    if (type.precision <= 18) return Value(static_cast<int64_t>(unscaled));
    return Value(unscaled);
}

Result<Value> parse_bytes(const Type& type, std::string_view text) {
    auto bytes = parse_bytea(text);
    if (!bytes) return malformed(type, text);
    return Value(std::move(*bytes));
}

/// "2026-11-20", leaves the rest in text.
bool take_day(std::string_view& text, int64_t& days) {
    int year = 0, month = 0, day = 0;
    const char* end = text.data() + text.size();
    if (text.starts_with('-')) return false;
    auto read = std::from_chars(text.data(), end, year);
    if (read.ec != std::errc() || read.ptr - text.data() < 4 || read.ptr == end || *read.ptr != '-')
        return false;
    read = std::from_chars(read.ptr + 1, end, month);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != '-') return false;
    read = std::from_chars(read.ptr + 1, end, day);
    if (read.ec != std::errc() || month < 1 || month > 12 || day < 1 || day > 31 || year > 290'000)
        return false;
    days = days_from_civil(year, month, day);
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
    const CivilTime back = civil({days * kDayMicros});
    return back.day == day && back.month == month;
}

/// "17:30", "17:30:01.5", leaves the rest in text.
bool take_time(std::string_view& text, int64_t& micros) {
    int parts[3] = {0, 0, 0};
    const char* at = text.data();
    const char* end = text.data() + text.size();
    int count = 0;
    for (; count < 3; ++count) {
        const auto read = std::from_chars(at, end, parts[count]);
        if (read.ec != std::errc() || read.ptr == at || parts[count] < 0) return false;
        at = read.ptr;
        if (at == end || *at != ':') {
            ++count;
            break;
        }
        ++at;
    }
    if (count < 2 || parts[0] > 24 || parts[1] > 59 || parts[2] > 60) return false;
    int64_t fraction = 0;
    if (at != end && (*at == '.' || *at == ',')) {
        ++at;
        int64_t unit = 1'000'000;
        int digits = 0;
        while (at != end && *at >= '0' && *at <= '9') {
            if (++digits <= 6) fraction += (*at - '0') * (unit /= 10);
            ++at;
        }
    }
    micros = ((parts[0] * 60 + parts[1]) * 60LL + parts[2]) * 1'000'000 + fraction;
    text.remove_prefix(static_cast<size_t>(at - text.data()));
    return micros <= kDayMicros;
}

/// "+01", "+01:00", "Z": seconds east of Greenwich.
bool take_zone(std::string_view& text, int64_t& seconds) {
    seconds = 0;
    if (text.starts_with('Z') || text.starts_with('z')) {
        text.remove_prefix(1);
        return true;
    }
    for (std::string_view name : {" UTC", " utc", " GMT", "UTC"})
        if (text == name) {
            text = {};
            return true;
        }
    if (!text.starts_with('+') && !text.starts_with('-')) return text.empty();
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    if (text.size() < 2) return false;
    int hours = 0, minutes = 0;
    auto read = std::from_chars(text.data(), text.data() + 2, hours);
    if (read.ec != std::errc() || hours > 15) return false;
    text.remove_prefix(2);
    if (text.starts_with(':')) text.remove_prefix(1);
    if (!text.empty()) {
        if (text.size() < 2) return false;
        read = std::from_chars(text.data(), text.data() + 2, minutes);
        if (read.ec != std::errc() || minutes > 59) return false;
        text.remove_prefix(2);
    }
    seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

Result<Value> parse_instant(const Type& type, std::string_view text) {
    std::string_view rest = trim(text, " \t\n\v\f\r");
    const bool date = type.kind == Kind::date;
    if (rest == "infinity" || rest == "-infinity") {
        const int64_t most = date ? kInfiniteDate : kInfiniteTimestamp;
        return Value(rest.starts_with('-') ? -most : most);
    }
    int64_t days = 0, micros = 0, zone = 0;
    if (!take_day(rest, days)) return malformed(type, text);
    if (rest.starts_with(' ') || rest.starts_with('T')) {
        rest.remove_prefix(1);
        const bool zone_alone = rest.starts_with('+') || rest.starts_with('-');  // pgjdbc's dates
        if (!zone_alone && !take_time(rest, micros)) return malformed(type, text);
        if (!take_zone(rest, zone)) return malformed(type, text);
    }
    if (!rest.empty()) return malformed(type, text);
    if (date) return Value(days);
    return Value(days * kDayMicros + micros -
                 (type.kind == Kind::timestamptz ? zone * 1'000'000 : 0));
}

Result<Value> parse_uuid(const Type& type, std::string_view text) {
    unsigned __int128 bits = 0;
    int nibbles = 0;
    for (char c : trim(text, " \t\n\v\f\r")) {
        if (c == '-' || c == '{' || c == '}') continue;
        const char lower = static_cast<char>(c | 32);
        const int nibble = c >= '0' && c <= '9'           ? c - '0'
                           : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                          : -1;
        if (nibble < 0 || ++nibbles > 32) return malformed(type, text);
        bits = bits << 4 | static_cast<unsigned>(nibble);
    }
    if (nibbles != 32) return malformed(type, text);
    return Value(static_cast<Int128>(bits));
}

Result<Value> parse_array(const Type& type, std::string_view text) {
    std::string_view rest = trim(text, " \t\n\v\f\r");
    if (rest.size() < 2 || rest.front() != '{' || rest.back() != '}') return malformed(type, text);
    rest = rest.substr(1, rest.size() - 2);
    const Type& element_type = type.children.front().second;
    Values elements;
    if (trim(rest, " \t\n\v\f\r").empty()) return Value(std::move(elements));
    while (true) {
        rest = rest.substr(std::min(rest.find_first_not_of(" \t\n\r"), rest.size()));
        std::string element;
        bool was_quoted = false;
        if (rest.starts_with('"')) {
            was_quoted = true;
            size_t i = 1;
            for (; i < rest.size() && rest[i] != '"'; ++i) {
                if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
                element += rest[i];
            }
            if (i >= rest.size()) return malformed(type, text);
            rest.remove_prefix(i + 1);
        } else {
            size_t end = 0, length = 0;  // blanks at the end are none of it
            for (; end < rest.size() && rest[end] != ','; ++end) {
                const bool escaped = rest[end] == '\\' && end + 1 < rest.size();
                if (escaped) ++end;
                const char c = rest[end];
                if (!escaped && (c == '{' || c == '}' || c == '"')) return malformed(type, text);
                element += c;
                if (escaped || std::string_view(" \t\n\v\f\r").find(c) == std::string_view::npos)
                    length = element.size();
                was_quoted = was_quoted || escaped;
            }
            element.resize(length);
            if (element.empty()) return malformed(type, text);
            rest.remove_prefix(end);
        }
        if (!was_quoted && strcasecmp(element.c_str(), "null") == 0) {
            elements.emplace_back();
        } else {
            TARN_TRY(value, parse_pg_text(element_type, element));
            elements.push_back(std::move(value));
        }
        rest = trim(rest, " \t\n\v\f\r");
        if (rest.empty()) return Value(std::move(elements));
        if (rest.front() != ',') return malformed(type, text);
        rest.remove_prefix(1);
    }
}

}  // namespace

void append_pg_text(const Type& type, const Value& value, std::string& out) {
    if (value.is_null()) return;
    switch (type.kind) {
        case Kind::boolean:
            out += std::get<bool>(value.of) ? 't' : 'f';
            return;
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::oid:
            fmt::format_to(std::back_inserter(out), "{}", std::get<int64_t>(value.of));
            return;
        case Kind::float32:
        case Kind::float64:
            append_real(std::get<double>(value.of), type.kind == Kind::float32, out);
            return;
        case Kind::decimal:
            append_decimal(decimal_of(value), type.scale, out);
            return;
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::jsonb:
            out += std::get<std::string>(value.of);
            return;
        case Kind::binary:
            out += "\\x";
            for (char c : std::get<std::string>(value.of)) {
                out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
                out += "0123456789abcdef"[c & 15];
            }
            return;
        case Kind::date:
            append_date(std::get<int64_t>(value.of), out);
            return;
        case Kind::time:
            append_time(std::get<int64_t>(value.of), out);
            return;
        case Kind::timestamp:
        case Kind::timestamptz:
            append_timestamp(std::get<int64_t>(value.of), type.kind == Kind::timestamptz, out);
            return;
        case Kind::interval:
            append_interval(std::get<Interval>(value.of), out);
            return;
        case Kind::uuid:
            append_uuid(std::get<Int128>(value.of), out);
            return;
        case Kind::list:
            if (pg_oid(type) == 114) return append_json(type, value, out);
            return append_array(type, std::get<Values>(value.of), out);
        case Kind::structure:
        case Kind::map:
            append_json(type, value, out);
            return;
    }
}

std::string pg_text(const Type& type, const Value& value) {
    std::string out;
    append_pg_text(type, value, out);
    return out;
}

Result<Value> parse_pg_text(const Type& type, std::string_view text) {
    switch (type.kind) {
        case Kind::boolean:
            return parse_boolean(type, text);
        case Kind::int16:
            return parse_integer(type, text, -32'768, 32'767);
        case Kind::int32:
            return parse_integer(type, text, std::numeric_limits<int32_t>::min(),
                                 std::numeric_limits<int32_t>::max());
        case Kind::int64:
            return parse_integer(type, text, std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max());
        case Kind::oid:
            return parse_integer(type, text, 0, std::numeric_limits<uint32_t>::max());
        case Kind::float32:
        case Kind::float64:
            return parse_real(type, text);
        case Kind::decimal:
            return parse_decimal(type, text);
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::jsonb:
            return Value(std::string(text));
        case Kind::binary:
            return parse_bytes(type, text);
        case Kind::date:
        case Kind::timestamp:
        case Kind::timestamptz:
            return parse_instant(type, text);
        case Kind::time: {
            std::string_view rest = trim(text, " \t\n\v\f\r");
            int64_t micros = 0;
            if (!take_time(rest, micros) || !rest.empty()) return malformed(type, text);
            return Value(micros);
        }
        case Kind::uuid:
            return parse_uuid(type, text);
        case Kind::list:
            if (pg_oid(type) != 114) return parse_array(type, text);
            break;
        case Kind::interval: {
            TARN_TRY(interval, parse_interval(text));
            return Value(interval);
        }
        case Kind::structure:
        case Kind::map:
            break;
    }
    return Error{Code::unimplemented,
                 fmt::format("reading a value of type {} from text", sql_name(type)), "0A000"};
}

}  // namespace tarn::query

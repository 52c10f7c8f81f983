#include "ingest/internal/change_values.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/time.h"

namespace tarn::ingest {

namespace {

using query::Column;
using query::Kind;
using query::Type;

constexpr int64_t kDayMicros = 86'400'000'000;

// Readers take the common form of a value quickly. What they decline (false) goes through
// query::parse_pg_text, which knows the rest and words the error.

template <typename T>
bool read_integer(const Type&, std::string_view text, Column& out) {
    T number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
    out.append_number(number);
    return true;
}

template <typename T>
bool read_real(const Type&, std::string_view text, Column& out) {
    T number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
    out.append_real(static_cast<double>(number));
    return true;
}

bool read_boolean(const Type&, std::string_view text, Column& out) {
    if (text != "t" && text != "f") return false;
    out.append_number(text == "t");
    return true;
}

bool read_text(const Type&, std::string_view text, Column& out) {
    out.append_text(text);
    return true;
}

/// Up to 18 digits, none of them beyond the scale.
bool read_decimal(const Type& type, std::string_view text, Column& out) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty() || text.size() > 19) return false;
    int64_t unscaled = 0;
    int digits = 0, places = 0;
    bool point = false;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            if (digits == 18) return false;
            unscaled = unscaled * 10 + (c - '0');
            // Zeros in front are not counted: they do not use up the precision.
            digits += unscaled != 0;
            places += point;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (text.front() == '.' || places > type.scale) return false;
    const int shift = type.scale - places;
    if (digits + shift > 18 || digits + shift > type.precision) return false;
    for (int i = 0; i < shift; ++i) unscaled *= 10;
    if (negative) unscaled = -unscaled;
    if (type.precision <= 18)
        out.append_number(unscaled);
    else
        out.append_wide(unscaled);
    return true;
}

/// Two digits, or a negative number.
int pair_at(const char* at) {
    const unsigned high = static_cast<unsigned char>(at[0]) - unsigned{'0'};
    const unsigned low = static_cast<unsigned char>(at[1]) - unsigned{'0'};
    return high > 9 || low > 9 ? -1 : static_cast<int>(high * 10 + low);
}

/// "2026-11-20"; years of more digits are declined.
bool day_of(std::string_view text, int64_t& days) {
    const char* at = text.data();
    const int century = pair_at(at), year = pair_at(at + 2), month = pair_at(at + 5),
              day = pair_at(at + 8);
    if (century < 0 || year < 0 || at[4] != '-' || at[7] != '-' || month < 1 || month > 12 ||
        day < 1 || day > 31)
        return false;
    days = days_from_civil(century * 100 + year, month, day);
    return true;
}

/// "17:30:01", "17:30:01.25"; all of it.
bool micros_of(std::string_view text, int64_t& micros) {
    if (text.size() < 8) return false;
    const char* at = text.data();
    const int hour = pair_at(at), minute = pair_at(at + 3), second = pair_at(at + 6);
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
        at[2] != ':' || at[5] != ':')
        return false;
    micros = ((hour * 60 + minute) * 60LL + second) * 1'000'000;
    if (text.size() == 8) return micros <= kDayMicros;
    if (at[8] != '.' || text.size() < 10 || text.size() > 15) return false;
    int64_t unit = 100'000;
    for (const char c : text.substr(9)) {
        if (c < '0' || c > '9') return false;
        micros += (c - '0') * unit;
        unit /= 10;
    }
    return micros <= kDayMicros;
}

/// Years before Christ, which come as "0044-03-15 BC": the year 1 BC is 0.
bool before_christ(const Type& type, std::string_view text, Column& out) {
    text.remove_suffix(3);
    const size_t dash = text.find('-');
    int year = 0;
    if (dash == std::string_view::npos || text.size() < dash + 6) return false;
    const auto read = std::from_chars(text.data(), text.data() + dash, year);
    if (read.ec != std::errc() || read.ptr != text.data() + dash || year < 1 || year > 5'000)
        return false;
    const int month = pair_at(text.data() + dash + 1), day = pair_at(text.data() + dash + 4);
    if (month < 1 || month > 12 || day < 1 || day > 31 || text[dash + 3] != '-') return false;
    const int64_t days = days_from_civil(1 - year, month, day);
    text.remove_prefix(dash + 6);
    if (type.kind == Kind::date) {
        if (!text.empty()) return false;
        out.append_number(days);
        return true;
    }
    if (type.kind == Kind::timestamptz) {
        if (!text.ends_with("+00")) return false;
        text.remove_suffix(3);
    }
    int64_t micros = 0;
    if (!text.starts_with(' ') || !micros_of(text.substr(1), micros)) return false;
    out.append_number(days * kDayMicros + micros);
    return true;
}

bool read_date(const Type& type, std::string_view text, Column& out) {
    if (text.ends_with(" BC")) return before_christ(type, text, out);
    int64_t days = 0;
    if (text.size() != 10 || !day_of(text, days)) return false;
    out.append_number(days);
    return true;
}

bool read_time(const Type&, std::string_view text, Column& out) {
    int64_t micros = 0;
    if (!micros_of(text, micros)) return false;
    out.append_number(micros);
    return true;
}

bool read_timestamp(const Type& type, std::string_view text, Column& out) {
    if (text.ends_with(" BC")) return before_christ(type, text, out);
    if (type.kind == Kind::timestamptz) {
        if (!text.ends_with("+00")) return false;
        text.remove_suffix(3);
    }
    int64_t days = 0, micros = 0;
    if (text.size() < 19 || text[10] != ' ' || !day_of(text, days) ||
        !micros_of(text.substr(11), micros))
        return false;
    out.append_number(days * kDayMicros + micros);
    return true;
}

int nibble_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool read_uuid(const Type&, std::string_view text, Column& out) {
    if (text.size() != 36) return false;
    unsigned __int128 bits = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') return false;
            continue;
        }
        const int nibble = nibble_of(text[i]);
        if (nibble < 0) return false;
        bits = bits << 4 | static_cast<unsigned>(nibble);
    }
    out.append_wide(static_cast<query::Int128>(bits));
    return true;
}

bool read_bytes(const Type&, std::string_view text, Column& out) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (size_t i = 2; i < text.size(); i += 2) {
        const int high = nibble_of(text[i]), low = nibble_of(text[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    out.append_text(bytes);
    return true;
}

bool declines(const Type&, std::string_view, Column&) {
    return false;
}

}  // namespace

ValueReader::Quick ValueReader::quick_of(const Type& type) {
    switch (type.kind) {
        case Kind::boolean:
            return read_boolean;
        case Kind::int16:
            return read_integer<int16_t>;
        case Kind::int32:
            return read_integer<int32_t>;
        case Kind::int64:
        case Kind::oid:
            return read_integer<int64_t>;
        case Kind::float32:
            return read_real<float>;
        case Kind::float64:
            return read_real<double>;
        case Kind::decimal:
            return read_decimal;
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::jsonb:
            return read_text;
        case Kind::binary:
            return read_bytes;
        case Kind::date:
            return read_date;
        case Kind::time:
            return read_time;
        case Kind::timestamp:
        case Kind::timestamptz:
            return read_timestamp;
        case Kind::uuid:
            return read_uuid;
        case Kind::interval:
        case Kind::list:
        case Kind::structure:
        case Kind::map:
            return declines;
    }
    return declines;
}

ValueReader::ValueReader(ColumnSpec column)
    : column_(std::move(column)), quick_(quick_of(column_.type)) {}

Status ValueReader::read_rest(std::string_view text, query::Column& out) const {
    const Type& type = column_.type;
    auto value = query::parse_pg_text(type, text);
    if (value.ok()) {
        out.append(std::move(value).value());
        return ok_status();
    }
    std::string advice;
    if (type.kind == Kind::decimal)
        advice =
            " (NaN, infinity and more digits have no place in the lake's decimals: correct the "
            "value there, give the column a precision or type text, or read a view that casts it)";
    if (type.kind == Kind::list && text.starts_with("{{"))
        advice = " (arrays of arrays: read a view that casts the column to json)";
    return Error(value.error().code,
                 fmt::format("column {}: {}{}", column_.name, value.error().message, advice),
                 value.error().reason);
}

void copy_cell(const query::Column& from, size_t row, query::Column& to) {
    if (from.is_null(row)) return to.append_null();
    const auto store = Column::store_of(to.type());
    if (store != Column::store_of(from.type())) return to.append(from.value(row));
    switch (store) {
        case Column::Store::numbers:
            return to.append_number(from.number(row));
        case Column::Store::reals:
            return to.append_real(from.real(row));
        case Column::Store::wides:
            return to.append_wide(from.wide(row));
        case Column::Store::texts:
            return to.append_text(from.text(row));
        case Column::Store::intervals:
        case Column::Store::values:
            return to.append(from.value(row));
    }
}

}  // namespace tarn::ingest

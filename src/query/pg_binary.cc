// PostgreSQL's binary form of values, both ways (the *_send and *_recv functions of
// src/backend/utils/adt).
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "base/bytes.h"
#include "query/pg_binary.h"

namespace tarn::query {

namespace {

// PostgreSQL counts from 2000-01-01.
constexpr int64_t kEpochDays = 10'957;
constexpr int64_t kEpochMicros = kEpochDays * 86'400'000'000;
constexpr int64_t kInfiniteTimestamp = std::numeric_limits<int64_t>::max();
constexpr char kJsonbVersion = 1;
constexpr int32_t kInfiniteDate = std::numeric_limits<int32_t>::max();

Error malformed(const Type& type) {
    return {Code::invalid_argument,
            fmt::format("incorrect binary data format for type {}", pg_name(type)), "22P03"};
}

Error beyond(const Type& type) {
    return {Code::invalid_argument, fmt::format("{} out of range", pg_name(type)), "22008"};
}

int64_t timestamp_to_pg(int64_t micros) {
    if (micros == kInfiniteTimestamp) return micros;
    if (micros == -kInfiniteTimestamp) return std::numeric_limits<int64_t>::min();
    return micros - kEpochMicros;
}

Result<Value> timestamp_from_pg(const Type& type, int64_t micros) {
    constexpr int64_t kLeast = -211'813'488'000'000'000;  // 4714-11-24 BC
    if (micros == kInfiniteTimestamp) return Value(micros);
    if (micros == std::numeric_limits<int64_t>::min()) return Value(-kInfiniteTimestamp);
    if (micros < kLeast || micros >= kInfiniteTimestamp - kEpochMicros) return beyond(type);
    return Value(micros + kEpochMicros);
}

int32_t date_to_pg(int64_t days) {
    if (days == kInfiniteDate) return kInfiniteDate;
    if (days == -int64_t{kInfiniteDate}) return std::numeric_limits<int32_t>::min();
    return static_cast<int32_t>(days - kEpochDays);
}

Result<Value> date_from_pg(const Type& type, int32_t days) {
    constexpr int32_t kLeast = -2'451'545, kMost = 2'145'031'948;  // 4714-11-24 BC, 5874897-12-31
    if (days == kInfiniteDate) return Value(int64_t{days});
    if (days == std::numeric_limits<int32_t>::min()) return Value(-int64_t{kInfiniteDate});
    if (days < kLeast || days > kMost) return beyond(type);
    return Value(days + kEpochDays);
}

Result<Value> time_from_pg(const Type& type, int64_t micros) {
    if (micros < 0 || micros > 86'400'000'000) return beyond(type);
    return Value(micros);
}

/// numeric: groups of four decimal digits, the point between groups.
void append_numeric(Int128 unscaled, int scale, std::string& out) {
    const bool negative = unscaled < 0;
    auto magnitude = static_cast<unsigned __int128>(unscaled);
    if (negative) magnitude = -magnitude;
    std::string digits;  // of the whole number, last first
    for (; magnitude != 0; magnitude /= 10)
        digits += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    const auto places = static_cast<size_t>(scale);
    if (digits.size() < places) digits.append(places - digits.size(), '0');
    // The point must lie between two groups, and so must both ends.
    const size_t fraction_padding = (4 - places % 4) % 4;
    digits.insert(0, fraction_padding, '0');
    digits.append((4 - digits.size() % 4) % 4, '0');
    std::vector<int16_t> groups;
    for (size_t end = digits.size(); end > 0; end -= 4)
        groups.push_back(
            static_cast<int16_t>((digits[end - 1] - '0') * 1000 + (digits[end - 2] - '0') * 100 +
                                 (digits[end - 3] - '0') * 10 + (digits[end - 4] - '0')));
    int weight =
        static_cast<int>(groups.size()) - static_cast<int>((places + fraction_padding) / 4) - 1;
    size_t leading = 0;
    while (leading < groups.size() && groups[leading] == 0) ++leading;
    groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(leading));
    weight -= static_cast<int>(leading);
    while (!groups.empty() && groups.back() == 0) groups.pop_back();
    if (groups.empty()) weight = 0;
    append_be(out, static_cast<int16_t>(groups.size()));
    append_be(out, static_cast<int16_t>(weight));
    append_be(out, static_cast<uint16_t>(negative && !groups.empty() ? 0x4000 : 0));
    append_be(out, static_cast<int16_t>(scale));
    for (int16_t group : groups) append_be(out, group);
}

Result<Value> parse_numeric(const Type& type, std::string_view bytes) {
    ByteReader in(bytes);
    const auto count = in.take_be<int16_t>();
    const auto weight = in.take_be<int16_t>();
    const auto sign = in.take_be<uint16_t>();
    const auto display = in.take_be<int16_t>();
    if (!count || !weight || !sign || !display || *count < 0 ||
        in.left() != static_cast<size_t>(*count) * 2)
        return malformed(type);
    if (*sign != 0 && *sign != 0x4000)
        return Error{Code::out_of_range, "NaN and infinity are no values of a numeric column",
                     "22003"};
    // As text: exact, and one place decides about rounding and overflow.
    std::string text = *sign ? "-" : "";
    if (*weight > 10 || *weight < -20 || *count > 40) {
        if (*count > 0 && *weight > 10)
            return Error{Code::out_of_range, "numeric field overflow", "22003"};
    }
    if (*weight < 0) text += '0';
    for (int group = 0; group <= *weight; ++group) {
        int16_t digits = 0;
        if (group < *count) {
            digits = *in.take_be<int16_t>();
            if (digits < 0 || digits > 9'999) return malformed(type);
        }
        text += fmt::format("{:04}", digits);
    }
    text += '.';
    for (int group = *weight + 1; group < 0 && group > -20; ++group) text += "0000";
    while (in.left() > 0) {
        const int16_t digits = *in.take_be<int16_t>();
        if (digits < 0 || digits > 9'999) return malformed(type);
        text += fmt::format("{:04}", digits);
    }
    return parse_pg_text(type, text);
}

void append_array(const Type& type, const Values& elements, std::string& out) {
    const Type& element_type = type.children.front().second;
    const bool nulls =
        std::any_of(elements.begin(), elements.end(), [](const Value& v) { return v.is_null(); });
    append_be(out, static_cast<int32_t>(elements.empty() ? 0 : 1));
    append_be(out, static_cast<int32_t>(nulls));
    append_be(out, pg_oid(element_type));
    if (elements.empty()) return;
    append_be(out, static_cast<int32_t>(elements.size()));
    append_be(out, int32_t{1});
    for (const auto& element : elements) {
        if (element.is_null()) {
            append_be(out, int32_t{-1});
            continue;
        }
        std::string bytes;
        append_pg_binary(element_type, element, bytes);
        append_be(out, static_cast<int32_t>(bytes.size()));
        out += bytes;
    }
}

Result<Value> parse_array(const Type& type, std::string_view bytes) {
    ByteReader in(bytes);
    const auto dimensions = in.take_be<int32_t>();
    const auto nulls = in.take_be<int32_t>();
    const auto oid = in.take_be<uint32_t>();
    if (!dimensions || !nulls || !oid) return malformed(type);
    const Type& element_type = type.children.front().second;
    const auto given = type_of_pg_oid(*oid);
    if (!given || given->kind != element_type.kind)
        return Error{
            Code::invalid_argument,
            fmt::format("binary data has array element type {} instead of expected {} ({})", *oid,
                        pg_oid(element_type), pg_name(element_type)),
            "42804"};
    Values elements;
    if (*dimensions == 0) return Value(std::move(elements));
    const auto size = in.take_be<int32_t>();
    const auto lower = in.take_be<int32_t>();
    if (*dimensions != 1 || !size || !lower || *size < 0 ||
        static_cast<size_t>(*size) > in.left() / 4)
        return malformed(type);
    for (int32_t i = 0; i < *size; ++i) {
        const auto length = in.take_be<int32_t>();
        if (!length) return malformed(type);
        if (*length < 0) {
            elements.emplace_back();
            continue;
        }
        const auto element = in.take(static_cast<size_t>(*length));
        if (!element) return malformed(type);
        TARN_TRY(value, parse_pg_binary(element_type, *element));
        elements.push_back(std::move(value));
    }
    if (in.left() > 0) return malformed(type);
    return Value(std::move(elements));
}

template <typename Int>
Result<Value> parse_fixed(const Type& type, std::string_view bytes) {
    if (bytes.size() != sizeof(Int)) return malformed(type);
    return Value(static_cast<int64_t>(load_be<Int>(bytes.data())));
}

}  // namespace

void append_pg_binary(const Type& type, const Value& value, std::string& out) {
    if (value.is_null()) return;
    switch (type.kind) {
        case Kind::boolean:
            out += static_cast<char>(std::get<bool>(value.of));
            return;
        case Kind::int16:
            append_be(out, static_cast<int16_t>(std::get<int64_t>(value.of)));
            return;
        case Kind::int32:
            append_be(out, static_cast<int32_t>(std::get<int64_t>(value.of)));
            return;
        case Kind::int64:
        case Kind::time:
            append_be(out, std::get<int64_t>(value.of));
            return;
        case Kind::oid:
            append_be(out, static_cast<uint32_t>(std::get<int64_t>(value.of)));
            return;
        case Kind::float32:
            append_be(out, std::bit_cast<uint32_t>(static_cast<float>(std::get<double>(value.of))));
            return;
        case Kind::float64:
            append_be(out, std::bit_cast<uint64_t>(std::get<double>(value.of)));
            return;
        case Kind::decimal: {
            const int64_t* narrow = std::get_if<int64_t>(&value.of);
            append_numeric(narrow ? Int128{*narrow} : std::get<Int128>(value.of), type.scale, out);
            return;
        }
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::binary:
            out += std::get<std::string>(value.of);
            return;
        case Kind::jsonb:
            out += kJsonbVersion;
            out += std::get<std::string>(value.of);
            return;
        case Kind::date:
            append_be(out, date_to_pg(std::get<int64_t>(value.of)));
            return;
        case Kind::timestamp:
        case Kind::timestamptz:
            append_be(out, timestamp_to_pg(std::get<int64_t>(value.of)));
            return;
        case Kind::interval: {
            const auto& interval = std::get<Interval>(value.of);
            append_be(out, interval.micros);
            append_be(out, interval.days);
            append_be(out, interval.months);
            return;
        }
        case Kind::uuid: {
            const auto bits = static_cast<unsigned __int128>(std::get<Int128>(value.of));
            append_be(out, static_cast<uint64_t>(bits >> 64));
            append_be(out, static_cast<uint64_t>(bits));
            return;
        }
        case Kind::list:
            if (pg_oid(type) != 114) return append_array(type, std::get<Values>(value.of), out);
            [[fallthrough]];
        case Kind::structure:
        case Kind::map:
            append_pg_text(type, value, out);
            return;
    }
}

Result<Value> parse_pg_binary(const Type& type, std::string_view bytes) {
    switch (type.kind) {
        case Kind::boolean:
            if (bytes.size() != 1) return malformed(type);
            return Value(bytes[0] != 0);
        case Kind::int16:
            return parse_fixed<int16_t>(type, bytes);
        case Kind::int32:
            return parse_fixed<int32_t>(type, bytes);
        case Kind::int64:
            if (bytes.size() == 4)
                return Value(static_cast<int64_t>(load_be<uint32_t>(bytes.data())));  // regclass
            return parse_fixed<int64_t>(type, bytes);
        case Kind::time:
            if (bytes.size() != 8) return malformed(type);
            return time_from_pg(type, load_be<int64_t>(bytes.data()));
        case Kind::oid:
            return parse_fixed<uint32_t>(type, bytes);
        case Kind::float32:
            if (bytes.size() != 4) return malformed(type);
            return Value(
                static_cast<double>(std::bit_cast<float>(load_be<uint32_t>(bytes.data()))));
        case Kind::float64:
            if (bytes.size() != 8) return malformed(type);
            return Value(std::bit_cast<double>(load_be<uint64_t>(bytes.data())));
        case Kind::decimal:
            return parse_numeric(type, bytes);
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::binary:
            return Value(std::string(bytes));
        case Kind::jsonb:
            if (!bytes.starts_with(kJsonbVersion)) return malformed(type);
            return Value(std::string(bytes.substr(1)));
        case Kind::date:
            if (bytes.size() != 4) return malformed(type);
            return date_from_pg(type, load_be<int32_t>(bytes.data()));
        case Kind::timestamp:
        case Kind::timestamptz:
            if (bytes.size() != 8) return malformed(type);
            return timestamp_from_pg(type, load_be<int64_t>(bytes.data()));
        case Kind::interval:
            if (bytes.size() != 16) return malformed(type);
            return Value(Interval{load_be<int32_t>(bytes.data() + 12),
                                  load_be<int32_t>(bytes.data() + 8),
                                  load_be<int64_t>(bytes.data())});
        case Kind::uuid: {
            if (bytes.size() != 16) return malformed(type);
            const unsigned __int128 high = load_be<uint64_t>(bytes.data());
            return Value(static_cast<Int128>(high << 64 | load_be<uint64_t>(bytes.data() + 8)));
        }
        case Kind::list:
            if (pg_oid(type) != 114) return parse_array(type, bytes);
            break;
        case Kind::structure:
        case Kind::map:
            break;
    }
    return Error{Code::unimplemented,
                 fmt::format("reading a value of type {} from binary", sql_name(type)), "0A000"};
}

namespace {

bool is_smallint(const Value& value) {
    using Limits = std::numeric_limits<int16_t>;
    const int64_t* number = std::get_if<int64_t>(&value.of);
    return !number || (*number >= Limits::min() && *number <= Limits::max());
}

}  // namespace

Status check_pg_binary(const Column& column) {
    const bool array = column.type() == Type::list(Kind::int16);
    if (!array && column.type().kind != Kind::int16) return {};
    for (size_t row = 0; row < column.rows(); ++row) {
        if (column.is_null(row)) continue;
        const Value value = column.value(row);
        const bool fits = array ? std::all_of(std::get<Values>(value.of).begin(),
                                              std::get<Values>(value.of).end(), is_smallint)
                                : is_smallint(value);
        if (!fits) return Error{Code::out_of_range, "smallint out of range", "22003"};
    }
    return {};
}

}  // namespace tarn::query

// Values: comparison, and their binary form in bounds (Iceberg spec Appendix D).
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "tables/types.h"

namespace tarn::tables {

namespace {

Int128 power_of_ten(int exponent) {
    Int128 value = 1;
    while (exponent-- > 0) value *= 10;
    return value;
}

/// Big endian two's complement, as short as it can be.
std::string minimal_big_endian(Int128 value) {
    std::string bytes;
    for (int shift = 120; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(value >> shift));
    size_t skip = 0;
    while (skip + 1 < bytes.size()) {
        const bool sign_of_next = (bytes[skip + 1] & 0x80) != 0;
        if (!(bytes[skip] == 0 && !sign_of_next) && !(bytes[skip] == '\xff' && sign_of_next)) break;
        ++skip;
    }
    return bytes.substr(skip);
}

Error malformed(const Type& type) {
    return Error(Code::corrupted, "a bound is no " + type_name(type) + " value");
}

template <typename Int>
std::strong_ordering order_of(Int a, Int b) {
    return a < b   ? std::strong_ordering::less
           : a > b ? std::strong_ordering::greater
                   : std::strong_ordering::equal;
}

std::strong_ordering order_reals(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return order_of<int>(std::isnan(a), std::isnan(b));
    if (a == 0 && b == 0) return order_of<int>(!std::signbit(a), !std::signbit(b));
    return order_of(a, b);
}

std::strong_ordering order_bytes(const std::string& a, const std::string& b) {
    const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order != 0 ? order_of(order, 0) : order_of(a.size(), b.size());
}

/// The bytes of the first `count` code points.
size_t prefix_of_code_points(std::string_view text, int count) {
    size_t at = 0;
    while (at < text.size()) {
        const bool lead = (text[at] & 0xc0) != 0x80;
        if (lead && count-- == 0) return at;
        ++at;
    }
    return at;
}

/// The next string of as many code points or fewer that is greater than all that begin with
/// `prefix`.
std::optional<std::string> next_text(std::string prefix) {
    while (!prefix.empty()) {
        size_t lead = prefix.size() - 1;
        while (lead > 0 && (prefix[lead] & 0xc0) == 0x80) --lead;
        uint32_t point = 0;
        const auto first = static_cast<uint8_t>(prefix[lead]);
        const size_t size = prefix.size() - lead;
        if (size == 1)
            point = first;
        else
            point = first & (0xffu >> (size + 1));
        for (size_t i = lead + 1; i < prefix.size(); ++i)
            point = point << 6 | (static_cast<uint8_t>(prefix[i]) & 0x3f);
        prefix.resize(lead);
        if (point == 0x10ffff) continue;  // can't be raised: raise the one before
        ++point;
        if (point == 0xd800) point = 0xe000;  // surrogates are no characters
        if (point < 0x80) {
            prefix.push_back(static_cast<char>(point));
        } else if (point < 0x800) {
            prefix.push_back(static_cast<char>(0xc0 | point >> 6));
            prefix.push_back(static_cast<char>(0x80 | (point & 0x3f)));
        } else if (point < 0x10000) {
            prefix.push_back(static_cast<char>(0xe0 | point >> 12));
            prefix.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
            prefix.push_back(static_cast<char>(0x80 | (point & 0x3f)));
        } else {
            prefix.push_back(static_cast<char>(0xf0 | point >> 18));
            prefix.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3f)));
            prefix.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
            prefix.push_back(static_cast<char>(0x80 | (point & 0x3f)));
        }
        return prefix;
    }
    return std::nullopt;
}

std::optional<std::string> next_bytes(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
    if (prefix.empty()) return std::nullopt;
    prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
    return prefix;
}

}  // namespace

Literal Literal::boolean(bool v) {
    return {decltype(value)(std::in_place_index<1>, v)};
}
Literal Literal::integer(int64_t v) {
    return {decltype(value)(std::in_place_index<2>, v)};
}
Literal Literal::real(double v) {
    return {decltype(value)(std::in_place_index<3>, v)};
}
Literal Literal::decimal(Int128 v) {
    return {decltype(value)(std::in_place_index<4>, v)};
}
Literal Literal::text(std::string v) {
    return {decltype(value)(std::in_place_index<5>, std::move(v))};
}

bool fits(const Type& type, const Literal& literal) {
    const auto* integer = std::get_if<int64_t>(&literal.value);
    const auto* text = std::get_if<std::string>(&literal.value);
    switch (type.id) {
        case TypeId::boolean:
            return std::holds_alternative<bool>(literal.value);
        case TypeId::int32:
        case TypeId::date:
            return integer != nullptr && *integer >= INT32_MIN && *integer <= INT32_MAX;
        case TypeId::int64:
        case TypeId::time:
        case TypeId::timestamp:
        case TypeId::timestamptz:
            return integer != nullptr;
        case TypeId::float32:
        case TypeId::float64:
            return std::holds_alternative<double>(literal.value);
        case TypeId::decimal: {
            const auto* unscaled = std::get_if<Int128>(&literal.value);
            if (unscaled == nullptr) return false;
            const Int128 limit = power_of_ten(type.precision);
            return *unscaled<limit&& * unscaled> - limit;
        }
        case TypeId::string:
        case TypeId::binary:
            return text != nullptr;
        case TypeId::uuid:
            return text != nullptr && text->size() == 16;
        case TypeId::fixed:
            return text != nullptr && text->size() == static_cast<size_t>(type.length);
        default:
            return false;
    }
}

std::strong_ordering compare(const Type& type, const Literal& a, const Literal& b) {
    TARN_ASSERT(a.value.index() == b.value.index() && !a.is_null());
    (void)type;
    switch (a.value.index()) {
        case 1:
            return order_of<int>(std::get<bool>(a.value), std::get<bool>(b.value));
        case 2:
            return order_of(std::get<int64_t>(a.value), std::get<int64_t>(b.value));
        case 3:
            return order_reals(std::get<double>(a.value), std::get<double>(b.value));
        case 4:
            return order_of(std::get<Int128>(a.value), std::get<Int128>(b.value));
        default:
            return order_bytes(std::get<std::string>(a.value), std::get<std::string>(b.value));
    }
}

std::string encode_bound(const Type& type, const Literal& literal) {
    TARN_ASSERT(fits(type, literal));
    std::string out;
    switch (type.id) {
        case TypeId::boolean:
            out.push_back(std::get<bool>(literal.value) ? 1 : 0);
            break;
        case TypeId::int32:
        case TypeId::date:
            append_le(out, static_cast<int32_t>(std::get<int64_t>(literal.value)));
            break;
        case TypeId::int64:
        case TypeId::time:
        case TypeId::timestamp:
        case TypeId::timestamptz:
            append_le(out, std::get<int64_t>(literal.value));
            break;
        case TypeId::float32:
            append_le(out, static_cast<float>(std::get<double>(literal.value)));
            break;
        case TypeId::float64:
            append_le(out, std::get<double>(literal.value));
            break;
        case TypeId::decimal:
            out = minimal_big_endian(std::get<Int128>(literal.value));
            break;
        default:
            out = std::get<std::string>(literal.value);
            break;
    }
    return out;
}

Result<Literal> decode_bound(const Type& type, std::string_view bytes) {
    switch (type.id) {
        case TypeId::boolean:
            if (bytes.size() != 1) return malformed(type);
            return Literal::boolean(bytes[0] != 0);
        case TypeId::int32:
        case TypeId::date:
            if (bytes.size() != 4) return malformed(type);
            return Literal::integer(load_le<int32_t>(bytes.data()));
        case TypeId::int64:
        case TypeId::time:
        case TypeId::timestamp:
        case TypeId::timestamptz:
            if (bytes.size() == 4) return Literal::integer(load_le<int32_t>(bytes.data()));
            if (bytes.size() != 8) return malformed(type);
            return Literal::integer(load_le<int64_t>(bytes.data()));
        case TypeId::float32:
        case TypeId::float64:
            if (bytes.size() == 4) return Literal::real(load_le<float>(bytes.data()));
            if (bytes.size() != 8 || type.id == TypeId::float32) return malformed(type);
            return Literal::real(load_le<double>(bytes.data()));
        case TypeId::decimal: {
            if (bytes.empty() || bytes.size() > 16) return malformed(type);
            Int128 unscaled = bytes[0] & 0x80 ? -1 : 0;
            for (const char c : bytes) unscaled = unscaled * 256 + static_cast<uint8_t>(c);
            if (!fits(type, Literal::decimal(unscaled))) return malformed(type);
            return Literal::decimal(unscaled);
        }
        case TypeId::uuid:
            if (bytes.size() != 16) return malformed(type);
            return Literal::text(std::string(bytes));
        case TypeId::fixed:
            if (bytes.size() != static_cast<size_t>(type.length)) return malformed(type);
            return Literal::text(std::string(bytes));
        case TypeId::string:
        case TypeId::binary:
            return Literal::text(std::string(bytes));
        default:
            return malformed(type);
    }
}

std::string truncate_lower_bound(const Type& type, std::string bound) {
    if (type.id == TypeId::string) bound.resize(prefix_of_code_points(bound, kBoundLength));
    if (type.id == TypeId::binary && bound.size() > kBoundLength) bound.resize(kBoundLength);
    return bound;
}

std::optional<std::string> truncate_upper_bound(const Type& type, std::string bound) {
    std::string kept = truncate_lower_bound(type, bound);
    if (kept.size() == bound.size()) return bound;
    return type.id == TypeId::string ? next_text(std::move(kept)) : next_bytes(std::move(kept));
}

}  // namespace tarn::tables

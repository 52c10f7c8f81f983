// Partition transforms (Iceberg spec "Partition Transforms", hashes: Appendix B).
#include <charconv>

#include "base/bytes.h"
#include "base/time.h"
#include "fmt/format.h"
#include "tables/types.h"

namespace tarn::tables {

namespace {

using Kind = Transform::Kind;

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

uint32_t rotate(uint32_t v, int by) {
    return v << by | v >> (32 - by);
}

/// Murmur3, x86, 32 bits, seed 0.
uint32_t murmur3(std::string_view bytes) {
    constexpr uint32_t c1 = 0xcc9e2d51, c2 = 0x1b873593;
    uint32_t hash = 0;
    const auto size = static_cast<uint32_t>(bytes.size());
    for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
        hash ^= rotate(load_le<uint32_t>(bytes.data()) * c1, 15) * c2;
        hash = rotate(hash, 13) * 5 + 0xe6546b64;
    }
    uint32_t tail = 0;
    for (size_t i = bytes.size(); i-- > 0;) tail = tail << 8 | static_cast<uint8_t>(bytes[i]);
    if (!bytes.empty()) hash ^= rotate(tail * c1, 15) * c2;
    hash ^= size;
    hash = (hash ^ hash >> 16) * 0x85ebca6b;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35;
    return hash ^ hash >> 16;
}

uint32_t hash_of(const Type& source, const Literal& literal) {
    if (const auto* integer = std::get_if<int64_t>(&literal.value)) {
        std::string bytes;
        append_le(bytes, *integer);  // ints and dates hash as longs
        return murmur3(bytes);
    }
    return murmur3(encode_bound(source, literal));
}

struct Date {
    int64_t year;
    int month, day;
};

/// Any day that fits a date column, far beyond what a Timestamp can hold.
Date date_of(int64_t days) {
    const int64_t shifted = days + 719'468;  // from 0000-03-01: leap days come last
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    const int64_t day_of_era = shifted - era * 146'097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march_month = (5 * day_of_year + 2) / 153;
    const auto month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
    const auto day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

int64_t floor_divide(int64_t value, int64_t by) {
    const int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

template <typename Int>
Int round_down(Int value, Int width) {
    return value - (value % width + width) % width;
}

std::string first_code_points(const std::string& text, uint32_t count) {
    size_t at = 0;
    for (; at < text.size(); ++at)
        if ((text[at] & 0xc0) != 0x80 && count-- == 0) break;
    return text.substr(0, at);
}

Literal truncate(const Type& source, uint32_t width, const Literal& literal) {
    if (const auto* integer = std::get_if<int64_t>(&literal.value)) {
        const Int128 rounded = round_down<Int128>(*integer, width);
        // Below the type's smallest value Java wraps around; staying at the value keeps the order.
        const Int128 lowest =
            source.id == TypeId::int32 ? INT32_MIN : static_cast<Int128>(INT64_MIN);
        return Literal::integer(static_cast<int64_t>(rounded < lowest ? lowest : rounded));
    }
    if (const auto* unscaled = std::get_if<Int128>(&literal.value))
        return Literal::decimal(round_down<Int128>(*unscaled, width));
    const auto& text = std::get<std::string>(literal.value);
    return Literal::text(source.id == TypeId::string ? first_code_points(text, width)
                                                     : text.substr(0, width));
}

Literal months_or_years(const Type& source, Kind kind, int64_t value) {
    const int64_t days = source.id == TypeId::date ? value : floor_divide(value, kMicrosPerDay);
    const Date date = date_of(days);
    return Literal::integer(kind == Kind::year ? date.year - 1970
                                               : (date.year - 1970) * 12 + date.month - 1);
}

bool is_timestamp(const Type& type) {
    return type.id == TypeId::timestamp || type.id == TypeId::timestamptz;
}

bool accepts(Kind kind, const Type& source) {
    switch (kind) {
        case Kind::identity:
        case Kind::void_:
        case Kind::unknown:
            return source.primitive();
        case Kind::bucket:
            return source.primitive() && source.id != TypeId::boolean &&
                   source.id != TypeId::float32 && source.id != TypeId::float64;
        case Kind::truncate:
            return source.id == TypeId::int32 || source.id == TypeId::int64 ||
                   source.id == TypeId::decimal || source.id == TypeId::string ||
                   source.id == TypeId::binary;
        case Kind::year:
        case Kind::month:
        case Kind::day:
            return source.id == TypeId::date || is_timestamp(source);
        case Kind::hour:
            return is_timestamp(source);
    }
    return false;
}

struct SimpleName {
    Kind kind;
    std::string_view name;
};
constexpr SimpleName kSimpleNames[] = {{Kind::identity, "identity"}, {Kind::year, "year"},
                                       {Kind::month, "month"},       {Kind::day, "day"},
                                       {Kind::hour, "hour"},         {Kind::void_, "void"}};

}  // namespace

std::string transform_name(const Transform& transform) {
    for (const auto& known : kSimpleNames)
        if (known.kind == transform.kind) return std::string(known.name);
    if (transform.kind == Kind::bucket) return fmt::format("bucket[{}]", transform.width);
    if (transform.kind == Kind::truncate) return fmt::format("truncate[{}]", transform.width);
    return transform.text;
}

Result<Transform> parse_transform(std::string_view text) {
    for (const auto& known : kSimpleNames)
        if (known.name == text) return Transform{known.kind, 0, {}};
    for (const auto& [kind, name] :
         {SimpleName{Kind::bucket, "bucket["}, SimpleName{Kind::truncate, "truncate["}}) {
        if (!text.starts_with(name) || text.back() != ']') continue;
        const std::string_view number = text.substr(name.size(), text.size() - name.size() - 1);
        uint32_t width = 0;
        const auto [end, error] =
            std::from_chars(number.data(), number.data() + number.size(), width);
        if (error != std::errc() || end != number.data() + number.size() || width == 0 ||
            width > INT32_MAX)
            return Error(Code::invalid_argument,
                         fmt::format("\"{}\": a width is a number above 0", text));
        return Transform{kind, width, {}};
    }
    if (text.empty()) return Error(Code::invalid_argument, "a partition transform without a name");
    return Transform{Kind::unknown, 0, std::string(text)};
}

Result<Type> transform_result(const Transform& transform, const Type& source) {
    if (!accepts(transform.kind, source))
        return Error(Code::invalid_argument,
                     fmt::format("{} does not take a column of type {}", transform_name(transform),
                                 type_name(source)));
    switch (transform.kind) {
        case Kind::bucket:
        case Kind::year:
        case Kind::month:
        case Kind::hour:
            return Type::of(TypeId::int32);
        case Kind::day:
            return Type::of(TypeId::date);
        case Kind::unknown:
            return Type::of(TypeId::string);
        default:
            return source;
    }
}

Literal apply_transform(const Transform& transform, const Type& source, const Literal& literal) {
    if (literal.is_null()) return literal;
    switch (transform.kind) {
        case Kind::identity:
            return literal;
        case Kind::bucket:
            return Literal::integer((hash_of(source, literal) & 0x7fffffff) % transform.width);
        case Kind::truncate:
            return truncate(source, transform.width, literal);
        case Kind::year:
        case Kind::month:
            return months_or_years(source, transform.kind, std::get<int64_t>(literal.value));
        case Kind::day:
            return source.id == TypeId::date
                       ? literal
                       : Literal::integer(
                             floor_divide(std::get<int64_t>(literal.value), kMicrosPerDay));
        case Kind::hour:
            return Literal::integer(floor_divide(std::get<int64_t>(literal.value), kMicrosPerHour));
        case Kind::void_:
        case Kind::unknown:
            return Literal::null();
    }
    return Literal::null();
}

std::vector<Type> partition_types(const PartitionSpec& spec, const std::vector<Schema>& schemas) {
    std::vector<Type> types;
    for (const auto& field : spec.fields) {
        Type type = Type::of(TypeId::string);
        for (auto schema = schemas.rbegin(); schema != schemas.rend(); ++schema) {
            const Field* source = schema->find(field.source_id);
            if (source == nullptr) continue;
            auto result = transform_result(field.transform, source->type);
            if (result.ok()) type = std::move(result).value();
            break;
        }
        types.push_back(std::move(type));
    }
    return types;
}

namespace {

std::string decimal_text(Int128 unscaled, int scale) {
    const bool negative = unscaled < 0;
    std::string digits;
    do {
        const int digit = static_cast<int>(unscaled % 10);
        digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
        unscaled /= 10;
    } while (unscaled != 0);
    while (digits.size() <= static_cast<size_t>(scale)) digits.insert(digits.begin(), '0');
    if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
    return negative ? "-" + digits : digits;
}

std::string date_text(int64_t days) {
    const Date date = date_of(days);
    return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string value_text(const Transform& transform, const Type& type, const Literal& literal) {
    if (literal.is_null()) return "null";
    const auto* integer = std::get_if<int64_t>(&literal.value);
    if (transform.kind == Kind::year) return std::to_string(*integer + 1970);
    if (transform.kind == Kind::month)
        return fmt::format("{:04}-{:02}", 1970 + floor_divide(*integer, 12),
                           *integer - 12 * floor_divide(*integer, 12) + 1);
    if (transform.kind == Kind::hour) {
        const int64_t day = floor_divide(*integer, 24);
        return fmt::format("{}-{:02}", date_text(day), *integer - day * 24);
    }
    switch (type.id) {
        case TypeId::boolean:
            return std::get<bool>(literal.value) ? "true" : "false";
        case TypeId::date:
            return date_text(*integer);
        case TypeId::timestamp:
        case TypeId::timestamptz:
            return format_iso8601(Timestamp{*integer});
        case TypeId::decimal:
            return decimal_text(std::get<Int128>(literal.value), type.scale);
        case TypeId::float32:
        case TypeId::float64:
            return fmt::format("{}", std::get<double>(literal.value));
        case TypeId::string:
            return std::get<std::string>(literal.value);
        case TypeId::uuid:
        case TypeId::fixed:
        case TypeId::binary: {
            std::string hex;
            for (const char c : std::get<std::string>(literal.value))
                hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
            return hex;
        }
        default:
            return integer != nullptr ? std::to_string(*integer) : "";
    }
}

}  // namespace

std::string partition_text(const PartitionSpec& spec, const std::vector<Type>& types,
                           const Partition& partition) {
    std::string text;
    for (size_t i = 0; i < spec.fields.size() && i < partition.size() && i < types.size(); ++i) {
        if (i > 0) text += '/';
        text += spec.fields[i].name + "=" +
                value_text(spec.fields[i].transform, types[i], partition[i]);
    }
    return text;
}

}  // namespace tarn::tables

#include "security/internal/condition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/time.h"
#include "codec/text.h"
#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

using Type = Condition::Type;
using Relation = Condition::Relation;

struct OperatorRow {
    std::string_view name;
    Type type;
    Relation relation;
    bool negated;
};
constexpr OperatorRow kOperators[] = {
    {"StringEquals", Type::string, Relation::equal, false},
    {"StringNotEquals", Type::string, Relation::equal, true},
    {"StringEqualsIgnoreCase", Type::string_ignore_case, Relation::equal, false},
    {"StringNotEqualsIgnoreCase", Type::string_ignore_case, Relation::equal, true},
    {"StringLike", Type::string_like, Relation::equal, false},
    {"StringNotLike", Type::string_like, Relation::equal, true},
    {"NumericEquals", Type::number, Relation::equal, false},
    {"NumericNotEquals", Type::number, Relation::equal, true},
    {"NumericLessThan", Type::number, Relation::less, false},
    {"NumericLessThanEquals", Type::number, Relation::less_equal, false},
    {"NumericGreaterThan", Type::number, Relation::greater, false},
    {"NumericGreaterThanEquals", Type::number, Relation::greater_equal, false},
    {"DateEquals", Type::date, Relation::equal, false},
    {"DateNotEquals", Type::date, Relation::equal, true},
    {"DateLessThan", Type::date, Relation::less, false},
    {"DateLessThanEquals", Type::date, Relation::less_equal, false},
    {"DateGreaterThan", Type::date, Relation::greater, false},
    {"DateGreaterThanEquals", Type::date, Relation::greater_equal, false},
    {"Bool", Type::boolean, Relation::equal, false},
    {"BinaryEquals", Type::binary, Relation::equal, false},
    {"IpAddress", Type::ip, Relation::equal, false},
    {"NotIpAddress", Type::ip, Relation::equal, true},
    {"ArnEquals", Type::arn, Relation::equal, false},
    {"ArnLike", Type::arn, Relation::equal, false},
    {"ArnNotEquals", Type::arn, Relation::equal, true},
    {"ArnNotLike", Type::arn, Relation::equal, true},
    {"Null", Type::null, Relation::equal, false},
};

template <typename Value>
bool compare(Relation relation, const Value& given, const Value& wanted) {
    switch (relation) {
        case Relation::equal:
            return given == wanted;
        case Relation::less:
            return given < wanted;
        case Relation::less_equal:
            return given <= wanted;
        case Relation::greater:
            return given > wanted;
        case Relation::greater_equal:
            return given >= wanted;
    }
    return false;
}

std::optional<double> parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
        return std::nullopt;
    return number;
}

// W3C's ISO 8601 forms, a bare day among them, or seconds since 1970.
std::optional<Timestamp> parse_date(std::string_view text) {
    if (const auto at = parse_time(text); at.ok()) return at.value();
    if (text.size() == 10 && text[4] == '-') {
        const auto at = parse_time(std::string(text) + "T00:00:00Z");
        if (at.ok()) return at.value();
        return std::nullopt;
    }
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr int64_t kSecondsMax = 9'000'000'000'000;
    if (error != std::errc() || end != text.data() + text.size() || seconds > kSecondsMax ||
        seconds < -kSecondsMax)
        return std::nullopt;
    return Timestamp{seconds * 1'000'000};
}

struct Block {
    uint8_t bytes[16] = {};
    bool is_v4 = false;
    int prefix = 0;  // of 128, or of 32
};

std::optional<Block> parse_block(std::string_view text) {
    Block block;
    const size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool mapped = false;
    if (inet_pton(AF_INET, address.c_str(), block.bytes) == 1) {
        block.is_v4 = true;
    } else if (inet_pton(AF_INET6, address.c_str(), block.bytes) == 1) {
        mapped = std::memcmp(block.bytes, kMapped, sizeof kMapped) == 0;
    } else {
        return std::nullopt;
    }
    block.prefix = block.is_v4 ? 32 : 128;
    if (slash != text.npos) {
        const std::string_view digits = text.substr(slash + 1);
        int prefix = -1;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
        if (error != std::errc() || end != digits.data() + digits.size() || prefix < 0 ||
            prefix > block.prefix)
            return std::nullopt;
        block.prefix = prefix;
    }
    // ::ffff:10.0.0.1 is 10.0.0.1, as a socket that serves both families has it.
    if (mapped && block.prefix >= 96) {
        std::memmove(block.bytes, block.bytes + 12, 4);
        block.is_v4 = true;
        block.prefix -= 96;
    }
    return block;
}

bool contains(const Block& block, const Block& address) {
    if (block.is_v4 != address.is_v4) return false;
    const int whole = block.prefix / 8;
    if (std::memcmp(block.bytes, address.bytes, static_cast<size_t>(whole)) != 0) return false;
    const int bits = block.prefix % 8;
    if (bits == 0) return true;
    const int shift = 8 - bits;
    return block.bytes[whole] >> shift == address.bytes[whole] >> shift;
}

// nullopt: a variable of `value` has no value.
std::optional<bool> value_matches(const Condition& condition, const Pattern& value,
                                  std::string_view given, const ConditionKeys& keys) {
    if (condition.type == Type::string_like || condition.type == Type::arn) {
        const auto pattern = value.expand(keys);
        if (!pattern) return std::nullopt;
        return condition.type == Type::arn ? matches_arn(*pattern, given)
                                           : matches(*pattern, given);
    }
    const auto plain = value.expand_plain(keys);
    if (!plain) return std::nullopt;
    switch (condition.type) {
        case Type::string:
            return *plain == given;
        case Type::string_ignore_case:
        case Type::boolean:
            return equal_ignoring_case(*plain, given);
        case Type::number: {
            const auto wanted = parse_number(*plain), number = parse_number(given);
            return wanted && number && compare(condition.relation, *number, *wanted);
        }
        case Type::date: {
            const auto wanted = parse_date(*plain), at = parse_date(given);
            return wanted && at && compare(condition.relation, *at, *wanted);
        }
        case Type::binary: {
            const auto wanted = codec::base64_decode(*plain), bytes = codec::base64_decode(given);
            return wanted.ok() && bytes.ok() && wanted.value() == bytes.value();
        }
        case Type::ip: {
            const auto block = parse_block(*plain), address = parse_block(given);
            return block && address && contains(*block, *address);
        }
        case Type::string_like:
        case Type::arn:
        case Type::null:
            return false;
    }
    return false;
}

// Negated operators hold for a value that equals none of theirs.
bool fits(const Condition& condition, std::string_view given, const ConditionKeys& keys,
          bool allow) {
    bool any = false, unresolved = false;
    for (const Pattern& value : condition.values) {
        const auto matched = value_matches(condition, value, given, keys);
        any |= matched.value_or(false);
        unresolved |= !matched;
    }
    if (condition.negated && unresolved && allow) return false;
    return any != condition.negated;
}

bool null_holds(const Condition& condition, bool absent) {
    return std::any_of(condition.values.begin(), condition.values.end(), [&](const Pattern& value) {
        return equal_ignoring_case(value.text(), "true") == absent;
    });
}

}  // namespace

Result<Condition> parse_operator(std::string_view name) {
    Condition condition;
    std::string_view rest = name;
    if (rest.starts_with("ForAllValues:")) {
        condition.set = Condition::Set::for_all;
        rest.remove_prefix(13);
    } else if (rest.starts_with("ForAnyValue:")) {
        condition.set = Condition::Set::for_any;
        rest.remove_prefix(12);
    }
    if (rest.ends_with("IfExists")) {
        condition.if_exists = true;
        rest.remove_suffix(8);
    }
    for (const OperatorRow& row : kOperators) {
        if (row.name != rest) continue;
        if (row.type == Type::null && condition.if_exists) break;
        condition.type = row.type;
        condition.relation = row.relation;
        condition.negated = row.negated;
        return condition;
    }
    return Error(Code::invalid_argument,
                 "there is no condition operator \"" + std::string(name) + "\"");
}

Status check_value(const Condition& condition, const Pattern& value) {
    if (value.has_variables()) return ok_status();
    const auto plain = value.expand_plain({});
    if (!plain) return ok_status();
    const char* wanted = nullptr;
    switch (condition.type) {
        case Type::number:
            if (!parse_number(*plain)) wanted = "a number";
            break;
        case Type::date:
            if (!parse_date(*plain)) wanted = "a date such as 2026-11-20T17:30:00Z";
            break;
        case Type::boolean:
        case Type::null:
            if (!equal_ignoring_case(*plain, "true") && !equal_ignoring_case(*plain, "false"))
                wanted = "true or false";
            break;
        case Type::binary:
            if (!codec::base64_decode(*plain).ok()) wanted = "base64";
            break;
        case Type::ip:
            if (!parse_block(*plain)) wanted = "an address block such as 10.0.0.0/8";
            break;
        case Type::arn:
            if (*plain != "*" && std::count(plain->begin(), plain->end(), ':') < 5)
                wanted = "an ARN";
            break;
        case Type::string:
        case Type::string_ignore_case:
        case Type::string_like:
            break;
    }
    if (wanted == nullptr) return ok_status();
    return Error(Code::invalid_argument, "\"" + value.text() + "\" is not " + wanted);
}

bool holds(const Condition& condition, const ConditionKeys& keys, bool allow) {
    const auto found = keys.find(condition.key);
    const bool absent = found == keys.end() || found->second.empty();
    if (condition.type == Type::null) return null_holds(condition, absent);
    if (absent) {
        if (condition.if_exists) return true;
        if (condition.set == Condition::Set::for_all) return true;
        if (condition.set == Condition::Set::for_any) return false;
        return condition.negated;
    }
    const auto fitting = [&](const std::string& given) {
        return fits(condition, given, keys, allow);
    };
    const std::vector<std::string>& given = found->second;
    // Without a set operator several values are taken together: any may equal, none may be among
    // those refused.
    const bool all = condition.set == Condition::Set::for_all ||
                     (condition.set == Condition::Set::none && condition.negated);
    return all ? std::all_of(given.begin(), given.end(), fitting)
               : std::any_of(given.begin(), given.end(), fitting);
}

}  // namespace tarn::security

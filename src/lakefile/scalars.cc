#include "lakefile/internal/scalars.h"

#include <charconv>
#include <utility>

#include "tables/catalog.h"

namespace tarn::lakefile {
namespace {

Error wrong(std::string message) {
    return Error(Code::invalid_argument, std::move(message));
}

/// The digits that `text` begins with; takes them away.
std::optional<int64_t> take_number(std::string_view& text) {
    int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || text[0] == '-') return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return number;
}

std::optional<int> parse_time_of_day(std::string_view text) {
    const auto hour = take_number(text);
    if (!hour || text.size() != 3 || text[0] != ':') return std::nullopt;
    text.remove_prefix(1);
    const auto minute = take_number(text);
    if (!minute || !text.empty() || *hour > 23 || *minute > 59) return std::nullopt;
    return static_cast<int>(*hour * 60 + *minute);
}

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text.substr(0, 60)) + "'";
}

Status check_parts(std::string_view text, std::string_view name) {
    if (name.empty()) return wrong(in_quotes(text) + " has an empty part");
    const Status named = tables::check_name("name", name);
    if (!named.ok())
        return wrong(in_quotes(text) +
                     " is no name: lower-case letters, digits and _, at most 63, no digit first");
    return ok_status();
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
        {"ms", 1},        {"s", 1000},       {"m", 60'000},
        {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}};
    std::string_view rest = text;
    const auto number = rest.empty() ? std::nullopt : take_number(rest);
    for (const auto& [unit, factor] : kUnits) {
        if (!number || rest != unit) continue;
        if (*number == 0)
            return wrong(in_quotes(text) + " is no time at all; give at least 1" + std::string(unit));
        if (*number > int64_t{3650} * 86'400'000 / factor)
            return wrong(in_quotes(text) + " is more than ten years");
        return std::chrono::milliseconds(*number * factor);
    }
    return wrong(in_quotes(text) +
                 " is no duration: a whole number with its unit, ms, s, m, h, d or w (15m)");
}

Result<uint64_t> parse_bytes(std::string_view text) {
    static constexpr std::pair<std::string_view, uint64_t> kUnits[] = {{"B", 1},
                                                                       {"KB", 1000},
                                                                       {"MB", 1'000'000},
                                                                       {"GB", 1'000'000'000},
                                                                       {"TB", 1'000'000'000'000},
                                                                       {"KiB", 1ull << 10},
                                                                       {"MiB", 1ull << 20},
                                                                       {"GiB", 1ull << 30},
                                                                       {"TiB", 1ull << 40}};
    std::string_view rest = text;
    const auto number = rest.empty() ? std::nullopt : take_number(rest);
    for (const auto& [unit, factor] : kUnits)
        if (number && rest == unit && static_cast<uint64_t>(*number) <= (1ull << 60) / factor)
            return static_cast<uint64_t>(*number) * factor;
    return wrong(
        in_quotes(text) +
        " is no size: a whole number with its unit, B, KB, MB, GB, TB, KiB, MiB, GiB or TiB (5GB)");
}

Result<int64_t> parse_whole(std::string_view text) {
    std::string_view rest = text;
    const auto number = rest.empty() ? std::nullopt : take_number(rest);
    if (!number || !rest.empty() || *number > 1'000'000'000)
        return wrong(in_quotes(text) + " is no whole number from 0 to 1000000000");
    return *number;
}

Result<flows::Refresh> parse_schedule(std::string_view text) {
    using RefreshKind = flows::Refresh::Kind;
    static constexpr std::string_view kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                                 "friday", "saturday", "sunday"};
    flows::Refresh out;
    const size_t space = text.find(' ');
    if (space == std::string_view::npos) {
        auto every = parse_duration(text);
        if (every.ok() && *every >= std::chrono::seconds(1)) {
            out.kind = RefreshKind::every;
            out.every = std::chrono::duration_cast<std::chrono::seconds>(*every);
            return out;
        }
    } else {
        const auto minute = parse_time_of_day(text.substr(space + 1));
        const std::string_view day = text.substr(0, space);
        out.minute_of_day = minute.value_or(0);
        out.kind = RefreshKind::daily;
        if (minute && day == "day") return out;
        out.kind = RefreshKind::weekly;
        for (size_t i = 0; i < std::size(kDays); ++i) {
            out.weekday = static_cast<int>(i) + 1;
            if (minute && day == kDays[i]) return out;
        }
    }
    return wrong(
        in_quotes(text) +
        " is no schedule: give a pace of a second or more (15m), day 02:00, or monday 03:00");
}

Result<int> parse_steps(std::string_view text) {
    std::string_view rest = text;
    const auto number = rest.empty() ? std::nullopt : take_number(rest);
    if (!number || *number < 1 || *number > 1000 || !(rest.empty() || rest == "d"))
        return wrong(in_quotes(text) + " is no number of steps: 14d, or 14; at most 1000");
    return static_cast<int>(*number);
}

Result<flows::TableRef> parse_table(std::string_view text) {
    const size_t dot = text.find('.');
    flows::TableRef out{"main", std::string(text)};
    if (dot != std::string_view::npos)
        out = {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
    TARN_CHECK_OK(check_parts(text, out.database));
    TARN_CHECK_OK(check_parts(text, out.table));
    return out;
}

Result<ColumnRef> parse_column(std::string_view text) {
    const size_t dot = text.rfind('.');
    if (dot == std::string_view::npos)
        return wrong(in_quotes(text) + " names no column of a table: give table.column");
    TARN_TRY(table, parse_table(text.substr(0, dot)));
    TARN_CHECK_OK(check_parts(text, text.substr(dot + 1)));
    return ColumnRef{std::move(table), std::string(text.substr(dot + 1))};
}

Result<std::optional<std::string>> next_reference(std::string_view text, size_t& begin,
                                                  size_t& end) {
    begin = text.find("${", begin);
    if (begin == std::string_view::npos) return std::optional<std::string>();
    constexpr std::string_view kHead = "${secret:";
    const size_t close = text.find('}', begin);
    if (text.substr(begin, kHead.size()) != kHead || close == std::string_view::npos)
        return wrong("after ${ comes secret:name}, as in ${secret:erp_url}");
    const std::string name(text.substr(begin + kHead.size(), close - begin - kHead.size()));
    if (!tables::check_name("secret", name).ok())
        return wrong(in_quotes(name) + " is no name of a secret: lower-case letters, digits and _");
    end = close + 1;
    return std::optional<std::string>(name);
}

}  // namespace tarn::lakefile

// Single values of a lakefile. Errors are sentences that end where the value stood: the caller adds
// where.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "flows/spec.h"

namespace tarn::lakefile {

/// A whole number with ms, s, m, h, d or w; more than zero, at most ten years.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// A number with B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB.
Result<uint64_t> parse_bytes(std::string_view text);
Result<int64_t> parse_whole(std::string_view text);
/// "15m", "day 02:00", "monday 03:00".
Result<flows::Refresh> parse_schedule(std::string_view text);
/// "14d" or "14".
Result<int> parse_steps(std::string_view text);
/// "sales" (of main) or "erp.sales".
Result<flows::TableRef> parse_table(std::string_view text);

struct ColumnRef {
    flows::TableRef table;
    std::string column;
};
/// "levels.units" or "erp.levels.units".
Result<ColumnRef> parse_column(std::string_view text);

/// Puts values in the place of ${secret:name}. `missing` gets the name of one that there is not,
/// and a text with a broken reference gives invalid_argument. The result is never put into a
/// message.
struct Resolved {
    std::string text;
    std::string missing;
};
template <typename Lookup>
Result<Resolved> resolve_secrets(const std::string& text, const Lookup& lookup);
Result<std::optional<std::string>> next_reference(std::string_view text, size_t& begin,
                                                  size_t& end);

template <typename Lookup>
Result<Resolved> resolve_secrets(const std::string& text, const Lookup& lookup) {
    Resolved out;
    size_t at = 0;
    for (;;) {
        size_t begin = at, end = 0;
        TARN_TRY(name, next_reference(text, begin, end));
        if (!name) break;
        out.text += text.substr(at, begin - at);
        const std::optional<std::string> value = lookup(*name);
        if (!value) {
            out.missing = *name;
            return out;
        }
        out.text += *value;
        at = end;
    }
    out.text += text.substr(at);
    return out;
}

}  // namespace tarn::lakefile

#include "protocols/s3/internal/range.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace tarn::s3 {

namespace {

constexpr std::string_view kUnit = "bytes=";

Error unsatisfiable() {
    return Error(Code::out_of_range, "The requested range is not satisfiable", "InvalidRange");
}

}  // namespace

std::optional<uint64_t> parse_number(std::string_view text) {
    uint64_t value = 0;
    if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size) {
    const std::optional<ByteRange> whole;
    if (!header.starts_with(kUnit)) return whole;
    auto spec = header.substr(kUnit.size());
    auto dash = spec.find('-');
    if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return whole;
    auto first = parse_number(spec.substr(0, dash));
    auto last = parse_number(spec.substr(dash + 1));
    if (dash == 0) {  // the last n bytes
        if (!last) return whole;
        if (*last == 0 || size == 0) return unsatisfiable();
        auto length = std::min(*last, size);
        return std::optional(ByteRange{size - length, length});
    }
    if (!first || (!last && dash + 1 != spec.size())) return whole;
    if (last && *last < *first) return whole;
    if (*first >= size) return unsatisfiable();
    auto end = last ? std::min(*last, size - 1) : size - 1;
    return std::optional(ByteRange{*first, end - *first + 1});
}

Result<ByteRange> parse_copy_range(std::string_view header, uint64_t size) {
    Error malformed(Code::invalid_argument,
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                    "first and last are "
                    "the zero-based offsets of the first and last bytes to copy",
                    "InvalidArgument");
    if (!header.starts_with(kUnit)) return malformed;
    auto spec = header.substr(kUnit.size());
    auto dash = spec.find('-');
    if (dash == std::string_view::npos) return malformed;
    auto first = parse_number(spec.substr(0, dash));
    auto last = parse_number(spec.substr(dash + 1));
    if (!first || !last || *last < *first) return malformed;
    if (*last >= size)
        return Error(
            Code::out_of_range,
            "Range specified is not valid for source object of size: " + std::to_string(size),
            "InvalidRange");
    return ByteRange{*first, *last - *first + 1};
}

}  // namespace tarn::s3

// The Range header (RFC 9110 section 14.2) as S3 reads it: one byte range, or the whole object.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace tarn::s3 {

struct ByteRange {
    uint64_t offset = 0;
    uint64_t length = 0;
};

/// nullopt: no range to honour (absent, another unit, several ranges, malformed): the whole object
/// is answered. Errors: out_of_range "InvalidRange" when the range lies outside of an object of
/// `size` bytes.
Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size);

/// x-amz-copy-source-range allows nothing but `bytes=first-last` within the source.
/// Errors: invalid_argument, out_of_range "InvalidRange".
Result<ByteRange> parse_copy_range(std::string_view header, uint64_t size);

/// Decimal digits only, no sign, no overflow.
std::optional<uint64_t> parse_number(std::string_view text);

}  // namespace tarn::s3

// The bytes of an extent file: docs/formats/extents.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::objects::internal {

inline constexpr uint64_t kBlockBytes = 64u << 10;  // one checksum each
inline constexpr uint64_t kPageBytes =
    4096;  // extents begin at multiples of it, the header fills one

inline uint64_t blocks_of(uint64_t length) {
    return (length + kBlockBytes - 1) / kBlockBytes;
}
inline uint64_t page_aligned(uint64_t offset) {
    return (offset + kPageBytes - 1) / kPageBytes * kPageBytes;
}
/// Bytes that an extent takes in its file: data, a CRC32C per block, padding.
inline uint64_t region_bytes(uint64_t length) {
    return page_aligned(length + 4 * blocks_of(length));
}

std::string extent_file_name(uint64_t file);
std::optional<uint64_t> parse_extent_file_name(std::string_view name);

/// One page.
std::string encode_extent_header(uint64_t file, std::string_view lake_id);
/// corrupted, or invalid_argument when the file belongs to another lake.
Status check_extent_header(std::string_view page, uint64_t file, std::string_view lake_id);

}  // namespace tarn::objects::internal

#include "objects/internal/extent_layout.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "codec/checksum.h"

namespace tarn::objects::internal {
namespace {

constexpr std::string_view kMagic = "TARNEXT\n";
constexpr std::string_view kSuffix = ".extents";
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kLakeIdBytes = 32;
constexpr size_t kCheckedBytes = 8 + 4 + 8 + kLakeIdBytes;

}  // namespace

std::string extent_file_name(uint64_t file) {
    return fmt::format("{:016x}{}", file, kSuffix);
}

std::optional<uint64_t> parse_extent_file_name(std::string_view name) {
    if (name.size() != 16 + kSuffix.size() || name.substr(16) != kSuffix) return std::nullopt;
    uint64_t file = 0;
    for (char c : name.substr(0, 16)) {
        const auto digit = std::string_view("0123456789abcdef").find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        file = file << 4 | digit;
    }
    return file;
}

std::string encode_extent_header(uint64_t file, std::string_view lake_id) {
    std::string page(kMagic);
    append_le(page, kFormatVersion);
    append_le(page, file);
    page.append(lake_id.substr(0, kLakeIdBytes));
    page.resize(kCheckedBytes, '0');
    append_le(page, codec::crc32c(page));
    page.resize(kPageBytes, '\0');
    return page;
}

Status check_extent_header(std::string_view page, uint64_t file, std::string_view lake_id) {
    const std::string name = extent_file_name(file);
    if (page.size() < kCheckedBytes + 4 || page.substr(0, kMagic.size()) != kMagic ||
        load_le<uint32_t>(page.data() + kCheckedBytes) !=
            codec::crc32c(page.substr(0, kCheckedBytes)))
        return Error(Code::corrupted, "The header of the extent file " + name + " is damaged.");
    const auto version = load_le<uint32_t>(page.data() + 8);
    if (version != kFormatVersion)
        return Error(
            Code::corrupted,
            fmt::format("The extent file {} has format version {}; this program reads version {}.",
                        name, version, kFormatVersion));
    if (page.substr(0, kCheckedBytes) !=
        std::string_view(encode_extent_header(file, lake_id)).substr(0, kCheckedBytes))
        return Error(Code::invalid_argument,
                     "The extent file " + name + " belongs to another lake or another place.");
    return {};
}

}  // namespace tarn::objects::internal

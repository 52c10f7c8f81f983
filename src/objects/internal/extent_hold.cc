#include "objects/internal/extent_hold.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "codec/checksum.h"
#include "objects/internal/extent_layout.h"

namespace tarn::objects::internal {
namespace {

Error damaged(const Extent& extent, uint64_t at) {
    return {Code::corrupted,
            fmt::format("The extent file {} is damaged at byte {}: the checksum does not "
                        "match. Restore the object from a copy.",
                        extent_file_name(extent.file), extent.offset + at)};
}

}  // namespace

ExtentHold::ExtentHold(LocalBytes& bytes, std::vector<Extent> extents)
    : bytes_(bytes), extents_(std::move(extents)), tables_(extents_.size()) {}

ExtentHold::~ExtentHold() {
    bytes_.unpin(extents_);
}

Result<ExtentHold::Table> ExtentHold::table(size_t index, io::File& file) const {
    {
        MutexLock lock(mutex_);
        if (tables_[index]) return tables_[index];
    }
    const auto& extent = extents_[index];
    TARN_TRY(bytes, file.read(extent.offset + extent.length, 4 * blocks_of(extent.length)));
    if (bytes.size() != 4 * blocks_of(extent.length) || codec::crc32c(bytes) != extent.check)
        return damaged(extent, extent.length);
    auto loaded = std::make_shared<const std::string>(std::move(bytes));
    MutexLock lock(mutex_);
    tables_[index] = loaded;
    return Table(loaded);
}

Result<std::string> ExtentHold::read(size_t index, uint64_t offset, uint64_t length) const {
    const auto& extent = extents_[index];
    TARN_ASSERT(offset <= extent.length && length <= extent.length - offset);
    if (length == 0) return std::string();
    auto opened = bytes_.file(extent.file);
    if (!opened.ok() && opened.error().code == Code::not_found)
        return Error(Code::corrupted, opened.error().message + "; restore it from a copy");
    TARN_TRY(file, std::move(opened));
    TARN_TRY(checks, table(index, *file));

    const uint64_t from = offset / kBlockBytes * kBlockBytes;
    const uint64_t to =
        std::min(extent.length, (offset + length + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
    TARN_TRY(bytes, file->read(extent.offset + from, to - from));
    if (bytes.size() != to - from) return damaged(extent, from + bytes.size());
    for (uint64_t at = from; at < to; at += kBlockBytes) {
        const auto block = std::string_view(bytes).substr(at - from, kBlockBytes);
        if (codec::crc32c(block) != load_le<uint32_t>(checks->data() + at / kBlockBytes * 4))
            return damaged(extent, at);
    }
    if (from != offset) bytes.erase(0, offset - from);
    bytes.resize(length);
    return bytes;
}

}  // namespace tarn::objects::internal

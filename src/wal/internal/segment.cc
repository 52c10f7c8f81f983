#include "wal/internal/segment.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "codec/text.h"

namespace tarn::wal {
namespace {

constexpr std::string_view kSuffix = ".wal";

}  // namespace

std::string segment_name(SegmentId id) {
    return fmt::format("{:08x}{}", id, kSuffix);
}

SegmentId parse_segment_name(std::string_view name) {
    if (name.size() != 8 + kSuffix.size() || name.substr(8) != kSuffix) return 0;
    const auto bytes = codec::hex_decode(name.substr(0, 8));
    if (!bytes.ok()) return 0;
    const auto id = load_be<SegmentId>(bytes->data());
    return segment_name(id) == name ? id : 0;
}

Result<std::shared_ptr<SegmentFile>> create_segment_file(io::Disk& disk,
                                                         const std::string& directory, SegmentId id,
                                                         uint64_t bytes, uint64_t bytes_min) {
    const std::string path = directory + "/" + segment_name(id);
    TARN_TRY(file, disk.open(path, io::OpenMode::create_new));
    Status reserved = file->preallocate(std::max(bytes, bytes_min));
    if (!reserved.ok() && reserved.error().code == Code::exhausted)
        reserved = file->preallocate(std::max(bytes / kSmallSegmentDivisor, bytes_min));
    if (reserved.ok()) reserved = file->sync();
    if (reserved.ok()) reserved = disk.sync_directory(directory);
    if (!reserved.ok()) {
        // Best effort: what stays behind is all zeros and is removed at the next start.
        static_cast<void>(disk.remove(path).ok());
        return std::move(reserved).error();
    }
    return std::make_shared<SegmentFile>(id, std::move(file));
}

Status begin_segment(SegmentFile& segment, const SegmentHeader& header) {
    TARN_CHECK_OK(segment.file().write(0, encode_segment_header(header)));
    return segment.file().sync();
}

}  // namespace tarn::wal

#include "archive/internal/extent_copy.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::archive {

void note_damage(std::vector<std::string>& damage, std::string what) {
    if (damage.size() < kDamageMax) damage.push_back(std::move(what));
}

Result<ExtentFileReader> ExtentFileReader::open(const Source& source, uint64_t file) {
    auto opened = source.disk.open(source.data + "/" + extent_path(file), io::OpenMode::read);
    if (!opened.ok() && opened.error().code != Code::not_found) return std::move(opened).error();
    return ExtentFileReader(file, opened.ok() ? std::move(opened).value() : nullptr);
}

Status ExtentFileReader::send_header(Sender& sender, std::vector<Range>& out) const {
    TARN_TRY(header, file_->read(0, objects::kExtentFileHeaderBytes));
    if (header.size() != objects::kExtentFileHeaderBytes)
        return Error(Code::corrupted, extent_path(id_) + " has no header");
    return sender.pack(out, Range{}, header);
}

Status ExtentFileReader::send(Sender& sender, const objects::Extent& extent,
                              std::vector<Range>& out, std::vector<std::string>& damage) const {
    auto opened = objects::ExtentReader::open(*file_, extent);
    if (!opened.ok() && opened.error().code == Code::corrupted) {
        note_damage(damage, fmt::format("{} at {}", extent_path(id_), extent.offset));
        return ok_status();
    }
    TARN_TRY(reader, std::move(opened));
    const uint64_t bytes = objects::copied_bytes(extent);
    for (uint64_t at = 0; at < bytes; at += kPieceBytesMax) {
        TARN_TRY(piece, reader.read(at, std::min(kPieceBytesMax, bytes - at)));
        Range range;
        range.offset = extent.offset + at;
        range.check = reader.check();
        TARN_CHECK_OK(sender.pack(out, range, piece));
    }
    if (reader.damaged_blocks() > 0)
        note_damage(damage, fmt::format("{} at {}: {} blocks", extent_path(id_), extent.offset,
                                        reader.damaged_blocks()));
    return ok_status();
}

}  // namespace tarn::archive

// One segment file, and the folder of them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "io/disk.h"
#include "wal/internal/format.h"
#include "wal/log.h"

namespace tarn::wal {

/// The file of a segment. Shared by the log and by readers who pinned it; closed, and its space
/// given back if it has been unlinked, when the last of them lets go.
class SegmentFile {
 public:
    SegmentFile(SegmentId id, std::unique_ptr<io::File> file) : id_(id), file_(std::move(file)) {}
    SegmentId id() const { return id_; }
    io::File& file() const { return *file_; }

 private:
    const SegmentId id_;
    const std::unique_ptr<io::File> file_;
};

/// "0000002a.wal"; zero for another file's name.
std::string segment_name(SegmentId id);
SegmentId parse_segment_name(std::string_view name);

/// On a disk that runs full segments are a sixteenth of their size.
inline constexpr uint64_t kSmallSegmentDivisor = 16;

/// Makes the file of a segment, reserves its space and makes its name durable. It has no header
/// yet: the file is all zeros. When the disk has no room for `bytes`, a smaller one is made that
/// holds at least `bytes_min`.
Result<std::shared_ptr<SegmentFile>> create_segment_file(io::Disk& disk,
                                                         const std::string& directory, SegmentId id,
                                                         uint64_t bytes, uint64_t bytes_min);
/// Writes the header into an all-zero file and waits until it is durable.
Status begin_segment(SegmentFile& segment, const SegmentHeader& header);

}  // namespace tarn::wal

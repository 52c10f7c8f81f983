// The bytes of a segment file, as docs/formats/wal.md describes them: pure, without files.
// Everything that is parsed here comes from a disk and may be anything.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wal/log.h"

namespace tarn::wal {

inline constexpr uint32_t kFormatVersion = 1;
/// A page of its own for the header, so that no frame is ever written over its sector again.
inline constexpr uint64_t kSegmentHeaderBytes = 4096;
inline constexpr uint64_t kFrameHeaderBytes = 72;
inline constexpr uint32_t kFrameMagic = 0x4d465254;  // "TRFM"
/// No group and no single change is larger; a larger length on disk is damage.
inline constexpr uint32_t kRecordsBytesMax = 1u << 30;

/// SHA-256 over everything logged before. All zero before the first frame of a lake.
using ChainHash = std::array<char, 32>;

struct SegmentHeader {
    std::string lake_id;  // 32 hexadecimal digits
    SegmentId segment = 0;
    Sequence first = 0;
    ChainHash chain{};  // after the last frame of the segment before
};

/// kSegmentHeaderBytes. Precondition: lake_id is 32 hexadecimal digits.
std::string encode_segment_header(const SegmentHeader& header);
/// corrupted: damaged; unimplemented: of a version this program does not know.
Result<SegmentHeader> parse_segment_header(std::string_view bytes);
/// The start value of a segment's frame checksums. It differs between segments and lakes, so that
/// neither old bytes nor a body that imitates a frame is ever taken for one.
uint32_t frame_seed(const SegmentHeader& header);

struct FrameHeader {
    Sequence first = 0;
    uint32_t change_count = 0;
    uint32_t records_bytes = 0;
    uint64_t bodies_bytes = 0;
    uint32_t records_crc32c = 0;
    ChainHash chain{};  // before this frame

    uint64_t frame_bytes() const { return kFrameHeaderBytes + records_bytes + bodies_bytes; }
    Sequence last() const { return first + change_count - 1; }
};

/// Builds a frame's header and records in one buffer; the bodies are written behind it from where
/// they are.
class FrameBuilder {
 public:
    FrameBuilder() { clear(); }
    void clear();
    struct BodyStamp {
        uint32_t length = 0;
        uint32_t crc32c = 0;
    };
    void add(std::string_view record, const std::vector<BodyStamp>& bodies);
    bool empty() const { return change_count_ == 0; }
    uint32_t change_count() const { return change_count_; }
    size_t head_bytes() const { return bytes_.size(); }
    uint64_t bodies_bytes() const { return bodies_bytes_; }
    /// Header and records, ready to be written. Valid until the next call.
    std::string_view finish(uint32_t seed, Sequence first, const ChainHash& chain);

 private:
    std::string bytes_;
    uint32_t change_count_ = 0;
    uint64_t bodies_bytes_ = 0;
};

/// corrupted: no frame begins here. The header has a checksum of its own, so that its lengths can
/// be trusted.
Result<FrameHeader> parse_frame_header(std::string_view bytes, uint32_t seed);
uint32_t records_checksum(std::string_view records, uint32_t seed);
/// The changes of a frame. `records` follows the header; it lies in `segment`, the bodies begin at
/// `bodies_offset`. The results borrow from `records`. corrupted: the checksum does not match, or
/// they are no changes.
Result<std::vector<Logged>> parse_records(std::string_view records, const FrameHeader& header,
                                          uint32_t seed, SegmentId segment, uint64_t bodies_offset);
/// The chain after a frame: SHA-256 of its header and records. The records hold the length and the
/// CRC of each body; the bodies themselves are not hashed.
ChainHash chain_after(std::string_view head);

}  // namespace tarn::wal

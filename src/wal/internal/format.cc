#include "wal/internal/format.h"

#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"
#include "codec/checksum.h"
#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::wal {
namespace {

constexpr std::string_view kSegmentMagic("TARNWAL\n", 8);
constexpr size_t kHeaderCrcOffset = 80;
constexpr size_t kLakeIdBytes = 16;

Error damaged(std::string what) {
    return Error(Code::corrupted, std::move(what));
}

void append_chain(std::string& out, const ChainHash& chain) {
    out.append(chain.data(), chain.size());
}

ChainHash load_chain(const char* bytes) {
    ChainHash chain;
    std::memcpy(chain.data(), bytes, chain.size());
    return chain;
}

/// Magic to chain: what the header's checksum covers.
std::string encode_identity(const SegmentHeader& header) {
    std::string out(kSegmentMagic);
    append_le<uint32_t>(out, kFormatVersion);
    append_le<uint32_t>(out, kSegmentHeaderBytes);
    append_le<uint32_t>(out, header.segment);
    append_le<uint32_t>(out, 0);
    append_le<uint64_t>(out, header.first);
    auto lake = codec::hex_decode(header.lake_id);
    TARN_ASSERT(lake.ok() && lake->size() == kLakeIdBytes);
    out.append(*lake);
    append_chain(out, header.chain);
    TARN_ASSERT(out.size() == kHeaderCrcOffset);
    return out;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
    std::string out = encode_identity(header);
    append_le<uint32_t>(out, codec::crc32c(out));
    out.resize(kSegmentHeaderBytes, '\0');
    return out;
}

Result<SegmentHeader> parse_segment_header(std::string_view bytes) {
    if (bytes.size() < kSegmentHeaderBytes) return damaged("the header is cut off");
    if (bytes.substr(0, kSegmentMagic.size()) != kSegmentMagic)
        return damaged("the file does not begin as a log segment does");
    ByteReader reader(bytes.substr(kSegmentMagic.size(), kHeaderCrcOffset));
    const uint32_t version = *reader.take_le<uint32_t>();
    if (version == 0) return damaged("the header is cut off");  // no version has this number
    if (version != kFormatVersion)
        return Error(Code::unimplemented, "format version " + std::to_string(version) +
                                              " is unknown to this program, which knows " +
                                              std::to_string(kFormatVersion) +
                                              "; start the version that wrote it");
    if (load_le<uint32_t>(bytes.data() + kHeaderCrcOffset) !=
        codec::crc32c(bytes.substr(0, kHeaderCrcOffset)))
        return damaged("the header's checksum does not match");
    if (*reader.take_le<uint32_t>() != kSegmentHeaderBytes)
        return damaged("the header has an unknown length");
    SegmentHeader header;
    header.segment = *reader.take_le<uint32_t>();
    reader.take(sizeof(uint32_t));
    header.first = *reader.take_le<uint64_t>();
    header.lake_id = codec::hex_encode(*reader.take(kLakeIdBytes));
    header.chain = load_chain(reader.rest().data());
    if (header.segment == 0 || header.first == 0) return damaged("the header has a zero number");
    return header;
}

uint32_t frame_seed(const SegmentHeader& header) {
    return codec::crc32c(encode_identity(header));
}

void FrameBuilder::clear() {
    bytes_.assign(kFrameHeaderBytes, '\0');
    change_count_ = 0;
    bodies_bytes_ = 0;
}

void FrameBuilder::add(std::string_view record, const std::vector<BodyStamp>& bodies) {
    append_le<uint32_t>(bytes_, static_cast<uint32_t>(record.size()));
    append_le<uint32_t>(bytes_, static_cast<uint32_t>(bodies.size()));
    for (const auto& body : bodies) {
        append_le<uint32_t>(bytes_, body.length);
        append_le<uint32_t>(bytes_, body.crc32c);
        bodies_bytes_ += body.length;
    }
    bytes_.append(record);
    ++change_count_;
}

std::string_view FrameBuilder::finish(uint32_t seed, Sequence first, const ChainHash& chain) {
    const std::string_view records = std::string_view(bytes_).substr(kFrameHeaderBytes);
    TARN_ASSERT(records.size() <= kRecordsBytesMax);
    std::string header;
    header.reserve(kFrameHeaderBytes);
    append_le<uint64_t>(header, first);
    append_le<uint32_t>(header, change_count_);
    append_le<uint32_t>(header, static_cast<uint32_t>(records.size()));
    append_le<uint64_t>(header, bodies_bytes_);
    append_le<uint32_t>(header, records_checksum(records, seed));
    append_le<uint32_t>(header, 0);
    append_chain(header, chain);
    std::string begin;
    append_le<uint32_t>(begin, kFrameMagic);
    append_le<uint32_t>(begin, codec::crc32c(header, seed));
    TARN_ASSERT(begin.size() + header.size() == kFrameHeaderBytes);
    bytes_.replace(0, kFrameHeaderBytes, begin + header);
    return bytes_;
}

Result<FrameHeader> parse_frame_header(std::string_view bytes, uint32_t seed) {
    if (bytes.size() < kFrameHeaderBytes) return damaged("the frame's header is cut off");
    ByteReader reader(bytes.substr(0, kFrameHeaderBytes));
    if (*reader.take_le<uint32_t>() != kFrameMagic) return damaged("no frame begins here");
    if (*reader.take_le<uint32_t>() != codec::crc32c(reader.rest(), seed))
        return damaged("the checksum of the frame's header does not match");
    FrameHeader header;
    header.first = *reader.take_le<uint64_t>();
    header.change_count = *reader.take_le<uint32_t>();
    header.records_bytes = *reader.take_le<uint32_t>();
    header.bodies_bytes = *reader.take_le<uint64_t>();
    header.records_crc32c = *reader.take_le<uint32_t>();
    reader.take(sizeof(uint32_t));
    header.chain = load_chain(reader.rest().data());
    constexpr uint64_t kNumberMax = std::numeric_limits<uint64_t>::max() / 4;
    if (header.first == 0 || header.change_count == 0 || header.records_bytes > kRecordsBytesMax ||
        header.bodies_bytes > kNumberMax || header.first > kNumberMax)
        return damaged("the frame's header has impossible numbers");
    return header;
}

uint32_t records_checksum(std::string_view records, uint32_t seed) {
    return codec::crc32c(records, seed);
}

Result<std::vector<Logged>> parse_records(std::string_view records, const FrameHeader& header,
                                          uint32_t seed, SegmentId segment,
                                          uint64_t bodies_offset) {
    if (records_checksum(records, seed) != header.records_crc32c)
        return damaged("the checksum of the frame's records does not match");
    // A change takes eight bytes at least: a count that cannot be true must not become memory.
    if (header.change_count > records.size() / 8)
        return damaged("the frame holds fewer changes than it says");
    ByteReader reader(records);
    std::vector<Logged> changes;
    changes.reserve(header.change_count);
    uint64_t bodies_left = header.bodies_bytes;
    for (uint32_t i = 0; i < header.change_count; ++i) {
        const auto record_bytes = reader.take_le<uint32_t>();
        const auto body_count = reader.take_le<uint32_t>();
        if (!record_bytes || !body_count || *body_count > reader.left() / 8)
            return damaged("a change in the frame is cut off");
        Logged change;
        change.sequence = header.first + i;
        change.bodies.reserve(*body_count);
        for (uint32_t k = 0; k < *body_count; ++k) {
            BodyRef body;
            body.segment = segment;
            body.offset = bodies_offset + header.bodies_bytes - bodies_left;
            body.length = *reader.take_le<uint32_t>();
            body.crc32c = *reader.take_le<uint32_t>();
            if (body.length > bodies_left) return damaged("a body runs over the end of its frame");
            bodies_left -= body.length;
            change.bodies.push_back(body);
        }
        const auto record = reader.take(*record_bytes);
        if (!record) return damaged("a record in the frame is cut off");
        change.record = *record;
        changes.push_back(std::move(change));
    }
    if (!reader.empty() || bodies_left != 0)
        return damaged("the frame holds more than its changes");
    return changes;
}

ChainHash chain_after(std::string_view head) {
    const std::string hash = codec::sha256(head);
    return load_chain(hash.data());
}

}  // namespace tarn::wal

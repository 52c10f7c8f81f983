#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/fuzz.h"
#include "wal/internal/format.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::wal;
    FrameBuilder frame;
    frame.add("record", {{16, 1}});
    frame.add("another", {});
    const std::string records(frame.finish(0, 1, {}).substr(kFrameHeaderBytes));
    return {"\x02\x01" + records,
            encode_segment_header({"00112233445566778899aabbccddeeff", 1, 1, {}}),
            std::string(frame.finish(0, 1, {}))};
}

// Bytes as a segment's header, and as a frame whose checksums are right, so that the parser behind
// them is reached too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn;
    using namespace tarn::wal;
    const std::string_view bytes = tarn::fuzz_text(data, size);
    const auto header = parse_segment_header(bytes);
    const uint32_t seed = header.ok() ? frame_seed(*header) : 0;
    static_cast<void>(parse_frame_header(bytes, seed).ok());

    if (size < 12) return 0;
    FrameHeader frame;
    frame.first = 1;
    frame.change_count = bytes[0] & 0xff;
    frame.bodies_bytes = static_cast<uint8_t>(bytes[1]) * 16u;
    const std::string_view records = bytes.substr(2);
    frame.records_crc32c = records_checksum(records, seed);
    const auto changes = parse_records(records, frame, seed, 1, 100);
    if (!changes.ok()) return 0;
    uint64_t bodies = 0;
    for (const auto& change : *changes)
        for (const auto& body : change.bodies) bodies += body.length;
    if (bodies != frame.bodies_bytes || changes->size() != frame.change_count) std::abort();
    return 0;
}

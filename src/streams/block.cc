#include "streams/internal/block.h"
#include "base/bytes.h"

namespace tarn::streams {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string encode_block(const std::vector<NewRecord>& records, Timestamp at) {
    size_t bytes = 13;
    for (const auto& record : records) bytes += 8 + record.key.size() + record.payload.size();
    std::string out;
    out.reserve(bytes);
    append_le<uint8_t>(out, kVersion);
    append_le<int64_t>(out, at.micros);
    append_le<uint32_t>(out, static_cast<uint32_t>(records.size()));
    for (const auto& record : records) {
        append_le<uint32_t>(out, static_cast<uint32_t>(record.key.size()));
        append_le<uint32_t>(out, static_cast<uint32_t>(record.payload.size()));
        out += record.key;
        out += record.payload;
    }
    return out;
}

Result<std::vector<Record>> decode_block(std::string_view bytes, uint64_t first) {
    const Error broken(Code::corrupted, "a block of stream records does not decode");
    ByteReader in(bytes);
    const auto version = in.take_le<uint8_t>();
    if (version && *version != kVersion)
        return Error(Code::corrupted, "a block of stream records has version " +
                                          std::to_string(*version) +
                                          ", which this program does not know");
    const auto at = in.take_le<int64_t>();
    const auto count = in.take_le<uint32_t>();
    if (!version || !at || !count || *count > in.left() / 8) return broken;
    std::vector<Record> records;
    records.reserve(*count);
    for (uint32_t i = 0; i < *count; ++i) {
        const auto key_size = in.take_le<uint32_t>();
        const auto payload_size = in.take_le<uint32_t>();
        if (!key_size || !payload_size) return broken;
        const auto key = in.take(*key_size);
        const auto payload = key ? in.take(*payload_size) : std::nullopt;
        if (!payload) return broken;
        records.push_back({first + i, {*at}, std::string(*key), std::string(*payload)});
    }
    if (!in.empty()) return broken;
    return records;
}

}  // namespace tarn::streams

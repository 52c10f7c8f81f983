#include "meta/internal/record.h"

#include "base/bytes.h"

namespace tarn::meta {

namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kHasBody = 1;

std::string internal_key(char kind) {
    return {kInternal, kind};
}

}  // namespace

void append_body_ref(std::string& out, const wal::BodyRef& body) {
    append_le(out, body.segment);
    append_le(out, body.offset);
    append_le(out, body.length);
    append_le(out, body.crc32c);
}

wal::BodyRef load_body_ref(std::string_view bytes) {
    TARN_ASSERT(bytes.size() >= kBodyRefBytes);
    wal::BodyRef body;
    body.segment = load_le<uint32_t>(bytes.data());
    body.offset = load_le<uint64_t>(bytes.data() + 4);
    body.length = load_le<uint32_t>(bytes.data() + 12);
    body.crc32c = load_le<uint32_t>(bytes.data() + 16);
    return body;
}

std::string encode_record(const StoredRecord& record) {
    std::string bytes;
    bytes.reserve(1 + 8 + kBodyRefBytes + record.value.size());
    bytes.push_back(record.body ? kHasBody : 0);
    append_le(bytes, record.version);
    if (record.body) append_body_ref(bytes, *record.body);
    bytes.append(record.value);
    return bytes;
}

std::optional<StoredRecord> decode_record(std::string_view bytes) {
    ByteReader reader(bytes);
    StoredRecord record;
    const auto flags = reader.take_le<uint8_t>();
    const auto version = reader.take_le<uint64_t>();
    if (!flags || !version || *flags > kHasBody) return std::nullopt;
    record.version = *version;
    if (*flags == kHasBody) {
        const auto body = reader.take(kBodyRefBytes);
        if (!body) return std::nullopt;
        record.body = load_body_ref(*body);
    }
    record.value = reader.rest();
    return record;
}

std::string state_key() {
    return internal_key('s');
}

std::string encode_state(const IndexState& state) {
    std::string bytes(1, static_cast<char>(kFormat));
    append_le(bytes, state.sequence);
    return bytes;
}

Result<IndexState> decode_state(std::string_view bytes) {
    ByteReader reader(bytes);
    const auto format = reader.take_le<uint8_t>();
    if (format && *format != kFormat)
        return Error(Code::unimplemented, "the index has format " + std::to_string(*format) +
                                              "; this program knows format 1: use a newer one");
    const auto sequence = reader.take_le<uint64_t>();
    if (!sequence || !reader.empty())
        return Error(Code::corrupted, "the index's state record is damaged");
    return IndexState{*sequence};
}

std::string live_prefix() {
    return internal_key('l');
}

std::string live_key(wal::SegmentId segment) {
    auto key = live_prefix();
    append_be(key, segment);
    return key;
}

std::optional<wal::SegmentId> decode_live_key(std::string_view key) {
    if (key.size() != live_prefix().size() + sizeof(wal::SegmentId)) return std::nullopt;
    return load_be<wal::SegmentId>(key.data() + live_prefix().size());
}

std::string owner_prefix(wal::SegmentId segment) {
    auto key = internal_key('o');
    append_be(key, segment);
    return key;
}

std::string owner_key(wal::SegmentId segment, uint64_t offset) {
    auto key = owner_prefix(segment);
    append_be(key, offset);
    return key;
}

std::optional<uint64_t> decode_owner_offset(std::string_view key) {
    const auto prefix_size = owner_prefix(0).size();
    if (key.size() != prefix_size + sizeof(uint64_t)) return std::nullopt;
    return load_be<uint64_t>(key.data() + prefix_size);
}

}  // namespace tarn::meta

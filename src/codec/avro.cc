// The encoding and the container; schemas are parsed in avro_schema.cc.
#include "codec/avro.h"

#include <zlib.h>

#include <cstring>

#include "base/bytes.h"
#include "base/random.h"

namespace tarn::codec {

namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr size_t kSyncBytes = 16;
constexpr size_t kDeflateAbove = 2048;

Error corrupted(std::string what) {
    return Error(Code::corrupted, "Avro file: " + std::move(what));
}

/// RFC 1951, without zlib's header.
std::string deflate_raw(std::string_view bytes) {
    z_stream stream{};
    const int begun = deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    TARN_ASSERT(begun == Z_OK);
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    TARN_ASSERT(ended == Z_STREAM_END);
    return out;
}

Status inflate_raw(std::string_view bytes, size_t bytes_max, std::string* out) {
    z_stream stream{};
    if (inflateInit2(&stream, -15) != Z_OK) return Error(Code::internal, "zlib: out of memory");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    out->clear();
    int result = Z_OK;
    while (result == Z_OK && out->size() < bytes_max) {
        const size_t have = out->size();
        out->resize(std::min(bytes_max, std::max<size_t>(have * 2, bytes.size() * 4 + 1024)));
        stream.next_out = reinterpret_cast<Bytef*>(out->data() + have);
        stream.avail_out = static_cast<uInt>(out->size() - have);
        result = inflate(&stream, Z_NO_FLUSH);
        out->resize(stream.total_out);
        if (result == Z_BUF_ERROR ||
            (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0))
            break;
    }
    inflateEnd(&stream);
    if (result == Z_STREAM_END) return {};
    return corrupted(out->size() >= bytes_max ? "a block is larger than allowed"
                                              : "a block does not inflate");
}

}  // namespace

AvroEncoder& AvroEncoder::integer(int64_t v) {
    auto zigzag = static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63);
    while (zigzag >= 0x80) {
        out_.push_back(static_cast<char>(zigzag | 0x80));
        zigzag >>= 7;
    }
    out_.push_back(static_cast<char>(zigzag));
    return *this;
}

AvroEncoder& AvroEncoder::boolean(bool v) {
    out_.push_back(v ? 1 : 0);
    return *this;
}

AvroEncoder& AvroEncoder::real32(float v) {
    append_le(out_, v);
    return *this;
}

AvroEncoder& AvroEncoder::real64(double v) {
    append_le(out_, v);
    return *this;
}

AvroEncoder& AvroEncoder::bytes(std::string_view v) {
    integer(static_cast<int64_t>(v.size()));
    out_.append(v);
    return *this;
}

AvroEncoder& AvroEncoder::fixed(std::string_view v) {
    out_.append(v);
    return *this;
}

AvroEncoder& AvroEncoder::begin_block(int64_t count) {
    if (count > 0) integer(count);
    return *this;
}

int64_t AvroDecoder::take_integer() {
    uint64_t zigzag = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (rest_.empty()) break;
        const auto byte = static_cast<uint8_t>(rest_[0]);
        rest_.remove_prefix(1);
        if (shift == 63 && byte > 1) break;
        zigzag |= static_cast<uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return static_cast<int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1));
    }
    fail();
    return 0;
}

std::string_view AvroDecoder::take_fixed(size_t size) {
    if (rest_.size() < size) {
        fail();
        return {};
    }
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

bool AvroDecoder::take_boolean() {
    const auto byte = take_fixed(1);
    return !byte.empty() && byte[0] != 0;
}

float AvroDecoder::take_real32() {
    const auto taken = take_fixed(sizeof(float));
    return taken.empty() ? 0 : load_le<float>(taken.data());
}

double AvroDecoder::take_real64() {
    const auto taken = take_fixed(sizeof(double));
    return taken.empty() ? 0 : load_le<double>(taken.data());
}

std::string_view AvroDecoder::take_bytes() {
    const int64_t size = take_integer();
    if (size < 0 || static_cast<uint64_t>(size) > rest_.size()) {
        fail();
        return {};
    }
    return take_fixed(static_cast<size_t>(size));
}

int64_t AvroDecoder::take_block_count() {
    int64_t count = take_integer();
    if (count < 0) {  // the block's size in bytes follows, for readers that skip it whole
        if (count == INT64_MIN) {
            fail();
            return 0;
        }
        count = -count;
        take_integer();
    }
    constexpr int64_t kEmptyItemsMax = 4096;
    if (count > kEmptyItemsMax && static_cast<uint64_t>(count) > rest_.size()) {
        fail();
        return 0;
    }
    return ok_ ? count : 0;
}

size_t AvroDecoder::take_branch(const AvroSchema& schema) {
    const int64_t branch = take_integer();
    if (!ok_ || branch < 0 || static_cast<uint64_t>(branch) >= schema.parts.size()) {
        fail();
        return 0;
    }
    return static_cast<size_t>(branch);
}

void AvroDecoder::skip(const AvroSchema& schema) {
    if (!ok_ || work_left_ == 0) return fail();
    --work_left_;
    switch (schema.kind) {
        case AvroSchema::Kind::null:
            return;
        case AvroSchema::Kind::boolean:
            take_fixed(1);
            return;
        case AvroSchema::Kind::int_:
        case AvroSchema::Kind::long_:
        case AvroSchema::Kind::enumeration:
            take_integer();
            return;
        case AvroSchema::Kind::float_:
            take_fixed(4);
            return;
        case AvroSchema::Kind::double_:
            take_fixed(8);
            return;
        case AvroSchema::Kind::bytes:
        case AvroSchema::Kind::string:
            take_bytes();
            return;
        case AvroSchema::Kind::fixed:
            take_fixed(schema.size);
            return;
        case AvroSchema::Kind::record:
            for (const auto& field : schema.fields) skip(*field.schema);
            return;
        case AvroSchema::Kind::union_: {
            const size_t branch = take_branch(schema);
            if (ok_) skip(*schema.parts[branch]);
            return;
        }
        case AvroSchema::Kind::array:
        case AvroSchema::Kind::map:
            for (int64_t count = take_block_count(); count > 0; count = take_block_count()) {
                for (; count > 0 && ok_; --count) {
                    if (schema.kind == AvroSchema::Kind::map) take_bytes();
                    skip(*schema.parts[0]);
                }
            }
            return;
    }
}

std::string write_avro_file(std::string_view schema_json, const AvroMetadata& metadata,
                            int64_t records, std::string_view encoded) {
    const bool deflated = encoded.size() > kDeflateAbove;
    const std::string sync = random_bytes(kSyncBytes);
    std::string out(kMagic);
    AvroEncoder encode(out);
    encode.begin_block(static_cast<int64_t>(metadata.size()) + 2);
    encode.bytes("avro.schema").bytes(schema_json);
    encode.bytes("avro.codec").bytes(deflated ? "deflate" : "null");
    for (const auto& [key, value] : metadata) encode.bytes(key).bytes(value);
    encode.end_blocks().fixed(sync);
    if (records > 0) {
        encode.integer(records).bytes(deflated ? deflate_raw(encoded) : std::string(encoded));
        encode.fixed(sync);
    }
    return out;
}

Result<AvroFileReader> AvroFileReader::open(std::string_view bytes, AvroReadLimits limits) {
    if (bytes.substr(0, kMagic.size()) != kMagic) return corrupted("it does not begin as one");
    bytes.remove_prefix(kMagic.size());
    const std::string_view header = bytes.substr(0, limits.header_bytes_max);
    AvroDecoder decode(header);
    AvroFileReader reader;
    reader.limits_ = limits;
    size_t used = 0;
    for (int64_t count = decode.take_block_count(); count > 0; count = decode.take_block_count()) {
        for (; count > 0 && decode.ok(); --count) {
            const auto key = decode.take_bytes();
            const auto value = decode.take_bytes();
            if (value.data() != nullptr)
                used = static_cast<size_t>(value.data() + value.size() - header.data());
            reader.metadata_.insert_or_assign(std::string(key), std::string(value));
        }
    }
    reader.sync_ = decode.take_fixed(kSyncBytes);
    if (!decode.ok() || used == 0) return corrupted("its header is damaged");
    reader.rest_ =
        bytes.substr(static_cast<size_t>(reader.sync_.data() + kSyncBytes - bytes.data()));

    const auto codec = reader.metadata_.find("avro.codec");
    reader.deflated_ = codec != reader.metadata_.end() && codec->second == "deflate";
    if (codec != reader.metadata_.end() && !reader.deflated_ && codec->second != "null" &&
        !codec->second.empty())
        return Error(Code::unimplemented, "Avro codec " + codec->second + " is not supported");
    TARN_TRY(schema, parse_avro_schema(reader.metadata_["avro.schema"]));
    reader.schema_ = std::move(schema);
    return reader;
}

Result<bool> AvroFileReader::next(Block* block) {
    if (rest_.empty()) return false;
    AvroDecoder decode(rest_);
    block->records = decode.take_integer();
    const auto body = decode.take_bytes();
    const auto sync = decode.take_fixed(kSyncBytes);
    if (!decode.ok() || block->records < 0) return corrupted("a block is cut off");
    if (sync != sync_) return corrupted("a block does not end with the file's marker");
    rest_.remove_prefix(static_cast<size_t>(sync.data() + kSyncBytes - rest_.data()));
    block->bytes = body;
    if (deflated_) {
        TARN_CHECK_OK(inflate_raw(body, limits_.block_bytes_max, &inflated_));
        block->bytes = inflated_;
    }
    if (static_cast<uint64_t>(block->records) > block->bytes.size())
        return corrupted("a block holds fewer bytes than records");
    return true;
}

}  // namespace tarn::codec

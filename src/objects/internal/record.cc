#include "objects/internal/record.h"

#include <algorithm>

#include "base/bytes.h"
#include "objects/internal/digests.h"

namespace tarn::objects::internal {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kUsualBytes = 192;  // what most records need
constexpr int kHeaders = 7;          // texts of metadata before the storage class

class Encoder {
 public:
    Encoder() {
        out_.reserve(kUsualBytes);
        out_.push_back(static_cast<char>(kVersion));
    }

    Encoder& number(uint64_t value) {
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
        return *this;
    }
    Encoder& text(std::string_view value) {
        number(value.size());
        out_.append(value);
        return *this;
    }
    Encoder& time(Timestamp at) {
        append_le(out_, at.micros);
        return *this;
    }
    Encoder& map(const std::map<std::string, std::string>& values) {
        number(values.size());
        for (const auto& [name, value] : values) text(name).text(value);
        return *this;
    }
    Encoder& metadata(const Metadata& m) {
        const auto& h = m.headers;
        for (const auto* header :
             {&h.content_type, &h.content_encoding, &h.content_disposition, &h.content_language,
              &h.cache_control, &h.expires, &h.website_redirect, &m.storage_class})
            text(*header);
        return map(m.user).map(m.tags);
    }
    Encoder& checksum(const Checksum& value) {
        return number(static_cast<uint8_t>(value.algorithm))
            .number(static_cast<uint8_t>(value.type))
            .text(value.value);
    }
    Encoder& maybe_checksum(const std::optional<Checksum>& value) {
        number(value ? 1 : 0);
        return value ? checksum(*value) : *this;
    }
    Encoder& pieces(const std::vector<Piece>& list) {
        number(list.size());
        for (const auto& piece : list) {
            number(piece.extent.file).number(piece.extent.offset).number(piece.extent.length);
            append_le(out_, piece.extent.check);
            number(piece.skip).number(piece.length);
        }
        return *this;
    }
    std::string take() { return std::move(out_); }

 private:
    std::string out_;
};

/// Remembers the first failure; what it returns after that is empty.
class Decoder {
 public:
    explicit Decoder(std::string_view bytes) : reader_(bytes) {
        const auto version = reader_.take_le<uint8_t>();
        if (version != kVersion) ok_ = false;
    }

    uint64_t number() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto byte = reader_.take_le<uint8_t>();
            if (!byte) break;
            if (shift == 63 && *byte > 1) break;
            value |= static_cast<uint64_t>(*byte & 0x7f) << shift;
            if (*byte < 0x80) return value;
        }
        ok_ = false;
        return 0;
    }
    /// A number of things that follow: never more than there are bytes left.
    size_t count() {
        const uint64_t value = number();
        if (value > reader_.left()) ok_ = false;
        return ok_ ? static_cast<size_t>(value) : 0;
    }
    std::string_view view() {
        const auto bytes = reader_.take(count());
        if (!bytes) ok_ = false;
        return bytes.value_or(std::string_view());
    }
    std::string text() { return std::string(view()); }
    Timestamp time() { return {fixed<int64_t>()}; }
    std::map<std::string, std::string> map() {
        std::map<std::string, std::string> values;
        for (size_t left = count(); ok_ && left > 0; --left) {
            auto name = text();
            values[std::move(name)] = text();
        }
        return values;
    }
    /// Past metadata; its storage class.
    std::string_view storage_class() {
        for (int header = 0; header < kHeaders; ++header) view();
        const auto found = view();
        for (int maps = 0; maps < 2; ++maps)
            for (size_t left = count(); ok_ && left > 0; --left) {
                view();
                view();
            }
        return found;
    }
    Metadata metadata() {
        Metadata m;
        auto& h = m.headers;
        for (auto* header :
             {&h.content_type, &h.content_encoding, &h.content_disposition, &h.content_language,
              &h.cache_control, &h.expires, &h.website_redirect, &m.storage_class})
            *header = text();
        m.user = map();
        m.tags = map();
        return m;
    }
    ChecksumAlgorithm algorithm() {
        const uint64_t value = number();
        if (value < 1 || value > 5) {
            ok_ = false;
            return ChecksumAlgorithm::crc32;
        }
        return static_cast<ChecksumAlgorithm>(value);
    }
    ChecksumType type() {
        const uint64_t value = number();
        if (value > 1) ok_ = false;
        return value == 1 ? ChecksumType::composite : ChecksumType::full_object;
    }
    Checksum checksum() {
        Checksum value;
        value.algorithm = algorithm();
        value.type = type();
        value.value = text();
        if (value.value.size() != checksum_bytes(value.algorithm)) ok_ = false;
        return value;
    }
    std::optional<Checksum> maybe_checksum() {
        if (number() == 0) return std::nullopt;
        return checksum();
    }
    std::vector<Piece> pieces() {
        std::vector<Piece> list;
        for (size_t left = count(); ok_ && left > 0; --left) {
            Piece piece;
            piece.extent.file = number();
            piece.extent.offset = number();
            piece.extent.length = number();
            piece.extent.check = fixed<uint32_t>();
            piece.skip = number();
            piece.length = number();
            if (piece.skip > piece.extent.length || piece.length > piece.extent.length - piece.skip)
                ok_ = false;
            list.push_back(piece);
        }
        return list;
    }
    void fail() { ok_ = false; }
    bool ok() const { return ok_ && reader_.empty(); }
    bool so_far() const { return ok_; }

 private:
    template <typename Int>
    Int fixed() {
        const auto value = reader_.take_le<Int>();
        if (!value) ok_ = false;
        return value.value_or(0);
    }

    ByteReader reader_;
    bool ok_ = true;
};

Error broken(const char* what) {
    return {Code::corrupted, std::string("The record of ") + what +
                                 " can't be read: wrong version or damaged bytes."};
}

uint64_t total(const std::vector<Piece>& pieces) {
    uint64_t sum = 0;
    for (const auto& piece : pieces) sum += piece.length;
    return sum;
}

}  // namespace

std::string encode(const ObjectRecord& record) {
    Encoder out;
    out.number(record.size).time(record.modified).text(record.etag).metadata(record.metadata);
    out.number(record.checksums.size());
    for (const auto& checksum : record.checksums) out.checksum(checksum);
    out.number(record.parts.size());
    for (const auto& part : record.parts)
        out.number(part.number).number(part.size).maybe_checksum(part.checksum);
    out.text(record.upload_id).pieces(record.pieces);
    return out.take();
}

Result<ObjectRecord> decode_object(std::string_view bytes) {
    Decoder in(bytes);
    ObjectRecord record;
    record.size = in.number();
    record.modified = in.time();
    record.etag = in.text();
    record.metadata = in.metadata();
    for (size_t left = in.count(); in.so_far() && left > 0; --left)
        record.checksums.push_back(in.checksum());
    for (size_t left = in.count(); in.so_far() && left > 0; --left) {
        PartInfo part;
        part.number = static_cast<uint32_t>(in.number());
        part.size = in.number();
        part.checksum = in.maybe_checksum();
        record.parts.push_back(std::move(part));
    }
    record.upload_id = in.text();
    record.pieces = in.pieces();
    if (!record.pieces.empty() && total(record.pieces) != record.size) in.fail();
    if (!in.ok()) return broken("an object");
    return record;
}

Result<ListedObject> decode_listed(std::string_view bytes) {
    Decoder in(bytes);
    ListedObject listed;
    listed.size = in.number();
    listed.modified = in.time();
    listed.etag = in.view();
    listed.storage_class = in.storage_class();
    for (size_t left = in.count(); in.so_far() && left > 0; --left) {
        const auto algorithm = in.algorithm();
        const auto type = in.type();
        if (listed.checksums.empty()) listed.checksum_type = type;
        listed.checksums.push_back(algorithm);
        in.view();
    }
    if (!in.so_far()) return broken("an object");
    return listed;
}

std::string encode(const UploadRecord& record) {
    Encoder out;
    out.time(record.initiated).metadata(record.metadata);
    out.number(record.algorithm ? static_cast<uint8_t>(*record.algorithm) : 0);
    out.number(static_cast<uint8_t>(record.type));
    return out.take();
}

Result<UploadRecord> decode_upload(std::string_view bytes) {
    Decoder in(bytes);
    UploadRecord record;
    record.initiated = in.time();
    record.metadata = in.metadata();
    const uint64_t algorithm = in.number();
    if (algorithm > 5) in.fail();
    if (algorithm != 0) record.algorithm = static_cast<ChecksumAlgorithm>(algorithm);
    record.type = in.type();
    if (!in.ok()) return broken("a multipart upload");
    return record;
}

std::string encode(const PartRecord& record) {
    Encoder out;
    out.number(record.size).time(record.modified).text(record.etag);
    out.maybe_checksum(record.checksum).pieces(record.pieces);
    return out.take();
}

Result<PartRecord> decode_part(std::string_view bytes) {
    Decoder in(bytes);
    PartRecord record;
    record.size = in.number();
    record.modified = in.time();
    record.etag = in.text();
    record.checksum = in.maybe_checksum();
    record.pieces = in.pieces();
    if (total(record.pieces) != record.size) in.fail();
    if (!in.ok()) return broken("a part");
    return record;
}

std::string encode(const BucketRecord& record) {
    Encoder out;
    out.time(record.created).text(record.region).number(record.system ? 1 : 0);
    return out.take();
}

Result<BucketRecord> decode_bucket(std::string_view bytes) {
    Decoder in(bytes);
    BucketRecord record;
    record.created = in.time();
    record.region = in.text();
    record.system = in.number() != 0;
    if (!in.ok()) return broken("a bucket");
    return record;
}

void count_refs(ExtentRefs& refs, const std::vector<Piece>& pieces, int64_t delta) {
    for (const auto& piece : pieces) refs[piece.extent] += delta;
}

std::vector<Piece> slice(const std::vector<Piece>& pieces, uint64_t offset, uint64_t length) {
    std::vector<Piece> out;
    for (const auto& piece : pieces) {
        if (length == 0) break;
        if (offset >= piece.length) {
            offset -= piece.length;
            continue;
        }
        const uint64_t taken = std::min(piece.length - offset, length);
        out.push_back({piece.extent, piece.skip + offset, taken});
        length -= taken;
        offset = 0;
    }
    return out;
}

}  // namespace tarn::objects::internal

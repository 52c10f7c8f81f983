#include "archive/internal/manifest.h"

#include <optional>

#include "base/bytes.h"
#include "codec/hash.h"

namespace tarn::archive {
namespace {

constexpr std::string_view kManifestMagic = "TARNCPY\n";
constexpr std::string_view kListMagic = "TARNRNG\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kHashBytes = 32;
constexpr size_t kRangeBytes = 8 + 4 + 32 + 4 + 4;
constexpr size_t kTextBytesMax = 4096;

void append_text(std::string& out, std::string_view text) {
    append_le(out, static_cast<uint32_t>(text.size()));
    out += text;
}

void append_ranges(std::string& out, const std::vector<Range>& ranges) {
    append_le(out, static_cast<uint32_t>(ranges.size()));
    for (const auto& range : ranges) {
        append_le(out, range.offset);
        append_le(out, static_cast<uint32_t>(range.length));
        out.append(range.piece.data(), range.piece.size());
        append_le(out, static_cast<uint32_t>(range.at));
        append_le(out, range.check);
    }
}

Error damaged(const char* what) {
    return Error(Code::corrupted, std::string("the manifest is damaged: ") + what);
}

/// Takes fields until one is wrong; then everything fails.
class Fields {
 public:
    explicit Fields(std::string_view bytes) : bytes_(bytes) {}

    template <typename Int>
    Int number() {
        const auto taken = ok_ ? bytes_.take_le<Int>() : std::nullopt;
        ok_ = taken.has_value();
        return taken.value_or(Int{});
    }
    std::string text() {
        const auto size = number<uint32_t>();
        const auto taken = ok_ && size <= kTextBytesMax ? bytes_.take(size) : std::nullopt;
        ok_ = taken.has_value();
        return std::string(taken.value_or(std::string_view()));
    }
    PieceId piece() {
        PieceId id{};
        const auto taken = ok_ ? bytes_.take(id.size()) : std::nullopt;
        ok_ = taken.has_value();
        if (taken) std::memcpy(id.data(), taken->data(), id.size());
        return id;
    }
    /// False also where ranges overlap, or reach where no file and no piece of ours does.
    std::vector<Range> ranges() {
        std::vector<Range> ranges;
        const auto count = number<uint32_t>();
        ok_ = ok_ && count <= bytes_.left() / kRangeBytes;
        if (!ok_) return ranges;
        ranges.reserve(count);
        uint64_t end = 0;
        for (uint32_t i = 0; i < count && ok_; ++i) {
            Range range;
            range.offset = number<uint64_t>();
            range.length = number<uint32_t>();
            range.piece = piece();
            range.at = number<uint32_t>();
            range.check = number<uint32_t>();
            ok_ = ok_ && range.length > 0 && range.at + range.length <= kPieceBytesMax &&
                  range.offset >= end && range.offset <= kFileBytesMax - range.length;
            end = range.offset + range.length;
            ranges.push_back(range);
        }
        return ranges;
    }
    void require(bool holds) { ok_ = ok_ && holds; }
    size_t left() const { return bytes_.left(); }
    bool ok() const { return ok_; }

 private:
    ByteReader bytes_;
    bool ok_ = true;
};

FileEntry take_file(Fields& fields) {
    FileEntry file;
    file.path = fields.text();
    fields.require(is_copied_path(file.path));
    file.token = fields.text();
    const auto in_list = fields.number<uint8_t>();
    fields.require(in_list <= 1);
    file.in_list = in_list == 1;
    if (file.in_list)
        file.list = fields.piece();
    else
        file.ranges = fields.ranges();
    return file;
}

Result<std::string_view> take_body(std::string_view bytes, std::string_view magic) {
    if (!bytes.starts_with(magic) || bytes.size() < magic.size() + 4)
        return damaged("no such file");
    bytes.remove_prefix(magic.size());
    if (const auto version = load_le<uint32_t>(bytes.data()); version != kVersion)
        return Error(Code::unimplemented, "the copy has format " + std::to_string(version) +
                                              ", this program knows " + std::to_string(kVersion) +
                                              ": use a newer one");
    return bytes.substr(4);
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
    std::string out(kManifestMagic);
    append_le(out, kVersion);
    append_le(out, static_cast<uint8_t>(manifest.kind));
    append_text(out, manifest.history);
    append_text(out, manifest.point);
    append_le(out, manifest.number);
    append_text(out, manifest.lake_id);
    append_le(out, manifest.time.micros);
    append_le(out, manifest.sequence);
    append_text(out, manifest.key_check);
    append_text(out, manifest.sealed_key);
    append_le(out, manifest.bytes);
    append_le(out, manifest.sent_bytes);
    append_le(out, static_cast<uint32_t>(manifest.damage.size()));
    for (const auto& file : manifest.damage) append_text(out, file);
    append_le(out, static_cast<uint32_t>(manifest.files.size()));
    for (const auto& file : manifest.files) {
        append_text(out, file.path);
        append_text(out, file.token);
        append_le(out, static_cast<uint8_t>(file.in_list ? 1 : 0));
        if (file.in_list)
            out.append(file.list.data(), file.list.size());
        else
            append_ranges(out, file.ranges);
    }
    out += codec::sha256(out);
    return out;
}

Result<Manifest> parse_manifest(std::string_view bytes) {
    if (bytes.size() < kHashBytes) return damaged("it is cut off");
    const auto content = bytes.substr(0, bytes.size() - kHashBytes);
    TARN_TRY(body, take_body(content, kManifestMagic));
    if (codec::sha256(content) != bytes.substr(content.size()))
        return damaged("its checksum does not match");
    Fields fields(body);
    Manifest out;
    const auto kind = fields.number<uint8_t>();
    fields.require(kind >= 1 && kind <= 3);
    out.kind = static_cast<Kind>(kind);
    out.history = fields.text();
    out.point = fields.text();
    out.number = fields.number<uint32_t>();
    out.lake_id = fields.text();
    fields.require(is_history(out.history) && is_point_id(out.point) && is_history(out.lake_id));
    fields.require((out.kind == Kind::tail) == (out.number > 0));
    out.time.micros = fields.number<int64_t>();
    out.sequence = fields.number<uint64_t>();
    out.key_check = fields.text();
    out.sealed_key = fields.text();
    out.bytes = fields.number<uint64_t>();
    out.sent_bytes = fields.number<uint64_t>();
    const auto damages = fields.number<uint32_t>();
    fields.require(damages <= kDamageMax);
    for (uint32_t i = 0; i < damages && fields.ok(); ++i) out.damage.push_back(fields.text());
    const auto files = fields.number<uint32_t>();
    for (uint32_t i = 0; i < files && fields.ok(); ++i) out.files.push_back(take_file(fields));
    if (!fields.ok() || fields.left() != 0) return damaged("a field is wrong");
    for (size_t i = 1; i < out.files.size(); ++i)
        if (out.files[i - 1].path >= out.files[i].path)
            return damaged("its files are out of order");
    return out;
}

std::string encode_list(const std::vector<Range>& ranges) {
    std::string out(kListMagic);
    append_le(out, kVersion);
    append_ranges(out, ranges);
    return out;
}

Result<std::vector<Range>> parse_list(std::string_view bytes) {
    TARN_TRY(body, take_body(bytes, kListMagic));
    Fields fields(body);
    auto ranges = fields.ranges();
    if (!fields.ok() || fields.left() != 0) return damaged("a list of ranges is wrong");
    return ranges;
}

}  // namespace tarn::archive

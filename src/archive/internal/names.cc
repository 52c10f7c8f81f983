#include "archive/internal/names.h"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "objects/copying.h"

namespace tarn::archive {
namespace {

constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr size_t kNameBytesMax = 255;

bool is_word(std::string_view word) {
    constexpr std::string_view allowed =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
    return !word.empty() && word.front() != '.' &&
           word.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_hexadecimal(std::string_view word, size_t size) {
    return word.size() == size && word.find_first_not_of(kHexadecimal) == std::string_view::npos;
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool takes_suffix(std::string_view& text, std::string_view suffix) {
    if (!text.ends_with(suffix)) return false;
    text.remove_suffix(suffix.size());
    return true;
}

}  // namespace

bool is_name(std::string_view name) {
    if (name.size() > kNameBytesMax) return false;
    while (true) {
        const size_t slash = name.find('/');
        if (!is_word(name.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        name.remove_prefix(slash + 1);
    }
}

bool is_history(std::string_view word) {
    return is_hexadecimal(word, 32);
}

bool is_point_id(std::string_view word) {
    if (!takes_prefix(word, "backup-") && !takes_prefix(word, "archive-")) return false;
    if (word.size() != 31 || word[8] != 'T' || word[21] != 'Z' || word[22] != '-') return false;
    constexpr std::string_view digits = "0123456789";
    return word.substr(0, 8).find_first_not_of(digits) == std::string_view::npos &&
           word.substr(9, 12).find_first_not_of(digits) == std::string_view::npos &&
           is_hexadecimal(word.substr(23), 8);
}

std::string make_point_id(bool archive, Timestamp time) {
    auto second = format_iso8601_basic(time);
    second.pop_back();
    return fmt::format("{}-{}{:06d}Z-{}", archive ? "archive" : "backup", second,
                       time.micros - time.seconds() * 1'000'000, random_hex(4));
}

Timestamp point_time(std::string_view id) {
    TARN_ASSERT(is_point_id(id));
    id.remove_prefix(id.find('-') + 1);
    const auto second = parse_time(std::string(id.substr(0, 15)) + "Z");
    int64_t micros = 0;
    std::from_chars(id.data() + 15, id.data() + 21, micros);
    return second.ok() ? second->plus(std::chrono::microseconds(micros)) : Timestamp();
}

bool is_copied_path(std::string_view path) {
    if (path == "state/lake-id") return true;
    if (takes_prefix(path, "state/wal/"))
        return takes_suffix(path, ".wal") && is_hexadecimal(path, 8);
    if (takes_prefix(path, "state/index/")) return path.size() <= 64 && is_word(path);
    return takes_prefix(path, "extents/") && takes_suffix(path, ".extents") &&
           is_hexadecimal(path, 16);
}

std::string piece_text(const PieceId& piece) {
    return codec::hex_encode(std::string_view(piece.data(), piece.size()));
}

std::optional<PieceId> parse_piece_text(std::string_view text) {
    if (!is_hexadecimal(text, 64)) return std::nullopt;
    const auto bytes = codec::hex_decode(text);
    PieceId piece{};
    std::memcpy(piece.data(), bytes.value().data(), piece.size());
    return piece;
}

PieceId piece_id(std::string_view bytes) {
    const auto hash = codec::sha256(bytes);
    PieceId piece{};
    std::memcpy(piece.data(), hash.data(), piece.size());
    return piece;
}

std::string piece_name(std::string_view history, const PieceId& piece) {
    const auto text = piece_text(piece);
    return fmt::format("{}/pieces/{}/{}", history, text.substr(0, 2), text);
}

std::string point_name(std::string_view history, std::string_view point) {
    return fmt::format("{}/points/{}", history, point);
}

std::string tails_of(std::string_view history, std::string_view point) {
    return fmt::format("{}/tails/{}/", history, point);
}

std::string tail_name(std::string_view history, std::string_view point, uint32_t number) {
    return fmt::format("{}{:08d}", tails_of(history, point), number);
}

std::optional<uint32_t> parse_tail_number(std::string_view word) {
    uint32_t number = 0;
    if (word.size() != 8) return std::nullopt;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size()) return std::nullopt;
    return number;
}

std::string segment_path(uint32_t segment) {
    return fmt::format("state/wal/{:08x}.wal", segment);
}

std::string extent_path(uint64_t file) {
    return "extents/" + objects::extent_file_name(file);
}

std::optional<uint64_t> parse_extent_path(std::string_view path) {
    if (!takes_prefix(path, "extents/") || !takes_suffix(path, ".extents") ||
        !is_hexadecimal(path, 16))
        return std::nullopt;
    uint64_t file = 0;
    std::from_chars(path.data(), path.data() + path.size(), file, 16);
    return file;
}

}  // namespace tarn::archive

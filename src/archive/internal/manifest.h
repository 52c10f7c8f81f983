// What one point in time is made of: the files of a data folder as ranges of pieces. The bytes are
// docs/formats/copies.md. Everything that is parsed here comes from a destination and may be
// anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/internal/names.h"
#include "base/result.h"
#include "base/time.h"

namespace tarn::archive {

inline constexpr uint64_t kPieceBytesMax = 8u << 20;
inline constexpr uint64_t kManifestBytesMax = 256u << 20;
inline constexpr uint64_t kFileBytesMax = 1ull << 40;
inline constexpr uint64_t kListBytesMax = 64u << 20;
inline constexpr size_t kDamageMax = 100;  // findings that a manifest holds

/// Bytes of a file that lie in a piece.
struct Range {
    uint64_t offset = 0;  // in the file
    uint64_t length = 0;
    PieceId piece{};
    uint64_t at = 0;     // in the piece
    uint32_t check = 0;  // of the extent that the range is a part of (extents.md); else 0

    bool operator==(const Range&) const = default;
};

struct FileEntry {
    std::string path;   // is_copied_path()
    std::string token;  // two files of one path with the same token, not empty, are the same
    std::vector<Range> ranges;  // ascending, apart; of a file with `in_list` in the list piece
    bool in_list = false;
    PieceId list{};
};

enum class Kind : uint8_t { backup = 1, archive = 2, tail = 3 };

/// A point (backup, archive) says what all files are; a tail adds ranges to the files of its point
/// and the tails before it.
struct Manifest {
    Kind kind = Kind::backup;
    std::string history;
    std::string point;    // id; a tail's: of the point that it belongs to
    uint32_t number = 0;  // of a tail: 1, 2 ... without gaps
    std::string lake_id;
    Timestamp time;                   // everything acknowledged before it is in the copy
    uint64_t sequence = 0;            // the last change in the copy
    std::string key_check;            // 32 bytes that only the lake's root key gives
    std::string sealed_key;           // the root key under a passphrase; empty: left out
    uint64_t bytes = 0;               // of all files
    uint64_t sent_bytes = 0;          // that were not at the destination before
    std::vector<std::string> damage;  // files whose bytes did not match their checksums
    std::vector<FileEntry> files;
};

std::string encode_manifest(const Manifest& manifest);
/// corrupted: torn, changed, or nothing that we would have written (a path that leads elsewhere,
/// ranges that overlap ...). unimplemented: of a later version.
Result<Manifest> parse_manifest(std::string_view bytes);

/// The content of a list piece.
std::string encode_list(const std::vector<Range>& ranges);
Result<std::vector<Range>> parse_list(std::string_view bytes);

}  // namespace tarn::archive

// The names of a destination, and what may stand in a copy: nothing that is read from outside
// becomes a path or a name without passing here. docs/formats/copies.md lists them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tarn::archive {

/// SHA-256 of the bytes.
using PieceId = std::array<char, 32>;

/// Words of [0-9A-Za-z._-] that do not begin with '.', with '/' between them.
bool is_name(std::string_view name);
/// 32 lower-case hexadecimal digits.
bool is_history(std::string_view word);
/// "backup-20261121T224500123456Z-1a2b3c4d" (to the microsecond), or "archive-..."
bool is_point_id(std::string_view word);
std::string make_point_id(bool archive, Timestamp time);
/// Precondition: is_point_id(id).
Timestamp point_time(std::string_view id);
/// A file of the data folder that a copy may hold: state/lake-id, state/wal/<segment>,
/// state/index/<file>, extents/<file>.
bool is_copied_path(std::string_view path);

std::string piece_name(std::string_view history, const PieceId& piece);
std::string point_name(std::string_view history, std::string_view point);
/// The folder of a point's tails, with its '/'.
std::string tails_of(std::string_view history, std::string_view point);
std::string tail_name(std::string_view history, std::string_view point, uint32_t number);

PieceId piece_id(std::string_view bytes);
std::string piece_text(const PieceId& piece);
std::optional<PieceId> parse_piece_text(std::string_view text);
/// Of a name made by tail_name(); nullopt: it is none.
std::optional<uint32_t> parse_tail_number(std::string_view word);

std::string segment_path(uint32_t segment);
std::string extent_path(uint64_t file);
/// Of what extent_path() made; nullopt: it is none.
std::optional<uint64_t> parse_extent_path(std::string_view path);

}  // namespace tarn::archive

// Rows as bytes of a scratch file: written and read by the same process, never kept longer.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "query/chunk.h"

namespace tarn::query {

std::string encode_rows(const Chunk& rows);
/// The rows from `begin` to before `end`.
std::string encode_rows(const Chunk& rows, size_t begin, size_t end);
/// `like` gives the columns' types. corrupted: not what encode_rows made of such columns.
Result<Chunk> decode_rows(std::string_view bytes, const std::vector<Type>& like);

}  // namespace tarn::query

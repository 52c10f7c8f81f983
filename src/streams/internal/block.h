// The bytes of one append: its records, one after another, in one body of the log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "streams/streams.h"

namespace tarn::streams {

/// docs/formats/streams.md, version 1.
std::string encode_block(const std::vector<NewRecord>& records, Timestamp at);
/// Offsets count up from `first`. corrupted: anything that encode_block does not write.
Result<std::vector<Record>> decode_block(std::string_view bytes, uint64_t first);

}  // namespace tarn::streams

// Where the rows of a file went that compaction wrote again. Entries of the index that name the old
// file stay as they are: their places are computed. Owned by IndexTable; constant once made.
#pragma once

#include <optional>
#include <roaring/roaring64map.hh>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/internal/key_index.h"

namespace tarn::ingest {

struct MovedRows {
    Roaring64Map left_out;  // rows that were deleted when the file was read
    uint64_t first = 0;     // place of its first other row among those of all new files
    std::vector<std::pair<uint64_t, uint32_t>> to;  // end of each new file in that count, number

    /// nullopt: the row is in no new file.
    std::optional<RowPlace> place_of(uint64_t position) const {
        if (left_out.contains(position)) return std::nullopt;
        const uint64_t place = first + position - left_out.rank(position);
        uint64_t begin = 0;
        for (const auto& [end, file] : to) {
            if (place < end) return RowPlace{file, place - begin};
            begin = end;
        }
        return std::nullopt;
    }
    uint64_t bytes() const { return left_out.getSizeInBytes() + to.size() * 16 + 64; }

    std::string encode() const;
    static Result<MovedRows> decode(std::string_view text);
};

}  // namespace tarn::ingest

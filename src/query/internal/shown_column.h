// A column on its way through a policy's barrier: vectors that hold values of shown rows and
// nothing else. What stands beside shown rows below the barrier - the rest of a sliced vector, the
// dictionary of a whole row group, the elements of hidden lists - is not reachable from what comes
// out: functions above may be computed over all that a vector holds, and say in an error what it
// was.
//
// One for each column and thread; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/internal/duck.h"

namespace tarn::query {

class ShownColumn {
 public:
    /// Makes `to`, as DataChunk::Reset() leaves it, hold the first `count` rows of `from`.
    ///
    /// Referenced: constants, and flat vectors of plain values, which are what was shown. Gathered
    /// value by value: slices of plain values; texts keep their bytes where they are. A small
    /// dictionary with an identity (Parquet's) stays a dictionary, of the values shown so far, so
    /// that grouping by it stays quick. Nested values are copied.
    void pass(duck::Vector& from, duck::Vector& to, duck::idx_t count);

 private:
    static constexpr uint32_t kUnseen = UINT32_MAX;

    bool pass_dictionary(duck::Vector& from, duck::Vector& to, duck::idx_t count);
    void follow(const std::string& id, duck::idx_t size);
    void grow(duck::Vector& entries);

    std::string followed_;          // the identity of the dictionary below; empty: none yet
    std::vector<uint32_t> places_;  // of its entries in ours, or kUnseen
    std::vector<uint32_t> shown_;   // its entries in the order of ours
    duck::buffer_ptr<duck::VectorChildBuffer> ours_;
};

}  // namespace tarn::query

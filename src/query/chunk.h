// Rows as columns of values: what a cursor gives and what a writer takes. Plain memory of ours;
// nothing of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/types.h"

namespace tarn::query {

/// One column of a chunk. Numbers lie in a plain vector, texts end to end in one string, nested
/// values as Value trees.
class Column {
 public:
    explicit Column(Type type) : type_(std::move(type)) {}

    const Type& type() const { return type_; }
    size_t rows() const { return present_.size(); }

    void append_null();
    /// boolean, int16..int64, oid, date, time, timestamp(tz), decimal of at most 18 digits (unscaled)
    void append_number(int64_t number);
    void append_real(double real);            // float32, float64
    void append_wide(Int128 number);          // decimal of more digits (unscaled), uuid
    void append_text(std::string_view text);  // text, binary, json, character
    void append_interval(Interval interval);
    /// Any type. Precondition: the alternative that types.h names for the type's kind.
    void append(Value value);
    void reserve(size_t rows);

    bool is_null(size_t row) const { return !present_[row]; }
    int64_t number(size_t row) const { return numbers_[row]; }
    double real(size_t row) const { return reals_[row]; }
    Int128 wide(size_t row) const { return wides_[row]; }
    std::string_view text(size_t row) const;
    Value value(size_t row) const;
    /// types.h append_pg_text without the detour through Value where it matters.
    void append_pg_text(size_t row, std::string& out) const;
    void append_pg_binary(size_t row, std::string& out) const;

    /// Which of the vectors a kind uses.
    enum class Store : uint8_t { numbers, reals, wides, texts, intervals, values };
    static Store store_of(const Type& type);

 private:
    Type type_;
    std::vector<uint8_t> present_;
    std::vector<int64_t> numbers_;
    std::vector<double> reals_;
    std::vector<Int128> wides_;
    std::string bytes_;
    std::vector<uint64_t> ends_;  // end of each row's text in bytes_
    std::vector<Interval> intervals_;
    std::vector<Value> values_;
};

/// Precondition everywhere: all columns have the same number of rows.
struct Chunk {
    std::vector<Column> columns;

    size_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
};

}  // namespace tarn::query

// What a file says of itself: how it is delimited, and the types of its columns. A type is taken
// when 99.9 % of the values fit it; numbers with decimals, dates and times may have one misfit in a
// file of 50 values or more, since a single "n/a" does not make a column text. What is decided here
// is in the module's README. Pure; lane: any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/internal/csv_reader.h"
#include "ingest/internal/csv_value.h"
#include "ingest/spec.h"

namespace tarn::ingest {

struct CsvLayout {
    CsvSyntax syntax;
    bool header = true;
};
/// From the beginning of a file in UTF-8; what `given` says is taken as it is.
CsvLayout guess_layout(std::string_view head, bool whole, const CsvDialect& given);

/// The values of one column, seen one by one.
class ColumnTally {
 public:
    /// Empty texts are NULL and say nothing.
    void observe(std::string_view text);
    /// A text that was a string where it came from (JSON): it may be a date, never a number.
    void observe_string(std::string_view text);
    /// Something that only text can hold.
    void observe_other();

 private:
    friend struct TypeDecision;
    friend class TypeDecider;
    static constexpr size_t kFormatsMax = 64;
    /// So many values that fit nothing make a column text for good, unless more than a million were
    /// to follow.
    static constexpr uint64_t kHopeless = 2000;

    void observe_number(std::string_view text, const NumberShape& shape, bool comma);
    bool observe_time(std::string_view text);

    uint64_t values_ = 0, unfit_ = 0;
    uint64_t booleans_ = 0, integers_ = 0, dates_ = 0, timestamps_ = 0, zoned_ = 0;
    uint64_t reals_[2] = {0, 0};  // with a point, with a comma
    bool leading_zero_ = false, exponent_ = false;
    uint32_t integer_digits_max_ = 0, decimals_max_[2] = {0, 0};
    std::array<uint32_t, kFormatsMax> hits_{};
    std::array<uint32_t, kFormatsMax> misses_{};
};

struct GuessedType {
    query::Type type = query::Kind::text;
    std::string format;  // of dates and timestamps that are not ISO: strptime's words
    std::string note;    // why it stayed text where that needs a person
    /// Every value seen is of the type, or so many are of none that it stays text: as long as what
    /// follows fits as well (RowBuilder::be_strict), looking at it would change nothing.
    bool sure = false;
};

struct GuessedTypes {
    char decimal = '.';
    std::vector<GuessedType> columns;
};
/// All columns of a file together, since one of them may tell the decimal sign and the order of day
/// and month for all.
GuessedTypes decide_types(const std::vector<ColumnTally>& columns, std::optional<char> decimal);

/// Names of columns as SQL has them: lower case ASCII, accents dropped, '_' for the rest, each
/// once; "column3" where a name is empty.
std::vector<std::string> column_names(const std::vector<std::string>& outside);

}  // namespace tarn::ingest

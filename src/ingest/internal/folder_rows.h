// Fields of text into typed columns: a row goes in whole or not at all, with the reason. One thread
// at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/internal/csv_reader.h"
#include "ingest/internal/csv_value.h"
#include "query/chunk.h"

namespace tarn::ingest {

struct RowColumn {
    std::string name;
    query::Type type;                  // as stored: RowWriter's
    std::optional<TimeFormat> format;  // dates and timestamps: tried after ISO
};

class RowBuilder {
 public:
    RowBuilder(std::vector<RowColumn> columns, char decimal);

    const std::vector<RowColumn>& columns() const { return columns_; }
    std::vector<std::string> names() const;

    /// Empty fields are NULL. False: nothing was added, reason() says why. Precondition: none on
    /// the number of fields.
    bool add(const std::vector<CsvField>& fields);

    // The same cell by cell, for readers that know more than text: begin_row(), set_..., end_row().
    void begin_row();
    bool set_text(size_t column, std::string_view text);  // converted to the column's type
    bool set_boolean(size_t column, bool truth);
    void set_null(size_t column) { cells_[column].kind = Cell::Kind::null; }
    void end_row();

    const std::string& reason() const { return reason_; }
    /// For types that were guessed from a part of the file: what would make a guess from all of it
    /// another one does not fit. These are values that another type holds better: 007, a 1 among
    /// truths, a date among times.
    void be_strict() { strict_ = true; }
    bool strict() const { return strict_; }
    size_t rows() const { return rows_; }
    size_t bytes() const { return bytes_; }  // of texts, and 8 for every other cell
    /// What was added since, in the order of columns().
    query::Chunk take();

 private:
    struct Cell {
        enum class Kind : uint8_t { null, number, real, wide, text, value };
        Kind kind = Kind::null;
        int64_t number = 0;
        double real = 0;
        query::Int128 wide = 0;
        std::string_view text;
    };

    bool convert(size_t column, std::string_view text);
    bool convert_decimal(size_t column, std::string_view text);
    bool convert_time(size_t column, std::string_view text);
    bool convert_other(size_t column, std::string_view text);
    bool refuse(size_t column, std::string_view text, std::string_view why = {});
    void set_number(size_t column, int64_t number) {
        cells_[column].kind = Cell::Kind::number;
        cells_[column].number = number;
    }
    query::Chunk empty_chunk() const;

    std::vector<RowColumn> columns_;
    char decimal_;
    query::Chunk chunk_;
    std::vector<Cell> cells_;
    std::vector<query::Value> values_;  // of cells of kind value
    size_t rows_ = 0, bytes_ = 0;
    std::string reason_;
    bool strict_ = false;
};

}  // namespace tarn::ingest

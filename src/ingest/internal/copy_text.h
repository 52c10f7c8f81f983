// Rows of PostgreSQL's COPY ... TO STDOUT in text format, straight into columns (PostgreSQL manual,
// COPY, "Text Format"). The session that sends them has DateStyle ISO, TimeZone UTC, bytea_output
// hex. Pure: bytes in, columns out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/change_values.h"
#include "ingest/spec.h"
#include "query/chunk.h"

namespace tarn::ingest {

/// One thread at a time.
class CopyTextDecoder {
 public:
    /// `columns` in the order of the fields, with types as tables store them (target.h
    /// stored_type).
    explicit CopyTextDecoder(std::vector<ColumnSpec> columns);

    const std::vector<ColumnSpec>& columns() const { return columns_; }
    query::Chunk make_chunk(size_t rows) const;
    /// One row, with or without its newline, onto the end of `into`. After an error `into` has
    /// columns of different lengths: throw it away. corrupted: no row of that many fields, broken
    /// escapes; invalid_argument, out_of_range: a value that its column can't hold (the message
    /// names the column).
    Status decode(std::string_view row, query::Chunk& into);
    /// False (a server that does not know its own encoding, SQL_ASCII): text that is no UTF-8
    /// becomes an error.
    void trust_utf8(bool trusted) { utf8_trusted_ = trusted; }

 private:
    Result<std::string_view> unescape(size_t column, std::string_view field);

    const std::vector<ColumnSpec> columns_;
    std::vector<ValueReader> readers_;
    std::string scratch_;
    bool utf8_trusted_ = true;
};

}  // namespace tarn::ingest

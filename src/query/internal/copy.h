// COPY's two directions.
#pragma once

#include "query/internal/session.h"
#include "query/internal/writer.h"

namespace tarn::query {

/// Takes the bytes of COPY FROM apart: whole lines (text, csv) or tuples (binary), whatever pieces
/// they come in.
class CopyReader {
 public:
    CopyReader(const CopySpec& spec, const std::vector<Type>& types) : spec_(spec), types_(types) {}

    /// Appends complete rows to `out`, one column each of `types`. Errors: 22P04 (bad data), 22P02
    /// (bad value), with the line.
    Status push(std::string_view bytes, Chunk& out);
    /// The rest: a last line without an end.
    Status finish(Chunk& out);

 private:
    Status take_lines(bool last, Chunk& out);
    Status take_line(std::string_view line, Chunk& out);
    Status take_csv(std::string_view line, Chunk& out);
    Status take_tuples(Chunk& out);
    Status append_value(size_t column, Result<Value> value, Chunk& out);
    Status append_field(size_t column, std::optional<std::string_view> text, Chunk& out);
    /// End of the first line in the buffer from `from`, respecting CSV quotes; npos: not complete.
    size_t line_end(size_t from) const;
    Error at_line(Error error) const;

    const CopySpec& spec_;
    const std::vector<Type>& types_;
    std::string buffer_;
    uint64_t line_ = 0;
    bool header_seen_ = false;
    bool signature_seen_ = false;
    bool ended_ = false;
};

void append_copy_header(const CopySpec& spec, const std::vector<ResultColumn>& columns,
                        std::string& out);
/// Appends the rows of a chunk as COPY TO prints them.
void append_copy_rows(const CopySpec& spec, const std::vector<ResultColumn>& columns,
                      const Chunk& rows, std::string& out);

}  // namespace tarn::query

// One value of PostgreSQL in text form into a column: the same for COPY and for the log, so that a
// row is the same whichever brought it. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "ingest/spec.h"
#include "query/chunk.h"

namespace tarn::ingest {

/// Reads the values of one column. Any thread.
class ValueReader {
 public:
    /// The type as tables store it (target.h stored_type).
    explicit ValueReader(ColumnSpec column);

    /// Appends the value. invalid_argument, out_of_range: the column can't hold it (the message
    /// names it); nothing was appended then.
    Status read(std::string_view text, query::Column& out) const {
        if (quick_(column_.type, text, out)) return ok_status();
        return read_rest(text, out);
    }

 private:
    using Quick = bool (*)(const query::Type&, std::string_view, query::Column&);
    static Quick quick_of(const query::Type& type);
    Status read_rest(std::string_view text, query::Column& out) const;

    ColumnSpec column_;
    Quick quick_;
};

/// Appends a cell of another column of the same type, or of one that was widened to it since.
void copy_cell(const query::Column& from, size_t row, query::Column& to);

}  // namespace tarn::ingest

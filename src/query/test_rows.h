// For tests and benchmarks, of this module and of those above it: results without ceremony.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "base/result.h"
#include "query/chunk.h"

namespace tarn::query {

/// The value, or an exception that fails the test with the error's words.
template <typename T>
T must(Result<T> result) {
    if (!result.ok())
        throw std::runtime_error(result.error().reason + ": " + result.error().message);
    return std::move(result).value();
}
inline void must(const Status& status) {
    if (!status.ok())
        throw std::runtime_error(status.error().reason + ": " + status.error().message);
}

/// Rows as "a,b;c,d", each value as PostgreSQL prints it.
inline std::string text_of(const Chunk& rows) {
    std::string out;
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (row > 0) out += ';';
        for (size_t i = 0; i < rows.columns.size(); ++i) {
            if (i > 0) out += ',';
            if (rows.columns[i].is_null(row))
                out += "NULL";
            else
                rows.columns[i].append_pg_text(row, out);
        }
    }
    return out;
}

}  // namespace tarn::query

// DuckDB's errors in our words: a code, a message that PostgreSQL's users know, an SQLSTATE, a
// position.
#pragma once

#include "query/internal/services.h"

namespace tarn::query {

struct LocatedError {
    Error error;
    /// Where in the SQL that DuckDB saw, in bytes; nullopt when it did not say.
    std::optional<size_t> offset;
};

LocatedError to_error(const duck::ErrorData& data, std::string_view sql);
/// Of what DuckDB threw where there is no SQL to point into.
Error error_of(const std::exception& problem);
/// SQLSTATE 0A000.
Error not_built(const std::string& what);

}  // namespace tarn::query

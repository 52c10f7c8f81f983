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

}  // namespace tarn::query

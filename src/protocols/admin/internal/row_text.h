// Rows as the API's answers have them: JSON and CSV.
#pragma once

#include <string>
#include <vector>

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

/// [{"name", "type"}], types as PostgreSQL names them.
Json columns_json(const std::vector<query::ResultColumn>& columns);
/// "[1,null,\"a\"]": numbers and booleans as JSON has them, everything else as PostgreSQL prints it. Integers beyond
/// 2^53 are texts.
void append_json_row(const query::Chunk& rows, size_t row, std::string& out);
/// The names, with the line's end.
std::string csv_head(const std::vector<query::ResultColumn>& columns);
/// NULL is nothing, an empty text is "". With the line's end.
void append_csv_row(const query::Chunk& rows, size_t row, std::string& out);

}  // namespace tarn::admin

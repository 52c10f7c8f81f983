// Rows of a result as JSON: what a message shows, and the key that tells one alert from another.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "query/chunk.h"
#include "query/engine.h"

namespace tarn::events {

/// Places of the one_per columns in the result. invalid_argument names the column that is not
/// there.
Result<std::vector<size_t>> find_columns(const std::vector<query::ResultColumn>& columns,
                                         const std::vector<std::string>& names);

/// Numbers as numbers, times as ISO 8601 text, what JSON has no word for as text.
void append_json_value(std::string& out, const query::Type& type, const query::Value& value);

/// {"shelf_id":"s1"}: the same values give the same bytes. A key beyond 4 KiB is cut and carries
/// its hash.
std::string key_json(const std::vector<query::ResultColumn>& columns, const query::Chunk& chunk,
                     const std::vector<size_t>& key, size_t row);
/// The whole row; texts beyond 1,000 bytes are cut, columns beyond 8 KiB are left out and counted
/// in "_left_out".
std::string row_json(const std::vector<query::ResultColumn>& columns, const query::Chunk& chunk,
                     size_t row);

}  // namespace tarn::events

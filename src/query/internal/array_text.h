// PostgreSQL's arrays as text: {a,"b, c",NULL,{d}}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::query {

/// As DuckDB writes it: ['a', "b, c", NULL, ...]. nullopt: it is no array; at most six levels deep.
std::optional<std::string> rewrite_array(std::string_view text);

}  // namespace tarn::query

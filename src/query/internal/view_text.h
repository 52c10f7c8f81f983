// A view's query as PostgreSQL reads it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tarn::query {

/// Views are kept as DuckDB writes them out, in words of its own: count_star(), main.date_part(),
/// "DOUBLE", regexp_full_match().
std::string postgres_view_text(std::string_view sql);

}  // namespace tarn::query

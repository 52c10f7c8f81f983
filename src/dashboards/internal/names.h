// Names in the lake owner's SQL: quoting, and which tables a text may read.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::dashboards {

/// A database and a relation of it.
using Name = std::pair<std::string, std::string>;

/// "erp.sales" or "risk" (of database main), lower-case names only. invalid_argument otherwise.
Result<Name> parse_name(std::string_view text);
/// A single lower-case name: letters, digits, '_'.
bool is_name(std::string_view text);
/// In double quotes, those inside doubled.
std::string quoted_name(std::string_view name);
std::string quoted_name(const Name& name);

/// Every name and pair of names in the SQL text that could be a table: more than it reads, never
/// less, but for tables reached through views. String literals and comments are left out.
std::set<Name> possible_tables(std::string_view sql);

/// "sum(units) as sold" -> ("sum(units)", "sold"); without "as" the label is empty. Quoted labels
/// lose their quotes.
std::pair<std::string, std::string> split_label(std::string_view measure);
/// The column that a measure is about, for its legend: "units" of "units", "sum(units)" and
/// "sum(units)::bigint"; empty when there is no such one.
std::string column_of(std::string_view expression);

}  // namespace tarn::dashboards

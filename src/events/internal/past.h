// The same SELECT over an older state of its tables: names of tables stand for common table
// expressions that read them as they were, and the clock's words for the time of then.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "flows/spec.h"

namespace tarn::events {

/// Snapshot of each table; nullopt: it had none yet, and was empty.
using PastState = std::map<flows::TableRef, std::optional<int64_t>>;

/// Which of `inputs` the text names itself; the others are read through views.
std::set<flows::TableRef> tables_named(std::string_view sql, const PastState& inputs);

/// invalid_argument: two of the tables have one name in different databases.
Result<std::string> sql_of_the_past(std::string_view sql, const PastState& tables, Timestamp at);

}  // namespace tarn::events

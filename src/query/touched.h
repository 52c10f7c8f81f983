// What the last statement of a session reads: for the audit record of the statement.
#pragma once

#include <string>
#include <string_view>

#include "query/engine.h"

namespace tarn::query {

/// "arn:...:table/erp/sales#day,units", one table after the other, parted by a space: the tables that the session's last statement
/// reads, also through views, each with the columns that it names; `#*` where these are all, or many. `lake_arn` ("arn:...:lake")
/// when it reads none. Tables that policies read by themselves are not among them. Lane: the session's.
std::string touched_resources(const Session& session, std::string_view lake_arn);

}  // namespace tarn::query

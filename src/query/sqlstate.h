// What each error of the house is to a client of SQL: PostgreSQL's SQLSTATEs (appendix A).
#pragma once

#include <string_view>

#include "base/result.h"

namespace tarn::query {

/// The error's own when its reason is one ("42P01"), otherwise that of its code.
std::string_view sqlstate_of(const Error& error);

}  // namespace tarn::query

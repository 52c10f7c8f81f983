// What types.h's binary form has no room for.
#pragma once

#include "base/result.h"
#include "query/chunk.h"

namespace tarn::query {

/// 22003 for a number in a column of smallint that another writer left there.
Status check_pg_binary(const Column& column);

}  // namespace tarn::query

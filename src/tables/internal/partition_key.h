// Partition values as a key of maps: equal exactly when spec and values are.
#pragma once

#include <string>

#include "tables/types.h"

namespace tarn::tables {

std::string partition_key(int spec_id, const Partition& partition);

}  // namespace tarn::tables

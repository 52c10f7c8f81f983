// The Avro schemas of manifests and manifest lists, as text, exactly as Java's writer makes them
// (names of records, order of fields, required-ness), because readers resolve by them.
#pragma once

#include <string>
#include <vector>

#include "tables/types.h"

namespace tarn::tables {

const std::string& manifest_list_schema();
std::string manifest_entry_schema(const PartitionSpec& spec,
                                  const std::vector<Type>& partition_types);

/// Bytes of the fixed that holds a decimal of that precision.
int decimal_bytes(int precision);

}  // namespace tarn::tables

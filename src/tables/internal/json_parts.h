// Pieces of metadata.json that other files hold too (Iceberg spec Appendix C).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "codec/json.h"
#include "tables/types.h"

namespace tarn::tables {

void write_schema(codec::JsonWriter& json, const Schema& schema);
void write_type(codec::JsonWriter& json, const Type& type);
/// Only the list of fields, as a manifest's header has it.
void write_partition_fields(codec::JsonWriter& json, const PartitionSpec& spec);

// Any of these may throw nlohmann's exceptions: the caller catches.
// Numbers that are no integers, or do not fit, are an exception too.
int64_t integer_of(const nlohmann::json& json);
int small_of(const nlohmann::json& json);
int64_t integer_or(const nlohmann::json& json, const char* name, int64_t otherwise);
int small_or(const nlohmann::json& json, const char* name, int otherwise);
Result<Schema> read_schema(const nlohmann::json& json);
Result<Type> read_type(const nlohmann::json& json, int depth = 0);
Result<std::vector<PartitionField>> read_partition_fields(const nlohmann::json& json);

}  // namespace tarn::tables

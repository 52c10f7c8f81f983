// DuckDB's side of the type table: logical types, vectors, values.
#pragma once

#include "query/chunk.h"
#include "query/internal/duck.h"
#include "tables/types.h"

namespace tarn::query {

/// What a result column of that type is on our side of the seam (types.h says how the awkward ones
/// are decided).
Type type_from_duck(const duck::LogicalType& type);
duck::LogicalType type_to_duck(const Type& type);

/// PostgreSQL's oid and "char": whole numbers and texts that say so by their names.
duck::LogicalType oid_type();
duck::LogicalType character_type();
duck::LogicalType vector_type();
/// JSON to DuckDB, with a mark that says what clients call it.
duck::LogicalType jsonb_type();
bool is_jsonb(const duck::LogicalType& type);

duck::LogicalType iceberg_to_duck(const tables::Type& type);
/// The type a table's column gets; field ids of nested fields are 0. invalid_argument: no table can
/// hold it.
Result<tables::Type> duck_to_iceberg(const duck::LogicalType& type);

/// Appends rows [0, count) of a vector to a column of type_from_duck(vector type).
void append_vector(duck::Vector& vector, duck::idx_t count, Column& out);
/// Fills a vector of type_to_duck(column type) with `count` rows from `offset`.
void fill_vector(const Column& column, size_t offset, size_t count, duck::Vector& out);

duck::Value value_to_duck(const Type& type, const Value& value);
Value value_from_duck(const duck::Value& value);

/// A constant for pruning, in the column's Iceberg type; nullopt when it has no exact counterpart
/// there.
std::optional<tables::Literal> literal_from_duck(const tables::Type& type,
                                                 const duck::Value& value);

}  // namespace tarn::query

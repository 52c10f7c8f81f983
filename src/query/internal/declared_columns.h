// Columns of smallint, varchar(n), char(n) and times of some digits: from the statement that
// declares them to the rows that are written into them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/declared_type.h"
#include "query/internal/duck.h"
#include "tables/catalog.h"

namespace tarn::query {

/// Types that stand for char and for varchar without a length, which DuckDB's parser takes for
/// text.
inline constexpr const char* kBpchar = "tarn_bpchar";
inline constexpr const char* kVarchar = "tarn_varchar";

/// Gives each column that a statement declares a type that says what was written, which the parser
/// keeps only as long as nothing is bound. Throws 22023, and 0A000 for what would be text without a
/// word.
void declare_columns(duck::SQLStatement& statement);
/// A type that says so, or smallint.
DeclaredType declared_of(const duck::LogicalType& type);
/// The type without what it says.
duck::LogicalType plain_column(const duck::LogicalType& type);
/// The n of a parsed varchar(n) or char(n); 0: something else. Throws 22023.
int32_t text_length(const duck::LogicalType& type);
/// The type that says it, or `plain` when nothing was declared.
duck::LogicalType declared_column(const duck::LogicalType& plain, const DeclaredType& declared);
/// What the engine computes with.
duck::LogicalType stored_type(const DeclaredType& declared);

/// Holds rows that are about to be written to what their columns were declared as. One thread at a
/// time.
class DeclaredRows {
 public:
    /// `columns`: positions in the schema's fields, in the order of the chunks' columns.
    DeclaredRows(const tables::Schema& schema, const tables::Properties& properties,
                 const std::vector<size_t>& columns);
    /// Cuts what PostgreSQL cuts. Throws 22001 and 22003, which tell no value.
    void fit(duck::DataChunk& rows) const;

 private:
    std::vector<std::pair<size_t, DeclaredType>> columns_;  // of the chunk
};

}  // namespace tarn::query

// Tables as the steps read and write them. Lane: any but a loop.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flows/spec.h"
#include "models/steps.h"
#include "query/chunk.h"
#include "query/engine.h"
#include "tables/catalog.h"
#include "tables/commit.h"

namespace tarn::models {

/// An identifier for SQL text, quoted.
std::string quoted(const std::string& name);
std::string quoted(const flows::TableRef& name);

/// Calls `take` with each chunk of the answer; an error of it ends the reading. Rows read are
/// returned.
Result<uint64_t> read_all(query::Session& session, const std::string& sql,
                          const std::function<Status(const query::Chunk&)>& take);

/// A column of a table that is made.
struct OutputColumn {
    std::string name;
    tables::Type type;
};

/// Does the table have exactly these, in order?
bool same_columns(const tables::Schema& schema, const std::vector<OutputColumn>& columns);

/// The change that makes `rows` all there is in the table; makes the table where it is missing, and
/// makes it anew where its columns are others. `rows` has the columns in order.
Result<tables::TableChange> replace_rows(const Parts& parts, const flows::TableRef& name,
                                         const std::string& comment,
                                         const std::vector<OutputColumn>& columns,
                                         const query::Chunk& rows, uint64_t* bytes_written);

/// What the writer takes for a column of that type; for keys, dates and numbers.
Result<query::Type> query_type(const tables::Type& type);

/// A number of any numeric column as a double.
double number_of(const query::Column& column, size_t row);

}  // namespace tarn::models

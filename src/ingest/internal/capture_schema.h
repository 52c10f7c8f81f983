// What became of a followed table's columns (capture_shape.h), as changes of the lake's table.
// Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ingest/internal/capture_shape.h"
#include "tables/commit.h"

namespace tarn::ingest {

struct SchemaPlan {
    std::vector<tables::SchemaStep> steps;
    CaptureTable next;  // the table's record; columns that come get their fields' ids afterwards
    std::vector<std::pair<size_t, std::string>> added;  // place in next.columns, name of its field
    bool fill = false;   // rows that are here need values of columns that come
    std::string reload;  // not empty: the table has to be loaded again, and this is why
    std::string person;  // not empty: only a person can mend it, and this is why
    std::string doubt;   // not empty: a person should know that the rows here may be others
};
/// `types`: of the relation's columns, as the log has them.
Result<SchemaPlan> plan_schema(const ShapeQuestion& question, const ShapePlan& plan,
                               const tables::Schema& schema, const std::vector<query::Type>& types);

}  // namespace tarn::ingest

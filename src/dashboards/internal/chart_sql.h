// A chart's words made into one SELECT. What the lake's owner wrote (where, measures, sql) is SQL
// and goes in as it is; names are quoted, and what a viewer chose travels as parameters.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dashboards/dashboards.h"
#include "dashboards/spec.h"
#include "query/engine.h"

namespace tarn::dashboards {

class Rollup;  // internal/rollup.h

/// The columns that the viewer sees of a relation: `select * from <sql>`.
using Describe = std::function<Result<std::vector<query::ResultColumn>>(const std::string& sql)>;

struct ChartQuery {
    std::string sql;
    /// Texts of $1, $2, ... and their types.
    std::vector<std::string> parameters;
    std::vector<query::Type> parameter_types;
    /// One for each column of the answer; the type comes with the rows. Empty names take the
    /// column's own.
    std::vector<ChartColumn> columns;
    uint64_t limit = 0;           // the SELECT asks for one more, to know whether there is more
    uint64_t series_max = 0;      // of the second column, when it makes series: the largest so many
    bool limit_is_a_cut = false;  // rows beyond the limit are worth telling
    std::vector<std::string> filters_ignored;
    std::vector<std::string> notes;
};

/// A date or a timestamp.
bool is_time(const query::Type& type);

/// Whether the words fit together; no table is looked at.
Status check_chart(const ChartSpec& chart);
Result<ChartQuery> make_chart_query(const ChartSpec& chart, const Filters& filters,
                                    const Describe& describe, uint64_t rows_max);
/// Whether the chart's answer is made of groups of one table's rows, as far as its words say.
bool may_share(const ChartSpec& chart);
/// The chart as a SELECT over the shared scan of `rollup`, to which it adds what it needs; rollup.fits() says whether it can.
Result<ChartQuery> make_query_over(Rollup& rollup, const ChartSpec& chart, const Filters& filters,
                                   const Describe& describe, uint64_t rows_max);
/// That scan, for charts of the table and condition of `any`.
Result<ChartQuery> make_scan_query(const Rollup& rollup, const ChartSpec& any, const Filters& filters,
                                   const Describe& describe);
/// The values of a column that is a key of `rollup`, to which it is added.
ChartQuery make_choices_over(Rollup& rollup, const std::string& column, uint64_t values_max);
/// The values of a column of the chart's table. Precondition: it has that column, and is not made by sql.
Result<ChartQuery> make_choices_query(const ChartSpec& chart, const std::string& column, uint64_t values_max);

}  // namespace tarn::dashboards

// Which columns of its inputs each column of a SELECT is made of, read from the text: what is plainly said, not more. It
// follows WITH, UNION, queries in FROM, `*` and `t.*`; a recursive WITH, a query inside an expression, functions that give
// rows, and `* exclude` give nothing. For drawing lineage only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flows/spec.h"

namespace tarn::flows {

struct ColumnOrigin {
    std::string column;  // of the result
    struct Part {
        TableRef table;
        std::string column;
        auto operator<=>(const Part&) const = default;
    };
    std::vector<Part> parts;  // sorted; empty: of no column, as count(*)
};

/// The columns that each input has. Names are lower case.
using InputColumns = std::map<TableRef, std::vector<std::string>>;

/// In the SELECT's order. Empty: the text does not say it plainly. Lane: any.
std::vector<ColumnOrigin> column_lineage(std::string_view sql, const InputColumns& inputs,
                                         const std::string& database = "main");

}  // namespace tarn::flows

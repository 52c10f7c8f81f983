// Results for people: a table as wide as its cells, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace tarn::app {

struct PrintColumn {
    std::string name;
    bool number = false;
};

/// Widths count code points; a cell beyond 80 is cut with an ellipsis. NULL cells are given as "∅".
std::string print_table(const std::vector<PrintColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows);

}  // namespace tarn::app

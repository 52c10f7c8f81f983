#include "app/table_print.h"

#include <algorithm>

namespace tarn::app {
namespace {

constexpr size_t kCellWidthMax = 80;

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

size_t width_of(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

/// One line: control bytes become spaces, what is too long is cut.
std::string cell_text(const std::string& text) {
    std::string out;
    size_t width = 0;
    for (const char c : text) {
        if (!continues(c) && ++width > kCellWidthMax) return out + "…";
        out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
    return out;
}

}  // namespace

std::string print_table(const std::vector<PrintColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows) {
    std::vector<size_t> widths;
    for (const auto& column : columns) widths.push_back(width_of(cell_text(column.name)));
    for (const auto& row : rows)
        for (size_t i = 0; i < columns.size(); ++i)
            widths[i] = std::max(widths[i], width_of(cell_text(row[i])));
    std::string out;
    const auto line = [&](const std::vector<std::string>& cells, bool head) {
        for (size_t i = 0; i < columns.size(); ++i) {
            const std::string text = cell_text(cells[i]);
            const std::string gap(widths[i] - width_of(text), ' ');
            out += i == 0 ? " " : " | ";
            if (columns[i].number && !head)
                out += gap + text;
            else
                out += i + 1 == columns.size() ? text : text + gap;
        }
        out += "\n";
    };
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    line(names, true);
    for (size_t i = 0; i < columns.size(); ++i)
        out += (i == 0 ? "-" : "-+-") + std::string(widths[i], '-');
    out += "-\n";
    for (const auto& row : rows) line(row, false);
    return out;
}

}  // namespace tarn::app

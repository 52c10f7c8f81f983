#include "app/preview_json.h"

#include <nlohmann/json.hpp>

namespace tarn::app {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson rows_of(const query::Chunk& rows) {
    OrderedJson out = OrderedJson::array();
    for (size_t row = 0; row < rows.rows(); ++row) {
        OrderedJson cells = OrderedJson::array();
        for (const auto& column : rows.columns) {
            std::string text;
            if (!column.is_null(row)) column.append_pg_text(row, text);
            cells.push_back(column.is_null(row) ? OrderedJson() : OrderedJson(std::move(text)));
        }
        out.push_back(std::move(cells));
    }
    return out;
}

}  // namespace

std::string preview_json(const ingest::Preview& preview) {
    OrderedJson out = {{"tables", OrderedJson::array()}, {"notes", preview.notes}};
    for (const auto& table : preview.tables) {
        OrderedJson one = {{"name", table.database + "." + table.name},
                    {"columns", OrderedJson::array()},
                    {"key", table.key},
                    {"rows", rows_of(table.rows)},
                    {"rejected", OrderedJson::array()}};
        for (const auto& column : table.columns)
            one["columns"].push_back(
                {{"name", column.name}, {"type", query::pg_name(column.type)}});
        for (const auto& row : table.rejected)
            one["rejected"].push_back({{"place", row.place},
                                       {"line", row.line},
                                       {"text", row.text},
                                       {"reason", row.reason}});
        out["tables"].push_back(std::move(one));
    }
    return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace tarn::app

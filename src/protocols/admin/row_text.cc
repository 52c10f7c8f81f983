#include "protocols/admin/internal/row_text.h"

namespace tarn::admin {
namespace {

/// Numbers and booleans as JSON has them, everything else as PostgreSQL prints it.
void append_json_cell(const query::Column& column, size_t row, std::string& out) {
    if (column.is_null(row)) {
        out += "null";
        return;
    }
    switch (column.type().kind) {
        case query::Kind::boolean:
            out += column.number(row) != 0 ? "true" : "false";
            return;
        case query::Kind::int16:
        case query::Kind::int32:
        case query::Kind::oid:
            column.append_pg_text(row, out);
            return;
        case query::Kind::int64: {
            // Beyond 2^53 a reader in JavaScript would round: such numbers travel as texts.
            const int64_t number = column.number(row);
            const bool exact = number >= -(1LL << 53) && number <= (1LL << 53);
            if (!exact) out.push_back('"');
            out += std::to_string(number);
            if (!exact) out.push_back('"');
            return;
        }
        case query::Kind::float32:
        case query::Kind::float64: {
            const double real = column.real(row);
            const bool finite = real - real == 0;
            if (finite)
                column.append_pg_text(row, out);
            else
                out += Json(query::pg_text(column.type(), column.value(row))).dump();
            return;
        }
        default: {
            std::string text;
            column.append_pg_text(row, text);
            out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
        }
    }
}

void append_csv_text(const std::string& text, std::string& out) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) {
        out += text;
        return;
    }
    out.push_back('"');
    for (const char c : text) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
}

}  // namespace

Json columns_json(const std::vector<query::ResultColumn>& columns) {
    Json described = Json::array();
    for (const auto& column : columns)
        described.push_back({{"name", column.name}, {"type", query::pg_name(column.type)}});
    return described;
}

void append_json_row(const query::Chunk& rows, size_t row, std::string& out) {
    out.push_back('[');
    for (size_t i = 0; i < rows.columns.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_json_cell(rows.columns[i], row, out);
    }
    out.push_back(']');
}

std::string csv_head(const std::vector<query::ResultColumn>& columns) {
    std::string line;
    for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) line.push_back(',');
        append_csv_text(columns[i].name, line);
    }
    return line + "\n";
}

void append_csv_row(const query::Chunk& rows, size_t row, std::string& out) {
    for (size_t i = 0; i < rows.columns.size(); ++i) {
        if (i > 0) out.push_back(',');
        if (rows.columns[i].is_null(row)) continue;
        std::string text;
        rows.columns[i].append_pg_text(row, text);
        append_csv_text(text, out);
    }
    out.push_back('\n');
}

}  // namespace tarn::admin

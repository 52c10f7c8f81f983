#include "protocols/admin/internal/api.h"

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

void append_csv_cell(const query::Column& column, size_t row, std::string& out) {
    if (column.is_null(row)) return;
    std::string text;
    column.append_pg_text(row, text);
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

/// Rows in one of the two forms, as they come.
class RowSink {
 public:
    RowSink(http::Responder& responder, bool csv) : responder_(responder), csv_(csv) {}

    Status begin(const std::vector<query::ResultColumn>& columns) {
        http::ResponseHeaders headers;
        headers.add("content-type", csv_ ? "text/csv; charset=utf-8" : "application/json");
        headers.add("cache-control", "no-store");
        TARN_CHECK_OK(responder_.send_head(200, headers, std::nullopt));
        if (csv_) {
            std::string line;
            for (size_t i = 0; i < columns.size(); ++i)
                line += (i == 0 ? "" : ",") + columns[i].name;
            return responder_.write(line + "\n");
        }
        Json described = Json::array();
        for (const auto& column : columns)
            described.push_back({{"name", column.name}, {"type", query::pg_name(column.type)}});
        return responder_.write("{\"columns\":" + described.dump() + ",\"rows\":[");
    }
    Status rows(const query::Chunk& chunk) {
        std::string out;
        for (size_t row = 0; row < chunk.rows(); ++row) {
            if (!csv_) out += any_ ? ",\n[" : "\n[";
            any_ = true;
            for (size_t i = 0; i < chunk.columns.size(); ++i) {
                if (i > 0) out.push_back(',');
                if (csv_)
                    append_csv_cell(chunk.columns[i], row, out);
                else
                    append_json_cell(chunk.columns[i], row, out);
            }
            out += csv_ ? "\n" : "]";
        }
        return responder_.write(std::move(out));
    }
    Status end(const std::string& tag) {
        if (!csv_) TARN_CHECK_OK(responder_.write("\n],\"tag\":" + Json(tag).dump() + "}\n"));
        return responder_.end();
    }

 private:
    http::Responder& responder_;
    const bool csv_;
    bool any_ = false;
};

}  // namespace

Status run_sql(const DoorParts& parts, ApiRequest& request, http::Responder& responder) {
    if (parts.engine == nullptr)
        return Error(Code::unimplemented, "this server was started without SQL");
    TARN_TRY(sql, request.text("sql"));
    TARN_TRY(session, parts.engine->connect(request.caller, request.text_or("database", "main")));
    TARN_TRY(statement, session->prepare(sql, {}));
    if (statement->command() == query::Command::copy_in ||
        statement->command() == query::Command::copy_out)
        return Error(Code::invalid_argument,
                     "COPY moves bytes beside the statement: use psql for it");
    if (!statement->parameters().empty())
        return Error(Code::invalid_argument, "a statement given here has no parameters ($1)");
    TARN_TRY(cursor, session->execute(*statement, {}));
    TARN_TRY(first, cursor->next());
    // Nothing is sent before the first rows are there, so that a statement that fails answers with
    // its error.
    RowSink sink(responder, request.http.header("accept") == "text/csv");
    TARN_CHECK_OK(sink.begin(cursor->columns()));
    for (auto chunk = std::move(first); chunk;) {
        TARN_CHECK_OK(sink.rows(*chunk));
        auto next = cursor->next();
        if (!next.ok()) return std::move(next).error();
        chunk = std::move(next).value();
    }
    return sink.end(cursor->tag());
}

}  // namespace tarn::admin

#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/row_text.h"

namespace tarn::admin {
namespace {

/// Rows in one of the two forms, as they come.
class RowSink {
 public:
    RowSink(http::Responder& responder, bool csv) : responder_(responder), csv_(csv) {}

    Status begin(const std::vector<query::ResultColumn>& columns) {
        http::ResponseHeaders headers;
        headers.add("content-type", csv_ ? "text/csv; charset=utf-8" : "application/json");
        headers.add("cache-control", "no-store");
        TARN_CHECK_OK(responder_.send_head(200, headers, std::nullopt));
        if (csv_) return responder_.write(csv_head(columns));
        return responder_.write("{\"columns\":" + columns_json(columns).dump() + ",\"rows\":[");
    }
    Status rows(const query::Chunk& chunk) {
        std::string out;
        for (size_t row = 0; row < chunk.rows(); ++row) {
            if (csv_) {
                append_csv_row(chunk, row, out);
                continue;
            }
            out += any_ ? ",\n" : "\n";
            any_ = true;
            append_json_row(chunk, row, out);
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

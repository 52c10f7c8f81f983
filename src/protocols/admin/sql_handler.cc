#include "protocols/admin/internal/answer_place.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/row_text.h"
#include "query/touched.h"

namespace tarn::admin {
namespace {

// An answer up to here never waits for its reader: the connection takes it.
constexpr size_t kHeldBytes = 512u << 10;
constexpr int kLongAnswersMax = 6;
std::atomic<int> long_answers{0};

/// Rows in one of the two forms, as they come. Nothing is sent before the answer is long, so that a statement that fails
/// early answers with its error.
class RowSink {
 public:
    RowSink(http::Responder& responder, bool csv) : responder_(responder), csv_(csv) {}

    void begin(const std::vector<query::ResultColumn>& columns) {
        held_ = csv_ ? csv_head(columns)
                     : "{\"columns\":" + columns_json(columns).dump() + ",\"rows\":[";
    }
    Status rows(const query::Chunk& chunk) {
        for (size_t row = 0; row < chunk.rows(); ++row) {
            if (csv_) {
                append_csv_row(chunk, row, held_);
                continue;
            }
            held_ += any_ ? ",\n" : "\n";
            any_ = true;
            append_json_row(chunk, row, held_);
        }
        return held_.size() < kHeldBytes ? ok_status() : send_long();
    }
    Status end(const std::string& tag) {
        if (!csv_) held_ += "\n],\"tag\":" + Json(tag).dump() + "}\n";
        TARN_CHECK_OK(send());
        return responder_.end();
    }

 private:
    Status send_long() {
        if (!place_) place_.emplace(long_answers, kLongAnswersMax);
        if (!place_->got())
            return Error(Code::exhausted, "several long results are being read already: try again in a moment, or start the "
                                          "statement with POST /api/v1/queries, which keeps its rows");
        return send();
    }
    Status send() {
        if (!responder_.head_sent()) {
            http::ResponseHeaders headers;
            headers.add("content-type", csv_ ? "text/csv; charset=utf-8" : "application/json");
            headers.add("cache-control", "no-store");
            TARN_CHECK_OK(responder_.send_head(200, headers, std::nullopt));
        }
        return responder_.write(std::exchange(held_, {}));
    }

    http::Responder& responder_;
    const bool csv_;
    bool any_ = false;
    std::string held_;
    std::optional<AnswerPlace> place_;
};

}  // namespace

Status run_sql(const DoorParts& parts, ApiRequest& request, http::Responder& responder) {
    if (parts.engine == nullptr)
        return Error(Code::unimplemented, "this server was started without SQL");
    TARN_TRY(sql, request.text("sql"));
    TARN_TRY(session, parts.engine->connect(request.caller, request.text_or("database", "main")));
    TARN_TRY(statement, session->prepare_once(sql));
    if (statement->command() == query::Command::copy_in ||
        statement->command() == query::Command::copy_out)
        return Error(Code::invalid_argument,
                     "COPY moves bytes beside the statement: use psql for it");
    if (!statement->parameters().empty())
        return Error(Code::invalid_argument, "a statement given here has no parameters ($1)");
    TARN_TRY(cursor, session->execute(*statement, {}));
    request.caller.resource = query::touched_resources(*session, request.caller.resource);
    RowSink sink(responder, request.http.header("accept") == "text/csv");
    sink.begin(cursor->columns());
    while (true) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        TARN_CHECK_OK(sink.rows(*chunk));
    }
    return sink.end(cursor->tag());
}

}  // namespace tarn::admin

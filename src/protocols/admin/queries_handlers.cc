// Statements that run on behind the request that started them, and their kept rows (query/queries.h).
#include "protocols/admin/internal/answer_place.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/row_text.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "query/parquet_export.h"
#include "query/queries.h"
#include "query/touched.h"

namespace tarn::admin {
namespace {

constexpr uint64_t kWaitMsMax = 5'000;
constexpr size_t kParametersMax = 100;
constexpr size_t kPageRows = 200, kPageRowsMax = 10'000;
constexpr size_t kWriteBytes = 256u << 10;
constexpr int kExportsMax = 6;

Error no_queries() {
    return Error(Code::unimplemented, "this server was started without SQL");
}

const char* word(query::QueryPhase phase) {
    switch (phase) {
        case query::QueryPhase::waiting:
            return "waiting";
        case query::QueryPhase::running:
            return "running";
        case query::QueryPhase::done:
            return "done";
        case query::QueryPhase::failed:
            return "failed";
        case query::QueryPhase::cancelled:
            return "cancelled";
    }
    return "";
}

Json state_json(const query::QueryState& state) {
    Json out = {{"id", state.id},
                {"state", word(state.phase)},
                {"started", format_iso8601(state.started)},
                {"milliseconds", state.milliseconds},
                {"statement", state.statement},
                {"statements", state.statements},
                {"returns_rows", state.has_rows},
                {"columns", columns_json(state.columns)},
                {"rows", state.rows},
                {"bytes", state.bytes},
                {"truncated", state.truncated},
                {"tag", state.tag},
                {"notices", state.notices}};
    if (state.progress) out["progress"] = *state.progress;
    if (state.error) {
        out["error"] = error_body(*state.error)["error"];
        if (state.error_position > 0) out["error"]["position"] = state.error_position;
    }
    return out;
}

/// Whose rows they are: the caller with the grants of this moment. Rows that were read with other grants, or by an earlier
/// user of the same name, are nobody's any more.
security::Principal reader(const DoorParts& parts, const ApiRequest& request) {
    security::Principal who = request.caller.principal;
    if (who.is_root()) return who;
    Json standing = {{"roles", who.roles}, {"attributes", who.attributes}};
    if (const auto user = parts.users->get_user(who.name); user.ok()) {
        standing["created"] = user->created.micros;
        standing["policies"] = user->policies;
    }
    const auto roles = parts.grants->roles();
    for (const auto& role : who.roles)
        if (const auto found = roles.find(role); found != roles.end())
            standing["grants"][role] = govern::to_json(found->second);
    who.arn += "#" + codec::hex_encode(codec::sha256(standing.dump()));
    return who;
}

Result<uint64_t> whole_in_body(const ApiRequest& request, const char* name, uint64_t most) {
    const auto found = request.body.find(name);
    if (found == request.body.end() || found->is_null()) return uint64_t{0};
    if (!found->is_number_unsigned())
        return Error(Code::invalid_argument, std::string(name) + " is not a whole number");
    return std::min(found->get<uint64_t>(), most);
}

Result<std::vector<std::optional<std::string>>> parameters_in(const Json& body) {
    std::vector<std::optional<std::string>> out;
    const auto found = body.find("parameters");
    if (found == body.end() || found->is_null()) return out;
    if (!found->is_array() || found->size() > kParametersMax)
        return Error(Code::invalid_argument, "parameters is a list of at most 100 texts");
    for (const auto& one : *found) {
        if (one.is_null())
            out.emplace_back();
        else if (one.is_string())
            out.emplace_back(one.get<std::string>());
        else
            out.emplace_back(one.dump());
    }
    return out;
}

/// Gathers small pieces: a write wakes the connection's loop.
class Gathered {
 public:
    explicit Gathered(http::Responder& responder) : responder_(responder) {}
    Status add(std::string_view bytes) {
        held_ += bytes;
        return held_.size() < kWriteBytes ? ok_status() : responder_.write(std::exchange(held_, {}));
    }
    Status end() {
        if (!held_.empty()) TARN_CHECK_OK(responder_.write(std::move(held_)));
        return responder_.end();
    }

 private:
    http::Responder& responder_;
    std::string held_;
};

std::atomic<int> exports_now{0};

http::ResponseHeaders file_headers(const char* type, const std::string& name) {
    http::ResponseHeaders headers;
    headers.add("content-type", type);
    headers.add("content-disposition", "attachment; filename=\"" + name + "\"");
    headers.add("cache-control", "no-store");
    headers.add("x-content-type-options", "nosniff");
    return headers;
}

}  // namespace

Result<ApiResponse> start_query(const DoorParts& parts, ApiRequest& request) {
    if (parts.queries == nullptr) return no_queries();
    query::QueryRequest asked;
    TARN_TRY(sql, request.text("sql"));
    asked.sql = std::move(sql);
    asked.database = request.text_or("database", "main");
    TARN_TRY(parameters, parameters_in(request.body));
    asked.parameters = std::move(parameters);
    TARN_TRY(timeout, whole_in_body(request, "timeout_ms", 24ull * 3'600'000));
    asked.timeout = std::chrono::milliseconds(timeout);
    TARN_TRY(wait, whole_in_body(request, "wait_ms", kWaitMsMax));
    const auto who = reader(parts, request);
    asked.owner = who.arn;
    asked.began = [&audit = *parts.audit, clock = parts.clock,
                   caller = request.caller](const query::Session& session) mutable {
        caller.action = "tarn:Select";
        caller.at = clock->now();
        security::Caller reads = caller;
        reads.resource = query::touched_resources(session, caller.resource);
        return reads.resource == caller.resource ? ok_status() : audit.record(reads, {});
    };
    TARN_TRY(id, parts.queries->start(request.caller, std::move(asked)));
    TARN_TRY(state, parts.queries->state(who, id, std::chrono::milliseconds(wait)));
    return ApiResponse{201, state_json(state), {}};
}

Result<ApiResponse> list_queries(const DoorParts& parts, ApiRequest& request) {
    if (parts.queries == nullptr) return no_queries();
    Json list = Json::array();
    for (const auto& state : parts.queries->list(reader(parts, request))) {
        Json one = state_json(state);
        one["sql"] = state.sql.substr(0, 400);
        list.push_back(std::move(one));
    }
    return ApiResponse{200, {{"queries", std::move(list)}}, {}};
}

Result<ApiResponse> get_query(const DoorParts& parts, ApiRequest& request) {
    if (parts.queries == nullptr) return no_queries();
    TARN_TRY(wait, number_in(request.http, "wait_ms"));
    TARN_TRY(state, parts.queries->state(reader(parts, request), request.path_values[0],
                                         std::chrono::milliseconds(std::min(wait.value_or(0), kWaitMsMax))));
    return ApiResponse{200, state_json(state), {}};
}

Result<ApiResponse> remove_query(const DoorParts& parts, ApiRequest& request) {
    if (parts.queries == nullptr) return no_queries();
    TARN_CHECK_OK(parts.queries->remove(reader(parts, request), request.path_values[0]));
    TARN_CHECK_OK(parts.audit->record(request.caller, {}));
    return ApiResponse{204, nullptr, {}};
}

Status query_rows(const DoorParts& parts, ApiRequest& request, http::Responder& responder) {
    if (parts.queries == nullptr) return no_queries();
    TARN_TRY(offset, number_in(request.http, "offset"));
    TARN_TRY(limit, number_in(request.http, "limit"));
    const auto who = reader(parts, request);
    TARN_TRY(state, parts.queries->state(who, request.path_values[0]));
    const uint64_t from = std::min<uint64_t>(offset.value_or(0), state.rows);
    const auto most = static_cast<size_t>(std::min<uint64_t>(limit.value_or(kPageRows), kPageRowsMax));
    TARN_TRY(rows, parts.queries->rows(who, request.path_values[0], from, most));
    std::string body = "{\"offset\":" + std::to_string(from) + ",\"state\":\"" + word(state.phase) +
                       "\",\"total\":" + std::to_string(state.rows) + ",\"rows\":[";
    for (size_t row = 0; row < rows.rows(); ++row) {
        body += row == 0 ? "\n" : ",\n";
        append_json_row(rows, row, body);
    }
    return responder.respond(200,
                             {{"content-type", "application/json"},
                              {"cache-control", "no-store"},
                              {"x-content-type-options", "nosniff"}},
                             body + "\n]}\n");
}

namespace {

Status export_csv(const DoorParts& parts, const security::Principal& who, const query::QueryState& state,
                  http::Responder& responder) {
    TARN_CHECK_OK(responder.send_head(200, file_headers("text/csv; charset=utf-8", "result.csv"), std::nullopt));
    Gathered out(responder);
    TARN_CHECK_OK(out.add(csv_head(state.columns)));
    TARN_CHECK_OK(parts.queries->each(who, state.id, [&](const query::Chunk& rows) {
        std::string lines;
        for (size_t row = 0; row < rows.rows(); ++row) append_csv_row(rows, row, lines);
        return out.add(lines);
    }));
    return out.end();
}

Status export_parquet(const DoorParts& parts, ApiRequest& request, const security::Principal& who,
                      const query::QueryState& state, http::Responder& responder) {
    TARN_TRY(session, parts.engine->connect(request.caller));
    TARN_CHECK_OK(responder.send_head(
        200, file_headers("application/vnd.apache.parquet", "result.parquet"), std::nullopt));
    Gathered out(responder);
    uint64_t at = 0;
    const auto next = [&]() -> Result<std::optional<query::Chunk>> {
        if (at >= state.rows) return std::optional<query::Chunk>();
        TARN_TRY(rows, parts.queries->rows(who, state.id, at, kPageRowsMax));
        if (rows.rows() == 0) return Error(Code::corrupted, "the result ends early");
        at += rows.rows();
        return std::optional<query::Chunk>(std::move(rows));
    };
    TARN_CHECK_OK(query::write_parquet(*session, state.columns, next,
                                       [&](std::string_view bytes) { return out.add(bytes); }));
    return out.end();
}

}  // namespace

Status export_query(const DoorParts& parts, ApiRequest& request, http::Responder& responder) {
    if (parts.queries == nullptr) return no_queries();
    const std::string format = request.http.query_value("format").value_or("csv");
    if (format != "csv" && format != "parquet")
        return Error(Code::invalid_argument, "format is csv or parquet");
    const auto who = reader(parts, request);
    TARN_TRY(state, parts.queries->state(who, request.path_values[0]));
    if (state.phase != query::QueryPhase::done || !state.has_rows)
        return Error(Code::precondition_failed, "the statement has no finished result");
    const AnswerPlace place(exports_now, kExportsMax);
    if (!place.got())
        return Error(Code::exhausted, "several results are being exported already: try again in a moment");
    return format == "csv" ? export_csv(parts, who, state, responder)
                           : export_parquet(parts, request, who, state, responder);
}

}  // namespace tarn::admin

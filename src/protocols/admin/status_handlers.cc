#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/backups.h"
#include "protocols/admin/internal/sign_in.h"

namespace tarn::admin {
namespace {

/// The query's time under `name`; nullopt when absent.
Result<std::optional<Timestamp>> time_in(http::Request& request, const char* name) {
    const auto text = request.query_value(name);
    if (!text || text->empty()) return std::optional<Timestamp>();
    TARN_TRY(at, parse_time(*text));
    return std::optional<Timestamp>(at);
}

}  // namespace

Result<ApiResponse> get_status(const DoorParts& parts, ApiRequest& request) {
    const ServerStatus status = parts.status();
    Json body = {{"version", status.version},
                 {"lake_id", status.lake_id},
                 {"account", parts.users->account_id()},
                 {"started", format_iso8601(status.started)},
                 {"uptime_seconds", request.caller.at.since(status.started).count() / 1'000'000},
                 {"ready", status.ready},
                 {"log_version", status.log_version},
                 {"storage",
                  {{"buckets", status.buckets},
                   {"objects", status.objects},
                   {"object_bytes", status.object_bytes}}},
                 {"doors", status.doors}};
    if (!status.ready) body["not_ready_because"] = status.not_ready_because;
    if (!status.warning.empty()) body["warning"] = status.warning;
    if (Json archive = archive_json(parts); !archive.is_null()) body["archive"] = std::move(archive);
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> who_am_i(const DoorParts& parts, ApiRequest& request) {
    const auto& principal = request.caller.principal;
    Json body = identity(parts, principal);
    if (request.signed_in_by == SignedInBy::session) {
        TARN_TRY(session, parts.sessions->find(request.session_id));
        body["csrf_token"] = session.csrf_token;
        body["expires"] = format_iso8601(session.expires);
    }
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> create_sign_in_token(const DoorParts& parts, ApiRequest& request) {
    const std::string user = request.text_or("user", request.caller.principal.name);
    if (user != request.caller.principal.name && !request.caller.principal.is_root())
        return Error(Code::permission_denied,
                     "a sign-in link is for yourself; only root makes one for somebody else");
    // What a link opens ends with the key that made it, also when that was in a session.
    std::string key = request.caller.principal.access_key_id;
    if (request.signed_in_by == SignedInBy::session) {
        TARN_TRY(session, parts.sessions->find(request.session_id));
        key = session.access_key_id;
    }
    TARN_TRY(token, parts.sessions->create_token(user, key, audit_batch(parts, request)));
    return ApiResponse{201, {{"token", token}}, {}};
}

Result<ApiResponse> sign_out(const DoorParts& parts, ApiRequest& request) {
    if (request.http.query_value("everywhere").has_value()) {
        TARN_CHECK_OK(parts.sessions->sign_out_everywhere(request.caller.principal.name,
                                                          audit_batch(parts, request)));
    } else if (request.signed_in_by == SignedInBy::session) {
        TARN_CHECK_OK(parts.sessions->sign_out(request.session_id, audit_batch(parts, request)));
    } else {
        TARN_CHECK_OK(parts.audit->record(request.caller, {}));  // there is nothing to end
    }
    ApiResponse response{204, Json(), {}};
    response.headers.add("set-cookie", session_cookie("", 0, request.http.peer().secure));
    return response;
}

Result<ApiResponse> read_audit(const DoorParts& parts, ApiRequest& request) {
    security::AuditQuery query;
    TARN_TRY(from, time_in(request.http, "from"));
    TARN_TRY(to, time_in(request.http, "to"));
    TARN_TRY(before, number_in(request.http, "before"));
    TARN_TRY(limit, number_in(request.http, "limit"));
    query.from = from;
    query.to = to;
    query.before = before;
    query.records_max = limit.value_or(100);
    query.principal = request.http.query_value("principal").value_or("");
    query.action = request.http.query_value("action").value_or("");
    query.resource = request.http.query_value("resource").value_or("");
    const std::string outcome = request.http.query_value("outcome").value_or("");
    if (outcome == "allowed")
        query.outcome = security::AuditOutcome::allowed;
    else if (outcome == "denied")
        query.outcome = security::AuditOutcome::denied;
    else if (outcome == "failed")
        query.outcome = security::AuditOutcome::failed;
    else if (!outcome.empty())
        return Error(Code::invalid_argument, "outcome is allowed, denied or failed");
    TARN_TRY(page, parts.audit->read(query));
    Json records = Json::array();
    for (const auto& record : page.records) records.push_back(Json::parse(record.to_json()));
    Json body = {{"records", records}};
    if (page.next) body["next"] = *page.next;
    return ApiResponse{200, std::move(body), {}};
}

}  // namespace tarn::admin

// What a route's handler gets and gives. Bodies are JSON; an error is {"error": {"code",
// "message"}}.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "protocols/admin/door.h"
#include "security/caller.h"

namespace tarn::admin {

using Json = nlohmann::json;

/// How a request proved who it is from.
enum class SignedInBy { signature, password, session, embed_link };

struct ApiRequest {
    http::Request& http;
    security::Caller caller;
    SignedInBy signed_in_by = SignedInBy::signature;
    std::string session_id;                // of the cookie, when signed in by it
    std::vector<std::string> path_values;  // what the {} of the route's pattern stood for, decoded
    Json body;                             // null when the route takes none
    std::map<std::string, std::vector<std::string>> fixed_filters = {};  // of an embed link

    /// The text field `name` of the body; invalid_argument when absent or no text.
    Result<std::string> text(const char* name) const;
    std::string text_or(const char* name, std::string otherwise) const;
};

/// The query's number under `name`; nullopt when absent, invalid_argument when it is none.
Result<std::optional<uint64_t>> number_in(http::Request& request, const char* name);

/// A JSON answer with its status.
struct ApiResponse {
    int status = 200;
    Json body;
    http::ResponseHeaders headers;
};

/// The change that a handler commits carries its audit record: handlers of mutating routes put
/// `audit_batch(...)` into theirs.
meta::Batch audit_batch(const DoorParts& parts, const ApiRequest& request);

Result<ApiResponse> get_status(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> who_am_i(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_users(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> create_user(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> delete_user(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> put_user_policy(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> set_user_roles(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_roles(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> put_role(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> delete_role(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> create_key(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> set_key_active(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> delete_key(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_catalog(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_table(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_snapshots(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_table_files(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> sample_table(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> profile_table(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> put_description(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_lineage(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_table_access(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_user_access(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_usage(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_growth(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_streams(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> read_stream(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> read_audit(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_audit_digests(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> sign_audit_digest(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> check_audit_trail(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> create_sign_in_token(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> sign_out(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_dashboards(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_dashboard(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_measures(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_dashboard_spec(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> create_embed(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_embeds(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> revoke_embed(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> plan_lakefile(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> apply_lakefile(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> try_lakefile(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_lakefile(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_secrets(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> put_secret(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> delete_secret(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_sources(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_steps(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_runs(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> start_run(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_graph(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_step(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_run(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> all_alert_events(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> all_deliveries(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_alert(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> monitor_model(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_models(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_model_versions(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> use_model_version(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_alerts(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_alert_events(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_deliveries(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> silence_alert(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> test_alert(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_webhook_secret(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> enable_webhook(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> start_query(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> list_queries(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_query(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> remove_query(const DoorParts& parts, ApiRequest& request);
/// Answer for themselves.
Status query_rows(const DoorParts& parts, ApiRequest& request, http::Responder& responder);
Status export_query(const DoorParts& parts, ApiRequest& request, http::Responder& responder);
/// Answers with an open stream of events (live.h).
Status watch_dashboard(const DoorParts& parts, ApiRequest& request, http::Responder& responder);
/// Streams rows; answers for itself.
Status run_sql(const DoorParts& parts, ApiRequest& request, http::Responder& responder);

int http_status(const Error& error);
Json error_body(const Error& error);

}  // namespace tarn::admin

#include "protocols/admin/door.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "dashboards/dashboards.h"
#include "ingest/sources.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/backups.h"
#include "protocols/admin/internal/lake_verify.h"
#include "protocols/admin/internal/verify.h"
#include "protocols/admin/internal/console.h"
#include "protocols/admin/internal/openapi.h"
#include "protocols/admin/internal/sign_in.h"
#include "security/sign_in_limit.h"

namespace tarn::admin {
namespace {

constexpr size_t kBodyBytesMax = 4u << 20;
constexpr size_t kUnknownBodyBytesMax = 64u << 10;  // of somebody who is not signed in yet
constexpr int kJsonDepthMax = 64;

Result<ApiResponse> get_openapi(const DoorParts& parts, ApiRequest& request);

struct Route {
    const char* method;
    const char* pattern;  // {} takes one path segment
    const char* action;
    bool changes;  // the handler's batch carries the audit record of a success
    Result<ApiResponse> (*run)(const DoorParts&, ApiRequest&);
    const char* resource = nullptr;  // of the ARN: this and the first value of the pattern; null: the lake
    /// In place of run: writes its answer itself, piece by piece.
    Status (*stream)(const DoorParts&, ApiRequest&, http::Responder&) = nullptr;
};

/// All that there is, but for what Door::find names itself.
constexpr Route kRoutes[] = {
    {"GET", "/api/v1/status", "tarn:GetStatus", false, get_status},
    {"GET", "/api/v1/me", "tarn:GetCallerIdentity", false, who_am_i},
    {"DELETE", "/api/v1/session", "tarn:SignOut", true, sign_out},
    {"POST", "/api/v1/sign-in-tokens", "tarn:CreateSignInToken", true, create_sign_in_token},
    {"GET", "/api/v1/users", "iam:ListUsers", false, list_users},
    {"POST", "/api/v1/users", "iam:CreateUser", true, create_user},
    {"DELETE", "/api/v1/users/{}", "iam:DeleteUser", true, delete_user},
    {"PUT", "/api/v1/users/{}/policies/{}", "iam:PutUserPolicy", true, put_user_policy},
    {"PUT", "/api/v1/users/{}/roles", "tarn:SetUserRoles", true, set_user_roles},
    {"GET", "/api/v1/roles", "iam:ListRoles", false, list_roles},
    {"PUT", "/api/v1/roles/{}", "tarn:PutRole", true, put_role},
    {"DELETE", "/api/v1/roles/{}", "iam:DeleteRole", true, delete_role},
    {"POST", "/api/v1/users/{}/keys", "iam:CreateAccessKey", true, create_key},
    {"PUT", "/api/v1/keys/{}", "iam:UpdateAccessKey", true, set_key_active},
    {"DELETE", "/api/v1/keys/{}", "iam:DeleteAccessKey", true, delete_key},
    {"GET", "/api/v1/streams", "tarn:ListStreams", false, list_streams},
    {"GET", "/api/v1/streams/{}", "tarn:ReadStream", false, read_stream},
    {"GET", "/api/v1/audit", "cloudtrail:LookupEvents", false, read_audit},
    {"GET", "/api/v1/audit/digests", "tarn:ListAuditDigests", false, list_audit_digests},
    {"POST", "/api/v1/audit/digests", "tarn:SignAuditDigest", false, sign_audit_digest},
    {"GET", "/api/v1/audit/check", "tarn:CheckAudit", false, check_audit_trail},
    {"POST", "/api/v1/plan", "tarn:Plan", false, plan_lakefile},
    {"POST", "/api/v1/apply", "tarn:Apply", true, apply_lakefile},
    {"POST", "/api/v1/try", "tarn:Try", false, try_lakefile},
    {"GET", "/api/v1/lakefile", "tarn:GetLakefile", false, get_lakefile},
    {"GET", "/api/v1/secrets", "tarn:ListSecrets", false, list_secrets},
    {"PUT", "/api/v1/secrets/{}", "tarn:PutSecret", true, put_secret},
    {"DELETE", "/api/v1/secrets/{}", "tarn:DeleteSecret", true, delete_secret},
    {"GET", "/api/v1/sources", "tarn:ListSources", false, list_sources},
    {"GET", "/api/v1/sources/{}/verify", "tarn:ListSources", false, get_verdict},
    {"POST", "/api/v1/sources/{}/verify", "tarn:VerifySource", false, verify_source},
    {"GET", "/api/v1/verify", "tarn:VerifyLake", false, get_lake_verdict},
    {"POST", "/api/v1/verify", "tarn:VerifyLake", false, verify_lake},
    {"GET", "/api/v1/tables", "tarn:ListRuns", false, list_steps},
    {"GET", "/api/v1/runs", "tarn:ListRuns", false, list_runs},
    {"POST", "/api/v1/runs", "tarn:StartRun", false, start_run},
    {"GET", "/api/v1/runs/{}/{}", "tarn:ListRuns", false, get_run},
    {"GET", "/api/v1/graph", "tarn:ListRuns", false, get_graph},
    {"GET", "/api/v1/steps/{}", "tarn:ListRuns", false, get_step},
    {"GET", "/api/v1/models", "tarn:ListModels", false, list_models},
    {"GET", "/api/v1/models/{}", "tarn:ListModels", false, list_model_versions},
    {"GET", "/api/v1/models/{}/monitor", "tarn:ListModels", false, monitor_model},
    {"PUT", "/api/v1/models/{}/current", "tarn:UseModelVersion", true, use_model_version},
    {"GET", "/api/v1/alerts", "tarn:ListAlerts", false, list_alerts},
    {"GET", "/api/v1/alert-events", "tarn:ListAlerts", false, all_alert_events},
    {"GET", "/api/v1/alert-deliveries", "tarn:ListAlerts", false, all_deliveries},
    {"GET", "/api/v1/alerts/{}", "tarn:ListAlerts", false, get_alert},
    {"GET", "/api/v1/alerts/{}/events", "tarn:ListAlerts", false, list_alert_events},
    {"GET", "/api/v1/alerts/{}/deliveries", "tarn:ListAlerts", false, list_deliveries},
    {"POST", "/api/v1/alerts/{}/silence", "tarn:SilenceAlert", true, silence_alert, "alert/"},
    {"POST", "/api/v1/alerts/{}/test", "tarn:TestAlert", true, test_alert, "alert/"},
    {"GET", "/api/v1/alerts/{}/webhooks/{}/secret", "tarn:GetWebhookSecret", false,
     get_webhook_secret, "alert/"},
    {"POST", "/api/v1/alerts/{}/webhooks/{}/enable", "tarn:EnableWebhook", true, enable_webhook,
     "alert/"},
    {"GET", "/api/v1/backups", "tarn:ListBackups", false, get_backups},
    {"POST", "/api/v1/backups", "tarn:StartBackup", false, start_backup},
    {"GET", "/api/v1/queries", "tarn:ExecuteStatement", false, list_queries},
    {"POST", "/api/v1/queries", "tarn:ExecuteStatement", false, start_query},
    {"GET", "/api/v1/queries/{}", "tarn:ExecuteStatement", false, get_query},
    {"DELETE", "/api/v1/queries/{}", "tarn:ExecuteStatement", true, remove_query},
    {"GET", "/api/v1/queries/{}/rows", "tarn:ExecuteStatement", false, nullptr, nullptr, query_rows},
    {"GET", "/api/v1/queries/{}/export", "tarn:ExecuteStatement", false, nullptr, nullptr,
     export_query},
    {"GET", "/api/v1/catalog", "tarn:ListTables", false, list_catalog},
    {"GET", "/api/v1/catalog/{}/{}", "tarn:GetTable", false, get_table},
    {"GET", "/api/v1/catalog/{}/{}/snapshots", "tarn:GetTable", false, list_snapshots},
    {"GET", "/api/v1/catalog/{}/{}/files", "tarn:GetTable", false, list_table_files},
    {"GET", "/api/v1/catalog/{}/{}/lineage", "tarn:GetTable", false, get_lineage},
    {"GET", "/api/v1/catalog/{}/{}/sample", "tarn:SampleTable", false, sample_table},
    {"GET", "/api/v1/catalog/{}/{}/profile", "tarn:ProfileTable", false, profile_table},
    {"PUT", "/api/v1/catalog/{}/{}/description", "tarn:DescribeTable", true, put_description},
    {"GET", "/api/v1/catalog/{}/{}/access", "tarn:GetAccess", false, get_table_access},
    {"GET", "/api/v1/users/{}/access", "tarn:GetAccess", false, get_user_access},
    {"GET", "/api/v1/usage", "cloudtrail:LookupEvents", false, get_usage},
    {"GET", "/api/v1/growth", "tarn:ListTables", false, get_growth},
    {"GET", "/api/v1/openapi.json", "tarn:GetApi", false, get_openapi},
    {"GET", "/api/v1/measures", "tarn:ListDashboards", false, list_measures},
    {"GET", "/api/v1/dashboards", "tarn:ListDashboards", false, list_dashboards},
    {"GET", "/api/v1/dashboards/{}", "tarn:GetDashboard", false, get_dashboard},
    {"GET", "/api/v1/dashboards/{}/spec", "tarn:GetLakefile", false, get_dashboard_spec},
    {"POST", "/api/v1/dashboards/{}/embeds", "tarn:EmbedDashboard", true, create_embed, "dashboard/"},
    {"GET", "/api/v1/embeds", "tarn:ListEmbeds", false, list_embeds},
    {"DELETE", "/api/v1/embeds/{}", "tarn:RevokeEmbed", true, revoke_embed, "embed/"},
};
Result<ApiResponse> get_openapi(const DoorParts& parts, ApiRequest&) {
    std::vector<DescribedRoute> routes = {{"POST", "/api/v1/session", "tarn:SignIn"},
                                          {"POST", "/api/v1/sql", "tarn:ExecuteStatement"},
                                          {"GET", "/api/v1/events", "tarn:WatchDashboard"}};
    for (const auto& route : kRoutes) routes.push_back({route.method, route.pattern, route.action});
    TARN_TRY(described, openapi(routes, parts.status().version));
    return ApiResponse{200, std::move(described), {}};
}

constexpr const char* kSqlAction = "tarn:ExecuteStatement";
constexpr const char* kEventsAction = "tarn:WatchDashboard";
/// What everyone who is signed in may do: to see and end their own session, and to open dashboards, whose charts
/// run with the viewer's grants.
constexpr std::string_view kOwnActions[] = {"tarn:GetCallerIdentity", "tarn:SignOut",
                                            "tarn:CreateSignInToken", "tarn:ListDashboards",
                                            "tarn:GetDashboard", kEventsAction,
                                            // What they say is filtered by the caller's grants.
                                            "tarn:ListTables", "tarn:GetTable", "tarn:SampleTable",
                                            "tarn:ProfileTable", "tarn:DescribeTable", "tarn:GetApi"};

/// The segments that {} stood for, or nullopt.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
    std::vector<std::string> values;
    while (!pattern.empty() || !path.empty()) {
        if (pattern.starts_with("{}")) {
            const size_t end = std::min(path.find('/'), path.size());
            auto value = http::percent_decode(path.substr(0, end));
            if (end == 0 || !value.ok()) return std::nullopt;
            values.push_back(std::move(value).value());
            pattern.remove_prefix(2);
            path.remove_prefix(end);
        } else {
            if (pattern.empty() || path.empty() || pattern[0] != path[0]) return std::nullopt;
            pattern.remove_prefix(1);
            path.remove_prefix(1);
        }
    }
    return values;
}

/// Refuses nesting that the recursive parser's stack would pay for.
Result<Json> parse_body(const std::string& text) {
    if (text.empty()) return Json::object();
    int depth = 0;
    bool too_deep = false;
    Json parsed = Json::parse(
        text,
        [&](int at, Json::parse_event_t, Json&) {
            depth = at;
            too_deep = too_deep || depth > kJsonDepthMax;
            return !too_deep;
        },
        false);
    if (too_deep) return Error(Code::invalid_argument, "the body nests deeper than 64 levels");
    if (!parsed.is_object()) return Error(Code::invalid_argument, "the body is not a JSON object");
    return parsed;
}

std::string request_id() {
    std::string id = random_hex(8);
    for (char& c : id)
        if (c >= 'a') c = static_cast<char>(c - 32);
    return id;
}

class Door {
 public:
    explicit Door(DoorParts parts)
        : parts_(std::move(parts)),
          requests_(
              parts_.metrics->counter("tarn_api_requests_total", "Requests of the HTTP API")),
          sign_ins_(*parts_.clock) {}

    void handle(http::Request& request, http::Responder& responder) {
        requests_.add();
        const std::string_view path = request.path();
        if (path == "/healthz") return plain(responder, 200, "ok\n");
        if (path == "/readyz") return ready(responder);
        if (serve_console(request, responder, [this](const std::string& name) { return framers(name); }))
            return;
        const std::string id = request_id();
        Status status = answer(request, responder, id);
        if (!status.ok()) {
            if (status.error().code == Code::cancelled) return;
            if (responder.head_sent()) {
                // The head said 200: only breaking off tells the reader that rows are missing.
                responder.close_connection();
                return;
            }
            ApiResponse failed{http_status(status.error()), error_body(status.error()), {}};
            // A browser that is told "Basic" puts up its own window in front of the page.
            if (failed.status == 401)
                failed.headers.add("www-authenticate",
                                   request.headers().has("sec-fetch-mode")
                                       ? "Session realm=\"tarn\""
                                       : "Basic realm=\"tarn\", charset=\"UTF-8\"");
            send(responder, id, std::move(failed));
        }
    }

 private:
    /// Origins that may frame a dashboard.
    std::vector<std::string> framers(const std::string& dashboard) const {
        if (parts_.dashboards == nullptr) return {};
        for (const auto& spec : parts_.dashboards->list())
            if (spec.name == dashboard) return spec.embed;
        return {};
    }

    static void plain(http::Responder& responder, int status, const std::string& text) {
        ignore(responder.respond(status, {{"content-type", "text/plain; charset=utf-8"}}, text));
    }
    static void ignore(const Status&) {}

    void ready(http::Responder& responder) const {
        const ServerStatus status = parts_.status();
        const std::string warning = status.warning.empty() ? "" : "; " + status.warning;
        plain(responder, status.ready ? 200 : 503,
              status.ready ? "ready" + warning + "\n" : status.not_ready_because + "\n");
    }

    static void send(http::Responder& responder, const std::string& id, ApiResponse response) {
        response.headers.add("x-request-id", id);
        response.headers.add("cache-control", "no-store");
        response.headers.add("x-content-type-options", "nosniff");
        std::string body;
        if (!response.body.is_null()) {
            response.headers.add("content-type", "application/json");
            body = response.body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
        }
        ignore(responder.respond(response.status, response.headers, std::move(body)));
    }

    security::Caller caller_of(http::Request& request, const std::string& id) const {
        security::Caller caller;
        caller.request_id = id;
        caller.door = "http";
        caller.source_ip = request.peer().address;
        caller.user_agent = std::string(request.header("user-agent").substr(0, 256));
        caller.secure_transport = request.peer().secure;
        caller.resource =
            "arn:aws:tarn:" + parts_.region + ":" + parts_.users->account_id() + ":lake";
        caller.at = parts_.clock->now();
        return caller;
    }

    /// Names what is asked for: a route with its values, the SQL stream, the metrics page, or
    /// nothing we have.
    struct Target {
        const Route* route = nullptr;
        std::vector<std::string> values;
        bool sql = false, metrics = false, sign_in = false, events = false;
    };
    static Result<Target> find(http::Request& request) {
        Target target;
        const std::string_view path = request.path();
        bool other_method = false;
        const auto is = [&](const char* method, const char* name) {
            if (path != name) return false;
            other_method = other_method || request.method() != method;
            return request.method() == method;
        };
        target.sql = is("POST", "/api/v1/sql");
        target.metrics = is("GET", "/metrics");
        target.sign_in = is("POST", "/api/v1/session");
        target.events = is("GET", "/api/v1/events");
        if (target.sql || target.metrics || target.sign_in || target.events) return target;
        for (const auto& route : kRoutes) {
            auto values = match(route.pattern, path);
            if (!values) continue;
            if (request.method() != route.method) {
                other_method = true;
                continue;
            }
            target.route = &route;
            target.values = std::move(*values);
            return target;
        }
        if (other_method)
            return Error(Code::invalid_argument,
                         request.method() + " is not a method of this address");
        return Error(Code::not_found, "no such address: " + std::string(path.substr(0, 200)));
    }

    Status answer(http::Request& request, http::Responder& responder, const std::string& id) {
        security::Caller caller = caller_of(request, id);
        auto target = find(request);
        if (target.ok() && target->sign_in) return sign_in_now(request, responder, caller);
        // Bytes are taken in when it is known whose they are, but for what a signature is over.
        std::optional<std::string> early;
        if (signs_unstated_body(request)) {
            TARN_TRY(read, request.read_all(kUnknownBodyBytesMax));
            early = std::move(read);
        }
        auto signed_in = brings_embed_link(request) ? sign_in_by_link(request, target)
                                                    : sign_in(parts_, request, early);
        // Who is not signed in learns nothing about which addresses exist.
        if (!signed_in.ok())
            return refused(caller, target.ok() ? *target : Target(), std::move(signed_in).error());
        if (!target.ok()) return std::move(target).error();
        caller.principal = signed_in->principal;
        caller.action = action_of(*target);
        if (target->route != nullptr && target->route->resource != nullptr)
            caller.resource = "arn:aws:tarn:" + parts_.region + ":" + parts_.users->account_id() + ":" +
                              target->route->resource + target->values[0];
        if (!is_own(caller.action)) {
            const Status allowed = parts_.authorizer->decide(caller);
            if (!allowed.ok()) return refused(caller, *target, allowed.error());
        }
        TARN_TRY(text, early ? std::move(*early) : request.read_all(kBodyBytesMax));
        const Status fits = check_body(*signed_in, text);
        if (!fits.ok()) return refused(caller, *target, fits.error());
        if (target->metrics) {
            TARN_CHECK_OK(parts_.audit->record(caller, {}));
            if (parts_.sources != nullptr) parts_.sources->update_metrics();
            return responder.respond(200, {{"content-type", "text/plain; version=0.0.4"}},
                                     parts_.metrics->render());
        }
        TARN_TRY(body, parse_body(text));
        ApiRequest api{request,        std::move(caller), signed_in->by, signed_in->session_id,
                       target->values, std::move(body), signed_in->fixed_filters};
        if (target->sql) return audited(api, run_sql(parts_, api, responder));
        if (target->events) return audited(api, watch_dashboard(parts_, api, responder));
        if (target->route->stream != nullptr)
            return audited(api, target->route->stream(parts_, api, responder));
        auto made = target->route->run(parts_, api);
        if (!made.ok()) return audited(api, std::move(made).error());
        if (!target->route->changes) TARN_CHECK_OK(audited(api, ok_status()));
        send(responder, id, std::move(made).value());
        return ok_status();
    }

    /// An embed link opens one dashboard, and nothing else.
    Result<SignedIn> sign_in_by_link(const http::Request& request, const Result<Target>& target) const {
        if (!target.ok() || target->route == nullptr || target->route->run != get_dashboard)
            return Error(Code::unauthenticated, "a link to one dashboard opens nothing else", "embed");
        return sign_in_embedded(parts_, request, target->values[0]);
    }

    Status sign_in_now(http::Request& request, http::Responder& responder,
                       security::Caller& caller) {
        caller.action = "tarn:SignIn";
        // Another site's page must not sign a browser in as somebody of its choice.
        const std::string_view site = request.header("sec-fetch-site");
        if (!site.empty() && site != "same-origin" && site != "none")
            return refused(caller, Target(),
                           Error(Code::permission_denied, "sign in from the console's own page"));
        TARN_TRY(text, request.read_all(kUnknownBodyBytesMax));
        TARN_TRY(body, parse_body(text));
        const auto wait = sign_ins_.take(caller.source_ip);
        if (wait > std::chrono::seconds(0)) return refuse_guess(responder, caller, wait);
        auto opened = open_session(parts_, request, caller, body);
        if (opened.ok() || opened.error().code != Code::unauthenticated)
            sign_ins_.give_back(caller.source_ip);
        if (!opened.ok()) return refused(caller, Target(), std::move(opened).error());
        send(responder, caller.request_id, std::move(opened).value());
        return ok_status();
    }

    /// Also for who has the right secret: an answer to it would be an answer to a guess.
    Status refuse_guess(http::Responder& responder, const security::Caller& caller,
                        std::chrono::seconds wait) {
        const Error error(Code::exhausted,
                          fmt::format("too many sign-ins from your address failed: try again in {} s",
                                      wait.count()),
                          "too_many_sign_ins");
        TARN_CHECK_OK(parts_.audit->record(caller, security::AuditResult::of(error)));
        ApiResponse response{429, error_body(error), {}};
        response.headers.add("retry-after", std::to_string(wait.count()));
        send(responder, caller.request_id, std::move(response));
        return ok_status();
    }

    static const char* action_of(const Target& target) {
        if (target.route != nullptr) return target.route->action;
        if (target.sql) return kSqlAction;
        if (target.events) return kEventsAction;
        return target.metrics ? "tarn:GetMetrics" : "tarn:Unknown";
    }

    static bool is_own(std::string_view action) {
        for (const auto own : kOwnActions)
            if (own == action) return true;
        return false;
    }

    Status refused(security::Caller& caller, const Target& target, Error error) {
        if (caller.action.empty())
            caller.action = action_of(target);
        TARN_CHECK_OK(parts_.audit->record(caller, security::AuditResult::of(error)));
        return error;
    }

    Status audited(const ApiRequest& request, Status outcome) {
        TARN_CHECK_OK(parts_.audit->record(request.caller, security::AuditResult::of(outcome)));
        return outcome;
    }

    const DoorParts parts_;
    Counter& requests_;
    security::SignInLimit sign_ins_;
};

}  // namespace

http::Handler make_handler(DoorParts parts) {
    auto door = std::make_shared<Door>(std::move(parts));
    return [door](http::Request& request, http::Responder& responder) {
        door->handle(request, responder);
    };
}

}  // namespace tarn::admin

// Plan, apply, try, secrets: what the lakefile's commands ask for.
#include "lakefile/applier.h"
#include "protocols/admin/internal/api.h"
#include "security/secrets.h"

namespace tarn::admin {
namespace {

constexpr uint64_t kTryRowsMax = 1000;

Status available(const DoorParts& parts) {
    if (parts.applier != nullptr) return ok_status();
    return Error(Code::unimplemented, "this server was started without lakefiles");
}

/// {"lakefile": text, "file_name", "folder", "files": {name: text}}.
Result<lakefile::Text> text_of(const ApiRequest& request) {
    lakefile::Text text;
    TARN_TRY(lakefile, request.text("lakefile"));
    text.text = std::move(lakefile);
    text.file_name = request.text_or("file_name", "lake.yaml").substr(0, 200);
    text.folder = request.text_or("folder", "");
    if (!text.folder.empty() && text.folder[0] != '/')
        return Error(Code::invalid_argument, "'folder' is a path from the root (/srv/lake)");
    const auto files = request.body.find("files");
    if (files == request.body.end()) return text;
    if (!files->is_object())
        return Error(Code::invalid_argument, "'files' is an object of name: text");
    for (const auto& [name, content] : files->items()) {
        if (!content.is_string())
            return Error(Code::invalid_argument, "'files' is an object of name: text");
        text.files[name] = content.get<std::string>();
    }
    return text;
}

Result<bool> flag_in(const ApiRequest& request, const char* name) {
    const auto found = request.body.find(name);
    if (found == request.body.end()) return false;
    if (!found->is_boolean())
        return Error(Code::invalid_argument, "'" + std::string(name) + "' is true or false");
    return found->get<bool>();
}

Result<uint64_t> whole_in(const ApiRequest& request, const char* name, uint64_t otherwise) {
    const auto found = request.body.find(name);
    if (found == request.body.end()) return otherwise;
    if (!found->is_number_unsigned())
        return Error(Code::invalid_argument, "'" + std::string(name) + "' is a whole number");
    return found->get<uint64_t>();
}

/// Whoever may apply may have the server read any table, folder and database that a lakefile can
/// name. What does a part of that needs this right too.
Status may_apply(const DoorParts& parts, const ApiRequest& request) {
    return parts.authorizer->decide(request.caller, "tarn:Apply", request.caller.resource);
}

/// A sample of a source is files of this machine or a connection to any host.
Status may_try(const DoorParts& parts, const ApiRequest& request, const lakefile::Text& text,
               const std::string& name) {
    const Status all = may_apply(parts, request);
    if (all.ok()) return all;
    for (const auto& item : lakefile::parse(text, {}).lakefile.items)
        if (item.kind == lakefile::Kind::source &&
            (name.empty() || name == item.name || name == item.id()))
            return all;
    return ok_status();
}

}  // namespace

Result<ApiResponse> plan_lakefile(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(available(parts));
    TARN_TRY(text, text_of(request));
    TARN_TRY(days, whole_in(request, "replay_days", 0));
    lakefile::PlanOptions options;
    if (days > 3650) return Error(Code::invalid_argument, "'replay_days' is at most 3650");
    if (days > 0) options.replay = std::chrono::hours(24 * days);
    TARN_TRY(plan, parts.applier->plan(text, options));
    // How often any SELECT had rows answers questions about rows.
    if (!plan.replays.empty() && !may_apply(parts, request).ok())
        plan.replays = {"alerts over history are shown to who may apply (tarn:Apply)"};
    return ApiResponse{200, Json::parse(lakefile::to_json(plan, text.file_name)), {}};
}

Result<ApiResponse> apply_lakefile(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(available(parts));
    TARN_TRY(text, text_of(request));
    TARN_TRY(plan_id, request.text("plan"));
    TARN_TRY(drop_data, flag_in(request, "drop_data"));
    if (plan_id.empty())
        return Error(Code::invalid_argument, "'plan' is the id of a plan (POST /api/v1/plan)");
    TARN_TRY(plan, parts.applier->apply(request.caller, text, plan_id, drop_data));
    // Where nothing changed there was no batch that could carry the record.
    if (!plan.changes_something()) TARN_CHECK_OK(parts.audit->record(request.caller, {}));
    return ApiResponse{200, Json::parse(lakefile::to_json(plan, text.file_name)), {}};
}

Result<ApiResponse> try_lakefile(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(available(parts));
    TARN_TRY(text, text_of(request));
    TARN_TRY(rows, whole_in(request, "rows", 20));
    const std::string name = request.text_or("name", "");
    TARN_CHECK_OK(may_try(parts, request, text, name));
    TARN_TRY(tried, parts.applier->try_out(request.caller, text,
                                           {.name = name,
                                            .rows = std::min(rows, kTryRowsMax),
                                            .may_read_sources = may_apply(parts, request).ok()}));
    return ApiResponse{200, Json::parse(tried), {}};
}

Result<ApiResponse> get_lakefile(const DoorParts& parts, ApiRequest&) {
    TARN_CHECK_OK(available(parts));
    TARN_TRY(current, parts.applier->describe_current());
    return ApiResponse{200, Json::parse(current), {}};
}

Result<ApiResponse> list_secrets(const DoorParts& parts, ApiRequest&) {
    TARN_CHECK_OK(available(parts));
    Json secrets = Json::array();
    for (const auto& secret : parts.secrets->list()) {
        Json one = {{"name", secret.name}, {"from", secret.from}};
        if (secret.changed) one["changed"] = format_iso8601(*secret.changed);
        secrets.push_back(std::move(one));
    }
    return ApiResponse{200, {{"secrets", secrets}}, {}};
}

Result<ApiResponse> put_secret(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(available(parts));
    TARN_TRY(value, request.text("value"));
    TARN_CHECK_OK(parts.secrets->set(request.path_values[0], value, audit_batch(parts, request)));
    // What cannot run with the new value says so in its own status.
    static_cast<void>(parts.applier->secrets_changed().ok());
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> delete_secret(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(available(parts));
    TARN_CHECK_OK(parts.secrets->remove(request.path_values[0], audit_batch(parts, request)));
    static_cast<void>(parts.applier->secrets_changed().ok());
    return ApiResponse{204, Json(), {}};
}

}  // namespace tarn::admin

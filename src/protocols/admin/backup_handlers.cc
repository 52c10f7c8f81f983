// Copies of the lake that somebody asks for, and how the archive does.
#include "protocols/admin/internal/backups.h"
#include "protocols/admin/internal/services_json.h"

namespace tarn::admin {
namespace {

Json optional_text(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json backup_json(const archive::BackupState& state) {
    Json out = {{"to", state.to},
                {"running", state.running},
                {"started", format_iso8601(state.started)},
                {"finished", optional_time(state.finished)},
                {"error", optional_text(state.error)},
                {"bytes_total", state.bytes_total},
                {"bytes_done", state.bytes_done},
                {"bytes_sent", state.bytes_sent}};
    if (state.point.empty()) return out;
    out["point"] = state.point;
    out["has_root_key"] = state.has_key;
    out["damage"] = state.damage;
    return out;
}

Result<uint64_t> keep_of(const Json& body) {
    if (!body.contains("keep")) return uint64_t{0};
    if (!body["keep"].is_number_unsigned())
        return Error(Code::invalid_argument, "\"keep\" is a number of backups");
    return body["keep"].get<uint64_t>();
}

Result<bool> full_of(const Json& body) {
    if (!body.contains("full")) return false;
    if (!body["full"].is_boolean())
        return Error(Code::invalid_argument, "\"full\" is true or false");
    return body["full"].get<bool>();
}

}  // namespace

Json archive_json(const DoorParts& parts) {
    const auto state = parts.archive == nullptr ? std::nullopt : parts.archive->archive();
    if (!state) return nullptr;
    return {{"to", state->to},
            {"following", state->following},
            {"lag_seconds", state->lag_seconds},
            {"shipped_version", state->shipped_sequence},
            {"bytes_sent", state->bytes_sent},
            {"point", optional_text(state->point)},
            {"has_root_key", state->has_key},
            {"last_success", optional_time(state->last_success)},
            {"error", optional_text(state->error)}};
}

/// The body holds secrets (the destination's key, the passphrase): it is neither logged nor
/// audited.
Result<ApiResponse> start_backup(const DoorParts& parts, ApiRequest& request) {
    if (parts.archive == nullptr) return without("backups");
    archive::BackupRequest wanted;
    TARN_TRY(to, request.text("to"));
    wanted.place.to = std::move(to);
    wanted.place.endpoint = request.text_or("endpoint", "");
    wanted.place.region = request.text_or("region", "us-east-1");
    wanted.place.access_key_id = request.text_or("access_key_id", "");
    wanted.place.secret = request.text_or("secret_access_key", "");
    wanted.place.ca_file = request.text_or("ca_file", "");
    wanted.passphrase = request.text_or("passphrase", "");
    TARN_TRY(keep, keep_of(request.body));
    TARN_TRY(full, full_of(request.body));
    wanted.keep = keep;
    wanted.full = full;
    TARN_CHECK_OK(parts.archive->start_backup(std::move(wanted)));
    return ApiResponse{202, {{"running", true}}, {}};
}

Result<ApiResponse> get_backups(const DoorParts& parts, ApiRequest&) {
    if (parts.archive == nullptr) return without("backups");
    const auto last = parts.archive->backup();
    return ApiResponse{
        200,
        {{"last", last ? backup_json(*last) : Json(nullptr)}, {"archive", archive_json(parts)}},
        {}};
}

}  // namespace tarn::admin

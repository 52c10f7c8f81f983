// The webhooks of alert rules: the secret that receivers check signatures with, and using one again that was switched
// off.
#include "events/alerts.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {
namespace {

Status alerts_available(const DoorParts& parts) {
    if (parts.alerts != nullptr) return ok_status();
    return Error(Code::unimplemented, "this server was started without alerts");
}

}  // namespace

Result<ApiResponse> get_webhook_secret(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(alerts_available(parts));
    const auto& values = request.path_values;
    TARN_TRY(secret, parts.alerts->webhook_secret(values[0], values[1]));
    return ApiResponse{200, {{"rule", values[0]}, {"target", values[1]}, {"secret", secret}}, {}};
}

Result<ApiResponse> enable_webhook(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(alerts_available(parts));
    TARN_CHECK_OK(
        parts.alerts->enable_webhook(request.caller, request.path_values[0], request.path_values[1]));
    return ApiResponse{204, Json(), {}};
}

}  // namespace tarn::admin

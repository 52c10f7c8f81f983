// A model's version put into use by hand.
#include "flows/graph.h"
#include "models/registry.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {

Result<ApiResponse> use_model_version(const DoorParts& parts, ApiRequest& request) {
    if (parts.models == nullptr)
        return Error(Code::unimplemented, "this server was started without models");
    const std::string& given = request.path_values[0];
    const std::string name = given.find('.') == std::string::npos ? "main." + given : given;
    const auto version = request.body.find("version");
    if (version == request.body.end() || !version->is_number_unsigned())
        return Error(Code::invalid_argument,
                     "\"version\" is the number of one of the model's versions");
    TARN_CHECK_OK(parts.models->use(request.caller, name, version->get<uint64_t>(),
                                    audit_batch(parts, request)));
    // Its predictions are made by the step's next run: now, where the model is still declared.
    if (parts.graph != nullptr)
        static_cast<void>(parts.graph->run_now("models." + name.substr(name.find('.') + 1)));
    TARN_TRY(now, parts.models->version(name, version->get<uint64_t>()));
    return ApiResponse{
        200, {{"model", name}, {"version", now.number}, {"current", now.current}}, {}};
}

}  // namespace tarn::admin

// The routes of comparisons between a source and its lake.
#pragma once

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

Result<ApiResponse> verify_source(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_verdict(const DoorParts& parts, ApiRequest& request);
/// In a few words, for the list of sources; null: it was never compared.
Json last_verdict_json(const DoorParts& parts, const std::string& source);

}  // namespace tarn::admin

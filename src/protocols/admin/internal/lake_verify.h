// The routes of a look over the whole lake.
#pragma once

#include "protocols/admin/internal/api.h"
#include "protocols/admin/lake_verdict.h"

namespace tarn::admin {

Result<ApiResponse> verify_lake(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_lake_verdict(const DoorParts& parts, ApiRequest& request);

}  // namespace tarn::admin

// The routes of kept copies.
#pragma once

#include "archive/archive.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {

Result<ApiResponse> start_backup(const DoorParts& parts, ApiRequest& request);
Result<ApiResponse> get_backups(const DoorParts& parts, ApiRequest& request);
/// Of the archive, for the status; null: none is configured.
Json archive_json(const DoorParts& parts);

}  // namespace tarn::admin

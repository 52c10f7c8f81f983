// The same words by the API and by the command line that looks over a lake that is not served.
#pragma once

#include <nlohmann/json.hpp>

#include "protocols/admin/lake_verdict.h"

namespace tarn::admin {

nlohmann::json lake_verdict_json(const LakeVerdict& verdict);

}  // namespace tarn::admin

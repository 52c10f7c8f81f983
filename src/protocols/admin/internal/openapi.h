// The API's description in OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0), made of the door's own table of routes and of shapes.h.
#pragma once

#include <string_view>
#include <vector>

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

struct DescribedRoute {
    std::string_view method, pattern, action;  // {} in the pattern takes one segment
};

/// Names of values are those of the segment before them: /users/{}/keys -> /users/{user}/keys.
/// What each takes and answers is in shapes.h; internal: a route without a shape.
Result<Json> openapi(const std::vector<DescribedRoute>& routes, const std::string& version);

}  // namespace tarn::admin

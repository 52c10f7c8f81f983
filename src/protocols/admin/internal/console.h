// The page itself: static files, without signing in. All that is secret is behind /api/v1.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protocols/http/request.h"
#include "protocols/http/response.h"

namespace tarn::admin {

/// Answers GET and HEAD of the console's files and addresses ("/", "/sign-in", "/catalog/..." and
/// the other screens);
/// false: not one of them.
/// `framers` tells the origins that may frame a dashboard: for "/embed/NAME" alone.
bool serve_console(http::Request& request, http::Responder& responder,
                   const std::function<std::vector<std::string>(const std::string& dashboard)>& framers);

}  // namespace tarn::admin

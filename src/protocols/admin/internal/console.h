// The page itself: static files, without signing in. All that is secret is behind /api/v1.
#pragma once

#include "protocols/http/request.h"
#include "protocols/http/response.h"

namespace tarn::admin {

/// Answers GET and HEAD of the console's files and addresses ("/", "/sign-in", "/catalog/..." and
/// the other screens);
/// false: not one of them.
bool serve_console(http::Request& request, http::Responder& responder);

}  // namespace tarn::admin

// Who a request of the HTTP door is from.
#pragma once

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

struct SignedIn {
    security::Principal principal;
    SignedInBy by = SignedInBy::signature;
    std::string session_id;
    std::map<std::string, std::vector<std::string>> fixed_filters = {};  // of an embed link
    std::string body_sha256 = {};  // what was signed of the body; empty: nothing, or it was checked
};

/// Whether the body takes part in the sign-in: it is signed, and nothing in the head states its
/// hash.
bool signs_unstated_body(http::Request& request);
/// SigV4 (service "tarn"), HTTP Basic, or the session cookie; a changing request by cookie must
/// carry the session's X-CSRF-Token. Basic travels readable: it is taken over TLS and on loopback
/// only. `body`: given where signs_unstated_body(); else it is still to be read, and check_body()
/// to be asked. unauthenticated, permission_denied.
Result<SignedIn> sign_in(const DoorParts& parts, http::Request& request,
                         std::optional<std::string_view> body);
/// invalid_argument XAmzContentSHA256Mismatch: another body than the one that was signed.
Status check_body(const SignedIn& signed_in, std::string_view body);

/// Whether the request brings an embed link's token ("Authorization: Embed ...").
bool brings_embed_link(const http::Request& request);
/// Opens that link; `dashboard` is what it is asked for. unauthenticated.
Result<SignedIn> sign_in_embedded(const DoorParts& parts, const http::Request& request,
                                  const std::string& dashboard);

/// Who somebody is and which lake this is, as GET /api/v1/me and a new session answer it.
Json identity(const DoorParts& parts, const security::Principal& principal);

/// POST /api/v1/session with {"token"} or {"user", "password"}: answers with the cookie and the
/// CSRF token.
Result<ApiResponse> open_session(const DoorParts& parts, http::Request& request,
                                 const security::Caller& caller, const Json& body);

/// The value of one cookie of a Cookie header (RFC 6265, 4.2.1); empty when absent. The first, where
/// there are several of that name.
std::string_view cookie(std::string_view header, std::string_view name);
/// The Set-Cookie value of a session that ends in `max_age_s` (0: now).
std::string session_cookie(const std::string& id, int64_t max_age_s, bool secure);

inline constexpr std::string_view kSessionCookie = "tarn_session";

}  // namespace tarn::admin

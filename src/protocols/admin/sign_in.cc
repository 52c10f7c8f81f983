#include "protocols/admin/internal/sign_in.h"

#include "codec/hash.h"
#include "codec/text.h"
#include "dashboards/embed_links.h"
#include "lakefile/applier.h"
#include "net/peer.h"

namespace tarn::admin {
namespace {

bool is_safe(const std::string& method) {
    return method == "GET" || method == "HEAD";
}

Error not_signed_in() {
    return Error(Code::unauthenticated,
                 "sign in first: an AWS Signature Version 4 for service 'tarn', HTTP Basic with an "
                 "access key, or a console session");
}

Result<SignedIn> by_signature(const DoorParts& parts, http::Request& request,
                              std::optional<std::string_view> body) {
    security::SignedRequest described;
    described.method = request.method();
    described.raw_path = request.path();
    described.raw_query = request.query();
    for (size_t i = 0; i < request.headers().size(); ++i)
        described.headers.emplace_back(request.headers()[i].name, request.headers()[i].value);
    if (body) described.body_sha256 = codec::hex_encode(codec::sha256(*body));
    auto proved = parts.authenticator->authenticate(described, {"tarn"});
    // S3's clients are told which of the two it was; here nobody learns which keys exist.
    if (!proved.ok() && (proved.error().reason == "InvalidAccessKeyId" ||
                         proved.error().reason == "SignatureDoesNotMatch"))
        return Error(Code::unauthenticated,
                     "the signature does not fit: check the access key id, its secret, and that "
                     "nothing changed after signing",
                     "SignatureDoesNotMatch");
    if (!proved.ok()) return std::move(proved).error();
    SignedIn out{std::move(proved->principal), SignedInBy::signature, {}};
    if (!body) out.body_sha256 = std::move(proved->signature.payload_sha256);
    return out;
}

Result<SignedIn> by_password(const DoorParts& parts, http::Request& request,
                             std::string_view encoded) {
    if (!request.peer().secure && !net::is_loopback(request.peer().address))
        return Error(Code::permission_denied,
                     "HTTP Basic is taken over TLS only: it would show the secret to the network");
    const auto decoded = codec::base64_decode(encoded);
    const size_t colon = decoded.ok() ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return not_signed_in();
    TARN_TRY(principal,
             parts.users->verify_password(decoded->substr(0, colon), decoded->substr(colon + 1)));
    return SignedIn{std::move(principal), SignedInBy::password, {}};
}

Result<SignedIn> by_session(const DoorParts& parts, http::Request& request, std::string id) {
    TARN_TRY(session, parts.sessions->find(id));
    if (!is_safe(request.method()))
        TARN_CHECK_OK(security::Sessions::check_csrf(session, request.header("x-csrf-token")));
    return SignedIn{std::move(session.principal), SignedInBy::session, std::move(id)};
}

bool is_signed(http::Request& request) {
    return request.header("authorization").starts_with("AWS4-") ||
           request.has_query_parameter("X-Amz-Signature");
}

}  // namespace

bool signs_unstated_body(http::Request& request) {
    return is_signed(request) && !request.headers().has("x-amz-content-sha256") &&
           !request.has_query_parameter("X-Amz-Content-Sha256");
}

Status check_body(const SignedIn& signed_in, std::string_view body) {
    if (signed_in.body_sha256.empty() ||
        signed_in.body_sha256 == codec::hex_encode(codec::sha256(body)))
        return ok_status();
    return Error(Code::invalid_argument,
                 "The provided 'x-amz-content-sha256' header does not match what was computed.",
                 "XAmzContentSHA256Mismatch");
}

Result<SignedIn> sign_in(const DoorParts& parts, http::Request& request,
                         std::optional<std::string_view> body) {
    if (is_signed(request)) return by_signature(parts, request, body);
    const std::string_view authorization = request.header("authorization");
    if (authorization.starts_with("Basic "))
        return by_password(parts, request, authorization.substr(6));
    if (!authorization.empty()) return not_signed_in();
    std::string id(cookie(request.header("cookie"), kSessionCookie));
    if (id.empty()) return not_signed_in();
    return by_session(parts, request, std::move(id));
}

namespace {
constexpr std::string_view kEmbed = "Embed ";
}

bool brings_embed_link(const http::Request& request) {
    return request.header("authorization").starts_with(kEmbed);
}

Result<SignedIn> sign_in_embedded(const DoorParts& parts, const http::Request& request,
                                  const std::string& dashboard) {
    if (parts.embeds == nullptr) return not_signed_in();
    TARN_TRY(link, parts.embeds->open(request.header("authorization").substr(kEmbed.size())));
    if (link.dashboard != dashboard) return not_signed_in();
    if (link.by_viewer) {
        security::Caller maker;
        maker.principal = link.viewer;
        maker.door = "http";
        maker.source_ip = request.peer().address;
        maker.secure_transport = request.peer().secure;
        maker.at = parts.clock->now();
        const std::string resource =
            "arn:aws:tarn:" + parts.region + ":" + parts.users->account_id() + ":dashboard/" + dashboard;
        // Taking the right to make links away ends those that were made with it.
        if (!parts.authorizer->decide(maker, "tarn:EmbedDashboard", resource).ok()) return not_signed_in();
    }
    SignedIn out{std::move(link.viewer), SignedInBy::embed_link, {}};
    out.fixed_filters = std::move(link.filters);
    return out;
}

std::string_view cookie(std::string_view header, std::string_view name) {
    std::string_view rest = header;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find(';'), rest.size());
        std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
    }
    return {};
}

std::string session_cookie(const std::string& id, int64_t max_age_s, bool secure) {
    return std::string(kSessionCookie) + "=" + id +
           "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(max_age_s) +
           (secure ? "; Secure" : "");
}

Json identity(const DoorParts& parts, const security::Principal& principal) {
    Json out = {{"user", principal.name},
                {"arn", principal.arn},
                {"roles", principal.roles},
                {"attributes", principal.attributes},
                {"account", parts.users->account_id()},
                {"lake", ""}};
    if (parts.applier == nullptr) return out;
    // A lakefile that cannot be read is told where it is asked for; who signs in needs no name of it.
    if (const auto applied = parts.applier->describe_current(); applied.ok())
        out["lake"] = Json::parse(*applied).value("lake", "");
    return out;
}

Result<ApiResponse> open_session(const DoorParts& parts, http::Request& request,
                                 const security::Caller& caller, const Json& body) {
    meta::Batch with;
    parts.audit->attach(with, caller, {});
    const auto text = [&](const char* name) {
        const auto found = body.find(name);
        return found != body.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    const bool by_token = body.contains("token");
    if (!by_token && !request.peer().secure && !net::is_loopback(request.peer().address))
        return Error(Code::permission_denied, "a password is taken over TLS only");
    Result<security::NewSession> opened = Error(Code::internal, "");
    if (by_token) {
        opened = parts.sessions->redeem_token(text("token"), std::move(with));
    } else {
        TARN_TRY(principal, parts.users->verify_password(text("user"), text("password")));
        opened = parts.sessions->open_session(principal, std::move(with));
    }
    if (!opened.ok()) return std::move(opened).error();
    const auto lifetime_s = opened->expires.since(caller.at).count() / 1'000'000;
    ApiResponse response;
    response.headers.add("set-cookie",
                         session_cookie(opened->id, lifetime_s, request.peer().secure));
    response.body = identity(parts, opened->principal);
    response.body["csrf_token"] = opened->csrf_token;
    response.body["expires"] = format_iso8601(opened->expires);
    return response;
}

}  // namespace tarn::admin

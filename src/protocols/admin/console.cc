#include "protocols/admin/internal/console.h"

#include <algorithm>
#include <iterator>

#include "protocols/admin/internal/console_assets.h"

namespace tarn::admin {
namespace {

// Nothing but our own files, no inline script or style, no frame around it, no outside address.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' "
    "data:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors ";
constexpr std::string_view kEmbed = "/embed/";

/// Addresses that the page itself understands (console/src/routes.ts), and all below them.
constexpr std::string_view kPages[] = {"/sign-in",   "/home",      "/catalog",
                                       "/workbench", "/pipelines", "/dashboards",
                                       "/alerts",    "/models",    "/access"};

const ConsoleAsset* find_file(std::string_view path) {
    for (const auto& asset : console_assets())
        if (asset.path == path) return &asset;
    return nullptr;
}

/// The page comes in one edition for each screen: it names the scripts of that screen. "/" has
/// those of the start.
const ConsoleAsset* find_asset(std::string_view path) {
    const std::string_view first = path.substr(0, path.find('/', 1));
    if (path.starts_with(kEmbed)) return find_file("/embed");
    if (std::find(std::begin(kPages), std::end(kPages), first) != std::end(kPages)) {
        const ConsoleAsset* page = find_file(first);
        return page != nullptr ? page : find_file("/");
    }
    return path == "/embed" ? nullptr : find_file(path);
}

}  // namespace

bool serve_console(
    http::Request& request, http::Responder& responder,
    const std::function<std::vector<std::string>(const std::string& dashboard)>& framers) {
    if (request.method() != "GET" && request.method() != "HEAD") return false;
    const ConsoleAsset* asset = find_asset(request.path());
    if (asset == nullptr) return false;
    http::ResponseHeaders headers;
    headers.add("content-type", asset->content_type);
    std::string ancestors;
    if (request.path().starts_with(kEmbed))
        for (const auto& origin : framers(std::string(request.path().substr(kEmbed.size()))))
            ancestors += (ancestors.empty() ? "" : " ") + origin;
    const bool framed = !ancestors.empty();
    headers.add("content-security-policy",
                std::string(kContentSecurityPolicy) + (framed ? ancestors : "'none'"));
    headers.add("x-content-type-options", "nosniff");
    // Old browsers know no list of origins: where there is one, this header would forbid them all.
    if (!framed) headers.add("x-frame-options", "DENY");
    headers.add("referrer-policy", "no-referrer");
    headers.add("cross-origin-opener-policy", "same-origin");
    headers.add("cross-origin-resource-policy", "same-origin");
    headers.add("permissions-policy", "camera=(), microphone=(), geolocation=()");
    headers.add("cache-control",
                asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    headers.add("etag", asset->etag);
    headers.add("vary", "accept-encoding");
    // A peer that has gone away needs no answer: the status says nothing that could be done.
    if (request.header("if-none-match") == asset->etag) {
        static_cast<void>(responder.respond(304, headers, {}));
        return true;
    }
    const bool gzip = request.headers().has_token("accept-encoding", "gzip");
    if (gzip) headers.add("content-encoding", "gzip");
    static_cast<void>(
        responder.respond(200, headers, std::string(gzip ? asset->gzip : asset->plain)));
    return true;
}

}  // namespace tarn::admin

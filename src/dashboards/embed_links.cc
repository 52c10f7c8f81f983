#include "dashboards/embed_links.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::dashboards {
namespace {

using Json = nlohmann::json;

constexpr size_t kTokenBytesMax = 8'192;

Error bad_link() {
    return Error(Code::unauthenticated, "this link has expired, or never was one: ask for a new one",
                 "embed");
}

}  // namespace

EmbedLinks::EmbedLinks(const security::Keyring& keyring, const security::Users& users, const Clock& clock)
    : key_(keyring.derive("links that embed dashboards")), users_(users), clock_(clock) {}

Result<std::string> EmbedLinks::sign(const std::string& dashboard, const std::string& user,
                                     const Filters& filters, std::chrono::seconds life,
                                     const std::string& by) const {
    if (user == "root")
        return Error(Code::invalid_argument,
                     "a link of root would show everything: name the user whose grants it has");
    if (life.count() < 1 || life > kLifeMax)
        return Error(Code::invalid_argument, "a link lives for one second to 30 days");
    TARN_TRY(info, users_.get_user(user));
    const Json body = {{"dashboard", dashboard},
                       {"user", user},
                       {"by", by},
                       {"created", info.created.micros},
                       {"expires", clock_.now().plus(life).micros},
                       {"filters", filters}};
    const std::string text = codec::base64url_encode(body.dump());
    if (text.size() > kTokenBytesMax / 2) return Error(Code::invalid_argument, "the filters are too long");
    return text + "." + codec::base64url_encode(codec::hmac_sha256(key_, text));
}

Result<EmbedLink> EmbedLinks::open(std::string_view token) const {
    const size_t dot = token.find('.');
    if (token.size() > kTokenBytesMax || dot == std::string_view::npos) return bad_link();
    const auto text = token.substr(0, dot);
    const auto mac = codec::base64url_decode(token.substr(dot + 1));
    // Nothing of it is read before it is known to be ours.
    if (!mac.ok() || !equal_constant_time(*mac, codec::hmac_sha256(key_, text))) return bad_link();
    const auto bytes = codec::base64url_decode(text);
    if (!bytes.ok()) return bad_link();
    const Json body = Json::parse(*bytes, nullptr, false);
    if (!body.is_object()) return bad_link();
    EmbedLink link;
    link.expires = Timestamp{body.value("expires", int64_t{0})};
    link.dashboard = body.value("dashboard", "");
    const std::string user = body.value("user", "");
    link.by_viewer = body.value("by", user) == user;
    const auto info = users_.get_user(user);
    auto principal = users_.principal_of(user);
    // A user who was deleted and made again is another user.
    if (!info.ok() || !principal.ok() || info->created.micros != body.value("created", int64_t{-1}) ||
        clock_.now() >= link.expires)
        return bad_link();
    link.viewer = std::move(principal).value();
    for (const auto& [column, values] : body["filters"].items())
        link.filters[column] = values.get<std::vector<std::string>>();
    return link;
}

}  // namespace tarn::dashboards

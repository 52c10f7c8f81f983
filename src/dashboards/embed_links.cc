#include "dashboards/embed_links.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "meta/keys.h"

namespace tarn::dashboards {
namespace {

using Json = nlohmann::json;

constexpr size_t kTokenBytesMax = 8'192;

Error bad_link() {
    return Error(Code::unauthenticated, "this link has expired, or never was one: ask for a new one",
                 "embed");
}

std::string key_of(std::string_view id) {
    return meta::Key("dl").rest(id).str();
}

Json to_json(const EmbedRecord& record) {
    return {{"dashboard", record.dashboard}, {"user", record.user},          {"by", record.by},
            {"filters", record.filters},     {"made", record.made.micros}, {"expires", record.expires.micros}};
}

Result<EmbedRecord> from_json(std::string_view id, const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return Error(Code::corrupted, "the record of the embed link " + std::string(id) + " is not JSON");
    EmbedRecord out{std::string(id), json.value("dashboard", ""), json.value("user", ""), json.value("by", ""), {},
                    Timestamp{json.value("made", int64_t{0})}, Timestamp{json.value("expires", int64_t{0})}};
    out.filters = json.value("filters", Filters());
    return out;
}

/// All that are kept, ended ones too.
Result<std::vector<EmbedRecord>> load(const meta::Store& store) {
    const std::string all = meta::Key("dl").str();
    std::vector<EmbedRecord> out;
    auto walk = store.scan({all, meta::prefix_end(all), false});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_TRY(link, from_json(walk->key().substr(all.size()), record.value));
        out.push_back(std::move(link));
    }
    TARN_CHECK_OK(walk->status());
    return out;
}

}  // namespace

EmbedLinks::EmbedLinks(meta::Store& store, const security::Keyring& keyring, const security::Users& users, const Clock& clock)
    : key_(keyring.derive("links that embed dashboards")), store_(store), users_(users), clock_(clock) {}

Result<std::string> EmbedLinks::sign(EmbedRecord& wanted, std::chrono::seconds life, meta::Batch with) {
    if (wanted.user == "root")
        return Error(Code::invalid_argument,
                     "a link of root would show everything: name the user whose grants it has");
    if (life.count() < 1 || life > kLifeMax)
        return Error(Code::invalid_argument, "a link lives for one second to 30 days");
    TARN_TRY(info, users_.get_user(wanted.user));
    wanted.id = random_hex(8);
    wanted.made = clock_.now();
    wanted.expires = wanted.made.plus(life);
    Json body = to_json(wanted);
    body["id"] = wanted.id;
    body["created"] = info.created.micros;
    const std::string text = codec::base64url_encode(body.dump());
    if (text.size() > kTokenBytesMax / 2) return Error(Code::invalid_argument, "the filters are too long");
    TARN_TRY(known, load(store_));
    size_t living = 0;
    for (const auto& one : known) {
        if (one.expires <= wanted.made)
            with.erase(key_of(one.id));
        else
            ++living;
    }
    if (living >= kLinksMax) return Error(Code::exhausted, "there are 5,000 embed links: take some back");
    with.put(key_of(wanted.id), to_json(wanted).dump());
    TARN_CHECK_OK(store_.commit(std::move(with)));
    return text + "." + codec::base64url_encode(codec::hmac_sha256(key_, text));
}

Result<std::vector<EmbedRecord>> EmbedLinks::list() const {
    TARN_TRY(out, load(store_));
    const Timestamp now = clock_.now();
    std::erase_if(out, [&](const EmbedRecord& one) { return one.expires <= now; });
    std::sort(out.begin(), out.end(), [](const EmbedRecord& a, const EmbedRecord& b) { return a.made > b.made; });
    return out;
}

Status EmbedLinks::revoke(const std::string& id, meta::Batch with) {
    with.require_present(key_of(id), Error(Code::not_found, "there is no embed link '" + id.substr(0, 40) + "'"));
    with.erase(key_of(id));
    TARN_CHECK_OK(store_.commit(std::move(with)));
    return ok_status();
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
    TARN_TRY(record, store_.get(key_of(body.value("id", ""))));
    if (!record) return bad_link();
    link.viewer = std::move(principal).value();
    for (const auto& [column, values] : body["filters"].items())
        link.filters[column] = values.get<std::vector<std::string>>();
    return link;
}

}  // namespace tarn::dashboards

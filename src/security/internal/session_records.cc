#include "security/internal/session_records.h"

#include <nlohmann/json.hpp>

#include "meta/keys.h"

namespace tarn::security {
namespace {

using Json = nlohmann::json;
constexpr int kSessionRecordVersion = 1;

Error unreadable() {
    return Error(Code::corrupted, "a sign-in record can't be read");
}

Result<Json> decode(std::string_view value) {
    Json json = Json::parse(value, nullptr, false);
    if (!json.is_object() || json.value("v", 0) != kSessionRecordVersion) return unreadable();
    return json;
}

}  // namespace

std::string token_key(std::string_view hash) {
    return meta::Key("u").text("token").rest(hash);
}
std::string session_key(std::string_view hash) {
    return meta::Key("u").text("session").rest(hash);
}
std::string signed_out_key(std::string_view user) {
    return meta::Key("u").text("signed_out").rest(user);
}

std::string encode(const TokenRecord& token) {
    return Json{{"v", kSessionRecordVersion},
                {"user", token.user},
                {"created", token.created.micros},
                {"expires", token.expires.micros},
                {"key", token.access_key_id}}
        .dump();
}

std::string encode(const SessionRecord& session) {
    return Json{{"v", kSessionRecordVersion},
                {"user", session.user},
                {"created", session.created.micros},
                {"expires", session.expires.micros},
                {"last_seen", session.last_seen.micros},
                {"key", session.access_key_id}}
        .dump();
}

Result<TokenRecord> decode_token(std::string_view value) {
    try {
        TARN_TRY(json, decode(value));
        return TokenRecord{json.at("user").get<std::string>(),
                           {json.at("created").get<int64_t>()},
                           {json.at("expires").get<int64_t>()},
                           json.value("key", std::string())};
    } catch (const Json::exception&) {
        return unreadable();
    }
}

Result<SessionRecord> decode_session(std::string_view value) {
    try {
        TARN_TRY(json, decode(value));
        return SessionRecord{json.at("user").get<std::string>(),
                             {json.at("created").get<int64_t>()},
                             {json.at("expires").get<int64_t>()},
                             {json.at("last_seen").get<int64_t>()},
                             json.value("key", std::string())};
    } catch (const Json::exception&) {
        return unreadable();
    }
}

}  // namespace tarn::security

#include "app/client_json.h"

#include <cstdio>

namespace tarn::app {

using Json = nlohmann::json;

Error no_json(const Endpoint& endpoint) {
    return Error(Code::internal, "the server's answer is no JSON; is " + endpoint.url + " a tarn?");
}

Result<Json> ask(const Endpoint& endpoint, const std::string& method, const std::string& path,
                 const Json& body) {
    TARN_TRY(answer,
             call(endpoint, method, path,
                  body.is_null() ? "" : body.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (answer.body.empty()) return Json();
    Json parsed = Json::parse(answer.body, nullptr, false);
    if (parsed.is_discarded()) return no_json(endpoint);
    return parsed;
}

Result<Json> ask(const ClientOptions& options, const std::string& method, const std::string& path,
                 const Json& body) {
    TARN_TRY(endpoint, find_endpoint(options.endpoint));
    return ask(endpoint, method, path, body);
}

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return "";
    return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string encoded(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        char hex[4];
        std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
        out += plain ? std::string(1, c) : hex;
    }
    return out;
}

}  // namespace tarn::app

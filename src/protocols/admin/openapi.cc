#include "protocols/admin/internal/openapi.h"

namespace tarn::admin {
namespace {

std::string singular(std::string word) {
    if (word == "catalog") return "database";
    if (word.size() > 3 && word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
    if (word.size() > 2 && word.ends_with("s")) word.pop_back();
    return word;
}

struct NamedPath {
    std::string path;
    std::vector<std::string> names;
};

NamedPath named(std::string_view pattern) {
    NamedPath out;
    std::string before;
    while (!pattern.empty()) {
        const size_t end = std::min(pattern.find('/', 1), pattern.size());
        std::string segment(pattern.substr(1, end - 1));
        pattern.remove_prefix(end);
        if (segment == "{}") {
            std::string name = before == "{}" ? (out.names.back() == "database" ? "table" : "value")
                                              : singular(before);
            for (const auto& taken : out.names)
                if (taken == name) name += "_" + std::to_string(out.names.size() + 1);
            out.names.push_back(name);
            out.path += "/{" + name + "}";
        } else {
            out.path += "/" + segment;
        }
        before = segment;
    }
    return out;
}

/// "tarn:GetStatus" -> "Get status".
std::string summary(std::string_view action) {
    const size_t colon = action.find(':');
    std::string words;
    for (const char c : action.substr(colon == std::string_view::npos ? 0 : colon + 1)) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper && !words.empty())
            words += std::string(" ") + static_cast<char>(c + 32);
        else
            words.push_back(c);
    }
    return words;
}

Json operation(const DescribedRoute& route, const NamedPath& path) {
    std::string id =
        std::string(route.method) + path.path.substr(std::string_view("/api/v1").size());
    for (char& c : id) {
        if (c == '/' || c == '-' || c == '.')
            c = '_';
        else if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c + 32);
    }
    std::erase_if(id, [](char c) { return c == '{' || c == '}'; });
    Json out = {{"operationId", id},
                {"summary", summary(route.action)},
                {"x-action", route.action},
                {"responses",
                 {{"200",
                   {{"description", "Done"},
                    {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}}},
                  {"default", {{"$ref", "#/components/responses/Failed"}}}}}};
    if (!path.names.empty()) {
        out["parameters"] = Json::array();
        for (const auto& name : path.names)
            out["parameters"].push_back({{"name", name},
                                         {"in", "path"},
                                         {"required", true},
                                         {"schema", {{"type", "string"}}}});
    }
    if (route.method == "POST" || route.method == "PUT")
        out["requestBody"] = {
            {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
    return out;
}

Json components() {
    const Json error = {{"type", "object"},
                        {"properties",
                         {{"error",
                           {{"type", "object"},
                            {"required", {"code", "message"}},
                            {"properties",
                             {{"code", {{"type", "string"}}},
                              {"message", {{"type", "string"}}},
                              {"reason", {{"type", "string"}}}}}}}}}};
    return {
        {"schemas", {{"Error", error}}},
        {"responses",
         {{"Failed",
           {{"description", "It was refused or did not work"},
            {"content",
             {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}}}}},
        {"securitySchemes",
         {{"basic", {{"type", "http"}, {"scheme", "basic"}}},
          {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "tarn_session"}}}}}};
}

}  // namespace

Json openapi(const std::vector<DescribedRoute>& routes, const std::string& version) {
    Json paths = Json::object();
    for (const auto& route : routes) {
        const NamedPath path = named(route.pattern);
        std::string method(route.method);
        for (char& c : method) c = static_cast<char>(c | 0x20);
        paths[path.path][method] = operation(route, path);
    }
    return {{"openapi", "3.1.0"},
            {"info",
             {{"title", "Tarn"},
              {"version", version},
              {"description", "docs/api.md says more of each address."}}},
            {"security", {{{"basic", Json::array()}}, {{"session", Json::array()}}}},
            {"paths", std::move(paths)},
            {"components", components()}};
}

}  // namespace tarn::admin

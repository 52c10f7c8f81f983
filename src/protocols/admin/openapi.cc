#include "protocols/admin/internal/openapi.h"

#include "protocols/admin/internal/shapes.h"

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

Json content(const char* type, Json schema) {
    return {{type, {{"schema", std::move(schema)}}}};
}

Result<Json> answer(const RouteShape& shape) {
    Json out = {{"description", "Done"}};
    if (shape.answer.empty()) return out;
    if (shape.answer.find('/') != std::string_view::npos) {
        out["content"] = content(std::string(shape.answer).c_str(), {{"type", "string"}});
        return out;
    }
    TARN_TRY(schema, schema_of(shape.answer));
    out["content"] = content("application/json", std::move(schema));
    return out;
}

/// Of the address's query, as parameters.
Status add_query(const RouteShape& shape, Json& parameters) {
    if (shape.query.empty()) return ok_status();
    TARN_TRY(schema, schema_of(shape.query));
    const Json named = schema.value("properties", Json::object());
    for (const auto& [name, value] : named.items())
        parameters.push_back({{"name", name}, {"in", "query"}, {"schema", value}});
    if (schema["additionalProperties"].is_object())
        parameters.push_back({{"name", "filters"},
                              {"in", "query"},
                              {"style", "form"},
                              {"explode", true},
                              {"schema", {{"type", "object"}, {"additionalProperties", schema["additionalProperties"]}}}});
    return ok_status();
}

Result<Json> operation(const DescribedRoute& route, const NamedPath& path) {
    const RouteShape* shape = shape_of(route.method, route.pattern);
    if (shape == nullptr)
        return Error(Code::internal, "nothing is written of " + std::string(route.method) + " " +
                                         std::string(route.pattern) + " in shapes.cc");
    std::string id =
        std::string(route.method) + path.path.substr(std::string_view("/api/v1").size());
    for (char& c : id) {
        if (c == '/' || c == '-' || c == '.')
            c = '_';
        else if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c + 32);
    }
    std::erase_if(id, [](char c) { return c == '{' || c == '}'; });
    TARN_TRY(answered, answer(*shape));
    Json out = {{"operationId", id},
                {"summary", summary(route.action)},
                {"x-action", route.action},
                {"responses",
                 {{std::to_string(shape->status), std::move(answered)},
                  {"default", {{"$ref", "#/components/responses/Failed"}}}}}};
    Json parameters = Json::array();
    for (const auto& name : path.names)
        parameters.push_back({{"name", name},
                              {"in", "path"},
                              {"required", true},
                              {"schema", {{"type", "string"}}}});
    TARN_CHECK_OK(add_query(*shape, parameters));
    if (!parameters.empty()) out["parameters"] = std::move(parameters);
    if (!shape->body.empty()) {
        TARN_TRY(body, schema_of(shape->body));
        const bool needed = body.contains("required") || body.contains("$ref");
        out["requestBody"] = {{"required", needed}, {"content", content("application/json", std::move(body))}};
    }
    return out;
}

Result<Json> components() {
    TARN_TRY(schemas, named_schemas());
    const Json error = {{"type", "object"},
                        {"properties",
                         {{"error",
                           {{"type", "object"},
                            {"required", {"code", "message"}},
                            {"properties",
                             {{"code", {{"type", "string"}}},
                              {"message", {{"type", "string"}}},
                              {"reason", {{"type", "string"}}}}}}}}}};
    schemas["Error"] = error;
    return Json{
        {"schemas", std::move(schemas)},
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

Result<Json> openapi(const std::vector<DescribedRoute>& routes, const std::string& version) {
    Json paths = Json::object();
    for (const auto& route : routes) {
        const NamedPath path = named(route.pattern);
        std::string method(route.method);
        for (char& c : method) c = static_cast<char>(c | 0x20);
        TARN_TRY(described, operation(route, path));
        paths[path.path][method] = std::move(described);
    }
    TARN_TRY(parts, components());
    return Json{{"openapi", "3.1.0"},
            {"info",
             {{"title", "Tarn"},
              {"version", version},
              {"description", "docs/api.md says more of each address."}}},
            {"security", {{{"basic", Json::array()}}, {{"session", Json::array()}}}},
            {"paths", std::move(paths)},
            {"components", std::move(parts)}};
}

}  // namespace tarn::admin

#include "protocols/admin/internal/api.h"

namespace tarn::admin {
namespace {

Json key_json(const security::AccessKeyInfo& key) {
    Json out = {{"access_key_id", key.id},
                {"active", key.active},
                {"created", format_iso8601(key.created)}};
    out["last_used"] = key.last_used ? Json(format_iso8601(*key.last_used)) : Json();
    return out;
}

Json user_json(const security::UserInfo& user) {
    Json out = {{"name", user.name},
                {"arn", user.arn},
                {"created", format_iso8601(user.created)},
                {"roles", user.roles},
                {"policies", Json::object()},
                {"attributes", user.attributes}};
    for (const auto& [name, document] : user.policies)
        out["policies"][name] = Json::parse(document, nullptr, false);
    out["keys"] = Json::array();
    for (const auto& key : user.keys) out["keys"].push_back(key_json(key));
    return out;
}

/// A policy comes as JSON in the body and is kept as text.
Result<std::map<std::string, std::string>> policies_in(const Json& body) {
    std::map<std::string, std::string> policies;
    const auto found = body.find("policies");
    if (found == body.end()) return policies;
    if (!found->is_object())
        return Error(Code::invalid_argument, "\"policies\" is an object of name: policy document");
    for (const auto& [name, document] : found->items()) policies[name] = document.dump();
    return policies;
}

Result<std::vector<std::string>> texts_in(const Json& body, const char* name) {
    std::vector<std::string> texts;
    const auto found = body.find(name);
    if (found == body.end()) return texts;
    if (!found->is_array())
        return Error(Code::invalid_argument, std::string("\"") + name + "\" is a list of texts");
    for (const auto& item : *found) {
        if (!item.is_string())
            return Error(Code::invalid_argument,
                         std::string("\"") + name + "\" is a list of texts");
        texts.push_back(item.get<std::string>());
    }
    return texts;
}

Result<std::map<std::string, std::string>> attributes_in(const Json& body) {
    std::map<std::string, std::string> attributes;
    const auto found = body.find("attributes");
    if (found == body.end()) return attributes;
    if (!found->is_object())
        return Error(Code::invalid_argument, "\"attributes\" is an object of name: text");
    for (const auto& [name, value] : found->items()) {
        if (!value.is_string())
            return Error(Code::invalid_argument, "\"attributes\" is an object of name: text");
        attributes[name] = value.get<std::string>();
    }
    return attributes;
}

}  // namespace

Result<ApiResponse> set_user_roles(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(roles, texts_in(request.body, "roles"));
    TARN_CHECK_OK(parts.users->set_user_roles(request.path_values[0], std::move(roles),
                                              audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> list_roles(const DoorParts& parts, ApiRequest&) {
    Json roles = Json::object();
    for (const auto& [role, grants] : parts.grants->roles())
        roles[role] = {{"grants", Json::parse(govern::to_json(grants))},
                       {"policies", Json::object()}};
    for (const auto& [role, policies] : parts.users->list_roles())
        for (const auto& [name, document] : policies)
            if (roles.contains(role) && name != govern::kGrantsPolicy)
                roles[role]["policies"][name] = Json::parse(document, nullptr, false);
    return ApiResponse{200, {{"roles", roles}}, {}};
}

Result<ApiResponse> put_role(const DoorParts& parts, ApiRequest& request) {
    const auto found = request.body.find("grants");
    TARN_TRY(grants, govern::parse_grants(found == request.body.end() ? "{}" : found->dump()));
    TARN_TRY(policies, policies_in(request.body));
    TARN_CHECK_OK(parts.grants->put_role(request.path_values[0], grants, std::move(policies),
                                         audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> delete_role(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(parts.grants->delete_role(request.path_values[0], audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> list_users(const DoorParts& parts, ApiRequest&) {
    Json users = Json::array();
    for (const auto& user : parts.users->list_users()) users.push_back(user_json(user));
    return ApiResponse{200, {{"users", users}}, {}};
}

Result<ApiResponse> create_user(const DoorParts& parts, ApiRequest& request) {
    security::NewUser user;
    TARN_TRY(name, request.text("name"));
    TARN_TRY(policies, policies_in(request.body));
    TARN_TRY(roles, texts_in(request.body, "roles"));
    TARN_TRY(attributes, attributes_in(request.body));
    user = {std::move(name), std::move(policies), std::move(roles), std::move(attributes)};
    TARN_TRY(made, parts.users->create_user(std::move(user), audit_batch(parts, request)));
    return ApiResponse{201, user_json(made), {}};
}

Result<ApiResponse> delete_user(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(parts.users->delete_user(request.path_values[0], audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> put_user_policy(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(parts.users->put_user_policy(request.path_values[0], request.path_values[1],
                                               request.body.dump(), audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> create_key(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(key, parts.users->create_key(request.path_values[0], audit_batch(parts, request)));
    return ApiResponse{201, {{"access_key_id", key.id}, {"secret_access_key", key.secret}}, {}};
}

Result<ApiResponse> set_key_active(const DoorParts& parts, ApiRequest& request) {
    const auto active = request.body.find("active");
    if (active == request.body.end() || !active->is_boolean())
        return Error(Code::invalid_argument, "the body needs \"active\": true or false");
    TARN_CHECK_OK(parts.users->set_key_active(request.path_values[0], active->get<bool>(),
                                              audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Result<ApiResponse> delete_key(const DoorParts& parts, ApiRequest& request) {
    TARN_CHECK_OK(parts.users->delete_key(request.path_values[0], audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

}  // namespace tarn::admin

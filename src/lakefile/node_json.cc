#include <nlohmann/json.hpp>

#include "lakefile/internal/node.h"

namespace tarn::lakefile {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Node& node) {
    if (node.is_scalar()) return node.text;
    Json out = node.is_list() ? Json::array() : Json::object();
    for (const auto& item : node.items) out.push_back(json_of(item));
    for (const auto& member : node.members) out[member.name] = json_of(member.value);
    return out;
}

bool fill(const Json& json, int depth, Node& out) {
    if (depth > kDepthMax) return false;
    if (json.is_string()) {
        out.text = json.get<std::string>();
        return true;
    }
    out.kind = json.is_array() ? Node::Kind::list : Node::Kind::map;
    if (!json.is_structured()) return false;
    for (const auto& [name, value] : json.items()) {
        Node child;
        child.line = out.line;
        child.column = out.column;
        if (!fill(value, depth + 1, child)) return false;
        if (json.is_array())
            out.items.push_back(std::move(child));
        else
            out.members.push_back({name, out.line, out.column, std::move(child)});
    }
    return true;
}

}  // namespace

std::string to_json(const Node& node) {
    return json_of(node).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Node> node_of_json(std::string_view json, int line, int column) {
    const Json parsed = Json::parse(json, nullptr, false);
    Node out;
    out.line = line;
    out.column = column;
    if (parsed.is_discarded() || !fill(parsed, 0, out)) return std::nullopt;
    return out;
}

}  // namespace tarn::lakefile

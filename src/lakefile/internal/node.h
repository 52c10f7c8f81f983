// The text as a tree whose every part knows its place. The only file that sees yaml-cpp is yaml.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakefile/lakefile.h"

namespace tarn::lakefile {

struct Node {
    enum class Kind : uint8_t { scalar, list, map };
    struct Member;

    Kind kind = Kind::scalar;
    int line = 0, column = 0;
    std::string text;             // scalar
    bool quoted = false;          // scalar: written in quotes or as a block; never a word of YAML
    bool empty = false;           // scalar: nothing stands there, or null
    std::string file;             // scalar: the file that the text was read from
    std::vector<Node> items;      // list
    std::vector<Member> members;  // map, in the file's order, names unique

    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_list() const { return kind == Kind::list; }
    bool is_map() const { return kind == Kind::map; }
    /// Null when there is none.
    const Node* find(std::string_view name) const;
};

struct Node::Member {
    std::string name;
    int line = 0, column = 0;
    Node value;
};

inline const Node* Node::find(std::string_view name) const {
    for (const auto& member : members)
        if (member.name == name) return &member.value;
    return nullptr;
}

/// Reads YAML 1.2's plain core: no anchors, aliases or tags, one document, names once per map.
/// Problems are appended.
Node read_yaml(std::string_view text, std::vector<Problem>& problems);

/// Where `text` stops being UTF-8 without zero bytes; npos: nowhere.
size_t first_byte_not_text(std::string_view text);

/// Compact JSON, scalars as texts, maps in their order.
std::string to_json(const Node& node);
/// Precondition: made by to_json; anything else gives nullopt. Every node gets the place given.
std::optional<Node> node_of_json(std::string_view json, int line, int column);

inline constexpr size_t kTextBytesMax = 1u << 20;
inline constexpr size_t kFilesBytesMax = 4u << 20;
inline constexpr int kDepthMax = 32;
inline constexpr size_t kNodesMax = 200'000;

}  // namespace tarn::lakefile

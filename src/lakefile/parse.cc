#include <algorithm>
#include <filesystem>

#include "lakefile/internal/build.h"
#include "lakefile/keys.h"
#include "lakefile/lakefile.h"

namespace tarn::lakefile {
namespace {

constexpr size_t kItemsMax = 10'000;
constexpr size_t kProblemsMax = 200;

const SectionInfo* section_named(std::string_view name) {
    for (const auto& section : sections())
        if (name == section.name) return &section;
    return nullptr;
}

/// Of the form Area/City, and known to this machine where it has the zone files.
bool is_timezone(const std::string& name) {
    const bool letters =
        !name.empty() && name.size() < 64 && name.front() != '/' &&
        name.find("..") == std::string::npos && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '/' || c == '_' || c == '-' || c == '+';
        });
    if (!letters || name == "UTC") return letters;
    std::error_code error;
    const std::filesystem::path zones = "/usr/share/zoneinfo";
    return !std::filesystem::is_directory(zones, error) ||
           std::filesystem::is_regular_file(zones / name, error);
}

class FileReader {
 public:
    FileReader(Parsed& out, Checker& checker, Builder& builder)
        : out_(out), checker_(checker), builder_(builder) {}

    void read(Node& root) {
        if (!root.is_map())
            return checker_.problem(root, "",
                                    "a lakefile is a map of keys; begin with lake: <name>");
        for (auto& member : root.members) {
            if (const SectionInfo* info = section_named(member.name))
                section(*info, member.value);
            else if (const KeyInfo* key = top_level().find(member.name))
                checker_.value(member.value, *key, member.name);
            else
                unknown(member);
        }
        const Node* name = root.find("lake");
        if (name == nullptr)
            checker_.problem(root, "", "'lake' is missing: the lake's name, as in lake: beverages");
        if (name != nullptr) out_.lakefile.name = name->text;
        const Node* zone = root.find("timezone");
        if (zone == nullptr || !zone->is_scalar()) return;
        out_.lakefile.timezone = zone->text;
        if (!is_timezone(zone->text))
            checker_.problem(
                *zone, "timezone",
                "'" + zone->text.substr(0, 60) + "' is no time zone, as in America/Bogota");
    }

 private:
    void unknown(const Node::Member& member) {
        std::vector<std::string> names = {"lake", "timezone"};
        for (const auto& info : sections()) names.emplace_back(info.name);
        const std::string near = nearest(member.name, names);
        std::string all;
        for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
        out_.problems.push_back(
            {member.name, member.line, member.column,
             "a lakefile has no key '" + member.name + "'" +
                 (near.empty() ? "; there are " + all : "; did you mean '" + near + "'?")});
    }

    void section(const SectionInfo& info, Node& node) {
        if (!node.is_map())
            return checker_.problem(node, info.name,
                                    "under " + std::string(info.name) +
                                        " stand names, each with the keys of a " + info.item);
        for (auto& member : node.members) {
            if (++items_ > kItemsMax)
                return checker_.problem(node, info.name, "a lakefile has at most 10,000 items");
            if (out_.problems.size() > kProblemsMax) return;
            const KeyInfo names{
                .name = info.item, .help = "", .example = "", .form = info.name_form};
            Node name;
            name.line = member.line;
            name.column = member.column;
            name.text = member.name;
            name.quoted = true;
            const size_t before = out_.problems.size();
            checker_.value(name, names, std::string(info.name) + "." + member.name);
            if (out_.problems.size() == before)
                builder_.item(info, member.name, member.value, member.line, member.column);
        }
    }

    Parsed& out_;
    Checker& checker_;
    Builder& builder_;
    size_t items_ = 0;
};

}  // namespace

std::string_view section_of(Kind kind) {
    return sections()[static_cast<size_t>(kind)].name;
}

Parsed parse(const Text& text, const SecretLookup& secrets) {
    Parsed out;
    size_t bytes = 0;
    for (const auto& [name, content] : text.files) bytes += content.size();
    if (bytes > kFilesBytesMax) {
        out.problems.push_back(
            {"", 0, 0, "the files that a lakefile names have at most 4 MiB together"});
        return out;
    }
    Node root = read_yaml(text.text, out.problems);
    if (!out.problems.empty() && !root.is_map()) return out;
    Checker checker(&text.files, out.problems);
    Builder builder(out.lakefile, out.problems, checker, secrets, text.folder);
    FileReader(out, checker, builder).read(root);
    builder.finish();
    std::stable_sort(out.problems.begin(), out.problems.end(),
                     [](const Problem& a, const Problem& b) {
                         return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                     });
    if (out.problems.size() > kProblemsMax) out.problems.resize(kProblemsMax);
    return out;
}

Parsed restore(const std::string& lake, const std::string& timezone, const std::vector<Item>& items,
               const SecretLookup& secrets) {
    Parsed out;
    out.lakefile.name = lake;
    out.lakefile.timezone = timezone;
    Checker checker(nullptr, out.problems);
    Builder builder(out.lakefile, out.problems, checker, secrets, "");
    for (const auto& item : items) {
        auto node = node_of_json(item.definition, item.line, item.column);
        if (node)
            builder.item(sections()[static_cast<size_t>(item.kind)], item.name, *node, item.line,
                         item.column);
        else
            out.problems.push_back({item.id(), 0, 0, "its record does not decode"});
    }
    return out;
}

std::vector<std::string> files_named(const std::string& text) {
    std::vector<Problem> ignored;
    Node root = read_yaml(text, ignored);
    Checker checker(nullptr, ignored);
    for (auto& member : root.members) {
        const SectionInfo* info = section_named(member.name);
        if (info == nullptr) continue;
        for (auto& item : member.value.members)
            for (const auto& variant : info->variants)
                if (item.value.is_map() &&
                    (*variant.marker == 0 || item.value.find(variant.marker) != nullptr))
                    checker.object(item.value, *variant.object, "");
    }
    return {checker.files_named().begin(), checker.files_named().end()};
}

std::string describe(const std::vector<Problem>& problems, const std::string& file_name) {
    std::string out;
    for (const auto& problem : problems) {
        if (!out.empty()) out += "\n";
        out += file_name;
        if (problem.line > 0)
            out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
        out += ": " + (problem.where.empty() ? "" : problem.where + ": ") + problem.message;
    }
    return out;
}

}  // namespace tarn::lakefile

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <set>
#include <streambuf>

#include "lakefile/internal/node.h"

namespace tarn::lakefile {
namespace {

/// Ends the parse at the first thing that is no lakefile at all; becomes a Problem below.
struct Refused {
    YAML::Mark mark;
    std::string why;
};

class ViewBuffer final : public std::streambuf {
 public:
    explicit ViewBuffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data());
        setg(begin, begin, begin + text.size());
    }
};

/// Builds the tree from the parser's events; yaml-cpp's own tree expands aliases and lets a name
/// stand twice.
class Builder final : public YAML::EventHandler {
 public:
    explicit Builder(std::vector<Problem>& problems) : problems_(problems) {}

    Node take() { return std::move(root_); }
    bool seen() const { return seen_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnAnchor(const YAML::Mark& mark, const std::string&) override { no_anchor(mark); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { no_anchor(mark); }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (anchor != 0) no_anchor(mark);
        Node node = at(mark);
        node.empty = true;
        leaf(std::move(node));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check(mark, tag, anchor);
        Node node = at(mark);
        node.quoted = tag == "!";
        node.text = value;
        node.empty = !node.quoted && (value.empty() || value == "~" || value == "null");
        leaf(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check(mark, tag, anchor);
        open(mark, Node::Kind::list);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check(mark, tag, anchor);
        open(mark, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

 private:
    struct Level {
        Node node;
        bool has_key = false;
        Node key;
        std::set<std::string> names;
    };

    [[noreturn]] static void no_anchor(const YAML::Mark& mark) {
        throw Refused{mark,
                      "anchors and aliases (& and *) are not taken: write it out, or quote a text "
                      "that begins so"};
    }
    static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        if (anchor != 0) no_anchor(mark);
        if (!tag.empty() && tag != "?" && tag != "!")
            throw Refused{mark, "tags (!) are not taken: quote a text that begins with !"};
    }
    Node at(const YAML::Mark& mark) {
        if (++nodes_ > kNodesMax) throw Refused{mark, "too much for one lakefile (200,000 values)"};
        Node node;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }
    void open(const YAML::Mark& mark, Node::Kind kind) {
        if (levels_.size() >= static_cast<size_t>(kDepthMax))
            throw Refused{mark, "nested deeper than " + std::to_string(kDepthMax) + " levels"};
        Level level;
        level.node = at(mark);
        level.node.kind = kind;
        levels_.push_back(std::move(level));
    }
    void close() {
        Node node = std::move(levels_.back().node);
        levels_.pop_back();
        leaf(std::move(node));
    }
    void leaf(Node node) {
        if (levels_.empty()) {
            root_ = std::move(node);
            seen_ = true;
            return;
        }
        Level& level = levels_.back();
        if (level.node.is_list()) {
            level.node.items.push_back(std::move(node));
            return;
        }
        if (!level.has_key) {
            if (!node.is_scalar())
                throw Refused{mark_of(node), "a name is a text, not a list or a map"};
            level.key = std::move(node);
            level.has_key = true;
            return;
        }
        level.has_key = false;
        if (!level.names.insert(level.key.text).second) {
            problems_.push_back({level.key.text, level.key.line, level.key.column,
                                 "'" + level.key.text + "' stands twice here: keep one of them"});
            return;
        }
        level.node.members.push_back(
            {std::move(level.key.text), level.key.line, level.key.column, std::move(node)});
    }
    static YAML::Mark mark_of(const Node& node) {
        YAML::Mark mark;
        mark.line = node.line - 1;
        mark.column = node.column - 1;
        return mark;
    }

    std::vector<Problem>& problems_;
    std::vector<Level> levels_;
    Node root_;
    bool seen_ = false;
    size_t nodes_ = 0;
};

/// yaml-cpp takes a tab where it likes and says odd things elsewhere; one clear sentence is better.
bool refuse_tabs(std::string_view text, std::vector<Problem>& problems) {
    int line = 1;
    for (size_t at = 0; at < text.size(); ++line) {
        const size_t end = std::min(text.find('\n', at), text.size());
        for (size_t i = at; i < end && (text[i] == ' ' || text[i] == '\t'); ++i) {
            if (text[i] != '\t') continue;
            problems.push_back(
                {"", line, static_cast<int>(i - at) + 1, "a tab in the indentation: use spaces"});
            return true;
        }
        at = end + 1;
    }
    return false;
}

bool refuse_bytes(std::string_view text, std::vector<Problem>& problems) {
    if (text.size() > kTextBytesMax) {
        problems.push_back({"", 1, 1, "a lakefile has at most 1 MiB"});
        return true;
    }
    const size_t bad = first_byte_not_text(text);
    if (bad == std::string_view::npos) return false;
    const std::string_view before = text.substr(0, bad);
    const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    problems.push_back({"", static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                        static_cast<int>(bad - line_begin) + 1,
                        "not a text in UTF-8: save the file as UTF-8"});
    return true;
}

}  // namespace

size_t first_byte_not_text(std::string_view text) {
    const auto byte = [&](size_t at) {
        return at < text.size() ? static_cast<uint8_t>(text[at]) : 0u;
    };
    for (size_t at = 0; at < text.size();) {
        const unsigned lead = byte(at);
        const size_t more = lead < 0x80                   ? 0
                            : lead >= 0xc2 && lead < 0xe0 ? 1
                            : (lead & 0xf0) == 0xe0       ? 2
                            : lead >= 0xf0 && lead < 0xf5 ? 3
                                                          : 4;
        const unsigned second = byte(at + 1);
        const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
        const bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
        if (lead == 0 || more == 4 || overlong || beyond) return at;
        for (size_t i = 1; i <= more; ++i)
            if ((byte(at + i) & 0xc0) != 0x80) return at;
        at += more + 1;
    }
    return std::string_view::npos;
}

Node read_yaml(std::string_view text, std::vector<Problem>& problems) {
    if (refuse_bytes(text, problems) || refuse_tabs(text, problems)) return {};
    Builder builder(problems);
    try {
        ViewBuffer buffer(text);
        std::istream in(&buffer);
        YAML::Parser parser(in);
        parser.HandleNextDocument(builder);
        if (builder.seen() && parser.HandleNextDocument(builder))
            problems.push_back({"", 1, 1, "more than one document: a lakefile has no line ---"});
    } catch (const Refused& refused) {
        problems.push_back({"", refused.mark.line + 1, refused.mark.column + 1, refused.why});
        return {};
    } catch (const YAML::Exception& wrong) {
        problems.push_back(
            {"", wrong.mark.line + 1, wrong.mark.column + 1, "not YAML: " + wrong.msg});
        return {};
    } catch (const std::exception& wrong) {
        problems.push_back({"", 1, 1, std::string("not YAML: ") + wrong.what()});
        return {};
    }
    if (!builder.seen())
        problems.push_back({"", 1, 1, "the file is empty; begin with lake: <name>"});
    return builder.take();
}

}  // namespace tarn::lakefile

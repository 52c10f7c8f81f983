#include "ingest/internal/mqtt_topic.h"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::ingest {
namespace {

constexpr size_t kLevelsMax = 64, kTextBytesMax = 1024, kNameBytesMax = 63;

bool is_name(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (text.empty() || text.size() > kNameBytesMax || !letter(text.front())) return false;
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Takes the text up to the next '/' off `rest`; `more` tells whether there was one.
std::string_view take_level(std::string_view& rest, bool& more) {
    const size_t slash = rest.find('/');
    const auto level = rest.substr(0, slash);
    more = slash != std::string_view::npos;
    rest.remove_prefix(more ? slash + 1 : rest.size());
    return level;
}

}  // namespace

Result<TopicTemplate::Level> TopicTemplate::parse_level(std::string_view text, bool last) {
    const auto wrong = [&](std::string_view why) {
        return Error(Code::invalid_argument,
                     fmt::format("topic \"{}\": level \"{}\" {}", text_, text, why));
    };
    if (text == "#") {
        if (!last) return wrong("takes all that is left, so it must be the last one");
        return Level{Kind::rest, {}};
    }
    if (text == "+" || text == "{}") return Level{Kind::any, {}};
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
        const auto name = text.substr(1, text.size() - 2);
        if (!is_name(name))
            return wrong("is no column name: letters a-z, digits and _, at most 63");
        if (std::find(captures_.begin(), captures_.end(), name) != captures_.end())
            return wrong("is there twice");
        captures_.emplace_back(name);
        return Level{Kind::capture, std::string(name)};
    }
    if (text.find_first_of("{}+#") != std::string_view::npos)
        return wrong("mixes text with a wildcard: {name}, {}, + and # stand for whole levels");
    if (text.empty()) return wrong("is empty");
    return Level{Kind::word, std::string(text)};
}

Result<TopicTemplate> TopicTemplate::parse(std::string_view text) {
    TopicTemplate made;
    made.text_ = std::string(text);
    if (text.empty()) return Error(Code::invalid_argument, "a topic is empty");
    if (text.size() > kTextBytesMax || text.find('\0') != std::string_view::npos)
        return Error(Code::invalid_argument,
                     fmt::format("a topic has at most {} bytes and no zero byte", kTextBytesMax));
    for (bool more = true; more;) {
        const auto one = take_level(text, more);
        TARN_TRY(level, made.parse_level(one, !more));
        made.levels_.push_back(std::move(level));
        if (made.levels_.size() > kLevelsMax)
            return Error(Code::invalid_argument,
                         fmt::format("a topic has at most {} levels", kLevelsMax));
    }
    return made;
}

std::string TopicTemplate::filter() const {
    std::string out;
    for (const auto& level : levels_) {
        if (!out.empty()) out += '/';
        out += level.kind == Kind::word ? level.word : level.kind == Kind::rest ? "#" : "+";
    }
    return out;
}

bool TopicTemplate::matches(std::string_view topic, std::vector<std::string_view>* captured) const {
    if (captured != nullptr) captured->clear();
    if (topic.starts_with('$') && levels_.front().kind != Kind::word) return false;
    bool more = true;
    for (const auto& level : levels_) {
        if (level.kind == Kind::rest) return true;
        if (!more) return false;
        const auto text = take_level(topic, more);
        if (level.kind == Kind::word && text != level.word) return false;
        if (level.kind == Kind::capture && captured != nullptr) captured->push_back(text);
    }
    return !more;
}

bool TopicTemplate::overlaps(const TopicTemplate& other) const {
    const auto& a = levels_;
    const auto& b = other.levels_;
    for (size_t i = 0;; ++i) {
        if (i < a.size() && a[i].kind == Kind::rest) return true;
        if (i < b.size() && b[i].kind == Kind::rest) return true;
        if (i == a.size() || i == b.size()) return a.size() == b.size();
        const bool words = a[i].kind == Kind::word && b[i].kind == Kind::word;
        if (words && a[i].word != b[i].word) return false;
        // No wildcard in the first level takes what begins with '$'.
        if (i == 0 && !words && (a[0].word.starts_with('$') || b[0].word.starts_with('$')))
            return false;
    }
}

}  // namespace tarn::ingest

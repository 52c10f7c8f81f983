#include "dashboards/internal/names.h"

#include <algorithm>

#include "base/ascii.h"

namespace tarn::dashboards {
namespace {

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Reads SQL as names, dots and everything else. A name in quotes keeps its case.
class Words {
 public:
    explicit Words(std::string_view sql) : sql_(sql) {}

    enum class Kind { end, name, dot, other };
    struct Word {
        Kind kind = Kind::end;
        std::string name;
    };

    Word next() {
        skip_blank();
        if (at_ >= sql_.size()) return {};
        const char c = sql_[at_];
        if (is_name_start(lower(c))) return {Kind::name, bare_name()};
        if (c == '"') return {Kind::name, until('"')};
        if (c == '\'') {
            until('\'');
            return {Kind::other, {}};
        }
        if (c == '$' && skip_dollar_quote()) return {Kind::other, {}};
        ++at_;
        return {c == '.' ? Kind::dot : Kind::other, {}};
    }

 private:
    void skip_blank() {
        while (at_ < sql_.size()) {
            if (is_space(sql_[at_])) {
                ++at_;
            } else if (sql_.substr(at_, 2) == "--") {
                at_ = std::min(sql_.find('\n', at_), sql_.size());
            } else if (sql_.substr(at_, 2) == "/*") {
                const size_t end = sql_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? sql_.size() : end + 2;
            } else {
                return;
            }
        }
    }
    std::string bare_name() {
        std::string name;
        while (at_ < sql_.size() && (is_name_start(lower(sql_[at_])) || is_digit(sql_[at_])))
            name.push_back(lower(sql_[at_++]));
        return name;
    }
    /// From an opening quote over the closing one; a doubled quote stands for itself.
    std::string until(char quote) {
        std::string text;
        for (++at_; at_ < sql_.size(); ++at_) {
            if (sql_[at_] == quote) {
                if (at_ + 1 >= sql_.size() || sql_[at_ + 1] != quote) {
                    ++at_;
                    break;
                }
                ++at_;
            }
            text.push_back(sql_[at_]);
        }
        return text;
    }
    bool skip_dollar_quote() {
        size_t end = at_ + 1;
        while (end < sql_.size() && (is_name_start(lower(sql_[end])) || is_digit(sql_[end]))) ++end;
        if (end >= sql_.size() || sql_[end] != '$') return false;
        const std::string_view tag = sql_.substr(at_, end + 1 - at_);
        const size_t closing = sql_.find(tag, end + 1);
        at_ = closing == std::string_view::npos ? sql_.size() : closing + tag.size();
        return true;
    }

    const std::string_view sql_;
    size_t at_ = 0;
};

}  // namespace

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > 63 || !is_name_start(text[0])) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_name_start(c) || is_digit(c); });
}

Result<Name> parse_name(std::string_view text) {
    const size_t dot = text.find('.');
    const std::string_view database = dot == std::string_view::npos ? "main" : text.substr(0, dot);
    const std::string_view relation = dot == std::string_view::npos ? text : text.substr(dot + 1);
    if (!is_name(database) || !is_name(relation))
        return Error(
            Code::invalid_argument,
            "'" + std::string(text.substr(0, 100)) +
                "' is no table's name (risk, or erp.sales); use sql: for more than one table");
    return Name(database, relation);
}

std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    return out + "\"";
}

std::string quoted_name(const Name& name) {
    return quoted_name(name.first) + "." + quoted_name(name.second);
}

std::set<Name> possible_tables(std::string_view sql) {
    std::set<Name> found;
    Words words(sql);
    std::string before;  // the name in front of a dot
    bool after_dot = false;
    for (auto word = words.next(); word.kind != Words::Kind::end; word = words.next()) {
        if (word.kind == Words::Kind::name) {
            found.emplace("main", word.name);
            if (after_dot && !before.empty()) found.emplace(before, word.name);
            before = word.name;
            after_dot = false;
        } else {
            after_dot = word.kind == Words::Kind::dot && !before.empty();
            if (!after_dot) before.clear();
        }
    }
    return found;
}

std::pair<std::string, std::string> split_label(std::string_view measure) {
    measure = trim(measure, " \t\r\n");
    // The last " as " that stands outside of brackets and quotes and has one name behind it.
    for (size_t at = measure.size(); at-- > 0;) {
        if (measure.size() < at + 4 || !is_space(measure[at]) || lower(measure[at + 1]) != 'a' ||
            lower(measure[at + 2]) != 's' || !is_space(measure[at + 3]))
            continue;
        std::string_view label = trim(measure.substr(at + 4), " \t\r\n");
        if (label.size() >= 2 && label.front() == '"' && label.back() == '"')
            label = label.substr(1, label.size() - 2);
        else if (!is_name(label))
            continue;
        if (label.empty() || label.find_first_of("\"'()") != std::string_view::npos) continue;
        return {std::string(trim(measure.substr(0, at), " \t\r\n")), std::string(label)};
    }
    return {std::string(measure), ""};
}

std::string column_of(std::string_view expression) {
    Words words(expression);
    std::vector<std::string> names;
    bool in_brackets = false;
    for (auto word = words.next(); word.kind != Words::Kind::end; word = words.next()) {
        if (word.kind == Words::Kind::name) names.push_back(word.name);
        in_brackets = in_brackets || (word.kind == Words::Kind::other && !names.empty());
    }
    if (names.size() == 1 && !in_brackets) return names[0];
    // f(column), perhaps with a cast behind it
    return in_brackets && names.size() >= 2 && names.size() <= 3 ? names[1] : "";
}

}  // namespace tarn::dashboards

#include "flows/column_lineage.h"

#include <algorithm>
#include <optional>
#include <set>

namespace tarn::flows {
namespace {

struct Word {
    std::string text;     // lower case, without its quotes
    bool name = false;    // a name or a keyword
    bool quoted = false;  // a name in double quotes: no keyword
    int depth = 0;        // of parentheses and brackets around it
};
using Words = std::vector<Word>;

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool in_name(char c) {
    return starts_name(c) || (c >= '0' && c <= '9') || c == '$';
}

/// Skips a comment at `at`; true when there was one.
bool skip_comment(std::string_view sql, size_t& at) {
    if (sql.substr(at, 2) == "--") {
        at = std::min(sql.find('\n', at), sql.size());
        return true;
    }
    if (sql.substr(at, 2) != "/*") return false;
    const size_t end = sql.find("*/", at + 2);
    at = end == std::string_view::npos ? sql.size() : end + 2;
    return true;
}

/// The text between quotes that begin at `at`; a doubled quote stands for one.
std::string take_quoted(std::string_view sql, size_t& at) {
    const char quote = sql[at++];
    std::string out;
    while (at < sql.size()) {
        if (sql[at] == quote) {
            if (at + 1 >= sql.size() || sql[at + 1] != quote) break;
            ++at;
        }
        out.push_back(sql[at++]);
    }
    if (at < sql.size()) ++at;
    return out;
}

Words words_of(std::string_view sql) {
    Words words;
    int depth = 0;
    for (size_t at = 0; at < sql.size();) {
        const char c = sql[at];
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            ++at;
        } else if (skip_comment(sql, at)) {
        } else if (c == '\'') {
            take_quoted(sql, at);
            words.push_back({"''", false, false, depth});
        } else if (c == '"') {
            words.push_back({take_quoted(sql, at), true, true, depth});
        } else if (starts_name(c)) {
            Word word{{}, true, false, depth};
            for (; at < sql.size() && in_name(sql[at]); ++at)
                word.text.push_back(
                    sql[at] >= 'A' && sql[at] <= 'Z' ? static_cast<char>(sql[at] + 32) : sql[at]);
            words.push_back(std::move(word));
        } else {
            if (c == ')' || c == ']') --depth;
            words.push_back({std::string(1, c), false, false, depth});
            if (c == '(' || c == '[') ++depth;
            ++at;
        }
    }
    return words;
}

bool is(const Word& word, std::string_view text) {
    return !word.quoted && word.text == text;
}

bool is_any(const Word& word, std::initializer_list<std::string_view> texts) {
    return std::any_of(texts.begin(), texts.end(), [&](auto text) { return is(word, text); });
}

/// Where the tables stand, under the names that the SELECT has for them.
class Scope {
 public:
    Scope(const InputColumns& inputs, const std::string& database)
        : inputs_(inputs), database_(database) {}

    /// The FROM clause's words; false: something else than tables stands there.
    bool read(const Words& words, size_t from, size_t end) {
        bool table_next = true;
        for (size_t at = from; at < end; ++at) {
            const Word& word = words[at];
            if (word.depth == 0 && (is(word, ",") || is(word, "join"))) {
                table_next = true;
            } else if (is_any(word, {"select", "lateral", "unnest", "values"})) {
                return false;
            } else if (table_next && word.name &&
                       !is_any(word, {"left", "right", "full", "inner", "outer", "cross", "asof",
                                      "natural"})) {
                if (!take_table(words, at, end)) return false;
                table_next = false;
            } else if (table_next && is(word, "(")) {
                return false;
            }
        }
        return !named_.empty();
    }

    std::optional<ColumnOrigin::Part> of(const std::string& table,
                                         const std::string& column) const {
        const auto found = named_.find(table);
        if (found == named_.end() || !has(found->second, column)) return std::nullopt;
        return ColumnOrigin::Part{found->second, column};
    }
    /// Without a table's name: in exactly one of them.
    std::optional<ColumnOrigin::Part> of(const std::string& column) const {
        std::optional<ColumnOrigin::Part> out;
        for (const auto& [name, table] : named_) {
            if (!has(table, column)) continue;
            if (out && out->table != table) return std::nullopt;
            out = ColumnOrigin::Part{table, column};
        }
        return out;
    }

 private:
    bool has(const TableRef& table, const std::string& column) const {
        const auto found = inputs_.find(table);
        return found != inputs_.end() &&
               std::find(found->second.begin(), found->second.end(), column) != found->second.end();
    }

    /// "erp.sales s", "weather as w", "levels"; `at` stays on its last word.
    bool take_table(const Words& words, size_t& at, size_t end) {
        TableRef table{database_, words[at].text};
        if (at + 2 < end && is(words[at + 1], ".") && words[at + 2].name) {
            table = {words[at].text, words[at + 2].text};
            at += 2;
        }
        if (at + 1 < end && is(words[at + 1], "(")) return false;  // a function that gives rows
        std::string name = table.table;
        if (at + 2 < end && is(words[at + 1], "as") && words[at + 2].name) {
            name = words[at + 2].text;
            at += 2;
        } else if (at + 1 < end && words[at + 1].name && words[at + 1].depth == 0 &&
                   !is_any(words[at + 1], {"join", "left", "right", "full", "inner", "cross", "on",
                                           "using", "asof", "natural", "at", "tablesample", "outer",
                                           "positional", "semi", "anti"})) {
            name = words[++at].text;
        }
        named_[name] = table;
        return true;
    }

    const InputColumns& inputs_;
    const std::string& database_;
    std::map<std::string, TableRef> named_;
};

/// One item of the list between `from` and `end`; nullopt: it takes all columns, or has no name.
std::optional<ColumnOrigin> read_item(const Words& words, size_t from, size_t end,
                                      const Scope& scope) {
    if (from >= end) return std::nullopt;
    if (is(words[end - 1], "*") || is(words[from], "*")) return std::nullopt;
    ColumnOrigin out;
    size_t last = end;
    const bool named = end - from >= 2 && words[end - 1].name && words[end - 1].depth == 0 &&
                       is(words[end - 2], "as");
    // "s.store_id": the column's own name; "max(x) total": a name without AS; "a::int" keeps a's
    // name.
    if (named) {
        out.column = words[end - 1].text;
        last = end - 2;
    } else if (words[end - 1].name && (end - from == 1 || is(words[end - 2], "."))) {
        out.column = words[end - 1].text;
    } else if (words[end - 1].name && words[end - 1].depth == 0 && is(words[end - 2], ")")) {
        out.column = words[end - 1].text;
        last = end - 1;
    } else {
        return std::nullopt;
    }
    std::set<ColumnOrigin::Part> parts;
    for (size_t at = from; at < last; ++at) {
        if (!words[at].name) continue;
        if (at >= 2 && at > from && is(words[at - 1], ":") && is(words[at - 2], ":"))
            continue;  // a cast's type
        std::optional<ColumnOrigin::Part> part;
        if (at + 2 < last && is(words[at + 1], ".") && words[at + 2].name) {
            part = scope.of(words[at].text, words[at + 2].text);
            at += 2;
        } else if (at + 1 >= last || !is(words[at + 1], "(")) {
            part = scope.of(words[at].text);
        }
        if (part) parts.insert(*part);
    }
    out.parts.assign(parts.begin(), parts.end());
    return out;
}

/// The place of the first of the keywords outside of parentheses, or `words.size()`.
size_t find_keyword(const Words& words, size_t from,
                    std::initializer_list<std::string_view> keywords) {
    for (size_t at = from; at < words.size(); ++at)
        if (words[at].depth == 0 && is_any(words[at], keywords)) return at;
    return words.size();
}

}  // namespace

std::vector<ColumnOrigin> column_lineage(std::string_view sql, const InputColumns& inputs,
                                         const std::string& database) {
    const Words words = words_of(sql);
    if (words.empty() || !is(words[0], "select")) return {};
    if (find_keyword(words, 0, {"union", "intersect", "except", "with"}) != words.size()) return {};
    size_t first = 1;
    if (first < words.size() && is(words[first], "distinct")) ++first;
    if (first < words.size() && is(words[first], "on")) return {};
    const size_t from = find_keyword(words, first, {"from"});
    if (from == words.size()) return {};
    const size_t end = find_keyword(
        words, from, {"where", "group", "order", "having", "limit", "qualify", "window", ";"});
    Scope scope(inputs, database);
    if (!scope.read(words, from + 1, end)) return {};
    std::vector<ColumnOrigin> out;
    size_t begin = first;
    for (size_t at = first; at <= from; ++at) {
        if (at < from && !(words[at].depth == 0 && is(words[at], ","))) continue;
        auto item = read_item(words, begin, at, scope);
        if (!item) return {};
        out.push_back(std::move(*item));
        begin = at + 1;
    }
    return out;
}

}  // namespace tarn::flows

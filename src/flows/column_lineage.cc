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

struct Column {
    std::string name;
    std::set<ColumnOrigin::Part> parts;
};
using Columns = std::vector<Column>;

// A text that takes `*` of itself twice in each of many WITHs would double with each.
constexpr size_t kColumnsMax = 2'000;
constexpr int kNestingMax = 16;

/// A part of the words, and how many parentheses stand around it.
struct Range {
    size_t begin, end;
    int depth;
};

/// Reads one statement. nullopt anywhere: the text does not say it plainly.
class Reader {
 public:
    Reader(const Words& words, const InputColumns& inputs, const std::string& database)
        : words_(words), inputs_(inputs), database_(database) {}

    /// [WITH ...] SELECT ... [UNION ...]; `known` are the WITHs around it.
    std::optional<Columns> query(Range range, std::map<std::string, Columns> known, int nesting) const {
        if (nesting > kNestingMax) return std::nullopt;
        while (range.begin < range.end && is(words_[range.begin], "(") && closing(range.begin, range.end) == range.end - 1)
            range = {range.begin + 1, range.end - 1, range.depth + 1};
        if (range.begin < range.end && is(words_[range.begin], "with") && !with(range, known, nesting))
            return std::nullopt;
        std::optional<Columns> out;
        bool adds = true;
        for (size_t begin = range.begin; begin <= range.end;) {
            const size_t end = find({begin, range.end, range.depth}, {"union", "intersect", "except"});
            auto part = select({begin, end, range.depth}, known, nesting);
            if (!part || (out && part->size() != out->size())) return std::nullopt;
            if (!out)
                out = std::move(part);
            else if (adds)
                for (size_t i = 0; i < out->size(); ++i)
                    (*out)[i].parts.insert((*part)[i].parts.begin(), (*part)[i].parts.end());
            if (end == range.end) break;
            adds = is(words_[end], "union");  // the others take rows of the first away
            begin = end + 1;
            if (begin < range.end && is_any(words_[begin], {"all", "distinct"})) ++begin;
            if (begin < range.end && is(words_[begin], "by")) return std::nullopt;  // UNION BY NAME
        }
        return out;
    }

 private:
    struct Relation {
        std::string name;
        Columns columns;
    };
    struct Scope {
        std::vector<Relation> relations;
        bool merges = false;  // USING or NATURAL: `*` has some columns once
    };

    /// The place of the first of the keywords at this depth, or the end.
    size_t find(Range range, std::initializer_list<std::string_view> keywords) const {
        for (size_t at = range.begin; at < range.end; ++at)
            if (words_[at].depth == range.depth && is_any(words_[at], keywords)) return at;
        return range.end;
    }
    /// The place of the bracket that closes the one at `at`, or `end`.
    size_t closing(size_t at, size_t end) const {
        for (size_t i = at + 1; i < end; ++i)
            if (words_[i].depth == words_[at].depth && is(words_[i], ")")) return i;
        return end;
    }

    /// Reads the WITHs into `known`; `range` begins behind them.
    bool with(Range& range, std::map<std::string, Columns>& known, int nesting) const {
        size_t at = range.begin + 1;
        for (;;) {
            if (at + 2 >= range.end || !words_[at].name || !is(words_[at + 1], "as")) return false;
            const std::string name = words_[at].text;
            at += 2;
            if (is(words_[at], "not")) ++at;
            if (at < range.end && is(words_[at], "materialized")) ++at;
            if (at >= range.end || !is(words_[at], "(")) return false;
            const size_t close = closing(at, range.end);
            if (close == range.end) return false;
            auto columns = query({at + 1, close, range.depth + 1}, known, nesting + 1);
            if (!columns) return false;
            known[name] = std::move(*columns);
            at = close + 1;
            if (at >= range.end || !is(words_[at], ",")) break;
            ++at;
        }
        range.begin = at;
        return true;
    }

    std::optional<Columns> select(Range range, const std::map<std::string, Columns>& known, int nesting) const {
        if (range.begin >= range.end) return std::nullopt;
        if (is(words_[range.begin], "(")) return query(range, known, nesting + 1);
        if (!is(words_[range.begin], "select")) return std::nullopt;
        size_t first = range.begin + 1;
        if (first < range.end && is(words_[first], "distinct")) ++first;
        if (first < range.end && is(words_[first], "on")) return std::nullopt;
        const size_t from = find({first, range.end, range.depth}, {"from"});
        if (from == range.end) return std::nullopt;
        const size_t end = find({from, range.end, range.depth},
                                {"where", "group", "order", "having", "limit", "qualify", "window", "offset", ";"});
        Scope scope;
        if (!tables({from + 1, end, range.depth}, known, nesting, scope)) return std::nullopt;
        Columns out;
        for (size_t begin = first; begin <= from;) {
            const size_t comma = find({begin, from, range.depth}, {","});
            if (!item({begin, comma, range.depth}, scope, out) || out.size() > kColumnsMax) return std::nullopt;
            if (comma == from) break;
            begin = comma + 1;
        }
        return out;
    }

    /// The FROM clause's words; false: something else than tables and queries stands there.
    bool tables(Range range, const std::map<std::string, Columns>& known, int nesting, Scope& scope) const {
        bool next = true;
        for (size_t at = range.begin; at < range.end; ++at) {
            const Word& word = words_[at];
            if (word.depth != range.depth) continue;  // of a condition
            if (is(word, ",") || is(word, "join")) {
                next = true;
            } else if (is_any(word, {"select", "lateral", "unnest", "values"})) {
                return false;
            } else if (is_any(word, {"using", "natural", "positional"})) {
                scope.merges = true;
            } else if (is_any(word, {"semi", "anti"})) {
                return false;  // what stands to the right gives no columns
            } else if (next && (is(word, "(") || (word.name && !is_any(word, {"left", "right", "full", "inner", "outer", "cross", "asof"})))) {
                if (!relation(range, at, known, nesting, scope)) return false;
                next = false;
            }
        }
        return !scope.relations.empty();
    }

    /// "erp.sales s", "weather as w", "levels", "(select ...) x"; `at` stays on its last word.
    bool relation(Range range, size_t& at, const std::map<std::string, Columns>& known, int nesting, Scope& scope) const {
        Relation out;
        if (is(words_[at], "(")) {
            const size_t close = closing(at, range.end);
            if (close == range.end) return false;
            auto columns = query({at + 1, close, range.depth + 1}, known, nesting + 1);
            if (!columns) return false;
            out.columns = std::move(*columns);
            at = close;
        } else {
            TableRef table{database_, words_[at].text};
            bool qualified = false;
            if (at + 2 < range.end && is(words_[at + 1], ".") && words_[at + 2].name) {
                table = {words_[at].text, words_[at + 2].text};
                qualified = true;
                at += 2;
            }
            if (at + 1 < range.end && is(words_[at + 1], "(")) return false;  // a function that gives rows
            out.name = table.table;
            const auto made = known.find(table.table);
            const auto input = inputs_.find(table);
            if (!qualified && made != known.end())
                out.columns = made->second;
            else if (input != inputs_.end())
                for (const auto& column : input->second) out.columns.push_back({column, {{table, column}}});
        }
        if (at + 2 < range.end && is(words_[at + 1], "as") && words_[at + 2].name) {
            out.name = words_[at + 2].text;
            at += 2;
        } else if (at + 1 < range.end && words_[at + 1].name && words_[at + 1].depth == range.depth &&
                   !is_any(words_[at + 1], {"join", "left", "right", "full", "inner", "cross", "on", "using", "asof",
                                            "natural", "at", "tablesample", "outer", "positional", "semi", "anti"})) {
            out.name = words_[++at].text;
        }
        if (at + 1 < range.end && is(words_[at + 1], "(") && words_[at + 1].depth == range.depth) return false;  // other names
        scope.relations.push_back(std::move(out));
        return true;
    }

    static const Column* column_of(const Columns& columns, const std::string& name) {
        const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& one) { return one.name == name; });
        return found == columns.end() ? nullptr : &*found;
    }

    /// Without a table's name: in exactly one of them, or an item before it.
    static const Column* named(const std::string& name, const Scope& scope, const Columns& before) {
        const Column* out = nullptr;
        for (const auto& one : scope.relations) {
            const Column* found = column_of(one.columns, name);
            if (found != nullptr && out != nullptr && found->parts != out->parts) return nullptr;
            if (found != nullptr) out = found;
        }
        return out != nullptr ? out : column_of(before, name);
    }

    static const Relation* relation_of(const std::string& name, const Scope& scope) {
        for (const auto& one : scope.relations)
            if (one.name == name) return &one;
        return nullptr;
    }

    /// "*" and "s.*"; true: it was one, and its columns are in `out`.
    bool star(Range range, const Scope& scope, Columns& out, bool& plain) const {
        const bool all = range.end - range.begin == 1 && is(words_[range.begin], "*");
        const bool of_one = range.end - range.begin == 3 && is(words_[range.begin + 1], ".") && is(words_[range.begin + 2], "*");
        if (!all && !of_one) return false;
        const Relation* wanted = of_one ? relation_of(words_[range.begin].text, scope) : nullptr;
        plain = all ? !scope.merges : wanted != nullptr;
        for (const auto& one : scope.relations) {
            if (of_one && &one != wanted) continue;
            plain = plain && !one.columns.empty();  // of a table that nobody knows
            out.insert(out.end(), one.columns.begin(), one.columns.end());
            if (out.size() > kColumnsMax) plain = false;
            if (!plain) break;
        }
        return true;
    }

    /// One item of the list into `out`; false: it has no name, or is no plain expression.
    bool item(Range range, const Scope& scope, Columns& out) const {
        if (range.begin >= range.end) return false;
        if (bool plain = false; star(range, scope, out, plain)) return plain;
        const Word& tail = words_[range.end - 1];
        if (is(tail, "*") || is(words_[range.begin], "*")) return false;
        Column made;
        size_t last = range.end;
        const size_t size = range.end - range.begin;
        // "s.store_id": the column's own name; "max(x) total": a name without AS; "a::int" keeps a's name.
        if (size >= 2 && tail.name && tail.depth == range.depth && is(words_[range.end - 2], "as"))
            last = range.end - 2;
        else if (size >= 2 && tail.name && tail.depth == range.depth && is(words_[range.end - 2], ")"))
            last = range.end - 1;
        else if (!tail.name || (size > 1 && !is(words_[range.end - 2], ".")))
            return false;
        made.name = tail.text;
        for (size_t at = range.begin; at < last; ++at) {
            if (!words_[at].name) continue;
            if (is(words_[at], "select")) return false;
            if (at >= 2 && at > range.begin && is(words_[at - 1], ":") && is(words_[at - 2], ":")) continue;  // a cast's type
            const Column* found = nullptr;
            if (at + 2 < last && is(words_[at + 1], ".") && words_[at + 2].name) {
                const Relation* of = relation_of(words_[at].text, scope);
                if (of != nullptr) found = column_of(of->columns, words_[at + 2].text);
                at += 2;
            } else if (at + 1 >= last || !is(words_[at + 1], "(")) {
                found = named(words_[at].text, scope, out);
            }
            if (found != nullptr) made.parts.insert(found->parts.begin(), found->parts.end());
        }
        out.push_back(std::move(made));
        return true;
    }

    const Words& words_;
    const InputColumns& inputs_;
    const std::string& database_;
};

}  // namespace

std::vector<ColumnOrigin> column_lineage(std::string_view sql, const InputColumns& inputs,
                                         const std::string& database) {
    const Words words = words_of(sql);
    size_t end = words.size();
    while (end > 0 && is(words[end - 1], ";")) --end;
    const auto columns = Reader(words, inputs, database).query({0, end, 0}, {}, 0);
    std::vector<ColumnOrigin> out;
    if (!columns) return out;
    for (const auto& column : *columns)
        out.push_back({column.name, std::vector<ColumnOrigin::Part>(column.parts.begin(), column.parts.end())});
    return out;
}

}  // namespace tarn::flows

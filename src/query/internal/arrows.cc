#include "query/internal/arrows.h"

#include <algorithm>
#include <array>
#include <set>

namespace tarn::query {

namespace {

constexpr size_t kNowhere = static_cast<size_t>(-1);

/// Words that a parenthesis follows without being called by it, or that are no name.
bool is_keyword(const Token& token) {
    static constexpr std::array kWords = {
        "all",      "and",    "any",   "as",     "between",   "by",        "case",   "cross",
        "distinct", "else",   "end",   "escape", "except",    "exists",    "filter", "from",
        "full",     "having", "ilike", "in",     "inner",     "intersect", "is",     "join",
        "lateral",  "left",   "like",  "limit",  "natural",   "not",       "null",   "offset",
        "on",       "or",     "outer", "over",   "returning", "right",     "select", "set",
        "similar",  "some",   "then",  "to",     "union",     "using",     "values", "when",
        "where",    "with"};
    return token.kind == Token::Kind::word &&
           std::any_of(kWords.begin(), kWords.end(),
                       [&](const char* word) { return token.is(word); });
}

bool is_name(const Token& token) {
    return token.kind == Token::Kind::quoted_word ||
           (token.kind == Token::Kind::word && !is_keyword(token));
}

bool is_literal(const Token& token) {
    return token.kind == Token::Kind::text || token.kind == Token::Kind::number ||
           token.kind == Token::Kind::parameter;
}

bool is_arrow(const Token& token) {
    return token.kind == Token::Kind::symbol &&
           (token.raw == "->" || token.raw == "->>" || token.raw == "#>" || token.raw == "#>>");
}

class Arrows {
 public:
    explicit Arrows(const std::vector<Token>& tokens) : tokens_(tokens) {
        std::vector<size_t> opened;
        enclosing_.resize(tokens.size(), kNowhere);
        partner_.resize(tokens.size(), kNowhere);
        for (size_t i = 0; i < tokens.size(); ++i) {
            const bool opens = tokens[i].is_symbol('(') || tokens[i].is_symbol('[');
            const bool closes = tokens[i].is_symbol(')') || tokens[i].is_symbol(']');
            if (closes && !opened.empty()) {
                partner_[i] = opened.back();
                partner_[opened.back()] = i;
                opened.pop_back();
            }
            if (!opened.empty()) enclosing_[i] = opened.back();
            if (opens) opened.push_back(i);
        }
    }

    std::vector<std::pair<size_t, size_t>> find() const {
        std::vector<std::pair<size_t, size_t>> found;
        std::set<size_t> seen;
        for (size_t i = 1; i < tokens_.size(); ++i) {
            if (!is_arrow(tokens_[i]) || seen.contains(i) || is_lambda(i)) continue;
            const size_t first = operand_before(i);
            if (first == kNowhere) continue;
            size_t last = kNowhere;
            for (size_t arrow = i; is_arrow(at(arrow)); arrow = last + 1) {
                const size_t end = operand_behind(arrow);
                if (end == kNowhere) break;
                seen.insert(arrow);
                last = end;
            }
            if (last != kNowhere) found.emplace_back(first, last);
        }
        return found;
    }

 private:
    const Token& at(size_t i) const {
        static const Token kNone;
        return i < tokens_.size() ? tokens_[i] : kNone;
    }
    bool casts(size_t i) const { return at(i).kind == Token::Kind::symbol && at(i).raw == "::"; }

    /// A lone name, or some in parentheses, as an argument of a function of lists.
    bool is_lambda(size_t arrow) const {
        size_t first = arrow - 1;
        if (at(first).is_symbol(')')) first = partner_[first];
        if (first == kNowhere || first == 0) return false;
        const size_t call = enclosing_[first];
        if (call == kNowhere || call == 0 ||
            (!at(first - 1).is_symbol(',') && !at(first - 1).is_symbol('(')))
            return false;
        const std::string function = at(call - 1).name();
        return function.starts_with("list_") || function.starts_with("array_") ||
               function == "apply" || function == "filter" || function == "reduce";
    }

    /// The first token of what ends before `i`.
    size_t operand_before(size_t i) const {
        for (size_t end = i - 1;;) {
            size_t first = end;
            if (at(end).is_symbol(']') || at(end).is_symbol(')')) {
                first = partner_[end];
                if (first == kNowhere) return kNowhere;
                if (first > 0 && at(end).is_symbol(']') && ends_operand(first - 1)) {
                    end = first - 1;  // x[1]
                    continue;
                }
                if (first > 0 && at(end).is_symbol(')') && is_name(at(first - 1))) --first;  // f(x)
            } else if (!is_name(at(end)) && !is_literal(at(end))) {
                return kNowhere;
            }
            while (first > 1 && at(first - 1).is_symbol('.') && is_name(at(first - 2))) first -= 2;
            if (first < 2 || !casts(first - 1)) return first;
            end = first - 2;  // what is cast
        }
    }
    bool ends_operand(size_t i) const {
        return at(i).is_symbol(']') || at(i).is_symbol(')') || is_name(at(i)) || is_literal(at(i));
    }

    /// The last token of what begins behind `i`.
    size_t operand_behind(size_t i) const {
        size_t at_token = i + 1;
        if (at(at_token).is_symbol('-') && at(at_token + 1).kind == Token::Kind::number) ++at_token;
        size_t last = at_token;
        if (at(at_token).is_symbol('(')) {
            last = partner_[at_token];
            if (last == kNowhere) return kNowhere;
        } else if (is_name(at(at_token))) {
            last = name_end(at_token);
        } else if (!is_literal(at(at_token))) {
            return kNowhere;
        }
        while (casts(last + 1) && is_name(at(last + 2))) last = name_end(last + 2);
        return last;
    }
    /// a.b, f(x), a[1]
    size_t name_end(size_t i) const {
        while (at(i + 1).is_symbol('.') && is_name(at(i + 2))) i += 2;
        while ((at(i + 1).is_symbol('(') || at(i + 1).is_symbol('[')) &&
               partner_[i + 1] != kNowhere)
            i = partner_[i + 1];
        return i;
    }

    const std::vector<Token>& tokens_;
    std::vector<size_t> enclosing_;  // the parenthesis around a token
    std::vector<size_t> partner_;    // of a parenthesis
};

}  // namespace

std::vector<std::pair<size_t, size_t>> arrow_chains(const std::vector<Token>& tokens) {
    if (std::none_of(tokens.begin(), tokens.end(), is_arrow)) return {};
    return Arrows(tokens).find();
}

}  // namespace tarn::query

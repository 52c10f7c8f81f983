// Reading the tokens of a statement that the session answers itself, front to back.
#pragma once

#include <fmt/format.h>

#include "query/internal/sql_text.h"

namespace tarn::query {

inline Error syntax_error(std::string_view near) {
    return {Code::invalid_argument, fmt::format("syntax error at or near \"{}\"", near), "42601"};
}

class Words {
 public:
    Words(std::string_view sql, const std::vector<Token>& tokens) : sql_(sql), tokens_(tokens) {}

    bool end() const { return at_ >= tokens_.size(); }
    const Token& peek(size_t ahead = 0) const {
        static const Token kNone;
        return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : kNone;
    }
    const Token& next() {
        const Token& token = peek();
        if (!end()) ++at_;
        return token;
    }
    bool take(std::string_view word) {
        if (!peek().is(word)) return false;
        ++at_;
        return true;
    }
    bool take_symbol(char c) {
        if (!peek().is_symbol(c)) return false;
        ++at_;
        return true;
    }
    Error unexpected() const { return syntax_error(end() ? "end of input" : peek().raw); }
    std::string_view rest() const {
        return end() ? std::string_view() : sql_.substr(peek().offset);
    }
    /// The text within the parentheses that begin here; leaves what follows.
    Result<std::string> take_parenthesised() {
        const size_t begin = peek().offset + 1;
        int depth = 0;
        while (!end()) {
            const Token& token = next();
            if (token.is_symbol('(')) ++depth;
            if (token.is_symbol(')') && --depth == 0)
                return std::string(sql_.substr(begin, token.offset - begin));
        }
        return unexpected();
    }

 private:
    std::string_view sql_;
    const std::vector<Token>& tokens_;
    size_t at_ = 0;
};

inline std::string value_text(const Token& token) {
    if (token.kind == Token::Kind::text) return token.literal();
    return token.kind == Token::Kind::quoted_word ? token.name() : std::string(token.raw);
}

}  // namespace tarn::query

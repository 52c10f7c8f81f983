#include "query/internal/sql_text.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "query/engine.h"

namespace tarn::query {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_word(char c) {
    return is_word_start(c) || is_digit(c) || c == '$';
}
bool is_operator(char c) {
    return std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}

class Lexer {
 public:
    explicit Lexer(std::string_view sql) : sql_(sql) {}

    std::vector<Token> run() {
        std::vector<Token> tokens;
        while (skip_blank()) {
            const size_t begin = at_;
            const Token::Kind kind = take();
            tokens.push_back({kind, begin, sql_.substr(begin, at_ - begin)});
        }
        return tokens;
    }

 private:
    char peek(size_t ahead = 0) const {
        return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
    }

    /// False at the end.
    bool skip_blank() {
        while (at_ < sql_.size()) {
            if (isspace(static_cast<unsigned char>(peek()))) {
                ++at_;
            } else if (peek() == '-' && peek(1) == '-') {
                while (at_ < sql_.size() && peek() != '\n') ++at_;
            } else if (peek() == '/' && peek(1) == '*') {
                skip_comment();
            } else {
                return true;
            }
        }
        return false;
    }

    void skip_comment() {
        int depth = 0;
        do {
            if (peek() == '/' && peek(1) == '*') {
                ++depth;
                at_ += 2;
            } else if (peek() == '*' && peek(1) == '/') {
                --depth;
                at_ += 2;
            } else {
                ++at_;
            }
        } while (depth > 0 && at_ < sql_.size());
        at_ = std::min(at_, sql_.size());
    }

    void take_quoted(char quote, bool backslashes) {
        ++at_;
        while (at_ < sql_.size()) {
            if (backslashes && peek() == '\\') {
                at_ += 2;
            } else if (peek() == quote) {
                ++at_;
                if (peek() != quote) return;
                ++at_;
            } else {
                ++at_;
            }
        }
        at_ = std::min(at_, sql_.size());
    }

    bool take_dollar_quoted() {
        size_t end = at_ + 1;
        while (end < sql_.size() &&
               (is_word_start(sql_[end]) || (end > at_ + 1 && is_digit(sql_[end]))))
            ++end;
        if (end >= sql_.size() || sql_[end] != '$') return false;
        const std::string_view tag = sql_.substr(at_, end + 1 - at_);
        const size_t close = sql_.find(tag, end + 1);
        at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
        return true;
    }

    Token::Kind take() {
        const char c = peek();
        if (c == '\'') {
            take_quoted('\'', false);
            return Token::Kind::text;
        }
        if ((c == 'e' || c == 'E') && peek(1) == '\'') {
            ++at_;
            take_quoted('\'', true);
            return Token::Kind::text;
        }
        if (c == '"') {
            take_quoted('"', false);
            return Token::Kind::quoted_word;
        }
        if (c == '$') {
            if (is_digit(peek(1))) {
                ++at_;
                while (is_digit(peek())) ++at_;
                return Token::Kind::parameter;
            }
            if (take_dollar_quoted()) return Token::Kind::text;
            ++at_;
            return Token::Kind::symbol;
        }
        if (is_word_start(c)) {
            while (at_ < sql_.size() && is_word(peek())) ++at_;
            return Token::Kind::word;
        }
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            take_number();
            return Token::Kind::number;
        }
        if (c == ':' && peek(1) == ':') {
            at_ += 2;
            return Token::Kind::symbol;
        }
        if (is_operator(c)) {
            while (at_ < sql_.size() && is_operator(peek()) && !(peek() == '-' && peek(1) == '-') &&
                   !(peek() == '/' && peek(1) == '*'))
                ++at_;
            return Token::Kind::symbol;
        }
        ++at_;
        return Token::Kind::symbol;
    }

    void take_number() {
        while (is_digit(peek()) || peek() == '.' || peek() == '_') ++at_;
        if ((peek() == 'e' || peek() == 'E') &&
            (is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2))))) {
            at_ += 2;
            while (is_digit(peek())) ++at_;
        }
    }

    std::string_view sql_;
    size_t at_ = 0;
};

std::string unquoted(std::string_view raw, char quote) {
    std::string out;
    for (size_t i = 1; i < raw.size(); ++i) {
        if (raw[i] == quote && (i + 1 >= raw.size() || raw[i + 1] != quote)) break;
        if (raw[i] == quote) ++i;
        out += raw[i];
    }
    return out;
}

}  // namespace

std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) out.append(c == '"' ? 2 : 1, c);
    return out += '"';
}

bool Token::is(std::string_view keyword) const {
    return kind == Kind::word && same_word(raw, keyword);
}

std::string Token::name() const {
    if (kind == Kind::quoted_word) return unquoted(raw, '"');
    std::string out(raw);
    for (char& c : out) c = lower(c);
    return out;
}

std::string Token::literal() const {
    if (raw.starts_with('$')) {
        const size_t tag = raw.find('$', 1) + 1;
        return std::string(raw.substr(tag, raw.size() - 2 * tag));
    }
    if (raw.starts_with('\'')) return unquoted(raw, '\'');
    std::string out;
    for (size_t i = 2; i + 1 < raw.size(); ++i) {
        if (raw[i] == '\'' || raw[i] == '\\') ++i;
        switch (raw[i - 1] == '\\' ? raw[i] : '\0') {
            case 'n':
                out += '\n';
                break;
            case 't':
                out += '\t';
                break;
            case 'r':
                out += '\r';
                break;
            case 'b':
                out += '\b';
                break;
            case 'f':
                out += '\f';
                break;
            default:
                out += raw[i];
        }
    }
    return out;
}

std::vector<Token> tokenize(std::string_view sql) {
    return Lexer(sql).run();
}

std::vector<StatementText> split_statements(std::string_view sql) {
    std::vector<StatementText> out;
    std::optional<size_t> begin;
    size_t end = 0;
    const auto flush = [&] {
        if (begin) out.push_back({sql.substr(*begin, end - *begin), *begin});
        begin.reset();
    };
    for (const auto& token : tokenize(sql)) {
        if (token.is_symbol(';')) {
            flush();
            continue;
        }
        if (!begin) begin = token.offset;
        end = token.offset + token.raw.size();
    }
    flush();
    return out;
}

void EditedSql::replace(size_t offset, size_t length, std::string_view with) {
    out_.append(original_.substr(copied_, offset - copied_));
    const size_t begin = out_.size();
    out_.append(with);
    edits_.push_back({offset, offset + length, begin, out_.size()});
    copied_ = offset + length;
}

std::string EditedSql::finish() {
    out_.append(original_.substr(copied_));
    copied_ = original_.size();
    return out_;
}

size_t EditedSql::original_offset(size_t edited) const {
    size_t original = 0;
    size_t at = 0;
    for (const auto& edit : edits_) {
        if (edited < edit.edited_begin) break;
        if (edited < edit.edited_end) return edit.original_begin;
        original = edit.original_end;
        at = edit.edited_end;
    }
    return std::min(original + (edited - at), original_.size());
}

std::optional<size_t> parameter_count(const std::vector<Token>& tokens) {
    size_t highest = 0;
    for (const auto& token : tokens) {
        if (token.kind != Token::Kind::parameter) continue;
        const size_t number =
            token.raw.size() > 6 ? 0 : std::strtoul(token.raw.data() + 1, nullptr, 10);
        if (number == 0 || number > 65'535) return std::nullopt;
        highest = std::max(highest, number);
    }
    return highest;
}

}  // namespace tarn::query

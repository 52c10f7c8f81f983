// Reading and writing jsonb.
#include <algorithm>
#include <charconv>
#include <optional>

#include "query/jsonb.h"

namespace tarn::query {

namespace {

using Kind = Jsonb::Kind;
using Field = Jsonb::Field;

Error no_json() {
    return {Code::invalid_argument, "invalid input syntax for type json", "22P02"};
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Reader {
 public:
    explicit Reader(std::string_view text) : text_(text) {}

    Result<Jsonb> read() {
        TARN_TRY(value, read_value(1));
        skip_space();
        if (at_ != text_.size()) return no_json();
        return value;
    }

 private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
    }
    bool take(char c) {
        skip_space();
        if (peek() != c || at_ == text_.size()) return false;
        ++at_;
        return true;
    }
    bool take_word(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    Result<Jsonb> read_value(int depth) {
        if (depth > kJsonbDepthMax)
            return Error{Code::invalid_argument, "stack depth limit exceeded: json is too deep",
                         "54001"};
        skip_space();
        Jsonb value;
        switch (peek()) {
            case '{':
                return read_object(depth);
            case '[':
                return read_array(depth);
            case '"': {
                value.kind = Kind::text;
                TARN_CHECK_OK(read_text(value.text));
                return value;
            }
            case 't':
            case 'f':
                value.kind = Kind::boolean;
                value.truth = peek() == 't';
                if (!take_word(value.truth ? "true" : "false")) return no_json();
                return value;
            case 'n':
                if (!take_word("null")) return no_json();
                return value;
            default:
                value.kind = Kind::number;
                TARN_CHECK_OK(read_number(value.text));
                return value;
        }
    }

    Result<Jsonb> read_object(int depth) {
        ++at_;
        Jsonb value;
        value.kind = Kind::object;
        if (take('}')) return value;
        do {
            skip_space();
            Field field;
            if (peek() != '"') return no_json();
            TARN_CHECK_OK(read_text(field.first));
            if (!take(':')) return no_json();
            TARN_TRY(inner, read_value(depth + 1));
            field.second = std::move(inner);
            value.fields.push_back(std::move(field));
        } while (take(','));
        if (!take('}')) return no_json();
        settle_fields(value.fields);
        return value;
    }

    Result<Jsonb> read_array(int depth) {
        ++at_;
        Jsonb value;
        value.kind = Kind::array;
        if (take(']')) return value;
        do {
            TARN_TRY(inner, read_value(depth + 1));
            value.elements.push_back(std::move(inner));
        } while (take(','));
        if (!take(']')) return no_json();
        return value;
    }

    std::optional<uint32_t> read_hex() {
        uint32_t unit = 0;
        const std::string_view digits = text_.substr(at_, 4);
        const auto [end, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        if (problem != std::errc() || digits.size() != 4 || end != digits.data() + 4)
            return std::nullopt;
        at_ += 4;
        return unit;
    }

    /// Behind \u. Half a pair of UTF-16 is nothing.
    Status read_unicode(std::string& out) {
        const auto first = read_hex();
        if (!first) return no_json();
        uint32_t code = *first;
        if (code == 0)
            return Error{Code::invalid_argument,
                         "unsupported Unicode escape sequence: \\u0000 cannot be converted to text",
                         "22P05"};
        if (code >= 0xdc00 && code < 0xe000) return no_json();
        if (code >= 0xd800 && code < 0xdc00) {
            if (!take_word("\\u")) return no_json();
            const auto second = read_hex();
            if (!second || *second < 0xdc00 || *second >= 0xe000) return no_json();
            code = 0x10000 + ((code - 0xd800) << 10) + (*second - 0xdc00);
        }
        const auto tail = [&](int shift) {
            out += static_cast<char>(0x80 | (code >> shift & 0x3f));
        };
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xc0 | code >> 6);
            tail(0);
        } else if (code < 0x10000) {
            out += static_cast<char>(0xe0 | code >> 12);
            tail(6);
            tail(0);
        } else {
            out += static_cast<char>(0xf0 | code >> 18);
            tail(12);
            tail(6);
            tail(0);
        }
        return {};
    }

    Status read_text(std::string& out) {
        ++at_;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return {};
            if (static_cast<unsigned char>(c) < 0x20) return no_json();
            if (c != '\\') {
                out += c;
                continue;
            }
            static constexpr std::string_view kEscapes = "\"\\/bfnrt";
            static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
            const char escape = peek();
            ++at_;
            if (escape == 'u') {
                TARN_CHECK_OK(read_unicode(out));
                continue;
            }
            const size_t which = kEscapes.find(escape);
            if (which == std::string_view::npos) return no_json();
            out += kMeant[which];
        }
        return no_json();
    }

    std::string_view read_digits() {
        const size_t first = at_;
        while (is_digit(peek())) ++at_;
        return text_.substr(first, at_ - first);
    }

    Status read_number(std::string& out) {
        const bool negative = peek() == '-';
        if (negative) ++at_;
        const std::string_view whole = read_digits();
        if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return no_json();
        std::string_view fraction;
        if (peek() == '.') {
            ++at_;
            fraction = read_digits();
            if (fraction.empty()) return no_json();
        }
        int64_t exponent = 0;
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            const bool down = peek() == '-';
            if (down || peek() == '+') ++at_;
            const std::string_view digits = read_digits();
            if (digits.empty()) return no_json();
            const auto read =
                std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
            if (read.ec != std::errc()) exponent = INT64_MAX / 2;
            if (down) exponent = -exponent;
        }
        return write_number(negative, std::string(whole) + std::string(fraction),
                            static_cast<int64_t>(whole.size()), exponent, out);
    }

    /// All digits, the point behind `whole` + `exponent` of them. As numeric writes it: digits
    /// behind the point stay, and nothing is below zero that is zero.
    Status write_number(bool negative, std::string digits, int64_t whole, int64_t exponent,
                        std::string& out) {
        constexpr int64_t kExponentMax = 100'000;
        if (exponent > kExponentMax || exponent < -kExponentMax / 10)
            return Error{Code::out_of_range, "value overflows numeric format", "22003"};
        written_ += static_cast<size_t>(std::abs(exponent));
        if (written_ > 16 * 1024 + 8 * text_.size())
            return Error{Code::out_of_range, "the numbers in this json have too many digits",
                         "54000"};
        int64_t point = whole + exponent;
        if (point < 1) {
            digits.insert(0, static_cast<size_t>(1 - point), '0');
            point = 1;
        }
        if (point > static_cast<int64_t>(digits.size()))
            digits.append(static_cast<size_t>(point) - digits.size(), '0');
        const auto at = static_cast<size_t>(point);
        const size_t first = std::min(digits.find_first_not_of('0'), at - 1);
        if (negative && digits.find_first_not_of('0') != std::string::npos) out += '-';
        out.append(digits, first, at - first);
        if (at < digits.size()) (out += '.').append(digits, at);
        return {};
    }

    std::string_view text_;
    size_t at_ = 0;
    size_t written_ = 0;  // digits that exponents stand for
};

void write_text(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        static constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
        static constexpr std::string_view kLetters = "\"\\bfnrt";
        const size_t which = kEscaped.find(c);
        if (which != std::string_view::npos) {
            out += {'\\', kLetters[which]};
        } else if (static_cast<unsigned char>(c) < 0x20) {
            static constexpr char kDigits[] = "0123456789abcdef";
            out += "\\u00";
            out += {kDigits[c >> 4], kDigits[c & 15]};
        } else {
            out += c;
        }
    }
    out += '"';
}

class Writer {
 public:
    explicit Writer(bool lines) : lines_(lines) {}

    void write(const Jsonb& value, size_t indent = 0) {
        switch (value.kind) {
            case Kind::null:
                out_ += "null";
                return;
            case Kind::text:
                return write_text(value.text, out_);
            case Kind::number:
                out_ += value.text;
                return;
            case Kind::boolean:
                out_ += value.truth ? "true" : "false";
                return;
            case Kind::array:
                out_ += '[';
                for (const auto& element : value.elements) {
                    begin_part(&element == &value.elements.front(), indent);
                    write(element, indent + kStep);
                }
                return end(']', indent);
            case Kind::object:
                out_ += '{';
                for (const auto& [name, field] : value.fields) {
                    begin_part(&field == &value.fields.front().second, indent);
                    write_text(name, out_);
                    out_ += ": ";
                    write(field, indent + kStep);
                }
                return end('}', indent);
        }
    }
    std::string take() { return std::move(out_); }
    bool left_blanks_out() const { return left_blanks_out_; }

 private:
    static constexpr size_t kStep = 4, kBlanksMax = 64 * 1024;

    void begin_part(bool first, size_t indent) {
        if (!first) out_ += lines_ ? "," : ", ";
        begin_line(indent + kStep);
    }
    void end(char closes, size_t indent) {
        begin_line(indent);
        out_ += closes;
    }
    void begin_line(size_t indent) {
        if (!lines_ || left_blanks_out_) return;
        (out_ += '\n').append(indent, ' ');
        blanks_ += indent;
        left_blanks_out_ = blanks_ > kBlanksMax + 32 * (out_.size() - blanks_);
    }

    const bool lines_;
    size_t blanks_ = 0;
    bool left_blanks_out_ = false;
    std::string out_;
};

}  // namespace

Result<Jsonb> parse_jsonb(std::string_view text) {
    return Reader(text).read();
}

std::string format_jsonb(const Jsonb& value) {
    Writer writer(false);
    writer.write(value);
    return writer.take();
}

Result<std::string> format_jsonb_lines(const Jsonb& value) {
    Writer writer(true);
    writer.write(value);
    if (writer.left_blanks_out())
        return Error{Code::out_of_range, "the json is too deep to be written over lines", "54000"};
    return writer.take();
}

namespace {

/// Goes through the parts of an array or object without reading them.
class Parts {
 public:
    explicit Parts(std::string_view json) : json_(json) { skip_space(); }

    char opens() const { return at_ < json_.size() ? json_[at_] : '\0'; }
    /// The whole, without white space around it.
    std::string_view value() {
        const size_t first = at_;
        skip_value();
        return json_.substr(first, at_ - first);
    }
    /// The next name (in its quotes; empty in an array) and value.
    std::optional<std::pair<std::string_view, std::string_view>> next(bool object) {
        ++at_;  // what opens, or a comma
        skip_space();
        std::string_view name;
        if (opens() == ']' || opens() == '}') return std::nullopt;
        if (object) {
            name = value();
            skip_space();
            if (at_ < json_.size()) ++at_;  // the colon
            skip_space();
        }
        const std::string_view found = value();
        skip_space();
        if (at_ >= json_.size() || found.empty()) return std::nullopt;
        return std::pair(name, found);
    }
    bool goes_on() const { return opens() == ','; }

 private:
    void skip_space() {
        while (at_ < json_.size() &&
               std::string_view(" \t\n\r").find(json_[at_]) != std::string_view::npos)
            ++at_;
    }
    void skip_text() {
        for (++at_; at_ < json_.size() && json_[at_] != '"'; ++at_)
            if (json_[at_] == '\\') ++at_;
        at_ = std::min(at_ + 1, json_.size());
    }
    void skip_value() {
        size_t depth = 0;
        do {
            const char c = opens();
            if (c == '"') {
                skip_text();
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
            } else if ((c == '}' || c == ']') && depth > 0) {
                --depth;
                ++at_;
            } else if (depth > 0) {
                ++at_;
            } else {
                at_ = std::min(json_.find_first_of(",]} \t\n\r", at_), json_.size());
            }
        } while (depth > 0 && at_ < json_.size());
    }

    std::string_view json_;
    size_t at_ = 0;
};

bool is_name(std::string_view quoted, std::string_view name) {
    if (quoted.find('\\') == std::string_view::npos)
        return quoted.size() == name.size() + 2 && quoted.substr(1, name.size()) == name;
    const auto read = parse_jsonb(quoted);
    return read.ok() && read->kind == Kind::text && read->text == name;
}

}  // namespace

std::optional<std::string_view> json_field(std::string_view json, std::string_view name) {
    Parts parts(json);
    if (parts.opens() != '{') return std::nullopt;
    std::optional<std::string_view> found;
    do {
        const auto part = parts.next(true);
        if (!part) break;
        if (is_name(part->first, name)) found = part->second;
    } while (parts.goes_on());
    return found;
}

std::optional<std::string_view> json_element(std::string_view json, int64_t index) {
    Parts parts(json);
    if (parts.opens() != '[') return std::nullopt;
    std::vector<std::string_view> elements;
    do {
        const auto part = parts.next(false);
        if (!part) break;
        if (index == static_cast<int64_t>(elements.size())) return part->second;
        elements.push_back(part->second);
    } while (parts.goes_on());
    const int64_t at = index + static_cast<int64_t>(elements.size());
    if (index >= 0 || at < 0) return std::nullopt;
    return elements[static_cast<size_t>(at)];
}

std::optional<std::string_view> json_at(std::string_view json, const JsonbPath& path) {
    std::optional<std::string_view> found = Parts(json).value();
    for (const auto& step : path) {
        if (Parts(*found).opens() == '{') {
            found = json_field(*found, step);
        } else {
            int32_t index = 0;
            const auto [end, problem] =
                std::from_chars(step.data(), step.data() + step.size(), index);
            const bool number = problem == std::errc() && end == step.data() + step.size();
            found = number ? json_element(*found, index) : std::nullopt;
        }
        if (!found) return found;
    }
    return found;
}

std::optional<std::string> json_plain_text(std::string_view json) {
    const std::string_view value = Parts(json).value();
    if (value == "null") return std::nullopt;
    if (!value.starts_with('"')) return std::string(value);
    const auto read = parse_jsonb(value);
    return read.ok() ? read->text : std::string(value);
}

}  // namespace tarn::query

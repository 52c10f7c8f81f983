#include "query/internal/array_text.h"

#include "base/ascii.h"

namespace tarn::query {

namespace {

constexpr std::string_view kArrayBlanks = " \t\n\v\f\r";

class ArrayText {
 public:
    explicit ArrayText(std::string_view text) : rest_(trim(text, kArrayBlanks)) {}

    std::optional<std::string> rewrite() {
        if (!take_list(0) || !rest_.empty()) return std::nullopt;
        return std::move(out_);
    }

 private:
    static constexpr int kDepthMax = 6;  // PostgreSQL's MAXDIM

    bool take(char c) {
        rest_ = rest_.substr(std::min(rest_.find_first_not_of(kArrayBlanks), rest_.size()));
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool opens() {
        const size_t first = rest_.find_first_not_of(kArrayBlanks);
        return first != std::string_view::npos && rest_[first] == '{';
    }
    bool take_list(int depth) {
        if (depth == kDepthMax || !take('{')) return false;
        out_ += '[';
        if (!take('}')) {
            do {
                if (out_.back() != '[') out_ += ',';
                if (opens() ? !take_list(depth + 1) : !take_element()) return false;
            } while (take(','));
            if (!take('}')) return false;
        }
        out_ += ']';
        return true;
    }
    void put(char c) {
        if (c == '"' || c == '\\') out_ += '\\';
        out_ += c;
    }
    bool take_element() {
        if (take('"')) {
            out_ += '"';
            while (!rest_.starts_with('"')) {
                if (rest_.starts_with('\\')) rest_.remove_prefix(1);
                if (rest_.empty()) return false;
                put(rest_.front());
                rest_.remove_prefix(1);
            }
            rest_.remove_prefix(1);
            out_ += '"';
            return true;
        }
        return take_word();
    }
    /// Up to the next , or } that no backslash stands before; blanks around it are not of it.
    bool take_word() {
        std::string word;
        size_t kept = 0;  // up to here blanks at the end were meant
        bool escaped = false;
        while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '}') {
            const char c = rest_.front();
            if (c == '{' || c == '"') return false;
            rest_.remove_prefix(1);
            if (c != '\\') {
                word += c;
                continue;
            }
            if (rest_.empty()) return false;
            escaped = true;
            word += rest_.front();
            kept = word.size();
            rest_.remove_prefix(1);
        }
        if (rest_.empty()) return false;
        while (word.size() > kept && kArrayBlanks.find(word.back()) != std::string_view::npos) word.pop_back();
        if (word.empty()) return false;
        if (!escaped && lower_ascii(word) == "null") {
            out_ += "NULL";
            return true;
        }
        out_ += '"';
        for (const char c : word) put(c);
        out_ += '"';
        return true;
    }

    std::string_view rest_;
    std::string out_;
};

}  // namespace

std::optional<std::string> rewrite_array(std::string_view text) {
    return ArrayText(text).rewrite();
}

}  // namespace tarn::query

// to_char of numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/ascii.h"
#include "query/pg_format.h"

namespace tarn::query {

namespace {

constexpr size_t kPatternMax = 1000;

/// A number as its digits before and behind the point.
struct Digits {
    bool negative = false;
    std::string whole, fraction;
};

Digits digits_of(std::string_view number) {
    Digits digits;
    digits.negative = number.starts_with('-');
    if (!number.empty() && (number[0] == '-' || number[0] == '+')) number.remove_prefix(1);
    const size_t exponent_at = number.find_first_of("eE");
    int exponent = exponent_at == std::string_view::npos ? 0 : std::atoi(std::string(number.substr(exponent_at + 1)).c_str());
    exponent = std::clamp(exponent, -400, 400);
    number = number.substr(0, exponent_at);
    const size_t point = number.find('.');
    digits.whole = std::string(number.substr(0, point));
    if (point != std::string_view::npos) digits.fraction = std::string(number.substr(point + 1));
    for (; exponent > 0; --exponent) {
        digits.whole += digits.fraction.empty() ? '0' : digits.fraction[0];
        if (!digits.fraction.empty()) digits.fraction.erase(0, 1);
    }
    for (; exponent < 0; ++exponent) {
        digits.fraction.insert(0, 1, digits.whole.empty() ? '0' : digits.whole.back());
        if (!digits.whole.empty()) digits.whole.pop_back();
    }
    return digits;
}

/// Half away from zero.
void round_to(Digits& digits, size_t places) {
    const bool up = digits.fraction.size() > places && digits.fraction[places] >= '5';
    digits.fraction.resize(places, '0');
    if (up) {
        std::string all = digits.whole + digits.fraction;
        size_t at = all.size();
        while (at > 0 && all[at - 1] == '9') all[--at] = '0';
        if (at == 0)
            all.insert(0, 1, '1');
        else
            ++all[at - 1];
        digits.whole = all.substr(0, all.size() - places);
        digits.fraction = all.substr(all.size() - places);
    }
    digits.whole.erase(0, digits.whole.find_first_not_of('0'));
    if (digits.whole.empty() && digits.fraction.find_first_not_of('0') == std::string::npos) digits.negative = false;
}

enum class Sign : uint8_t { before, bracket, front, back, minus, plus, both };

/// The pattern's pieces: '9', '0', '.', ',' and what stands for itself (its character, or 's' for a sign).
struct Layout {
    struct Piece {
        char kind = 0;  // 9 0 . , s (the sign's place) t (text)
        std::string text;
    };
    std::vector<Piece> pieces;
    Sign sign = Sign::before;
    bool fill = true;
    size_t whole = 0, fraction = 0;  // places
    size_t shift = 0;                // V
    std::string ordinal;             // TH, th
};

bool take(std::string_view& pattern, std::string_view word) {
    if (pattern.size() < word.size() || lower_ascii(pattern.substr(0, word.size())) != word) return false;
    pattern.remove_prefix(word.size());
    return true;
}

Result<Layout> layout_of(std::string_view pattern) {
    Layout layout;
    bool behind = false, shifts = false;
    const auto sign_at = [&](Sign sign) {
        layout.sign = sign;
        layout.pieces.push_back({'s', ""});
    };
    while (!pattern.empty()) {
        const char c = pattern[0];
        if (take(pattern, "fm")) {
            layout.fill = false;
        } else if (take(pattern, "eeee") || take(pattern, "rn")) {
            return Error{Code::unimplemented, "to_char of a number takes no EEEE and no RN", "0A000"};
        } else if (take(pattern, "mi")) {
            sign_at(Sign::minus);
        } else if (take(pattern, "pl")) {
            sign_at(Sign::plus);
        } else if (take(pattern, "sg")) {
            sign_at(Sign::both);
        } else if (take(pattern, "pr")) {
            layout.sign = Sign::bracket;
        } else if (take(pattern, "th")) {
            layout.ordinal = c == 'T' ? "TH" : "th";
        } else if (take(pattern, "s")) {
            layout.sign = layout.whole + layout.fraction == 0 ? Sign::front : Sign::back;
        } else if (take(pattern, "v")) {
            shifts = true;
        } else if (take(pattern, "l")) {
            layout.pieces.push_back({'t', " "});
        } else if (c == '9' || c == '0') {
            layout.pieces.push_back({c, ""});
            ++(behind ? layout.fraction : layout.whole);
            if (shifts) ++layout.shift;
            pattern.remove_prefix(1);
        } else if (c == '.' || c == 'D' || c == 'd') {
            if (behind) return Error{Code::invalid_argument, "multiple decimal points", "42601"};
            behind = true;
            layout.pieces.push_back({'.', ""});
            pattern.remove_prefix(1);
        } else if (c == ',' || c == 'G' || c == 'g') {
            layout.pieces.push_back({',', ""});
            pattern.remove_prefix(1);
        } else if (c == '"') {
            const size_t end = std::min(pattern.find('"', 1), pattern.size());
            layout.pieces.push_back({'t', std::string(pattern.substr(1, end - 1))});
            pattern.remove_prefix(std::min(end + 1, pattern.size()));
        } else {
            layout.pieces.push_back({'t', std::string(1, c)});
            pattern.remove_prefix(1);
        }
    }
    return layout;
}

class NumberPrinter {
 public:
    NumberPrinter(const Layout& layout, Digits digits) : layout_(layout), digits_(std::move(digits)) {}

    std::string run() {
        too_long_ = digits_.whole.size() > layout_.whole;
        leading_ = too_long_ ? 0 : layout_.whole - digits_.whole.size();
        for (const auto& piece : layout_.pieces) put(piece);
        if (!signed_) sign_here();
        if (layout_.sign == Sign::bracket) out_ += digits_.negative ? ">" : layout_.fill ? " " : "";
        if (layout_.sign == Sign::back) out_ += digits_.negative ? '-' : '+';
        if (!layout_.ordinal.empty() && !digits_.negative && layout_.fraction == 0) out_ += ordinal();
        return std::move(out_);
    }

 private:
    void put(const Layout::Piece& piece) {
        switch (piece.kind) {
            case '9':
            case '0':
                return digit(piece.kind == '0');
            case '.':
                sign_here();
                behind_ = true;
                out_ += '.';
                return;
            case ',':
                if (begun_)
                    out_ += ',';
                else if (layout_.fill)
                    out_ += ' ';
                return;
            case 's':
                signed_ = signed_ || layout_.sign != Sign::before;
                if (layout_.sign == Sign::minus) out_ += digits_.negative ? "-" : layout_.fill ? " " : "";
                if (layout_.sign == Sign::plus) out_ += digits_.negative ? "-" : "+";
                if (layout_.sign == Sign::both) out_ += digits_.negative ? '-' : '+';
                return;
            default:
                out_ += piece.text;
        }
    }

    void digit(bool zero) {
        if (too_long_) {
            sign_here();
            out_ += '#';
            return;
        }
        if (behind_) {
            const size_t at = fraction_at_++;
            if (layout_.fill || at < fraction_shown()) out_ += digits_.fraction[at];
            return;
        }
        const size_t at = whole_at_++;
        begun_ = begun_ || zero || at >= leading_;
        const bool last = at + 1 == layout_.whole && layout_.fraction == 0;
        if (at >= leading_ || begun_ || last) {
            sign_here();
            begun_ = true;
            out_ += at >= leading_ ? digits_.whole[at - leading_] : '0';
        } else if (layout_.fill) {
            out_ += ' ';
        }
    }

    /// With FM zeros at the end are left out, but where the pattern has a 0.
    size_t fraction_shown() const {
        size_t shown = digits_.fraction.find_last_not_of('0') + 1;
        size_t at = 0;
        bool behind = false;
        for (const auto& piece : layout_.pieces) {
            behind = behind || piece.kind == '.';
            if (!behind || (piece.kind != '9' && piece.kind != '0')) continue;
            ++at;
            if (piece.kind == '0') shown = std::max(shown, at);
        }
        return std::min(shown, digits_.fraction.size());
    }

    /// The sign that stands right before the first digit.
    void sign_here() {
        if (signed_) return;
        signed_ = true;
        if (layout_.sign == Sign::before) out_ += digits_.negative ? "-" : layout_.fill ? " " : "";
        if (layout_.sign == Sign::bracket) out_ += digits_.negative ? "<" : layout_.fill ? " " : "";
        if (layout_.sign == Sign::front) out_ += digits_.negative ? '-' : '+';
    }

    std::string ordinal() const {
        const std::string& whole = digits_.whole;
        const bool teen = whole.size() > 1 && whole[whole.size() - 2] == '1';
        const char last = whole.empty() ? '0' : whole.back();
        const std::string found = teen ? "th" : last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
        if (layout_.ordinal == "th") return found;
        return {static_cast<char>(found[0] - 32), static_cast<char>(found[1] - 32)};
    }

    const Layout& layout_;
    const Digits digits_;
    std::string out_;
    bool too_long_ = false, behind_ = false, begun_ = false, signed_ = false;
    size_t leading_ = 0, whole_at_ = 0, fraction_at_ = 0;
};

}  // namespace

Result<std::string> format_number(std::string_view number, std::string_view pattern) {
    if (pattern.size() > kPatternMax) return Error{Code::invalid_argument, "the pattern is too long", "54000"};
    TARN_TRY(layout, layout_of(pattern));
    if (lower_ascii(number).find_first_of("ni") != std::string::npos) return std::string(layout.whole + 1, ' ');  // NaN, inf
    Digits digits = digits_of(number);
    if (layout.shift > 0) {
        digits.fraction.resize(std::max(digits.fraction.size(), layout.shift), '0');
        digits.whole += digits.fraction.substr(0, layout.shift);
        digits.fraction.erase(0, layout.shift);
    }
    round_to(digits, layout.fraction);
    return NumberPrinter(layout, std::move(digits)).run();
}

}  // namespace tarn::query

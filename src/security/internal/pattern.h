// Policy texts with wildcards and variables: "arn:aws:s3:::home/${aws:username}/*".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/policy.h"

namespace tarn::security {

/// Text whose wildcards can't be mistaken for the same characters out of a variable: a unit is a
/// byte, or one of the marks.
using WildText = std::u16string;
inline constexpr char16_t kAnyRun = 0x100;
inline constexpr char16_t kAnyOne = 0x101;
inline constexpr char16_t kFromVariable = 0x200;  // with the byte in the low bits

/// Greedy with one point to return to: at most |pattern| * |text| steps. '?' is one UTF-8
/// character.
bool matches(std::u16string_view pattern, std::string_view text);
/// Of ARNs: each of the first five fields on its own, so that '*' never crosses a ':' there; the
/// rest as one.
bool matches_arn(const WildText& pattern, std::string_view arn);

/// The value of a variable, or nullopt: the key is absent or has several values.
std::optional<std::string_view> single_value(const ConditionKeys& keys, std::string_view name);

class Pattern {
 public:
    /// `variables`: of version 2012-10-17; else '$' is a character like others. invalid_argument:
    /// "${" without an end.
    static Result<Pattern> parse(std::string_view text, bool variables);

    /// nullopt: a variable has no value and no default.
    std::optional<WildText> expand(const ConditionKeys& keys) const;
    /// The same where '*' and '?' are plain characters.
    std::optional<std::string> expand_plain(const ConditionKeys& keys) const;

    bool has_variables() const { return has_variables_; }
    const std::string& text() const { return text_; }

 private:
    struct Piece {
        enum class Kind { text, variable };
        Kind kind;
        std::string text;                      // or the variable's name
        bool literal = false;                  // ${*} ${?} ${$}: no wildcards inside
        std::optional<std::string> otherwise;  // the variable's default
    };

    static Result<Piece> parse_variable(std::string_view inside);

    std::string text_;
    std::vector<Piece> pieces_;
    bool has_variables_ = false;
};

}  // namespace tarn::security

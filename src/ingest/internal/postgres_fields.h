// Fields of a result as PostgreSQL's text form has them; NULL is nullopt.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace tarn::ingest {

inline std::string text_of(const std::optional<std::string>& text) {
    return text.value_or("");
}
inline bool is_true(const std::optional<std::string>& text) {
    return text == "t";
}
/// 0: NULL, or no number.
template <typename T = int64_t>
T number_of(const std::optional<std::string>& text) {
    T number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

}  // namespace tarn::ingest

// PostgreSQL's bytea as text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::query {

/// Its hex form (\x00ff41), or its escape form: \\ is a backslash, \ooo an octal byte, and \xHH a
/// byte as the engine writes it, where it is not the only backslash. nullopt: neither.
std::optional<std::string> parse_bytea(std::string_view text);
/// The escape form alone.
std::optional<std::string> parse_escaped(std::string_view text);
/// The hex form.
std::string format_bytea(std::string_view bytes);

}  // namespace tarn::query

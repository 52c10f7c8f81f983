// LIKE in bounded time. The engine's own way tries each place for each %, one inside the other: a pattern with ten of them over two
// hundred characters does not come to an end, and nothing can stop it.
#pragma once

#include <string_view>

namespace tarn::query {

/// Whether the whole text matches: % any characters, _ one (UTF-8), `escape` before a character means that one; 0: there is none.
/// Takes at most text times pattern steps. Precondition: ends_with_escape() says no.
bool like_match(std::string_view text, std::string_view pattern, char escape);

/// A pattern whose last character is an escape that escapes nothing.
bool ends_with_escape(std::string_view pattern, char escape);

}  // namespace tarn::query

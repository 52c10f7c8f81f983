// Operators of jsonb that DuckDB's parser does not read stand under names that it does.
#pragma once

#include <utility>

namespace tarn::query {

inline constexpr const char* kJsonbExists = "@=";
inline constexpr const char* kJsonbExistsAny = "@=|";
inline constexpr const char* kJsonbExistsAll = "@=&";
inline constexpr const char* kJsonbDeletePath = "@!";

/// What #> is rewritten to: -> with a path (RFC 6901) behind this, which is no path of DuckDB's.
inline constexpr const char* kJsonPathPrefix = "$#";

inline constexpr std::pair<const char*, const char*> kJsonbOperators[] = {{"?", kJsonbExists},
                                                                          {"?|", kJsonbExistsAny},
                                                                          {"?&", kJsonbExistsAll},
                                                                          {"#-", kJsonbDeletePath}};

}  // namespace tarn::query

// Operators of jsonb that DuckDB's parser does not read stand under names that it does.
#pragma once

#include <utility>

namespace tarn::query {

inline constexpr const char* kJsonbExists = "@=";
inline constexpr const char* kJsonbExistsAny = "@=|";
inline constexpr const char* kJsonbExistsAll = "@=&";
inline constexpr const char* kJsonbDeletePath = "@!";

inline constexpr std::pair<const char*, const char*> kJsonbOperators[] = {{"?", kJsonbExists},
                                                                          {"?|", kJsonbExistsAny},
                                                                          {"?&", kJsonbExistsAll},
                                                                          {"#-", kJsonbDeletePath}};

}  // namespace tarn::query

// PostgreSQL's functions and operators of jsonb over query/jsonb.h, and the casts that make values
// of it. json is taken for jsonb by them.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

inline constexpr const char* kJsonbSortKey = "tarn_jsonb_key";
/// A text as json or jsonb.
inline constexpr const char* kReadJson = "tarn_read_json";
inline constexpr const char* kReadJsonb = "tarn_read_jsonb";

void add_jsonb_casts(duck::ClientContext& context);
void add_jsonb_functions(duck::ClientContext& context, duck::Catalog& system);
/// Any value as text of JSON. `null`: NULL is null.
duck::unique_ptr<duck::Expression> bound_json_text(duck::ClientContext& context,
                                                   duck::unique_ptr<duck::Expression> value,
                                                   bool null = true);
/// What a text of JSON is as jsonb. Throws.
std::string canonical_jsonb(std::string_view text);

}  // namespace tarn::query

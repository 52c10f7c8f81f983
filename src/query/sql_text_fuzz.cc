// Any bytes as SQL text: split, tokenized and rewritten.
#include "query/engine.h"
#include "query/internal/sql_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view sql(reinterpret_cast<const char*>(data), size);
    split_statements(sql);
    const auto tokens = tokenize(sql);
    for (const auto& token : tokens) {
        token.name();
        if (token.kind == Token::Kind::text) token.literal();
    }
    auto edited = rewrite_spellings(sql, tokens, {Type(Kind::int32), std::nullopt});
    edited.original_offset(edited.finish().size());
    return 0;
}

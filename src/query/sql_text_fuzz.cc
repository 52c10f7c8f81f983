// Any bytes as SQL text: split, tokenized and rewritten.
#include "base/fuzz.h"
#include "query/engine.h"
#include "query/internal/sql_text.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"select 'it''s', E'\\n', $$body$$, $tag$ $$ $tag$, \"Quoted \"\"x\"\"\" from t; -- end",
            "/* a /* nested */ comment */ select $1::int4, x::pg_catalog.text, a "
            "OPERATOR(pg_catalog.~) 'b' where c ~* 'd';",
            "select 1e5, .5, 0x1f, 1_000, b'01', U&'\\0041', interval '1 day', date '2026-01-01', "
            "a[1:2], b->>'c', d @> e",
            "insert into t values (1) returning *; begin; select a !~ b, c::regclass, "
            "current_date; commit"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view sql = tarn::fuzz_text(data, size);
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

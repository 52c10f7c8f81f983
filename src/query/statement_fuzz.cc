// Any text as a statement that the session answers itself, as COPY, as a type, and through the
// engine's own parser.
#include "base/assert.h"
#include "base/fuzz.h"
#include "query/internal/statement.h"
#include "query/work.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        "copy t (a, b) from stdin with (format csv, header, delimiter ';', null 'x', quote '\"', "
        "escape '\\')",
        "copy (select 1) to stdout (format binary)",
        "COPY s.\"T\" TO STDOUT CSV FORCE QUOTE *",
        "set local search_path to a, \"b\"",
        "set timezone = 'UTC'",
        "reset all",
        "show transaction_isolation",
        "begin isolation level serializable read only",
        "commit and chain",
        "declare c scroll cursor with hold for select 1",
        "fetch forward 10 from c",
        "close all",
        "discard all",
        "deallocate prepare p",
        "select a, count(*) from x.y as t where b = $1 and c in (select 1) group by 1",
        "a.b = c::int",
        "numeric(10,2)[]",
        "struct(a integer, b varchar[])",
        "timestamp(3) with time zone"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const auto sql = tarn::fuzz_text(data, size);
    const auto tokens = tokenize(sql);
    (void)parameter_count(tokens);
    (void)parse_utility(sql, tokens).ok();
    (void)parse_copy(sql, tokens).ok();
    if (const auto type = parse_type(sql); type.ok())
        TARN_ASSERT(*parse_type(sql_name(*type)) == *type);
    (void)named_tables(sql, "main").ok();
    (void)split_comparison(sql).ok();
    return 0;
}

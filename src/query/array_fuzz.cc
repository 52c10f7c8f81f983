// Any bytes as the text of an array: what is made of it has its brackets in pairs, and every quote is closed.
#include "base/fuzz.h"
#include "query/internal/array_text.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"{a,\"b, c\",NULL}", "{{1,2},{3,4}}", " { a\\, b , \"\\\"\" , \\N , null } ", "{}", "{{{{{{1}}}}}}", "{\"\",\\ }", "{a\\"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto list = tarn::query::rewrite_array(tarn::fuzz_text(data, size));
    if (!list) return 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < list->size(); ++i) {
        const char c = (*list)[i];
        if (quoted && c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (depth < 0) __builtin_trap();
    }
    if (depth != 0 || quoted) __builtin_trap();
    return 0;
}

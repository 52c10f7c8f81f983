// Any bytes as jsonb: what is read is shown as text that reads as the same value, which contains
// itself.
#include "base/fuzz.h"
#include "query/jsonb.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {R"({"b": [1, 2.50, -0.0, 1e3, 1.5E-2], "a": {"n": null}, "a": true})",
            R"("\ud83d\ude00 \u00e9 \n \\ \/")", R"([[[[]]], {}, "x", 12345678901234567890123])",
            " null ", R"({"": {"": ""}})"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view text = tarn::fuzz_text(data, size);
    const auto value = parse_jsonb(text);
    for (const auto& found :
         {json_field(text, "a"), json_element(text, -1), json_at(text, {"0", "a"})})
        if (found && value.ok() && !parse_jsonb(*found).ok()) __builtin_trap();
    if (!value.ok()) return 0;
    if (value->kind == Jsonb::Kind::object &&
        (value->field("a") != nullptr) != json_field(text, "a").has_value())
        __builtin_trap();
    if (value->kind == Jsonb::Kind::array && !value->elements.empty() && !json_element(text, -1))
        __builtin_trap();
    const std::string shown = format_jsonb(*value);
    const auto again = parse_jsonb(shown);
    if (!again.ok() || format_jsonb(*again) != shown) __builtin_trap();
    if (const auto lines = format_jsonb_lines(*value); lines.ok()) {
        const auto read = parse_jsonb(*lines);
        if (!read.ok() || jsonb_sort_key(*read) != jsonb_sort_key(*value)) __builtin_trap();
    }
    const auto contains = jsonb_contains(*value, *again);
    if (contains.ok() && !*contains) __builtin_trap();
    const auto joined = jsonb_concat(*value, *again);
    if (value->kind == Jsonb::Kind::object && format_jsonb(joined) != shown) __builtin_trap();
    return 0;
}

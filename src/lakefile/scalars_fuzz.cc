// Single values of a lakefile: durations, sizes, schedules, names, references to secrets; and a
// node's JSON.
#include "base/assert.h"
#include "base/fuzz.h"
#include "lakefile/internal/node.h"
#include "lakefile/internal/scalars.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"15m",
            "10y",
            "5000ms",
            "9223372036854775807w",
            "64KiB",
            "1.5TB",
            "day 02:00",
            "monday 24:00",
            "14d",
            "erp.levels.units",
            "erp.sales",
            "https://${secret:a}/${secret:b}",
            "$${secret:a} ${secret:}",
            R"({"a":["b",null,{"c":"d"}]})",
            "-12"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::lakefile;
    const auto text = tarn::fuzz_text(data, size);
    if (const auto span = parse_duration(text); span.ok())
        TARN_ASSERT(span->count() > 0 && *span <= std::chrono::hours(24 * 366 * 10));
    (void)parse_bytes(text).ok();
    (void)parse_whole(text).ok();
    (void)parse_schedule(text).ok();
    (void)parse_steps(text).ok();
    (void)parse_table(text).ok();
    (void)parse_column(text).ok();
    (void)resolve_secrets(std::string(text), [](const std::string& name) {
        return name == "a" ? std::optional<std::string>("${secret:a}") : std::nullopt;
    }).ok();
    const size_t bad = first_byte_not_text(text);
    TARN_ASSERT(bad == text.npos || bad < text.size());
    if (const auto node = node_of_json(text, 1, 1))
        TARN_ASSERT(to_json(*node_of_json(to_json(*node), 1, 1)) == to_json(*node));
    return 0;
}

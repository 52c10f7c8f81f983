// The lake owner's SQL as dashboards read it: names, labels, possible tables.
#include "base/assert.h"
#include "base/fuzz.h"
#include "dashboards/internal/names.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"erp.sales", "sum(units)::bigint as \"Sold \"\"x\"\"\"",
            "select a.b, 'x.y' from erp.sales s -- t\n join \"Q\".t /* u.v */ on $$w.x$$",
            "count(*) as n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::dashboards;
    const auto text = tarn::fuzz_text(data, size);
    if (const auto name = parse_name(text); name.ok())
        TARN_ASSERT(is_name(name->first) && is_name(name->second));
    (void)possible_tables(text);
    const auto [measure, label] = split_label(text);
    TARN_ASSERT(measure.size() + label.size() <= text.size());
    (void)column_of(measure);
    TARN_ASSERT(quoted_name(text).size() >= text.size() + 2);
    return 0;
}

// The graph's records, and a SELECT as lineage reads it.
#include "base/assert.h"
#include "base/fuzz.h"
#include "flows/column_lineage.h"
#include "flows/internal/records.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::flows;
    StepRecord step;
    step.fingerprint = "f";
    step.inputs = {{{"main", "t"}, {"uuid", 5}}, {{"erp", "s"}, {}}};
    RunRecord run;
    run.step = "tables.main.x";
    run.number = 3;
    run.inputs = {{{"main", "t"}, 1, 2}};
    run.log = {{{1}, "line"}};
    return {encode(step), encode(run),
            "select a, b.x as y, sum(c) over (partition by d) from main.t as a join erp.s b on a.i "
            "= b.i"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::flows;
    const auto text = tarn::fuzz_text(data, size);
    if (const auto step = decode_step(text); step.ok())
        TARN_ASSERT(*decode_step(encode(*step)) == *step);
    if (const auto run = decode_run(text); run.ok())
        TARN_ASSERT(decode_run(encode(*run))->number == run->number);
    (void)column_lineage(text, {{{"main", "t"}, {"a", "i", "c"}}, {{"erp", "s"}, {"x", "i"}}});
    return 0;
}

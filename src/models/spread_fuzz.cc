// Any text as the spread that is kept with a model: its outlook is in order whatever was in it.
#include "base/assert.h"
#include "base/fuzz.h"
#include "models/spread.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::models;
    return {Spread().to_json(),
            Spread::fit({{1, 1.0f, 1.1f}, {2, 2.0f, 1.5f}, {3, 0.1f, 0.0f}}, Spread::Aim::unbiased)
                .to_json()};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::models;
    const auto spread = Spread::from_json(std::string(tarn::fuzz_text(data, size)));
    if (!spread.ok()) return 0;
    TARN_ASSERT(Spread::from_json(spread->to_json()).ok());
    for (const int steps : {1, 2, 1000}) (void)spread->at(steps, 1.5f);
    return 0;
}

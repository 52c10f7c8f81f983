// Any text as a role's grants: what is taken is written as what reads the same.
#include "base/assert.h"
#include "base/fuzz.h"
#include "govern/grants.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        R"-({"erp.sales":{"columns":["a","b"],"rows":"store = user.store","masks":{"a":"left(a, 2)"},)-"
        R"-("write":["insert","update"]},"erp.*":{"hide":["c"]},)-"
        R"-("*":{"read":false,"write":["insert","delete","alter"]}})-"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::govern;
    const auto grants = parse_grants(tarn::fuzz_text(data, size));
    if (grants.ok()) TARN_ASSERT(*parse_grants(to_json(*grants)) == *grants);
    return 0;
}

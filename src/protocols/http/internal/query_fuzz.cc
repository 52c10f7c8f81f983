// Queries and percent-encoding: the pieces are within the query, and what is decoded encodes back
// to the same.
#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/http/request.h"

namespace {

std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        constexpr char kDigits[] = "0123456789abcdef";
        out += '%';
        out += kDigits[static_cast<uint8_t>(c) >> 4];
        out += kDigits[static_cast<uint8_t>(c) & 15];
    }
    return out;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    return {"a=1&b&c=&a=2", "list-type=2&prefix=a%2Fb%20c&x=%e2%82%ac", "a+b=c+d&&=&=x&%",
            "%00%ff%zz%4"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::http;
    const auto text = tarn::fuzz_text(data, size);
    TARN_ASSERT(*percent_decode(encoded(text)) == text);
    if (const auto plain = percent_decode(text); plain.ok())
        TARN_ASSERT(plain->size() <= text.size());
    for (const bool form : {false, true}) {
        const auto parameters = parse_query(text, form);
        if (!parameters.ok()) continue;
        size_t bytes = 0;
        for (const auto& one : *parameters) {
            bytes += one.raw_name.size() + one.raw_value.size() + (one.has_value ? 1 : 0) + 1;
            TARN_ASSERT(one.name == *percent_decode(one.raw_name, form));
            TARN_ASSERT(one.value == *percent_decode(one.raw_value, form));
        }
        TARN_ASSERT(bytes <= text.size() + 1);
    }
    return 0;
}

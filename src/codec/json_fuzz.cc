// What our writer makes of any text is read by nlohmann's reader, as the same text when it is
// UTF-8.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/fuzz.h"
#include "codec/json.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"plain",
            "\"\\/\b\f\n\r\t",
            std::string("\0\x01\x1f\x7f", 4),
            "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
            "\xed\xa0\x80\xc0\x80\xf8\xff",
            "\xe2\x80\xa8"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using Json = nlohmann::json;
    const auto text = tarn::fuzz_text(data, size);
    tarn::codec::JsonWriter json;
    json.begin_object().member(text, text).member("n", static_cast<int64_t>(size) - 7).end_object();
    const Json read = Json::parse(json.text(), nullptr, false);
    TARN_ASSERT(read.is_object() && read["n"] == static_cast<int64_t>(size) - 7);
    try {
        (void)Json(std::string(text)).dump();
    } catch (const Json::exception&) {
        return 0;  // no UTF-8
    }
    if (text == "n") return 0;
    TARN_ASSERT(read.contains(text) && read[std::string(text)] == text);
    return 0;
}

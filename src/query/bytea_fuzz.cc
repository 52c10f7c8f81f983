// Any text is bytes or none; bytes are written as what reads the same.
#include "base/assert.h"
#include "base/fuzz.h"
#include "query/internal/bytea_text.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"\\x",   "\\x00ff41", "\\x 00 FF", "\\xAA\\x01", "a\\\\b\\001",
            "plain", "\\8",       "\\x0",      "t\xc3\xabxt"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = tarn::fuzz_text(data, size);
    using namespace tarn::query;
    TARN_ASSERT(parse_bytea(format_bytea(text)) == std::string(text));
    if (const auto bytes = parse_bytea(text)) TARN_ASSERT(bytes->size() <= text.size());
    if (const auto bytes = parse_escaped(text)) TARN_ASSERT(bytes->size() <= text.size());
    return 0;
}

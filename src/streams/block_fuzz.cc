#include "streams/internal/block.h"

#include "base/assert.h"
#include "base/fuzz.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using tarn::streams::encode_block;
    return {
        encode_block({{"key", "payload"}}, {1'750'000'000'000'000}),
        encode_block({{"", ""}, {"k", std::string(300, 'p')}, {std::string(200, 'k'), "x"}}, {0}),
        encode_block({}, {5})};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto bytes = tarn::fuzz_text(data, size);
    const auto decoded = tarn::streams::decode_block(bytes, 7);
    if (!decoded.ok()) return 0;
    // What decodes is what would have been written.
    std::vector<tarn::streams::NewRecord> again;
    for (const auto& record : *decoded) again.push_back({record.key, record.payload});
    if (!decoded->empty())
        TARN_ASSERT(tarn::streams::encode_block(again, decoded->front().at) == bytes);
    return 0;
}

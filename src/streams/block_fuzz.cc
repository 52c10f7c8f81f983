#include "streams/internal/block.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto decoded =
        tarn::streams::decode_block({reinterpret_cast<const char*>(data), size}, 7);
    if (!decoded.ok()) return 0;
    // What decodes is what would have been written.
    std::vector<tarn::streams::NewRecord> again;
    for (const auto& record : *decoded) again.push_back({record.key, record.payload});
    const auto at = decoded->empty() ? tarn::Timestamp{} : decoded->front().at;
    if (!decoded->empty() && tarn::streams::encode_block(again, at) !=
                                 std::string_view(reinterpret_cast<const char*>(data), size))
        __builtin_trap();
    return 0;
}

#include "tables/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::tables;
    auto metadata = parse_metadata_json({reinterpret_cast<const char*>(data), size});
    if (!metadata.ok()) return 0;
    // What was read can be written, and read again.
    const std::string json = metadata_json(*metadata);
    TARN_ASSERT(parse_metadata_json(json).ok());
    return 0;
}

#include "tables/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::tables;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    (void)read_manifest(bytes, ManifestFile()).ok();
    (void)read_manifest_list(bytes).ok();
    return 0;
}

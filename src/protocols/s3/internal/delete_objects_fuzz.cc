#include <cstddef>
#include <cstdint>

#include "protocols/s3/internal/request_bodies.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    (void)tarn::s3::parse_delete_objects({reinterpret_cast<const char*>(data), size}).ok();
    return 0;
}

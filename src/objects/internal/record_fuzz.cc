// Decoding any bytes gives a record or an error; a record encodes to bytes that decode to it again.
#include "objects/internal/record.h"

namespace {

template <typename Decode>
void try_one(std::string_view bytes, const Decode& decode) {
    const auto record = decode(bytes);
    if (!record.ok()) return;
    const auto again = encode(*record);
    TARN_ASSERT(decode(again).ok());
    TARN_ASSERT(encode(*decode(again)) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::objects::internal;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_one(bytes, decode_object);
    try_one(bytes, decode_upload);
    try_one(bytes, decode_part);
    try_one(bytes, decode_bucket);
    return 0;
}

// Log records, index records and keys as a damaged disk may give them.
#include <cstddef>
#include <cstdint>

#include "meta/internal/change.h"
#include "meta/internal/record.h"
#include "meta/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::meta;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);

    RecordReader record(bytes);
    std::string again = begin_record();
    while (const auto op = record.next()) append_op(again, *op);
    RecordReader copy(again);
    while (copy.next()) continue;
    TARN_ASSERT(copy.ok());

    if (const auto stored = decode_record(bytes)) TARN_ASSERT(encode_record(*stored) == bytes);
    (void)decode_state(bytes).ok();
    (void)decode_live_key(bytes);
    (void)decode_owner_offset(bytes);

    KeyReader key(bytes, "k");
    while (key.ok() && !key.rest().empty()) (void)key.take_text();
    return 0;
}

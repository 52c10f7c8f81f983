// Log records, index records and keys as a damaged disk may give them.
#include <cstddef>
#include <cstdint>

#include "base/fuzz.h"
#include "meta/internal/change.h"
#include "meta/internal/record.h"
#include "meta/keys.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::meta;
    using Kind = ChangeOp::Kind;
    std::string record = begin_record();
    for (const Kind kind :
         {Kind::put, Kind::put_body, Kind::put_keep_body, Kind::erase, Kind::erase_range,
          Kind::relocate, Kind::add, Kind::append, Kind::append_body})
        append_op(record, {kind, "key", "value", -5, {1, 4096, 10}});
    return {record,
            encode_record({7, std::nullopt, "value"}),
            encode_record({7, tarn::wal::BodyRef{1, 4096, 10}, "v"}),
            encode_state({9}),
            live_key(3),
            owner_key(3, 4096)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::meta;
    const std::string_view bytes = tarn::fuzz_text(data, size);

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

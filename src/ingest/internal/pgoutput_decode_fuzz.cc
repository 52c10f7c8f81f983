// Any bytes as a message of the log: what is taken lies within them.
#include <cstdint>

#include "base/assert.h"
#include "ingest/internal/pgoutput_decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    tarn::ingest::LogMessage message;
    const bool taken = tarn::ingest::decode_pgoutput(bytes, data[0] % 2 == 1, message).ok();
    if (!taken) return 0;
    for (const auto* cells : {&message.before, &message.after})
        for (const auto& cell : *cells)
            if (cell.kind == tarn::ingest::Cell::Kind::text && !cell.text.empty() &&
                (message.kind == tarn::ingest::LogMessage::Kind::insert ||
                 message.kind == tarn::ingest::LogMessage::Kind::update))
                TARN_ASSERT(cells == &message.before ||
                            (cell.text.data() >= bytes.data() &&
                             cell.text.data() + cell.text.size() <= bytes.data() + bytes.size()));
    return 0;
}

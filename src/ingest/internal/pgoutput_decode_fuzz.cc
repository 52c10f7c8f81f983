// Any bytes as a message of the log: what is taken lies within them.
#include <cstdint>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/pgoutput_decode.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace std::string_literals;
    const std::string tuple =
        "\0\x03t\0\0\0\x02"
        "12"
        "nu"s;
    return {"\0B\0\0\0\0\x01\x02\x03\x04\0\0\0\0\0\0\0\x05\0\0\0\x07"s,
            "\0R\0\0\0\x05public\0t\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff"s,
            "\0I\0\0\0\x05N"s + tuple,
            "\0U\0\0\0\x05O"s + tuple + "N" + tuple,
            "\0D\0\0\0\x05K"s + tuple,
            "\0T\0\0\0\x01\x03\0\0\0\x05"s,
            "\0C\0"s + std::string(24, '\1'),
            "\x01S\0\0\0\x09\x01"s,
            "\x01I\0\0\0\x09\0\0\0\x05N"s + tuple,
            "\x01"
            "A\0\0\0\x09\0\0\0\x09"s,
            "\0M\0"s + std::string(8, '\1') + "p\0\0\0\0\x01x"s,
            "\0Y\0\0\0\x05n\0t\0"s,
            "\0O"s + std::string(8, '\1') + "origin\0"s};
}

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

#include "base/fuzz.h"
#include "protocols/postgres/internal/messages.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace std::string_literals;
    return {"\x03Q\0\0\0\x0dselect 1\0"s,
            "\x07P\0\0\0\x16s\0select $1\0\0\x01\0\0\0\x17"s,
            "\x0f"
            "B\0\0\0\x1fp\0s\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x05\xff\xff\xff\xff\0\x01\0\0"s,
            "\x01"
            "D\0\0\0\x07Ss\0E\0\0\0\x0ap\0\0\0\0\x05S\0\0\0\x04"s,
            "\x02p\0\0\0\x1fSCRAM-SHA-256\0\0\0\0\x09n,,n=,r=c"s,
            "\x05"
            "d\0\0\0\x06"
            "1\n"
            "c\0\0\0\x04X\0\0\0\x04"s};
}

// The first byte cuts the stream into pieces; each message is read by the parser of its type and by
// all others.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::postgres;
    if (size == 0) return 0;
    const size_t piece = data[0] % 16 + 1;
    std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    MessageReader reader(1 << 20);
    reader.expect_any();
    while (!stream.empty()) {
        std::string_view input = stream.substr(0, piece);
        stream.remove_prefix(input.size());
        while (!input.empty()) {
            const auto step = reader.next(input);
            if (step == MessageReader::Step::failed) return 0;
            if (step == MessageReader::Step::need_more) break;
            const Message message = reader.take();
            (void)parse_text(message.body);
            (void)parse_parse(message.body);
            (void)parse_bind(message.body);
            (void)parse_target(message.body);
            (void)parse_execute(message.body);
            (void)parse_sasl_initial(message.body);
            (void)is_utf8(message.body);
        }
    }
    return 0;
}

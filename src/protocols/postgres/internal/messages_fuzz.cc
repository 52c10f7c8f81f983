#include "protocols/postgres/internal/messages.h"

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

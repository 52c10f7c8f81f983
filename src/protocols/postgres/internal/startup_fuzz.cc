#include "protocols/postgres/internal/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::postgres;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    MessageReader reader(1 << 20);
    while (!input.empty() && reader.next(input) == MessageReader::Step::message) {
        const auto packet = parse_startup(reader.take().body);
        if (packet.ok()) (void)parse_startup_options(packet->parameter("options"));
    }
    return 0;
}

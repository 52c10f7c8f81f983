#include "base/fuzz.h"
#include "protocols/postgres/internal/messages.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace std::string_literals;
    return {
        "\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x30"s,
        "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x05"
        "abcd"s,
        "\0\0\0\x46\0\x03\0\0user\0ann\0database\0lake\0options\0-c a=b --c-d=e\\ f\0_pq_.x\0y\0\0"s};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::postgres;
    std::string_view input = tarn::fuzz_text(data, size);
    MessageReader reader(1 << 20);
    while (!input.empty() && reader.next(input) == MessageReader::Step::message) {
        const auto packet = parse_startup(reader.take().body);
        if (packet.ok()) (void)parse_startup_options(packet->parameter("options"));
    }
    return 0;
}

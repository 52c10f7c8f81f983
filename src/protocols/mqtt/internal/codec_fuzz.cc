#include <cstddef>
#include <cstdint>

#include "base/fuzz.h"
#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/topics.h"

using namespace tarn::mqtt;

namespace {

void decode(const Frame& frame, Version version) {
    switch (frame.type) {
        case PacketType::connect:
            (void)decode_connect(frame.body);
            break;
        case PacketType::publish:
            if (const auto packet = decode_publish(frame, version); packet.ok()) {
                std::string out;
                append_publish(out, *packet, encode_forwarded(packet->properties), version);
                if (!packet->topic.empty() && valid_topic(packet->topic, 64))
                    (void)matches("+/a/#", packet->topic);
            }
            break;
        case PacketType::subscribe:
            if (const auto packet = decode_subscribe(frame.body, version); packet.ok())
                for (const auto& [filter, options] : packet->filters)
                    if (const auto parsed = parse_filter(filter, 64))
                        (void)matches(parsed->filter, "a/b");
            break;
        case PacketType::unsubscribe:
            (void)decode_unsubscribe(frame.body, version);
            break;
        case PacketType::disconnect:
            (void)decode_disconnect(frame.body, version);
            break;
        case PacketType::auth:
            (void)check_auth(frame.body);
            break;
        default:
            (void)decode_acknowledgement(frame.body, version);
    }
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace std::string_literals;
    const std::string connect311 =
        "\x10\x1c\x00\x04MQTT\x04\xc6\x00\x3c\x00\x01"
        "c\x00\x01w\x00\x02xy\x00\x01u\x00\x03pwd"s;
    const std::string connect5 =
        "\x10\x2d\x00\x04MQTT\x05\xc6\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x01"
        "c\x0a\x18\x00\x00\x00\x05\x02\x00\x00\x00\x07\x00\x01w\x00\x02xy\x00\x01u\x00\x03pwd"s;
    Publish publish;
    publish.topic = "a/b";
    publish.payload = "payload";
    publish.qos = 1;
    publish.packet_id = 7;
    std::string published311, published5;
    append_publish(published311, publish, {}, Version::v311);
    append_publish(published5, publish,
                   "\x01\x01\x03\0\x01t\x08\0\x01r\x09\0\x01d\x26\0\x01k\0\x01v"s, Version::v5);
    return {connect311,
            connect5 + published5,
            published311 + "\xc0\0"s,
            "\x82\x0b\0\x01\0\x06$share\x01"s,
            "\x82\x10\0\x01\x02\x0b\x05\0\x08$share/g\x2c"s,
            "\xa2\x07\0\x01\0\x03"
            "a/#"s,
            "\x40\x02\0\x01\x62\x03\0\x01\x92"s,
            "\xe0\x07\x04\x05\x11\0\0\0\x05"s,
            "\xf0\x09\x18\x07\x15\0\x01m\x16\0\x01"s};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view bytes = tarn::fuzz_text(data, size);
    while (true) {
        const auto frame = next_frame(bytes, 1 << 16);
        if (!frame.ok() || !frame->has_value()) return 0;
        decode(**frame, Version::v311);
        decode(**frame, Version::v5);
        bytes.remove_prefix((*frame)->size);
    }
}

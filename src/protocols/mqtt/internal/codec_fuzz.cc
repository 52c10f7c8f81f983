#include <cstddef>
#include <cstdint>

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

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    while (true) {
        const auto frame = next_frame(bytes, 1 << 16);
        if (!frame.ok() || !frame->has_value()) return 0;
        decode(**frame, Version::v311);
        decode(**frame, Version::v5);
        bytes.remove_prefix((*frame)->size);
    }
}

// Bytes <-> packets, pure. Errors of decoding: invalid_argument is a malformed packet (0x81),
// precondition_failed a protocol error (0x82), out_of_range a packet that is too large (0x95),
// unimplemented a version that is not spoken (0x84).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/mqtt/internal/packets.h"

namespace tarn::mqtt {

/// Section 2.1: one packet's fixed header and what follows it.
struct Frame {
    PacketType type = PacketType::connect;
    uint8_t flags = 0;
    std::string_view body;
    size_t size = 0;  // of the whole packet
};

/// The first packet of `bytes`; nullopt: it is not complete. Refuses a reserved type, flags that
/// are not the type's, and a packet above `bytes_max` as soon as its length is known.
Result<std::optional<Frame>> next_frame(std::string_view bytes, size_t bytes_max);

Result<Connect> decode_connect(std::string_view body);
Result<Publish> decode_publish(const Frame& frame, Version version);
Result<Acknowledgement> decode_acknowledgement(std::string_view body, Version version);
Result<Subscribe> decode_subscribe(std::string_view body, Version version);
Result<Unsubscribe> decode_unsubscribe(std::string_view body, Version version);
Result<Disconnect> decode_disconnect(std::string_view body, Version version);
/// AUTH: its properties are checked, nothing is made of it.
Status check_auth(std::string_view body);

/// Section 1.5.4: well-formed UTF-8 without U+0000 and surrogates.
bool valid_text(std::string_view text);

void append_connack(std::string& out, const Connack& packet, Version version);
/// With qos 0 `packet_id` is left out. `forwarded` are properties as encode_forwarded made them.
void append_publish(std::string& out, const Publish& packet, std::string_view forwarded,
                    Version version);
/// The size that append_publish gives.
size_t publish_size(const Publish& packet, std::string_view forwarded, Version version);
void append_acknowledgement(std::string& out, PacketType type, uint16_t packet_id, Reason reason,
                            std::string_view reason_string, Version version);
void append_suback(std::string& out, uint16_t packet_id, const std::vector<Reason>& reasons,
                   Version version);
void append_unsuback(std::string& out, uint16_t packet_id, const std::vector<Reason>& reasons,
                     Version version);
void append_pingresp(std::string& out);
/// Version 5 only: 3.1.1 has no such packet from a server.
void append_disconnect(std::string& out, Reason reason, std::string_view reason_string);

/// Properties of a publish that go on to subscribers as they came: payload format, content type,
/// response topic, correlation data, user properties.
std::string encode_forwarded(const Properties& properties);

}  // namespace tarn::mqtt

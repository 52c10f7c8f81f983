#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/errors.h"
#include "protocols/mqtt/internal/properties.h"

namespace tarn::mqtt {
namespace {

constexpr size_t kReasonStringBytesMax = 512;

char head(PacketType type, uint8_t flags = 0) {
    return static_cast<char>(static_cast<uint8_t>(type) << 4 | flags);
}

void append_packet(std::string& out, PacketType type, std::string_view body) {
    out.push_back(head(type));
    append_varint(out, static_cast<uint32_t>(body.size()));
    out += body;
}

/// Reason and reason string as PUBACK and DISCONNECT end; nothing at all for plain success.
void append_reason(std::string& body, Reason reason, std::string_view reason_string) {
    if (reason == Reason::success && reason_string.empty()) return;
    body.push_back(static_cast<char>(reason));
    if (reason_string.empty() || !valid_text(reason_string)) return;
    Properties properties;
    if (reason_string.size() <= kReasonStringBytesMax) properties.reason_string = reason_string;
    append_properties(body, properties);
}

void append_reasons(std::string& out, PacketType type, uint16_t packet_id,
                    const std::vector<Reason>& reasons, Version version) {
    std::string body;
    append_be(body, packet_id);
    if (version == Version::v5) body.push_back(0);
    for (const Reason reason : reasons) {
        const bool refused = static_cast<uint8_t>(reason) >= 0x80;
        body.push_back(static_cast<char>(
            refused && version == Version::v311 ? Reason::unspecified_error : reason));
    }
    append_packet(out, type, body);
}

/// Expiry and identifiers, which are the delivery's own, before what goes on unchanged.
std::string own_properties(const Properties& from) {
    std::string list;
    if (!from.message_expiry && from.subscription_ids.empty()) return list;
    Properties own;
    own.message_expiry = from.message_expiry;
    own.subscription_ids = from.subscription_ids;
    append_property_list(list, own);
    return list;
}

size_t remaining_length(const Publish& packet, size_t properties, Version version) {
    size_t size = 2 + packet.topic.size() + (packet.qos > 0 ? 2 : 0) + packet.payload.size();
    if (version == Version::v5) size += varint_size(static_cast<uint32_t>(properties)) + properties;
    return size;
}

}  // namespace

void append_connack(std::string& out, const Connack& packet, Version version) {
    std::string body;
    body.push_back(packet.session_present ? 1 : 0);
    if (version == Version::v5) {
        body.push_back(static_cast<char>(packet.reason));
        append_properties(body, packet.properties);
    } else {
        body.push_back(static_cast<char>(return_code_of(packet.reason)));
    }
    append_packet(out, PacketType::connack, body);
}

void append_publish(std::string& out, const Publish& packet, std::string_view forwarded,
                    Version version) {
    const std::string own =
        version == Version::v5 ? own_properties(packet.properties) : std::string();
    const size_t properties = own.size() + forwarded.size();
    const auto flags =
        static_cast<uint8_t>((packet.dup ? 8 : 0) | packet.qos << 1 | (packet.retain ? 1 : 0));
    out.push_back(head(PacketType::publish, flags));
    append_varint(out, static_cast<uint32_t>(remaining_length(packet, properties, version)));
    append_text(out, packet.topic);
    if (packet.qos > 0) append_be(out, packet.packet_id);
    if (version == Version::v5) {
        append_varint(out, static_cast<uint32_t>(properties));
        out += own;
        out += forwarded;
    }
    out += packet.payload;
}

size_t publish_size(const Publish& packet, std::string_view forwarded, Version version) {
    const size_t own = version == Version::v5 ? own_properties(packet.properties).size() : 0;
    const size_t length = remaining_length(packet, own + forwarded.size(), version);
    return 1 + varint_size(static_cast<uint32_t>(length)) + length;
}

void append_acknowledgement(std::string& out, PacketType type, uint16_t packet_id, Reason reason,
                            std::string_view reason_string, Version version) {
    const uint8_t flags = type == PacketType::pubrel ? 2 : 0;
    if (version == Version::v311 || (reason == Reason::success && reason_string.empty())) {
        const char bytes[4] = {head(type, flags), 2, static_cast<char>(packet_id >> 8),
                               static_cast<char>(packet_id & 0xff)};
        out.append(bytes, sizeof bytes);
        return;
    }
    std::string body;
    append_be(body, packet_id);
    append_reason(body, reason, reason_string);
    out.push_back(head(type, flags));
    append_varint(out, static_cast<uint32_t>(body.size()));
    out += body;
}

void append_suback(std::string& out, uint16_t packet_id, const std::vector<Reason>& reasons,
                   Version version) {
    append_reasons(out, PacketType::suback, packet_id, reasons, version);
}

void append_unsuback(std::string& out, uint16_t packet_id, const std::vector<Reason>& reasons,
                     Version version) {
    append_reasons(out, PacketType::unsuback, packet_id,
                   version == Version::v5 ? reasons : std::vector<Reason>{}, version);
}

void append_pingresp(std::string& out) {
    append_packet(out, PacketType::pingresp, {});
}

void append_disconnect(std::string& out, Reason reason, std::string_view reason_string) {
    std::string body;
    append_reason(body, reason, reason_string);
    append_packet(out, PacketType::disconnect, body);
}

std::string encode_forwarded(const Properties& properties) {
    Properties forwarded;
    forwarded.payload_format = properties.payload_format;
    forwarded.content_type = properties.content_type;
    forwarded.response_topic = properties.response_topic;
    forwarded.correlation_data = properties.correlation_data;
    forwarded.user = properties.user;
    std::string list;
    append_property_list(list, forwarded);
    return list;
}

}  // namespace tarn::mqtt

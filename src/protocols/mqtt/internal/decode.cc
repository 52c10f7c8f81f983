#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/errors.h"
#include "protocols/mqtt/internal/properties.h"

namespace tarn::mqtt {
namespace {

Result<uint16_t> take_packet_id(ByteReader& reader) {
    const auto id = reader.take_be<uint16_t>();
    if (!id) return malformed("the packet identifier is cut");
    if (*id == 0) return protocol_error("the packet identifier is 0");
    return *id;
}

Result<Properties> take_properties_of(ByteReader& reader, Carrier carrier, Version version) {
    if (version != Version::v5) return Properties{};
    return take_properties(reader, carrier);
}

bool flags_fit(PacketType type, uint8_t flags) {
    switch (type) {
        case PacketType::publish:
            return (flags >> 1 & 3) != 3;
        case PacketType::pubrel:
        case PacketType::subscribe:
        case PacketType::unsubscribe:
            return flags == 2;
        default:
            return flags == 0;
    }
}

Result<Will> take_will(ByteReader& reader, uint8_t flags, Version version) {
    Will will;
    will.qos = flags >> 3 & 3;
    will.retain = (flags & 0x20) != 0;
    if (will.qos == 3) return malformed("the will's QoS is 3");
    TARN_TRY(properties, take_properties_of(reader, Carrier::will, version));
    will.properties = std::move(properties);
    const auto topic = take_text(reader);
    const auto payload = topic ? take_binary(reader) : std::nullopt;
    if (!payload) return malformed("the will is cut or its topic is not UTF-8");
    will.topic = *topic;
    will.payload = *payload;
    return will;
}

Result<Version> take_version(ByteReader& reader) {
    const auto name = take_text(reader);
    const auto level = name ? reader.take_le<uint8_t>() : std::nullopt;
    if (!level) return malformed("the protocol name is cut");
    if (*name == "MQIsdp" && *level == 3)
        return Error(Code::unimplemented, "MQTT 3.1 is not spoken here: use 3.1.1 or 5");
    if (*name != "MQTT") return malformed("not an MQTT client");
    if (*level != 4 && *level != 5)
        return Error(Code::unimplemented, "this version of MQTT is not spoken: use 3.1.1 or 5");
    return static_cast<Version>(*level);
}

}  // namespace

bool valid_text(std::string_view text) {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    const auto tail = [&](int count) {
        for (int i = 1; i <= count; ++i)
            if (end - at <= i || (at[i] & 0xc0) != 0x80) return false;
        return true;
    };
    while (at < end) {
        const unsigned char c = *at;
        if (c == 0) return false;
        if (c < 0x80) {
            ++at;
        } else if (c >= 0xc2 && c < 0xe0) {
            if (!tail(1)) return false;
            at += 2;
        } else if (c >= 0xe0 && c < 0xf0) {
            if (!tail(2) || (c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] >= 0xa0))
                return false;
            at += 3;
        } else if (c >= 0xf0 && c < 0xf5) {
            if (!tail(3) || (c == 0xf0 && at[1] < 0x90) || (c == 0xf4 && at[1] >= 0x90))
                return false;
            at += 4;
        } else {
            return false;
        }
    }
    return true;
}

Result<std::optional<Frame>> next_frame(std::string_view bytes, size_t bytes_max) {
    if (bytes.empty()) return std::optional<Frame>{};
    Frame frame;
    const auto first = static_cast<uint8_t>(bytes[0]);
    frame.type = static_cast<PacketType>(first >> 4);
    frame.flags = first & 0x0f;
    if (first >> 4 == 0) return malformed("a packet of type 0");
    if (!flags_fit(frame.type, frame.flags)) return malformed("flags that the type can't have");
    ByteReader reader(bytes.substr(1, 4));
    const auto size = take_varint(reader);
    if (!size) {
        const bool cut = bytes.size() < 5 && (bytes.size() == 1 || (bytes.back() & 0x80) != 0);
        if (cut) return std::optional<Frame>{};
        return malformed("a malformed length");
    }
    const size_t head = 1 + bytes.substr(1, 4).size() - reader.left();
    frame.size = head + *size;
    if (frame.size > bytes_max)
        return Error(Code::out_of_range, "a packet has at most " + std::to_string(bytes_max) +
                                             " bytes, this one has " + std::to_string(frame.size));
    if (bytes.size() < frame.size) return std::optional<Frame>{};
    frame.body = bytes.substr(head, *size);
    return std::optional<Frame>{frame};
}

Result<Connect> decode_connect(std::string_view body) {
    ByteReader reader(body);
    Connect packet;
    TARN_TRY(version, take_version(reader));
    packet.version = version;
    const auto flags = reader.take_le<uint8_t>();
    const auto keep_alive = reader.take_be<uint16_t>();
    if (!keep_alive) return malformed("CONNECT is cut");
    if ((*flags & 1) != 0) return malformed("the reserved flag of CONNECT is set");
    if ((*flags & 4) == 0 && (*flags & 0x38) != 0) return malformed("flags of a will without will");
    if (version == Version::v311 && (*flags & 0xc0) == 0x40)
        return malformed("a password without a user name");
    packet.clean_start = (*flags & 2) != 0;
    packet.keep_alive_seconds = *keep_alive;
    TARN_TRY(properties, take_properties_of(reader, Carrier::connect, version));
    packet.properties = std::move(properties);
    const auto client_id = take_text(reader);
    if (!client_id) return malformed("the client identifier is cut or not UTF-8");
    packet.client_id = *client_id;
    if ((*flags & 4) != 0) {
        TARN_TRY(will, take_will(reader, *flags, version));
        packet.will = std::move(will);
    }
    if ((*flags & 0x80) != 0 && !(packet.user_name = take_text(reader)))
        return malformed("the user name is cut or not UTF-8");
    if ((*flags & 0x40) != 0 && !(packet.password = take_binary(reader)))
        return malformed("the password is cut");
    if (!reader.empty()) return malformed("bytes behind the end of CONNECT");
    if (packet.properties.authentication_data && !packet.properties.authentication_method)
        return protocol_error("authentication data without a method");
    return packet;
}

Result<Publish> decode_publish(const Frame& frame, Version version) {
    ByteReader reader(frame.body);
    Publish packet;
    packet.qos = frame.flags >> 1 & 3;
    packet.dup = (frame.flags & 8) != 0;
    packet.retain = (frame.flags & 1) != 0;
    if (packet.dup && packet.qos == 0) return malformed("DUP is set on a publish with QoS 0");
    const auto topic = take_text(reader);
    if (!topic) return malformed("the topic is cut or not UTF-8");
    packet.topic = *topic;
    if (packet.qos > 0) {
        TARN_TRY(id, take_packet_id(reader));
        packet.packet_id = id;
    }
    if (version == Version::v5) {
        if (!reader.empty() && reader.rest().front() == 0) {
            (void)reader.take(1);
        } else {
            TARN_TRY(properties, take_properties(reader, Carrier::publish));
            packet.properties = std::move(properties);
        }
        if (!packet.properties.subscription_ids.empty())
            return protocol_error("a client's publish has a subscription identifier");
    }
    packet.payload = reader.rest();
    return packet;
}

Result<Acknowledgement> decode_acknowledgement(std::string_view body, Version version) {
    ByteReader reader(body);
    Acknowledgement packet;
    TARN_TRY(id, take_packet_id(reader));
    packet.packet_id = id;
    if (reader.empty()) return packet;
    if (version != Version::v5) return malformed("bytes behind the end of an acknowledgement");
    packet.reason = static_cast<Reason>(*reader.take_le<uint8_t>());
    if (reader.empty()) return packet;
    TARN_TRY(properties, take_properties(reader, Carrier::acknowledgement));
    packet.properties = std::move(properties);
    if (!reader.empty()) return malformed("bytes behind the end of an acknowledgement");
    return packet;
}

Result<Subscribe> decode_subscribe(std::string_view body, Version version) {
    ByteReader reader(body);
    Subscribe packet;
    TARN_TRY(id, take_packet_id(reader));
    packet.packet_id = id;
    TARN_TRY(properties, take_properties_of(reader, Carrier::subscribe, version));
    packet.properties = std::move(properties);
    if (packet.properties.subscription_ids.size() > 1)
        return protocol_error("SUBSCRIBE with two subscription identifiers");
    while (!reader.empty()) {
        const auto filter = take_text(reader);
        const auto bits = filter ? reader.take_le<uint8_t>() : std::nullopt;
        if (!bits) return malformed("a topic filter is cut or not UTF-8");
        if ((*bits & (version == Version::v5 ? 0xc0 : 0xfc)) != 0 || (*bits & 3) == 3)
            return malformed("reserved bits of a subscription's options are set");
        SubscriptionOptions options;
        options.qos = *bits & 3;
        options.no_local = (*bits & 4) != 0;
        options.retain_as_published = (*bits & 8) != 0;
        options.retain_handling = *bits >> 4 & 3;
        if (options.retain_handling == 3) return protocol_error("retain handling 3");
        packet.filters.emplace_back(*filter, options);
    }
    if (packet.filters.empty()) return protocol_error("SUBSCRIBE without a topic filter");
    return packet;
}

Result<Unsubscribe> decode_unsubscribe(std::string_view body, Version version) {
    ByteReader reader(body);
    Unsubscribe packet;
    TARN_TRY(id, take_packet_id(reader));
    packet.packet_id = id;
    TARN_TRY(properties, take_properties_of(reader, Carrier::unsubscribe, version));
    packet.properties = std::move(properties);
    while (!reader.empty()) {
        const auto filter = take_text(reader);
        if (!filter) return malformed("a topic filter is cut or not UTF-8");
        packet.filters.push_back(*filter);
    }
    if (packet.filters.empty()) return protocol_error("UNSUBSCRIBE without a topic filter");
    return packet;
}

Result<Disconnect> decode_disconnect(std::string_view body, Version version) {
    ByteReader reader(body);
    Disconnect packet;
    if (reader.empty()) return packet;
    if (version != Version::v5) return malformed("bytes behind the end of DISCONNECT");
    packet.reason = static_cast<Reason>(*reader.take_le<uint8_t>());
    if (reader.empty()) return packet;
    TARN_TRY(properties, take_properties(reader, Carrier::disconnect));
    packet.properties = std::move(properties);
    if (!reader.empty()) return malformed("bytes behind the end of DISCONNECT");
    return packet;
}

Status check_auth(std::string_view body) {
    ByteReader reader(body);
    if (reader.empty()) return ok_status();
    (void)reader.take(1);
    if (reader.empty()) return ok_status();
    TARN_CHECK_OK(take_properties(reader, Carrier::auth));
    if (!reader.empty()) return malformed("bytes behind the end of AUTH");
    return ok_status();
}

}  // namespace tarn::mqtt

#include "protocols/mqtt/internal/properties.h"

#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/errors.h"

namespace tarn::mqtt {
namespace {

constexpr uint16_t in(Carrier carrier) {
    return static_cast<uint16_t>(1u << static_cast<unsigned>(carrier));
}
template <typename... Rest>
constexpr uint16_t in(Carrier first, Rest... rest) {
    return static_cast<uint16_t>(in(first) | in(rest...));
}

enum Identifier : uint8_t {
    kPayloadFormat = 0x01,
    kMessageExpiry = 0x02,
    kContentType = 0x03,
    kResponseTopic = 0x08,
    kCorrelationData = 0x09,
    kSubscriptionId = 0x0b,
    kSessionExpiry = 0x11,
    kAssignedClientId = 0x12,
    kServerKeepAlive = 0x13,
    kAuthenticationMethod = 0x15,
    kAuthenticationData = 0x16,
    kRequestProblem = 0x17,
    kWillDelay = 0x18,
    kRequestResponse = 0x19,
    kReasonString = 0x1f,
    kReceiveMaximum = 0x21,
    kTopicAliasMaximum = 0x22,
    kTopicAlias = 0x23,
    kMaximumQos = 0x24,
    kRetainAvailable = 0x25,
    kUser = 0x26,
    kMaximumPacketSize = 0x27,
    kWildcardAvailable = 0x28,
    kSubscriptionIdsAvailable = 0x29,
    kSharedAvailable = 0x2a,
};

/// Packets from clients that may hold the property; those that only servers send have none.
uint16_t carriers_of(uint8_t identifier) {
    using enum Carrier;
    switch (identifier) {
        case kPayloadFormat:
        case kMessageExpiry:
        case kContentType:
        case kResponseTopic:
        case kCorrelationData:
            return in(publish, will);
        case kSubscriptionId:
            return in(subscribe, publish);
        case kSessionExpiry:
            return in(connect, connack, disconnect);
        case kAssignedClientId:
        case kServerKeepAlive:
        case kMaximumQos:
        case kRetainAvailable:
        case kWildcardAvailable:
        case kSubscriptionIdsAvailable:
        case kSharedAvailable:
            return in(connack);
        case kAuthenticationMethod:
        case kAuthenticationData:
            return in(connect, connack, auth);
        case kRequestProblem:
        case kRequestResponse:
            return in(connect);
        case kWillDelay:
            return in(will);
        case kReasonString:
            return in(connack, acknowledgement, suback, disconnect, auth);
        case kReceiveMaximum:
        case kTopicAliasMaximum:
        case kMaximumPacketSize:
            return in(connect, connack);
        case kTopicAlias:
            return in(publish);
        case kUser:
            return 0xffff;
        default:
            return 0;
    }
}

template <typename Value>
Status set_once(std::optional<Value>& slot, std::optional<Value> taken) {
    if (!taken) return malformed("a property is cut or malformed");
    if (slot) return protocol_error("a property stands twice");
    slot = *taken;
    return ok_status();
}

Status set_flag(std::optional<uint8_t>& slot, ByteReader& reader) {
    TARN_CHECK_OK(set_once(slot, reader.take_le<uint8_t>()));
    if (*slot > 1) return protocol_error("a property has a value other than 0 and 1");
    return ok_status();
}

template <typename Value>
Status set_positive(std::optional<Value>& slot, ByteReader& reader) {
    TARN_CHECK_OK(set_once(slot, reader.take_be<Value>()));
    if (*slot == 0) return protocol_error("a property has the value 0");
    return ok_status();
}

Status take_one(ByteReader& reader, uint8_t identifier, Properties& to) {
    switch (identifier) {
        case kPayloadFormat:
            return set_flag(to.payload_format, reader);
        case kMessageExpiry:
            return set_once(to.message_expiry, reader.take_be<uint32_t>());
        case kContentType:
            return set_once(to.content_type, take_text(reader));
        case kResponseTopic:
            return set_once(to.response_topic, take_text(reader));
        case kCorrelationData:
            return set_once(to.correlation_data, take_binary(reader));
        case kSubscriptionId: {
            const auto id = take_varint(reader);
            if (!id) return malformed("a subscription identifier is malformed");
            if (*id == 0) return protocol_error("a subscription identifier is 0");
            to.subscription_ids.push_back(*id);
            return ok_status();
        }
        case kSessionExpiry:
            return set_once(to.session_expiry, reader.take_be<uint32_t>());
        case kAssignedClientId:
            return set_once(to.assigned_client_id, take_text(reader));
        case kServerKeepAlive:
            return set_once(to.server_keep_alive, reader.take_be<uint16_t>());
        case kAuthenticationMethod:
            return set_once(to.authentication_method, take_text(reader));
        case kAuthenticationData:
            return set_once(to.authentication_data, take_binary(reader));
        case kRequestProblem:
            return set_flag(to.request_problem_information, reader);
        case kWillDelay:
            return set_once(to.will_delay, reader.take_be<uint32_t>());
        case kRequestResponse:
            return set_flag(to.request_response_information, reader);
        case kReasonString:
            return set_once(to.reason_string, take_text(reader));
        case kReceiveMaximum:
            return set_positive(to.receive_maximum, reader);
        case kTopicAliasMaximum:
            return set_once(to.topic_alias_maximum, reader.take_be<uint16_t>());
        case kTopicAlias:
            return set_once(to.topic_alias, reader.take_be<uint16_t>());
        case kMaximumQos:
            return set_flag(to.maximum_qos, reader);
        case kRetainAvailable:
            return set_flag(to.retain_available, reader);
        case kUser: {
            const auto name = take_text(reader);
            const auto value = name ? take_text(reader) : std::nullopt;
            if (!value) return malformed("a user property is cut or not UTF-8");
            to.user.emplace_back(*name, *value);
            return ok_status();
        }
        case kMaximumPacketSize:
            return set_positive(to.maximum_packet_size, reader);
        case kWildcardAvailable:
            return set_flag(to.wildcard_available, reader);
        case kSubscriptionIdsAvailable:
            return set_flag(to.subscription_ids_available, reader);
        case kSharedAvailable:
            return set_flag(to.shared_available, reader);
        default:
            return malformed("an unknown property");
    }
}

template <typename Value>
void put_number(std::string& out, Identifier identifier, const std::optional<Value>& value) {
    if (!value) return;
    out.push_back(static_cast<char>(identifier));
    append_be(out, *value);
}

void put_text(std::string& out, Identifier identifier,
              const std::optional<std::string_view>& value) {
    if (!value) return;
    out.push_back(static_cast<char>(identifier));
    append_text(out, *value);
}

}  // namespace

Result<Properties> take_properties(ByteReader& reader, Carrier carrier) {
    const auto size = take_varint(reader);
    const auto bytes = size ? reader.take(*size) : std::nullopt;
    if (!bytes) return malformed("the properties are cut");
    Properties properties;
    ByteReader list(*bytes);
    while (!list.empty()) {
        const uint8_t identifier = *list.take_le<uint8_t>();
        const uint16_t carriers = carriers_of(identifier);
        if (carriers == 0) return malformed("an unknown property");
        if ((carriers & in(carrier)) == 0)
            return protocol_error("a property that this packet can't have");
        TARN_CHECK_OK(take_one(list, identifier, properties));
    }
    return properties;
}

void append_property_list(std::string& out, const Properties& from) {
    put_number(out, kPayloadFormat, from.payload_format);
    put_number(out, kMessageExpiry, from.message_expiry);
    put_text(out, kContentType, from.content_type);
    put_text(out, kResponseTopic, from.response_topic);
    put_text(out, kCorrelationData, from.correlation_data);
    for (const uint32_t id : from.subscription_ids) {
        out.push_back(kSubscriptionId);
        append_varint(out, id);
    }
    put_number(out, kSessionExpiry, from.session_expiry);
    put_text(out, kAssignedClientId, from.assigned_client_id);
    put_number(out, kServerKeepAlive, from.server_keep_alive);
    put_text(out, kAuthenticationMethod, from.authentication_method);
    put_text(out, kAuthenticationData, from.authentication_data);
    put_number(out, kRequestProblem, from.request_problem_information);
    put_number(out, kWillDelay, from.will_delay);
    put_number(out, kRequestResponse, from.request_response_information);
    put_text(out, kReasonString, from.reason_string);
    put_number(out, kReceiveMaximum, from.receive_maximum);
    put_number(out, kTopicAliasMaximum, from.topic_alias_maximum);
    put_number(out, kTopicAlias, from.topic_alias);
    put_number(out, kMaximumQos, from.maximum_qos);
    put_number(out, kRetainAvailable, from.retain_available);
    for (const auto& [name, value] : from.user) {
        out.push_back(kUser);
        append_text(out, name);
        append_text(out, value);
    }
    put_number(out, kMaximumPacketSize, from.maximum_packet_size);
    put_number(out, kWildcardAvailable, from.wildcard_available);
    put_number(out, kSubscriptionIdsAvailable, from.subscription_ids_available);
    put_number(out, kSharedAvailable, from.shared_available);
}

void append_properties(std::string& out, const Properties& properties) {
    std::string list;
    append_property_list(list, properties);
    append_varint(out, static_cast<uint32_t>(list.size()));
    out += list;
}

std::optional<uint32_t> take_varint(ByteReader& reader) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        const auto byte = reader.take_le<uint8_t>();
        if (!byte) return std::nullopt;
        value |= static_cast<uint32_t>(*byte & 0x7f) << shift;
        if (*byte < 0x80) {
            if (*byte == 0 && shift > 0) return std::nullopt;  // not the shortest form
            return value;
        }
    }
    return std::nullopt;
}

void append_varint(std::string& out, uint32_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

size_t varint_size(uint32_t value) {
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

std::optional<std::string_view> take_binary(ByteReader& reader) {
    const auto size = reader.take_be<uint16_t>();
    return size ? reader.take(*size) : std::nullopt;
}

std::optional<std::string_view> take_text(ByteReader& reader) {
    const auto text = take_binary(reader);
    return text && valid_text(*text) ? text : std::nullopt;
}

void append_text(std::string& out, std::string_view text) {
    append_be(out, static_cast<uint16_t>(text.size()));
    out += text;
}

}  // namespace tarn::mqtt

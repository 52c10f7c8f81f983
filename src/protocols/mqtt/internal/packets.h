// The packets of MQTT 3.1.1 and 5.0 as structs. Text and bytes of decoded packets are views into
// the bytes they came from. Sections are those of the 5.0 specification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::mqtt {

enum class Version : uint8_t { v311 = 4, v5 = 5 };

enum class PacketType : uint8_t {
    connect = 1,
    connack,
    publish,
    puback,
    pubrec,
    pubrel,
    pubcomp,
    subscribe,
    suback,
    unsubscribe,
    unsuback,
    pingreq,
    pingresp,
    disconnect,
    auth,
};

/// Section 2.4: those that this server gives or understands.
enum class Reason : uint8_t {
    success = 0x00,
    granted_qos_1 = 0x01,
    disconnect_with_will = 0x04,
    no_matching_subscribers = 0x10,
    no_subscription_existed = 0x11,
    unspecified_error = 0x80,
    malformed_packet = 0x81,
    protocol_error = 0x82,
    implementation_error = 0x83,
    unsupported_version = 0x84,
    client_id_not_valid = 0x85,
    bad_user_name_or_password = 0x86,
    not_authorized = 0x87,
    server_unavailable = 0x88,
    server_busy = 0x89,
    server_shutting_down = 0x8b,
    bad_authentication_method = 0x8c,
    keep_alive_timeout = 0x8d,
    session_taken_over = 0x8e,
    topic_filter_invalid = 0x8f,
    topic_name_invalid = 0x90,
    packet_id_not_found = 0x92,
    receive_maximum_exceeded = 0x93,
    topic_alias_invalid = 0x94,
    packet_too_large = 0x95,
    quota_exceeded = 0x97,
    administrative_action = 0x98,
    payload_format_invalid = 0x99,
    qos_not_supported = 0x9b,
};

/// Section 2.2.2.2. Only what came, or is to be sent, is set.
struct Properties {
    std::optional<uint8_t> payload_format;
    std::optional<uint32_t> message_expiry;
    std::optional<std::string_view> content_type, response_topic, correlation_data;
    std::vector<uint32_t> subscription_ids;
    std::optional<uint32_t> session_expiry;
    std::optional<std::string_view> assigned_client_id;
    std::optional<uint16_t> server_keep_alive;
    std::optional<std::string_view> authentication_method, authentication_data;
    std::optional<uint8_t> request_problem_information, request_response_information;
    std::optional<uint32_t> will_delay;
    std::optional<std::string_view> reason_string;
    std::optional<uint16_t> receive_maximum, topic_alias_maximum, topic_alias;
    std::optional<uint8_t> maximum_qos, retain_available;
    std::vector<std::pair<std::string_view, std::string_view>> user;
    std::optional<uint32_t> maximum_packet_size;
    std::optional<uint8_t> wildcard_available, subscription_ids_available, shared_available;
};

struct Will {
    std::string_view topic, payload;
    uint8_t qos = 0;
    bool retain = false;
    Properties properties;
};

struct Connect {
    Version version = Version::v311;
    bool clean_start = false;
    uint16_t keep_alive_seconds = 0;
    std::string_view client_id;
    std::optional<Will> will;
    std::optional<std::string_view> user_name, password;
    Properties properties;
};

struct Publish {
    std::string_view topic, payload;
    uint8_t qos = 0;
    bool dup = false, retain = false;
    uint16_t packet_id = 0;  // 0 with QoS 0
    Properties properties;
};

/// PUBACK, PUBREC, PUBREL, PUBCOMP.
struct Acknowledgement {
    uint16_t packet_id = 0;
    Reason reason = Reason::success;
    Properties properties;
};

struct SubscriptionOptions {
    uint8_t qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    uint8_t retain_handling = 0;

    bool operator==(const SubscriptionOptions&) const = default;
};

struct Subscribe {
    uint16_t packet_id = 0;
    std::vector<std::pair<std::string_view, SubscriptionOptions>> filters;
    Properties properties;
};

struct Unsubscribe {
    uint16_t packet_id = 0;
    std::vector<std::string_view> filters;
    Properties properties;
};

struct Disconnect {
    Reason reason = Reason::success;
    Properties properties;
};

struct Connack {
    bool session_present = false;
    Reason reason = Reason::success;
    Properties properties;
};

}  // namespace tarn::mqtt

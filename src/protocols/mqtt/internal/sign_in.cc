#include "base/random.h"
#include "net/peer.h"
#include "protocols/mqtt/internal/errors.h"
#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

constexpr uint16_t kReceiveMaximumDefault = 65'535;

std::string new_request_id() {
    std::string id = random_hex(8);
    for (char& c : id) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
    return id;
}

Error refusal(Code code, const char* text) {
    return Error(code, text);
}

}  // namespace

void MqttSession::on_connect(const Connect& packet) {
    version_ = packet.version;
    Reason reason = Reason::unspecified_error;
    Status done = sign_in(packet, reason);
    if (done.ok()) done = check_will(packet, reason);
    if (done.ok()) done = take_session(packet, reason);
    if (!done.ok()) return refuse(reason, done.error().message);

    batcher_ = door_->batcher();
    batcher_id_ = batcher_->enter(*this, transport_.wire());
    state_ = State::connected;
    keep_alive_ = std::chrono::milliseconds(packet.keep_alive_seconds * 1500);
    arm_keep_alive();
    append_connack(out_, connack_for(packet), version_);
    send_out();
    pump();
}

/// Who it is, and whether it may connect under this client identifier: iot:Connect.
Status MqttSession::sign_in(const Connect& packet, Reason& reason) {
    security::Caller caller;
    const auto record = [&](const Status& refused) {
        if (door_->parts.audit == nullptr) return;
        auto result = security::AuditResult::of(refused);
        result.error_code = word_of(reason);
        // The answer is no anyway: a full trail does not change it.
        (void)door_->parts.audit->try_record(caller, result);
    };
    const auto fail = [&](Reason why, Code code, const char* text) {
        reason = why;
        Status refused = refusal(code, text);
        record(refused);
        return refused;
    };
    caller.principal.name = packet.user_name.value_or("");
    caller.request_id = new_request_id();
    caller.door = "mqtt";
    caller.source_ip = transport_.peer_address();
    caller.user_agent = packet.client_id;
    caller.secure_transport = transport_.is_tls();
    caller.action = "iot:Connect";
    caller.resource = door_->arn("client", packet.client_id);
    caller.at = door_->parts.clock.now();
    if (packet.properties.authentication_method)
        return fail(Reason::bad_authentication_method, Code::unimplemented,
                    "extended authentication is not implemented: give user name and password");
    if (!transport_.is_tls() && !net::is_loopback(transport_.peer_address()) &&
        !door_->options.allow_plaintext)
        return fail(Reason::not_authorized, Code::permission_denied,
                    "the connection is not encrypted: use TLS");

    client_id_ = packet.client_id;
    if (client_id_.empty()) {
        if (version_ == Version::v311 && !packet.clean_start)
            return fail(Reason::client_id_not_valid, Code::invalid_argument,
                        "a session that is kept needs a client identifier");
        client_id_ = "auto-" + random_hex(12);
        assigned_id_ = true;
        caller.resource = door_->arn("client", client_id_);
    }
    auto principal = door_->parts.users.verify_password(packet.user_name.value_or(""),
                                                        packet.password.value_or(""));
    if (!principal.ok()) {
        Status refused = std::move(principal).error();
        reason = reason_of(refused.error());
        record(refused);
        return refused;
    }
    caller.principal = std::move(principal).value();
    rights_.emplace(*door_, caller);
    if (Status allowed = rights_->decide("iot:Connect", caller.resource, true); !allowed.ok()) {
        reason = reason_of(allowed.error());
        return allowed;
    }
    door_->parts.users.note_used(caller.principal.access_key_id);
    return ok_status();
}

Status MqttSession::check_will(const Connect& packet, Reason& reason) {
    if (!packet.will) return ok_status();
    const Will& will = *packet.will;
    if (will.qos > 1) {
        reason = Reason::qos_not_supported;
        return refusal(Code::invalid_argument, "QoS 2 is not supported");
    }
    if (!valid_topic(will.topic, door_->options.topic_levels_max)) {
        reason = Reason::topic_name_invalid;
        return refusal(Code::invalid_argument, "the will's topic is not valid");
    }
    if (Status allowed = rights_->decide("iot:Publish", door_->arn("topic", will.topic), true);
        !allowed.ok()) {
        reason = reason_of(allowed.error());
        return allowed;
    }
    auto message = std::make_shared<Message>();
    message->topic = will.topic;
    message->payload = will.payload;
    message->forwarded = encode_forwarded(will.properties);
    message->qos = will.qos;
    message->retain = will.retain;
    if (Status room = message->retain
                          ? door_->broker.retained().check_room(message->topic, message->bytes())
                          : ok_status();
        !room.ok()) {
        reason = Reason::quota_exceeded;
        return room;
    }
    if (will.properties.message_expiry)
        message->expires =
            door_->parts.clock.now().plus(std::chrono::seconds(*will.properties.message_expiry));
    will_ = PendingWill{std::move(message),
                        std::chrono::seconds(will.properties.will_delay.value_or(0))};
    return ok_status();
}

Status MqttSession::take_session(const Connect& packet, Reason& reason) {
    if (!door_->take_place()) {
        reason = Reason::quota_exceeded;
        return refusal(Code::exhausted, "there are too many connections");
    }
    has_place_ = true;
    const Properties& properties = packet.properties;
    const auto longest = door_->options.session_expiry_max;
    if (version_ == Version::v5) {
        expiry_ = std::min(std::chrono::seconds(properties.session_expiry.value_or(0)), longest);
    } else if (!packet.clean_start) {
        expiry_ = longest;
    }
    packet_bytes_max_ = properties.maximum_packet_size.value_or(0);
    const uint16_t receive_maximum = properties.receive_maximum.value_or(kReceiveMaximumDefault);
    auto attached = door_->broker.attach(client_id_, rights_->caller().principal.arn,
                                         packet.clean_start, {transport_.wire(), this},
                                         std::min(receive_maximum, door_->options.inflight_max));
    if (!attached.ok()) {
        reason = reason_of(attached.error());
        return std::move(attached).error();
    }
    attached_ = std::move(attached).value();
    return ok_status();
}

Connack MqttSession::connack_for(const Connect& packet) const {
    const DoorOptions& options = door_->options;
    Connack answer;
    answer.session_present = attached_.session_present;
    Properties& properties = answer.properties;
    if (packet.properties.session_expiry &&
        std::chrono::seconds(*packet.properties.session_expiry) > expiry_)
        properties.session_expiry = static_cast<uint32_t>(expiry_.count());
    properties.receive_maximum = options.receive_max;
    properties.maximum_qos = 1;
    properties.maximum_packet_size = static_cast<uint32_t>(options.packet_bytes_max);
    if (assigned_id_) properties.assigned_client_id = client_id_;
    properties.topic_alias_maximum = options.topic_alias_max;
    return answer;
}

/// CONNACK with the reason, then the end.
void MqttSession::refuse(Reason reason, std::string_view text) {
    state_ = State::closing;
    will_.reset();
    Connack answer;
    answer.reason = reason;
    if (version_ == Version::v5) answer.properties.reason_string = text;
    append_connack(out_, answer, version_);
    send_out();
    transport_.close_after_send();
}

}  // namespace tarn::mqtt

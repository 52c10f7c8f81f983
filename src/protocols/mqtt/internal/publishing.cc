#include "protocols/mqtt/internal/errors.h"
#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

constexpr size_t kDeliveriesAtOnce = 64;
constexpr size_t kAcksMax = 65'535;  // there are no more packet identifiers

}  // namespace

Status MqttSession::on_publish(const Publish& packet) {
    const DoorOptions& options = door_->options;
    if (packet.qos == 2) {
        close(Reason::qos_not_supported, "QoS 2 is not supported: use QoS 1");
        return ok_status();
    }
    if (packet.qos == 1 &&
        acks_.size() >= (version_ == Version::v5 ? size_t{options.receive_max} : kAcksMax)) {
        close(Reason::receive_maximum_exceeded, "more publishes than the receive maximum");
        return ok_status();
    }
    if (!rights_->still_good()) {
        close(Reason::administrative_action, "the key that signed in is no longer valid");
        return ok_status();
    }
    TARN_TRY(topic, resolve_topic(packet));
    if (state_ == State::closing) return ok_status();
    if (!valid_topic(topic, options.topic_levels_max))
        return refuse_publish(packet, Reason::topic_name_invalid, "the topic is not valid");
    if (packet.properties.payload_format.value_or(0) == 1 && !valid_text(packet.payload))
        return refuse_publish(packet, Reason::payload_format_invalid, "the payload is not UTF-8");
    Rights::Topic& right = rights_->publish_to(topic);
    if (!right.allowed.ok())
        return refuse_publish(packet, reason_of(right.allowed.error()),
                              right.allowed.error().message);

    Batcher::Item item{{std::string(topic), std::string(packet.payload)}, nullptr, packet.qos == 1};
    if (packet.retain || door_->broker.subscriptions().any()) {
        auto message = std::make_shared<Message>();
        message->topic = topic;
        message->payload = packet.payload;
        if (version_ == Version::v5) message->forwarded = encode_forwarded(packet.properties);
        message->qos = packet.qos;
        message->retain = packet.retain;
        if (packet.properties.message_expiry)
            message->expires = door_->parts.clock.now().plus(
                std::chrono::seconds(*packet.properties.message_expiry));
        message->publisher = attached_.client.get();
        if (packet.retain && !packet.payload.empty()) {
            const Status room =
                door_->broker.retained().check_room(message->topic, message->bytes());
            if (!room.ok())
                return refuse_publish(packet, Reason::quota_exceeded, room.error().message);
        }
        item.message = std::move(message);
    }
    const size_t bytes = topic.size() + packet.payload.size();
    flight_bytes_ += bytes;
    const uint64_t batch = batcher_->add(batcher_id_, right.stream, std::move(item));
    if (packet.qos == 1) acks_.push_back({batch, packet.packet_id, Reason::success, {}});
    rights_->note_published(topic, right, bytes);
    door_->received.add();
    door_->received_bytes.add(static_cast<double>(bytes));
    return ok_status();
}

/// Section 3.3.2.3.4.
Result<std::string_view> MqttSession::resolve_topic(const Publish& packet) {
    const auto alias = packet.properties.topic_alias;
    if (!alias) {
        if (packet.topic.empty() && version_ == Version::v5)
            return Error(Code::precondition_failed, "neither a topic nor an alias");
        return packet.topic;
    }
    if (*alias == 0 || *alias > door_->options.topic_alias_max ||
        (packet.topic.empty() && !aliases_.contains(*alias))) {
        close(Reason::topic_alias_invalid, "the topic alias is not known here");
        return std::string_view{};
    }
    std::string& known = aliases_[*alias];
    if (!packet.topic.empty()) known = packet.topic;
    return std::string_view(known);
}

Status MqttSession::refuse_publish(const Publish& packet, Reason reason, std::string_view text) {
    door_->refused.add();
    if (version_ == Version::v5 && packet.qos == 1) {
        acks_.push_back({0, packet.packet_id, reason, std::string(text)});
        flush_acks();
        return ok_status();
    }
    close(reason, text);
    return ok_status();
}

void MqttSession::on_appended(uint64_t batch, size_t acks, size_t bytes, const Status& status) {
    flight_bytes_ -= bytes;
    if (!status.ok()) door_->refused.add(static_cast<double>(acks));
    for (auto ack = acks_.begin(); acks > 0 && ack != acks_.end(); ++ack) {
        if (ack->batch != batch) continue;
        --acks;
        ack->batch = 0;
        if (status.ok()) continue;
        ack->reason = reason_of(status.error());
        ack->text = status.error().message;
    }
    if (state_ == State::closing) return;
    flush_acks();
    send_out();
    if (draining_ && acks_.empty()) return close(Reason::server_shutting_down, {});
    read_on();
}

/// Section 4.6: in the order of the publishes. 3.1.1 has no word for a failure but the end.
void MqttSession::flush_acks() {
    while (!acks_.empty() && acks_.front().batch == 0) {
        const PendingAck ack = std::move(acks_.front());
        acks_.pop_front();
        if (ack.reason != Reason::success && version_ == Version::v311)
            return close(ack.reason, ack.text);
        append_acknowledgement(out_, PacketType::puback, ack.packet_id, ack.reason, ack.text,
                               version_);
    }
}

void MqttSession::hold_back() {
    const DoorOptions& options = door_->options;
    const bool too_much =
        flight_bytes_ > options.flight_bytes_max ||
        (flight_bytes_ > 0 && door_->flight_bytes > options.flight_bytes_total_max);
    if (!too_much || paused_ || state_ != State::connected) return;
    paused_ = true;
    transport_.pause_reading();
}

void MqttSession::read_on() {
    const DoorOptions& options = door_->options;
    const bool room = flight_bytes_ <= options.flight_bytes_max / 2 &&
                      door_->flight_bytes <= options.flight_bytes_total_max;
    if (!paused_ || draining_ || (!room && flight_bytes_ > 0)) return;
    paused_ = false;
    transport_.resume_reading();
}

void MqttSession::pump() {
    if (state_ != State::connected) return;
    // Beyond the bound on_drained goes on.
    while (transport_.unsent_bytes() <= door_->options.unsent_bytes_max) {
        const auto deliveries = attached_.client->take(kDeliveriesAtOnce);
        if (deliveries.empty()) break;
        if (!rights_->still_good())
            return close(Reason::administrative_action,
                         "the key that signed in is no longer valid");
        for (const Delivery& delivery : deliveries) {
            if (deliver(delivery)) {
                door_->delivered.add();
            } else if (delivery.qos > 0) {
                attached_.client->acknowledge(delivery.packet_id);
            }
        }
        send_out();
    }
}

/// False when the message is not for this client: expired, not allowed, or above its maximum
/// packet size (section 3.1.2.11.4).
bool MqttSession::deliver(const Delivery& delivery) {
    const Message& message = *delivery.message;
    Publish packet;
    if (message.expires) {
        const auto left = message.expires->since(door_->parts.clock.now());
        if (left.count() <= 0) return false;
        packet.properties.message_expiry =
            static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(left).count());
    }
    if (!rights_->may_receive(message.topic)) return false;
    packet.topic = message.topic;
    packet.payload = message.payload;
    packet.qos = delivery.qos;
    packet.dup = delivery.dup;
    packet.retain = delivery.retain;
    packet.packet_id = delivery.packet_id;
    packet.properties.subscription_ids = delivery.subscription_ids;
    const std::string_view forwarded =
        version_ == Version::v5 ? std::string_view(message.forwarded) : std::string_view();
    if (packet_bytes_max_ != 0 && publish_size(packet, forwarded, version_) > packet_bytes_max_)
        return false;
    append_publish(out_, packet, forwarded, version_);
    return true;
}

}  // namespace tarn::mqtt

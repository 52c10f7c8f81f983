#include "protocols/mqtt/internal/session.h"

#include "protocols/mqtt/internal/errors.h"

namespace tarn::mqtt {
namespace {

constexpr size_t kConnectBytesMax = 256 * 1024;

}  // namespace

MqttSession::MqttSession(std::shared_ptr<Door::Shared> door, net::Transport& transport)
    : door_(std::move(door)), transport_(transport) {
    transport_.set_deadline(door_->options.connect_timeout);
}

MqttSession::~MqttSession() = default;

void MqttSession::on_bytes(std::string_view bytes) {
    if (state_ == State::closing) return;
    if (buffer_.empty()) {
        const size_t used = consume(bytes);
        if (state_ != State::closing) buffer_.assign(bytes.substr(used));
    } else {
        buffer_ += bytes;
        buffer_.erase(0, consume(buffer_));
    }
    if (rights_) rights_->report();
    hold_back();
    send_out();
}

size_t MqttSession::consume(std::string_view bytes) {
    size_t used = 0;
    while (state_ != State::closing) {
        const size_t bytes_max = state_ == State::connected
                                     ? door_->options.packet_bytes_max
                                     : std::min(door_->options.packet_bytes_max, kConnectBytesMax);
        auto frame = next_frame(bytes.substr(used), bytes_max);
        if (!frame.ok()) {
            close_for(frame.error());
            break;
        }
        if (!frame->has_value()) break;
        used += (*frame)->size;
        if (Status handled = handle(**frame); !handled.ok()) close_for(handled.error());
    }
    if (used > 0 && state_ == State::connected) arm_keep_alive();
    return used;
}

Status MqttSession::handle(const Frame& frame) {
    if (state_ == State::awaiting_connect) {
        if (frame.type != PacketType::connect)
            return Error(Code::precondition_failed, "the first packet is not CONNECT");
        auto packet = decode_connect(frame.body);
        if (packet.ok()) {
            on_connect(*packet);
        } else if (packet.error().code == Code::unimplemented) {
            refuse(Reason::unsupported_version, packet.error().message);
        } else {
            state_ = State::closing;  // nobody knows which version would understand an answer
            transport_.abort();
        }
        return ok_status();
    }
    switch (frame.type) {
        case PacketType::publish: {
            TARN_TRY(packet, decode_publish(frame, version_));
            return on_publish(packet);
        }
        case PacketType::puback: {
            TARN_TRY(packet, decode_acknowledgement(frame.body, version_));
            attached_.client->acknowledge(packet.packet_id);
            pump();
            return ok_status();
        }
        case PacketType::subscribe: {
            TARN_TRY(packet, decode_subscribe(frame.body, version_));
            return on_subscribe(packet);
        }
        case PacketType::unsubscribe: {
            TARN_TRY(packet, decode_unsubscribe(frame.body, version_));
            return on_unsubscribe(packet);
        }
        case PacketType::pingreq:
            if (!frame.body.empty()) return Error(Code::invalid_argument, "PINGREQ with a body");
            append_pingresp(out_);
            return ok_status();
        case PacketType::disconnect: {
            TARN_TRY(packet, decode_disconnect(frame.body, version_));
            return on_disconnect(packet);
        }
        case PacketType::pubrel: {
            // A client that remembers a QoS 2 flight with somebody else: there is none here.
            TARN_TRY(packet, decode_acknowledgement(frame.body, version_));
            append_acknowledgement(out_, PacketType::pubcomp, packet.packet_id,
                                   Reason::packet_id_not_found, {}, version_);
            return ok_status();
        }
        default:
            return Error(Code::precondition_failed, "a packet that a client does not send here");
    }
}

Status MqttSession::on_subscribe(const Subscribe& packet) {
    const auto& ids = packet.properties.subscription_ids;
    std::vector<Reason> reasons;
    for (const auto& [filter, options] : packet.filters) {
        const auto parsed = parse_filter(filter, door_->options.topic_levels_max);
        if (parsed && !parsed->group.empty() && options.no_local)
            return Error(Code::precondition_failed, "No Local on a shared subscription");
        reasons.push_back(parsed ? subscribe_one(filter, options, ids.empty() ? 0 : ids.front())
                                 : Reason::topic_filter_invalid);
    }
    append_suback(out_, packet.packet_id, reasons, version_);
    return ok_status();
}

Reason MqttSession::subscribe_one(std::string_view text, SubscriptionOptions options, uint32_t id) {
    const auto filter = parse_filter(text, door_->options.topic_levels_max);
    const Status allowed =
        rights_->decide("iot:Subscribe", door_->arn("topicfilter", filter->filter), true);
    if (!allowed.ok()) return reason_of(allowed.error());
    return door_->broker.subscribe(attached_.client, text, options, id);
}

Status MqttSession::on_unsubscribe(const Unsubscribe& packet) {
    std::vector<Reason> reasons;
    for (const std::string_view filter : packet.filters)
        reasons.push_back(door_->broker.unsubscribe(*attached_.client, std::string(filter))
                              ? Reason::success
                              : Reason::no_subscription_existed);
    append_unsuback(out_, packet.packet_id, reasons, version_);
    return ok_status();
}

Status MqttSession::on_disconnect(const Disconnect& packet) {
    if (const auto expiry = packet.properties.session_expiry) {
        if (expiry_.count() == 0 && *expiry != 0)
            return Error(Code::precondition_failed, "a session that ends now can't be kept");
        expiry_ = std::min(std::chrono::seconds(*expiry), door_->options.session_expiry_max);
    }
    if (packet.reason != Reason::disconnect_with_will) will_.reset();
    state_ = State::closing;
    send_out();
    transport_.close_after_send();
    return ok_status();
}

void MqttSession::on_taken_over(bool session_ended) {
    if (will_ && (session_ended || will_->delay.count() == 0))
        door_->broker.publish_will(std::move(will_->message));
    will_.reset();
    close(Reason::session_taken_over, "another connection uses the client identifier");
}

/// A peer that is held back by us is not to blame for its silence.
void MqttSession::on_deadline() {
    if (state_ == State::connected && paused_) return arm_keep_alive();
    if (state_ == State::connected) close(Reason::keep_alive_timeout, "nothing came in time");
    transport_.abort();
}

/// What is on its way into the log is still acknowledged.
void MqttSession::on_drain() {
    draining_ = true;
    if (state_ == State::closing) return;
    will_.reset();  // the server goes, not the client
    if (state_ == State::awaiting_connect) return transport_.abort();
    batcher_->flush();
    if (acks_.empty()) return close(Reason::server_shutting_down, {});
    paused_ = true;
    transport_.pause_reading();
}

void MqttSession::on_close() {
    state_ = State::closing;
    if (batcher_) batcher_->leave(batcher_id_);
    if (rights_) rights_->report();
    if (attached_.client)
        door_->broker.leave(attached_.client, attached_.epoch, expiry_, std::move(will_));
    if (has_place_) door_->give_place();
    has_place_ = false;
}

void MqttSession::close_for(const Error& error) {
    if (state_ == State::awaiting_connect) {
        state_ = State::closing;
        transport_.abort();
        return;
    }
    close(reason_of(error), error.message);
}

void MqttSession::close(Reason reason, std::string_view text) {
    if (state_ == State::closing) return;
    state_ = State::closing;
    if (version_ == Version::v5) append_disconnect(out_, reason, text);
    send_out();
    transport_.close_after_send();
}

void MqttSession::send_out() {
    if (!out_.empty()) transport_.send(std::exchange(out_, {}));
}

void MqttSession::arm_keep_alive() {
    transport_.set_deadline(keep_alive_);
}

}  // namespace tarn::mqtt

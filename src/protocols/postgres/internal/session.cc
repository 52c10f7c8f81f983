#include "protocols/postgres/internal/session.h"

#include "protocols/postgres/internal/errors.h"

namespace tarn::postgres {

PostgresSession::PostgresSession(std::shared_ptr<Door::Shared> door, net::Transport& transport)
    : door_(std::move(door)), transport_(transport), reader_(door_->options.message_bytes_max) {
    transport_.set_deadline(door_->options.sign_in_timeout);
}

void PostgresSession::on_bytes(std::string_view bytes) {
    bool pause = false;
    while (!bytes.empty() && !ended_) {
        if (connection_ && connection_->signed_in()) reader_.expect_any();
        const auto step = reader_.next(bytes);
        if (step == MessageReader::Step::need_more) break;
        if (step == MessageReader::Step::failed) return end(protocol_error(reader_.failure()));
        Message message = reader_.take();
        if (message.type == 0)
            take_startup(message.body, bytes);
        else
            pause = connection_->deliver(std::move(message)) || pause;
    }
    if (pause) transport_.pause_reading();
}

void PostgresSession::take_startup(std::string_view body, std::string_view rest) {
    auto packet = parse_startup(body);
    if (!packet.ok()) return end(packet.error());
    switch (packet->kind) {
        case StartupPacket::Kind::ssl_request:
        case StartupPacket::Kind::gss_request:
            return answer_encryption(packet->kind, rest);
        case StartupPacket::Kind::cancel_request:
            door_->cancel(packet->process_id, packet->key);
            ended_ = true;
            return transport_.close_after_send();
        case StartupPacket::Kind::startup:
            break;
    }
    if (packet->major != 3)
        return end(Error(Code::unimplemented,
                         "unsupported frontend protocol " + std::to_string(packet->major) + "." +
                             std::to_string(packet->minor) + ": server supports 3.0 to 3.0",
                         "0A000"));
    reader_.expect_sign_in();
    connection_ = std::make_shared<Connection>(door_, transport_);
    connection_->start(std::move(*packet), {transport_.peer_address(), transport_.is_tls()});
}

/// Bytes behind the request were put there by somebody who wants them read as if they had come
/// encrypted (CVE-2021-23214).
void PostgresSession::answer_encryption(StartupPacket::Kind kind, std::string_view rest) {
    bool& asked = kind == StartupPacket::Kind::ssl_request ? ssl_asked_ : gss_asked_;
    if (std::exchange(asked, true)) return end(protocol_error("encryption was asked for already"));
    if (!rest.empty())
        return end(protocol_error("received unencrypted data after an encryption request"));
    const bool grant = kind == StartupPacket::Kind::ssl_request && transport_.tls_available() &&
                       !transport_.is_tls();
    transport_.send(grant ? "S" : "N");
    if (!grant) return;
    const Status started = transport_.start_tls();
    if (!started.ok()) end(started.error());
}

void PostgresSession::end(const Error& error) {
    ended_ = true;
    std::string out;
    append_error(out, Severity::fatal, error);
    transport_.send(std::move(out));
    transport_.close_after_send();
}

void PostgresSession::on_drained() {
    if (connection_) connection_->on_drained();
}

void PostgresSession::on_eof() {
    if (!connection_ || !connection_->signed_in() || ended_) return transport_.close_after_send();
    ended_ = true;
    connection_->on_eof();
}

/// Set while signing in only. Who has said who it is hears why.
void PostgresSession::on_deadline() {
    if (connection_ && connection_->signed_in()) return;
    if (!connection_ || ended_) return transport_.abort();
    transport_.set_deadline(std::chrono::seconds(1));
    end(Error(Code::unavailable, "canceling authentication due to timeout", "57014"));
}

void PostgresSession::on_drain() {
    if (ended_) return;
    if (connection_ && connection_->signed_in() && !connection_->on_drain()) return;
    end(Error(Code::unavailable, "terminating connection due to administrator command", "57P01"));
}

void PostgresSession::on_close() {
    if (connection_) connection_->on_gone();
    connection_.reset();
}

}  // namespace tarn::postgres

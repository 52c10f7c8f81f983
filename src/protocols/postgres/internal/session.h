// The loop's side of a connection: framing, encryption requests, cancel requests, the startup
// packet. Everything behind goes to the lane.
#pragma once

#include <memory>
#include <string_view>

#include "net/session.h"
#include "protocols/postgres/internal/connection.h"
#include "protocols/postgres/internal/messages.h"

namespace tarn::postgres {

/// Lane: the connection's loop.
class PostgresSession final : public net::Session {
 public:
    PostgresSession(std::shared_ptr<Door::Shared> door, net::Transport& transport);

    void on_bytes(std::string_view bytes) override;
    void on_drained() override;
    void on_eof() override;
    void on_deadline() override;
    void on_drain() override;
    void on_close() override;

 private:
    void take_startup(std::string_view body, std::string_view rest);
    void answer_encryption(StartupPacket::Kind kind, std::string_view rest);
    void end(const Error& error);

    const std::shared_ptr<Door::Shared> door_;
    net::Transport& transport_;
    MessageReader reader_;
    std::shared_ptr<Connection> connection_;  // null until the startup packet
    bool ssl_asked_ = false;
    bool gss_asked_ = false;
    bool ended_ = false;
};

}  // namespace tarn::postgres

// One connection: packets in, packets out, in the order that the protocol asks for. No I/O of its
// own. session.cc has the life of a connection, sign_in.cc CONNECT, publishing.cc both directions
// of PUBLISH.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/session.h"
#include "protocols/mqtt/internal/broker.h"
#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/rights.h"
#include "protocols/mqtt/internal/shared.h"

namespace tarn::mqtt {

/// Owned by its connection. Lane: the connection's loop.
class MqttSession final : public net::Session {
 public:
    MqttSession(std::shared_ptr<Door::Shared> door, net::Transport& transport);
    ~MqttSession() override;

    void on_bytes(std::string_view bytes) override;
    void on_drained() override { pump(); }
    void on_eof() override { transport_.abort(); }
    void on_deadline() override;
    void on_drain() override;
    void on_close() override;

    /// The batch is in the log, or is not: `acks` and `bytes` of it were this session's. Told by
    /// the batcher.
    void on_appended(uint64_t batch, size_t acks, size_t bytes, const Status& status);
    /// Another connection has the session now, or the session is over. Posted by the broker.
    void on_taken_over(bool session_ended);
    /// Sends what waits for the client. Posted by the client.
    void pump();

 private:
    enum class State { awaiting_connect, connected, closing };

    // session.cc
    /// Handles the complete packets; returns how many bytes they had.
    size_t consume(std::string_view bytes);
    Status handle(const Frame& frame);
    Status on_subscribe(const Subscribe& packet);
    Status on_unsubscribe(const Unsubscribe& packet);
    Status on_disconnect(const Disconnect& packet);
    Reason subscribe_one(std::string_view text, SubscriptionOptions options, uint32_t id);
    /// Tells the peer why (5.0) and closes.
    void close(Reason reason, std::string_view text);
    void close_for(const Error& error);
    void send_out();
    void arm_keep_alive();

    // sign_in.cc
    void on_connect(const Connect& packet);
    Status sign_in(const Connect& packet, Reason& reason);
    Status check_will(const Connect& packet, Reason& reason);
    Status take_session(const Connect& packet, Reason& reason);
    Connack connack_for(const Connect& packet) const;
    void refuse(Reason reason, std::string_view text);

    // publishing.cc
    Status on_publish(const Publish& packet);
    Result<std::string_view> resolve_topic(const Publish& packet);
    /// A publish that is not taken: PUBACK with the reason where that can be said, else the end of
    /// the connection.
    Status refuse_publish(const Publish& packet, Reason reason, std::string_view text);
    void flush_acks();
    bool deliver(const Delivery& delivery);
    void hold_back();
    void read_on();

    const std::shared_ptr<Door::Shared> door_;
    net::Transport& transport_;
    State state_ = State::awaiting_connect;
    bool draining_ = false;
    std::string buffer_;  // the beginning of a packet
    std::string out_;     // sent at the end of a turn

    // From CONNECT.
    Version version_ = Version::v311;
    std::optional<Rights> rights_;
    bool has_place_ = false;
    std::string client_id_;
    bool assigned_id_ = false;
    std::chrono::milliseconds keep_alive_{0};
    std::chrono::seconds expiry_{0};
    std::optional<PendingWill> will_;
    uint32_t packet_bytes_max_ = 0;  // of the client; 0: none
    Broker::Attached attached_;

    // Towards the log.
    std::shared_ptr<Batcher> batcher_;
    uint64_t batcher_id_ = 0;
    struct PendingAck {
        uint64_t batch = 0;  // 0: decided already
        uint16_t packet_id = 0;
        Reason reason = Reason::success;
        std::string text;
    };
    std::deque<PendingAck> acks_;  // in the order of the publishes
    size_t flight_bytes_ = 0;
    bool paused_ = false;
    std::map<uint16_t, std::string> aliases_;
};

}  // namespace tarn::mqtt

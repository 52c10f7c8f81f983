// For tests: a door over a real store in a folder of its own, and clients without sockets.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "io/disk.h"
#include "meta/keys.h"
#include "meta/store.h"
#include "net/fake_transport.h"
#include "protocols/mqtt/internal/codec.h"
#include "protocols/mqtt/internal/properties.h"
#include "protocols/mqtt/internal/session.h"
#include "security/keyring.h"

namespace tarn::mqtt {

/// Packets as a client makes them.
struct ConnectSpec {
    Version version = Version::v5;
    std::string client_id = "c";
    bool clean = true;
    uint16_t keep_alive = 0;
    std::string user, password;
    std::optional<Will> will;
    Properties properties;
};

inline std::string packet(uint8_t first, const std::string& body) {
    std::string out(1, static_cast<char>(first));
    append_varint(out, static_cast<uint32_t>(body.size()));
    return out + body;
}

inline std::string connect_packet(const ConnectSpec& spec) {
    std::string body;
    append_text(body, "MQTT");
    body.push_back(static_cast<char>(spec.version));
    int flags = spec.clean ? 2 : 0;
    if (spec.will) flags |= 4 | spec.will->qos << 3 | (spec.will->retain ? 0x20 : 0);
    if (!spec.user.empty()) flags |= 0x80;
    if (!spec.password.empty()) flags |= 0x40;
    body.push_back(static_cast<char>(flags));
    append_be(body, spec.keep_alive);
    if (spec.version == Version::v5) append_properties(body, spec.properties);
    append_text(body, spec.client_id);
    if (spec.will) {
        if (spec.version == Version::v5) append_properties(body, spec.will->properties);
        append_text(body, spec.will->topic);
        append_text(body, spec.will->payload);
    }
    if (!spec.user.empty()) append_text(body, spec.user);
    if (!spec.password.empty()) append_text(body, spec.password);
    return packet(0x10, body);
}

inline std::string publish_packet(Version version, std::string_view topic, std::string_view payload,
                                  uint8_t qos = 0, uint16_t id = 0, bool retain = false,
                                  Properties properties = {}) {
    std::string body;
    append_text(body, topic);
    if (qos > 0) append_be(body, id);
    if (version == Version::v5) append_properties(body, properties);
    body += payload;
    return packet(static_cast<uint8_t>(0x30 | qos << 1 | (retain ? 1 : 0)), body);
}

inline std::string subscribe_packet(Version version, uint16_t id, std::string_view filter,
                                    uint8_t options, uint32_t subscription_id = 0) {
    std::string body;
    append_be(body, id);
    Properties properties;
    if (subscription_id != 0) properties.subscription_ids = {subscription_id};
    if (version == Version::v5) append_properties(body, properties);
    append_text(body, filter);
    body.push_back(static_cast<char>(options));
    return packet(0x82, body);
}

/// The door with its parts; keep() plays the keeper.
class TestDoor {
 public:
    explicit TestDoor(DoorOptions options = {}) : options_(std::move(options)) { open(); }
    ~TestDoor() {
        close();
        std::filesystem::remove_all(folder_);
    }

    void close() {
        shared.reset();
        streams.reset();
        authorizer.reset();
        users.reset();
        store.reset();
    }
    /// As a restart of the program.
    void open() {
        close();
        meta::LocalStoreOptions local;
        local.directory = folder_;
        local.segment_bytes = 8 << 20;
        local.free_bytes_min = 0;
        store = meta::LocalStore::open(disk_, clock, metrics, local).value();
        users = security::Users::open(*store, keyring_, clock).value();
        auto made = users->ensure_root().value();
        if (made.created) root = made.key;
        authorizer = std::make_unique<security::Authorizer>(*users);
        streams = std::make_unique<streams::Streams>(*store, clock, metrics);
        options_.account_id = users->account_id();
        shared = std::make_shared<Door::Shared>(
            DoorParts{*store, *streams, *users, *authorizer, nullptr, clock, metrics}, options_);
        ASSERT_TRUE(shared->broker.retained().load(*store).ok());
    }
    std::vector<streams::Record> records(const std::string& stream = "mqtt") const {
        return streams->read(stream, 0, 64 << 20).value().records;
    }
    /// How many appends a stream has had.
    size_t blocks(const std::string& stream = "mqtt") const {
        const std::string all = meta::Key("sr").text(stream).str();
        size_t count = 0;
        for (auto walk = store->scan({all, meta::prefix_end(all), false}); walk->valid();
             walk->next())
            ++count;
        return count;
    }

    ManualClock clock;
    Metrics metrics;
    std::unique_ptr<meta::LocalStore> store;
    std::unique_ptr<security::Users> users;
    std::unique_ptr<security::Authorizer> authorizer;
    std::unique_ptr<streams::Streams> streams;
    std::shared_ptr<Door::Shared> shared;
    security::NewAccessKey root;

 private:
    DoorOptions options_;
    const std::string folder_ = testing::TempDir() + "tarn_mqtt_" + random_hex(8);
    io::RealDisk disk_;
    const security::Keyring keyring_{std::string(32, 'r')};
};

/// One connection.
class TestClient {
 public:
    explicit TestClient(TestDoor& door, Version spoken = Version::v5)
        : door_(door),
          version(spoken),
          transport(std::make_shared<net::FakeTransport>()),
          session(std::make_unique<MqttSession>(door.shared, *transport)) {}
    ~TestClient() { hang_up(); }

    ConnectSpec spec(std::string client_id) const {
        ConnectSpec spec;
        spec.version = version;
        spec.client_id = std::move(client_id);
        spec.user = door_.root.id;
        spec.password = door_.root.secret;
        return spec;
    }
    /// Sends and returns what was answered at once, without what the log must take first.
    std::string say(const std::string& bytes) {
        session->on_bytes(bytes);
        return transport->take_sent();
    }
    std::string connect(const std::string& client_id, bool clean = true, uint32_t expiry = 0) {
        ConnectSpec it = spec(client_id);
        it.clean = clean;
        if (expiry != 0) it.properties.session_expiry = expiry;
        return say(connect_packet(it));
    }
    /// Runs what is posted until at least `bytes_min` bytes came, for at most 20 s.
    std::string hear(size_t bytes_min = 1) {
        std::string heard;
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (heard.size() < bytes_min && std::chrono::steady_clock::now() < until) {
            transport->run_posted();
            heard += transport->take_sent();
            std::this_thread::yield();
        }
        return heard;
    }
    std::string publish(std::string_view topic, std::string_view payload, uint16_t id,
                        bool retain = false, Properties properties = {}) {
        std::string answer =
            say(publish_packet(version, topic, payload, 1, id, retain, std::move(properties)));
        return answer.empty() ? hear() : answer;
    }
    /// The connection is gone, as seen by the server.
    void hang_up() {
        if (!session) return;
        transport->abort();
        session->on_close();
        session.reset();
    }

 private:
    TestDoor& door_;

 public:
    const Version version;
    std::shared_ptr<net::FakeTransport> transport;
    std::unique_ptr<MqttSession> session;
};

}  // namespace tarn::mqtt

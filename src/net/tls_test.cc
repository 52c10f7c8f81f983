#include "net/tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/random.h"
#include "net/internal/test_client.h"

namespace tarn::net {
namespace {

class Tls : public testing::Test {
 protected:
    Tls() : folder_(std::filesystem::temp_directory_path() / ("tarn-tls-" + random_hex(8))) {
        std::filesystem::create_directory(folder_);
        write_new();
    }
    ~Tls() override { std::filesystem::remove_all(folder_); }

    void write_new() {
        auto pair = make_self_signed({"localhost", "127.0.0.1", "::1"}, 30);
        ASSERT_TRUE(pair.ok());
        write("cert.pem", pair->certificate);
        write("key.pem", pair->key);
    }
    void write(const char* name, const std::string& text) {
        std::ofstream(folder_ / name) << text;
        // Two writes within a tick of the disk's clock are told apart.
        const auto at = std::filesystem::last_write_time(folder_ / name);
        std::filesystem::last_write_time(folder_ / name, at + std::chrono::seconds(++writes_));
    }
    TlsFiles files() const { return {folder_ / "cert.pem", folder_ / "key.pem", {}}; }
    ListenerOptions listener(TlsMode mode) {
        auto context = TlsContext::load(files());
        EXPECT_TRUE(context.ok());
        context_ = *context;
        ListenerOptions options;
        options.tls = context_;
        options.tls_mode = mode;
        options.handshake_timeout = std::chrono::milliseconds(2000);
        return options;
    }
    static SessionCalls echo() {
        SessionCalls calls;
        calls.bytes = [](Transport& transport, std::string_view bytes) {
            transport.send(std::string(bytes));
        };
        return calls;
    }

    const std::filesystem::path folder_;
    int writes_ = 0;
    std::shared_ptr<TlsContext> context_;
};

TEST_F(Tls, required) {
    TestServer server(echo(), listener(TlsMode::required));
    TestClient client(server.port);
    ASSERT_TRUE(client.start_tls());
    EXPECT_EQ(client.tls_version(), "TLSv1.3");
    const std::string large = random_bytes(3 * 1024 * 1024);
    std::thread sender([&] { client.send(large.substr(0, 100)); });
    sender.join();
    EXPECT_EQ(client.receive(100), large.substr(0, 100));
    TestClient older(server.port);
    ASSERT_TRUE(older.start_tls(TLS1_2_VERSION));
    older.send("hi");
    EXPECT_EQ(older.receive(2), "hi");
    TestClient oldest(server.port);
    EXPECT_FALSE(oldest.start_tls(TLS1_1_VERSION));
    TestClient plain(server.port);
    plain.send("GET / HTTP/1.1\r\n\r\n");
    plain.receive_all();  // an alert perhaps, then the end
}

TEST_F(Tls, large_both_ways) {
    const std::string large = random_bytes(8 * 1024 * 1024);
    SessionCalls calls;
    auto received = std::make_shared<std::string>();
    calls.bytes = [&large, received](Transport& transport, std::string_view bytes) {
        EXPECT_TRUE(transport.is_tls());
        *received += bytes;
        if (received->size() < large.size()) return;
        EXPECT_TRUE(*received == large);
        transport.send(*received);
        transport.close_after_send();
    };
    TestServer server(calls, listener(TlsMode::sniff));
    TestClient client(server.port);
    ASSERT_TRUE(client.start_tls());
    EXPECT_TRUE(client.send(large));
    EXPECT_TRUE(client.receive_all() == large);
}

TEST_F(Tls, sniffs_the_first_byte) {
    TestServer server(echo(), listener(TlsMode::sniff));
    TestClient plain(server.port);
    plain.send("plain");
    EXPECT_EQ(plain.receive(5), "plain");
    TestClient secret(server.port);
    ASSERT_TRUE(secret.start_tls());
    secret.send("secret");
    EXPECT_EQ(secret.receive(6), "secret");
}

TEST_F(Tls, starts_within_a_connection) {
    SessionCalls calls;
    calls.bytes = [](Transport& transport, std::string_view bytes) {
        if (bytes != "SSLRequest") {
            transport.send(transport.is_tls() ? "in secret" : "in clear");
            return;
        }
        transport.send("S");
        EXPECT_TRUE(transport.start_tls().ok());
        EXPECT_EQ(transport.start_tls().error().code, Code::invalid_argument);
    };
    TestServer server(calls, listener(TlsMode::none));
    TestClient client(server.port);
    client.send("SSLRequest");
    EXPECT_EQ(client.receive(1), "S");
    ASSERT_TRUE(client.start_tls());
    client.send("and now");
    EXPECT_EQ(client.receive(9), "in secret");
}

TEST_F(Tls, a_handshake_that_does_not_come_is_given_up) {
    auto options = listener(TlsMode::required);
    options.handshake_timeout = std::chrono::milliseconds(10);
    TestServer server(echo(), std::move(options));
    TestClient silent(server.port);
    EXPECT_EQ(silent.receive_all(), "");
}

TEST_F(Tls, paused_while_encrypted) {
    const std::string large = random_bytes(2 * 1024 * 1024);
    std::promise<void> paused;
    std::promise<std::pair<Transport*, std::shared_ptr<Wire>>> opened;
    size_t received = 0;
    SessionCalls calls;
    calls.bytes = [&](Transport& transport, std::string_view bytes) {
        if (received == 0) {
            transport.pause_reading();
            opened.set_value({&transport, transport.wire()});
        }
        received += bytes.size();
        if (received == large.size()) transport.send("all");
    };
    TestServer server(calls, listener(TlsMode::required));
    TestClient client(server.port);
    ASSERT_TRUE(client.start_tls());
    std::thread sender([&] { client.send(large); });
    auto [transport, wire] = opened.get_future().get();
    wire->post([transport = transport] { transport->resume_reading(); });
    sender.join();
    EXPECT_EQ(client.receive(3), "all");
}

TEST_F(Tls, loads_and_reloads) {
    auto context = TlsContext::load(files());
    ASSERT_TRUE(context.ok());
    const auto first = (*context)->certificate_sha256();
    EXPECT_EQ(first.size(), 32u);
    write("cert.pem", "no certificate");
    EXPECT_EQ((*context)->reload().error().code, Code::invalid_argument);
    EXPECT_EQ((*context)->certificate_sha256(), first);
    write_new();
    EXPECT_TRUE((*context)->reload().ok());
    EXPECT_NE((*context)->certificate_sha256(), first);
    auto other = make_self_signed({"localhost"}, 1);
    ASSERT_TRUE(other.ok());
    write("key.pem", other->key);
    EXPECT_EQ((*context)->reload().error().code, Code::invalid_argument);
    std::filesystem::remove(folder_ / "key.pem");
    EXPECT_EQ((*context)->reload().error().code, Code::not_found);
    EXPECT_EQ(make_self_signed({}, 1).error().code, Code::invalid_argument);
    EXPECT_EQ(make_self_signed({"a,DNS:b"}, 1).error().code, Code::invalid_argument);
}

TEST_F(Tls, a_changed_certificate_is_taken_once_it_rests) {
    auto context = TlsContext::load(files()).value();
    const std::string first = context->certificate_sha256();
    EXPECT_FALSE(context->reload_if_changed().value());
    EXPECT_FALSE(context->reload_if_changed().value()) << "nothing changed";
    write_new();
    EXPECT_FALSE(context->reload_if_changed().value()) << "it may still be written";
    EXPECT_TRUE(context->reload_if_changed().value());
    const std::string second = context->certificate_sha256();
    EXPECT_NE(second, first);
    EXPECT_NE(context->certificate_pem().find("BEGIN CERTIFICATE"), std::string::npos);

    write("cert.pem", "broken");
    EXPECT_FALSE(context->reload_if_changed().value());
    EXPECT_EQ(context->reload_if_changed().error().code, Code::invalid_argument);
    EXPECT_FALSE(context->reload_if_changed().value()) << "told once";
    EXPECT_EQ(context->certificate_sha256(), second) << "the former one stays";
    std::filesystem::remove(folder_ / "cert.pem");
    EXPECT_FALSE(context->reload_if_changed().value());
    EXPECT_EQ(context->reload_if_changed().error().code, Code::not_found);
    write_new();
    EXPECT_FALSE(context->reload_if_changed().value());
    EXPECT_TRUE(context->reload_if_changed().value());
}

}  // namespace
}  // namespace tarn::net

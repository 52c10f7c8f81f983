// For tests: a blocking client on loopback, plain or TLS, and a session made of functions. Every
// wait ends after 10 s.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/server.h"

namespace tarn::net {

class TestClient {
 public:
    explicit TestClient(uint16_t port, const char* from = "127.0.0.1") {
        descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval patience{10, 0};
        setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        inet_pton(AF_INET, from, &to.sin_addr);
        connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    ~TestClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
        close();
    }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    bool connected() const { return connected_; }

    bool start_tls(int max_version = TLS1_3_VERSION) {
        context_ = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_security_level(context_, 0);
        SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_, max_version);
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, descriptor_);
        return SSL_connect(ssl_) == 1;
    }
    std::string tls_version() const { return SSL_get_version(ssl_); }

    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto taken = ssl_ != nullptr
                                   ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                   : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (taken <= 0) return false;
            bytes.remove_prefix(static_cast<size_t>(taken));
        }
        return true;
    }
    /// Whatever comes next; empty at the end, on an error, and after 10 s.
    std::string receive_some() {
        char buffer[65536];
        const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                         : ::recv(descriptor_, buffer, sizeof buffer, 0);
        return got > 0 ? std::string(buffer, static_cast<size_t>(got)) : std::string();
    }
    std::string receive(size_t size) {
        std::string all;
        while (all.size() < size) {
            const std::string some = receive_some();
            if (some.empty()) break;
            all += some;
        }
        return all;
    }
    /// Until the connection ends.
    std::string receive_all() { return receive(SIZE_MAX); }
    std::string receive_until(std::string_view end) {
        std::string all;
        while (all.size() < end.size() || all.find(end) == std::string::npos) {
            const std::string some = receive_some();
            if (some.empty()) break;
            all += some;
        }
        return all;
    }
    void end_sending() { ::shutdown(descriptor_, SHUT_WR); }
    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

 private:
    int descriptor_ = -1;
    bool connected_ = false;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
};

/// What a test wants a session to do.
struct SessionCalls {
    std::function<void(Transport&)> open;
    std::function<void(Transport&, std::string_view)> bytes;
    std::function<void(Transport&)> drained;
    std::function<void(Transport&)> eof = [](Transport& transport) {
        transport.close_after_send();
    };
    std::function<void(Transport&)> deadline = [](Transport& transport) { transport.abort(); };
    std::function<void()> closed;
};

class TestSession final : public Session {
 public:
    TestSession(const SessionCalls& calls, Transport& transport)
        : calls_(calls), transport_(transport) {
        if (calls_.open) calls_.open(transport_);
    }
    void on_bytes(std::string_view bytes) override {
        if (calls_.bytes) calls_.bytes(transport_, bytes);
    }
    void on_drained() override {
        if (calls_.drained) calls_.drained(transport_);
    }
    void on_eof() override { calls_.eof(transport_); }
    void on_deadline() override { calls_.deadline(transport_); }
    void on_drain() override { transport_.close_after_send(); }
    void on_close() override {
        if (calls_.closed) calls_.closed();
    }

 private:
    const SessionCalls calls_;
    Transport& transport_;
};

inline SessionFactory test_sessions(SessionCalls calls) {
    return
        [calls](Transport& transport) { return std::make_unique<TestSession>(calls, transport); };
}

/// One server with one listener.
struct TestServer {
    explicit TestServer(SessionCalls calls, ListenerOptions options = {}, size_t loops = 1) {
        ServerOptions server_options;
        server_options.loops = loops;
        server_options.tick = std::chrono::milliseconds(5);
        server = Server::create(server_options);
        options.factory = test_sessions(std::move(calls));
        auto bound = server->add_listener(std::move(options));
        TARN_ASSERT(bound.ok());
        port = *bound;
        TARN_ASSERT(server->start().ok());
    }

    std::unique_ptr<Server> server;
    uint16_t port = 0;
};

}  // namespace tarn::net

#include "net/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "net/internal/test_client.h"

namespace tarn::net {
namespace {

using std::chrono::milliseconds;

SessionCalls echo() {
    SessionCalls calls;
    calls.bytes = [](Transport& transport, std::string_view bytes) {
        transport.send(std::string(bytes));
    };
    return calls;
}

TEST(Server, echoes_and_ends_with_its_peer) {
    std::promise<std::string> peer;
    std::promise<void> closed;
    auto calls = echo();
    calls.open = [&](Transport& transport) {
        peer.set_value(transport.peer_address());
        EXPECT_GT(transport.peer_port(), 0);
        EXPECT_FALSE(transport.is_tls());
        transport.send("welcome ");
    };
    calls.closed = [&] { closed.set_value(); };
    TestServer server(calls);
    TestClient client(server.port);
    client.send("hello");
    EXPECT_EQ(client.receive(13), "welcome hello");
    EXPECT_EQ(peer.get_future().get(), "127.0.0.1");
    client.end_sending();
    EXPECT_EQ(client.receive_all(), "");
    client.close();
    closed.get_future().wait();
}

TEST(Server, refuses_bad_listeners) {
    auto server = Server::create({});
    ListenerOptions options;
    EXPECT_EQ(server->add_listener(options).error().code, Code::invalid_argument);
    options.factory = test_sessions(echo());
    options.address = "localhost";
    EXPECT_EQ(server->add_listener(options).error().code, Code::invalid_argument);
    options.address = "127.0.0.1";
    options.tls_mode = TlsMode::required;
    EXPECT_EQ(server->add_listener(options).error().code, Code::invalid_argument);
    options.tls_mode = TlsMode::none;
    auto port = server->add_listener(options);
    ASSERT_TRUE(port.ok());
    options.port = *port;
    EXPECT_EQ(server->add_listener(options).error().code, Code::already_exists);
}

TEST(Server, keeps_what_the_peer_does_not_take_and_tells_when_it_drained) {
    constexpr size_t kSize = 32 * 1024 * 1024;
    std::atomic<size_t> most_unsent{0};
    std::atomic<int> drained{0};
    SessionCalls calls;
    calls.bytes = [&](Transport& transport, std::string_view) {
        for (size_t sent = 0; sent < kSize; sent += 1024 * 1024)
            transport.send(std::string(1024 * 1024, 'x'));
        most_unsent = transport.unsent_bytes();
    };
    calls.drained = [&](Transport& transport) {
        EXPECT_LE(transport.unsent_bytes(), kLowWaterBytes);
        if (++drained == 1) transport.send("end");
    };
    TestServer server(calls);
    TestClient client(server.port);
    client.send("go");
    const auto received = client.receive(kSize + 3);
    EXPECT_EQ(received.size(), kSize + 3);
    EXPECT_EQ(received.substr(kSize), "end");
    EXPECT_EQ(most_unsent, kSize);
    EXPECT_EQ(drained, 1);
}

TEST(Server, reads_nothing_while_paused) {
    constexpr size_t kSize = 16 * 1024 * 1024;
    std::atomic<size_t> received{0};
    std::atomic<bool> paused{false};
    std::promise<std::shared_ptr<Wire>> wire_promise;
    std::promise<Transport*> transport_promise;
    SessionCalls calls;
    calls.bytes = [&](Transport& transport, std::string_view bytes) {
        EXPECT_FALSE(paused);
        if (received == 0) {
            paused = true;
            transport.pause_reading();
            transport_promise.set_value(&transport);
            wire_promise.set_value(transport.wire());
        }
        received += bytes.size();
        if (received == kSize) transport.send("all");
    };
    TestServer server(calls);
    TestClient client(server.port);
    std::thread sender([&] { EXPECT_TRUE(client.send(std::string(kSize, 'y'))); });
    auto* transport = transport_promise.get_future().get();
    auto wire = wire_promise.get_future().get();
    EXPECT_LE(received, kSize / 2);
    EXPECT_TRUE(wire->post([&] {
        paused = false;
        transport->resume_reading();
    }));
    EXPECT_EQ(client.receive(3), "all");
    sender.join();
}

TEST(Server, a_wire_outlives_its_connection) {
    std::promise<std::shared_ptr<Wire>> opened;
    std::promise<void> closed;
    SessionCalls calls;
    calls.open = [&](Transport& transport) { opened.set_value(transport.wire()); };
    calls.closed = [&] { closed.set_value(); };
    auto server = std::make_unique<TestServer>(calls);
    auto client = std::make_unique<TestClient>(server->port);
    auto wire = opened.get_future().get();
    EXPECT_TRUE(wire->send("one"));
    EXPECT_EQ(client->receive(3), "one");
    client->close();
    closed.get_future().wait();
    EXPECT_TRUE(wire->closed());
    EXPECT_FALSE(wire->send("two"));
    server.reset();
    EXPECT_FALSE(wire->post([] { FAIL(); }));
    wire->abort();
    wire->close_after_send();
    wire->set_deadline(milliseconds(1));
    EXPECT_EQ(wire->unsent_bytes(), 0u);
}

TEST(Server, closing_lets_the_last_bytes_arrive_though_the_peer_still_sends) {
    const std::string answer(4 * 1024 * 1024, 'z');
    std::atomic<bool> answered{false};
    SessionCalls calls;
    calls.bytes = [&](Transport& transport, std::string_view) {
        EXPECT_FALSE(answered.exchange(true));
        transport.send(answer);
        transport.close_after_send();
        EXPECT_FALSE(transport.send("refused"));
    };
    TestServer server(calls);
    TestClient client(server.port);
    client.send("x");
    std::thread sender([&] { client.send(std::string(1024 * 1024, 'q')); });
    EXPECT_EQ(client.receive_all(), answer);
    sender.join();
}

TEST(Server, messages_of_many_lanes_stay_whole) {
    std::promise<std::shared_ptr<Wire>> opened;
    SessionCalls calls;
    calls.open = [&](Transport& transport) { opened.set_value(transport.wire()); };
    TestServer server(calls, {}, 2);
    TestClient client(server.port);
    auto wire = opened.get_future().get();
    constexpr int kLanes = 4, kMessages = 2000;
    std::vector<std::thread> lanes;
    for (int lane = 0; lane < kLanes; ++lane)
        lanes.emplace_back([&wire, lane] {
            for (int i = 0; i < kMessages; ++i)
                wire->send(std::string(500, static_cast<char>('a' + lane)), "\n");
        });
    const auto received = client.receive(size_t{501} * kLanes * kMessages);
    for (auto& lane : lanes) lane.join();
    for (size_t at = 0; at < received.size(); at += 501) {
        ASSERT_EQ(received[at + 500], '\n');
        ASSERT_EQ(received.find_first_not_of(received[at], at), at + 500);
    }
}

TEST(Server, deadlines_and_timers) {
    std::promise<void> fired;
    SessionCalls calls;
    calls.open = [&](Transport& transport) {
        const auto cancelled = transport.after(milliseconds(1), [] { ADD_FAILURE(); });
        transport.cancel(cancelled);
        transport.after(milliseconds(2), [&fired, &transport] {
            fired.set_value();
            transport.set_deadline(milliseconds(10));
        });
        transport.after(std::chrono::hours(1), [] { ADD_FAILURE(); });
    };
    TestServer server(calls);
    TestClient client(server.port);
    fired.get_future().wait();
    EXPECT_EQ(client.receive_all(), "");
}

TEST(Server, a_peer_that_takes_nothing_is_given_up) {
    std::promise<void> closed;
    SessionCalls calls;
    calls.bytes = [](Transport& transport, std::string_view) {
        transport.send(std::string(64 * 1024 * 1024, 'x'));
    };
    calls.closed = [&] { closed.set_value(); };
    ListenerOptions options;
    options.send_stall_timeout = milliseconds(20);
    TestServer server(calls, std::move(options));
    TestClient client(server.port);
    client.send("go");
    closed.get_future().wait();
}

TEST(Server, beyond_the_limit_connections_wait) {
    ListenerOptions options;
    options.connections_max = 1;
    TestServer server(echo(), std::move(options), 2);
    auto first = std::make_unique<TestClient>(server.port);
    first->send("1");
    EXPECT_EQ(first->receive(1), "1");
    TestClient second(server.port);
    EXPECT_TRUE(second.connected());
    second.send("2");
    EXPECT_EQ(server.server->connections(), 1u);
    first.reset();
    EXPECT_EQ(second.receive(1), "2");
}

TEST(Server, drains) {
    TestServer server(echo());
    TestClient client(server.port);
    client.send("x");
    EXPECT_EQ(client.receive(1), "x");
    std::thread reader([&] {
        EXPECT_EQ(client.receive_all(), "");
        client.close();
    });
    EXPECT_TRUE(server.server->drain(std::chrono::seconds(10)));
    reader.join();
    EXPECT_FALSE(TestClient(server.port).connected());
}

TEST(Server, counts) {
    Metrics metrics;
    ServerOptions options;
    options.metrics = &metrics;
    auto server = Server::create(options);
    ListenerOptions listener;
    listener.door = "test";
    listener.factory = test_sessions(echo());
    auto port = server->add_listener(std::move(listener));
    ASSERT_TRUE(port.ok() && server->start().ok());
    TestClient client(*port);
    client.send("four");
    EXPECT_EQ(client.receive(4), "four");
    server->stop();
    const auto text = metrics.render();
    EXPECT_NE(text.find("tarn_net_received_bytes_total{door=\"test\"} 4"), std::string::npos)
        << text;
    EXPECT_NE(text.find("tarn_net_sent_bytes_total{door=\"test\"} 4"), std::string::npos) << text;
    EXPECT_NE(text.find("tarn_net_connections{door=\"test\"} 0"), std::string::npos) << text;
}

}  // namespace
}  // namespace tarn::net

// Requests per second of the whole path - loop, parser, lane, handler, answer - over loopback, with
// clients that wait for each answer before they ask again. The clients' own system calls share the
// machine.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "net/server.h"
#include "protocols/http/internal/head_parser.h"
#include "protocols/http/server.h"

namespace tarn::http {
namespace {

const std::string kSignedHead =
    "GET /bucket/some/key-000123.bin HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nAccept-Encoding: "
    "identity\r\n"
    "User-Agent: bench/1.0\r\nX-Amz-Date: 20261120T173000Z\r\nX-Amz-Content-SHA256: "
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\nAuthorization: "
    "AWS4-HMAC-SHA256 "
    "Credential=AKIAEXAMPLEEXAMPLE00/20261120/us-east-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
    "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n\r\n";

struct Hello {
    Hello() {
        ServiceOptions options;
        options.lane = &lane;
        service =
            std::make_unique<Service>(options, [this](Request& request, Responder& responder) {
                if (request.content_length().value_or(0) > 0)
                    benchmark::DoNotOptimize(request.read_all(1 << 20));
                benchmark::DoNotOptimize(
                    responder.respond(200, {{"ETag", "\"0123456789abcdef\""}}, body));
            });
        server = net::Server::create({});
        net::ListenerOptions listener;
        listener.factory = service->factory();
        port = server->add_listener(std::move(listener)).value();
        TARN_ASSERT(server->start().ok());
    }
    ~Hello() {
        server->stop();
        lane.stop();
    }

    const std::string body = std::string(4096, 'x');
    Lane lane{{"work", 2, 4096}};
    std::unique_ptr<Service> service;
    std::unique_ptr<net::Server> server;
    uint16_t port = 0;
};

Hello& hello() {
    static Hello running;
    return running;
}

int connect_to(uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TARN_ASSERT(::connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    return descriptor;
}

/// Sends `depth` requests at once and reads as many answers; depth stands in for that many
/// connections.
void ask(benchmark::State& state, const std::string& request) {
    const int descriptor = connect_to(hello().port);
    const auto depth = state.range(0);
    std::string batch;
    for (int64_t i = 0; i < depth; ++i) batch += request;
    std::string buffer(1 << 20, '\0');
    size_t answer_size = 0;
    for (auto _ : state) {
        TARN_ASSERT(::send(descriptor, batch.data(), batch.size(), MSG_NOSIGNAL) ==
                    static_cast<ssize_t>(batch.size()));
        size_t got = 0;
        do {
            const ssize_t size = ::recv(descriptor, buffer.data(), buffer.size(), 0);
            TARN_ASSERT(size > 0);
            got += static_cast<size_t>(size);
            if (answer_size == 0) answer_size = buffer.find("\r\n\r\n") + 4 + hello().body.size();
        } while (got < answer_size * static_cast<size_t>(depth));
    }
    ::close(descriptor);
    state.SetItemsProcessed(state.iterations() * depth);
}

void get_4k(benchmark::State& state) {
    ask(state, kSignedHead);
}

void put_4k(benchmark::State& state) {
    std::string request = kSignedHead;
    request.replace(0, 3, "PUT");
    request.insert(request.size() - 2, "Content-Length: 4096\r\n");
    ask(state, request + std::string(4096, 'y'));
}

void parse_head(benchmark::State& state) {
    HeadParser parser;
    for (auto _ : state) {
        std::string_view input = kSignedHead;
        TARN_ASSERT(parser.feed(input) == HeadParser::Step::complete);
        benchmark::DoNotOptimize(parser.take());
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(get_4k)->Arg(1)->Arg(16)->Threads(1)->Threads(8)->UseRealTime();
BENCHMARK(put_4k)->Arg(1)->Arg(16)->Threads(1)->Threads(8)->UseRealTime();
BENCHMARK(parse_head);

}  // namespace
}  // namespace tarn::http

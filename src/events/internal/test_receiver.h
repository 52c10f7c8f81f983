// A small HTTP receiver on a free port of the loopback, for tests: keeps what it was sent, answers
// what it is told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tarn::events {

class TestReceiver {
 public:
    struct Message {
        std::map<std::string, std::string> headers;  // names in lower case
        std::string body;
    };
    /// The status line's rest and headers for the n-th message: "200 OK\r\n".
    using Answer = std::function<std::string(size_t n, const Message&)>;

    explicit TestReceiver(
        Answer answer = [](size_t, const Message&) { return std::string("204 No Content\r\n"); })
        : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(socket_, 64) != 0)
            std::abort();
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~TestReceiver() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    std::string url(const std::string& path = "/hook") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    std::vector<Message> messages() const {
        std::lock_guard lock(mutex_);
        return messages_;
    }
    /// False after ten seconds.
    bool wait_for(size_t count) {
        std::unique_lock lock(mutex_);
        return arrived_.wait_for(lock, std::chrono::seconds(10),
                                 [&] { return messages_.size() >= count; });
    }

 private:
    void run() {
        while (true) {
            const int peer = ::accept(socket_, nullptr, nullptr);
            if (peer < 0) return;
            serve(peer);
            ::close(peer);
        }
    }
    void serve(int peer) {
        std::string bytes;
        char piece[4096];
        size_t head = std::string::npos, length = 0;
        while (head == std::string::npos || bytes.size() < head + 4 + length) {
            const auto got = ::recv(peer, piece, sizeof piece, 0);
            if (got <= 0) return;
            bytes.append(piece, static_cast<size_t>(got));
            if (head != std::string::npos || (head = bytes.find("\r\n\r\n")) == std::string::npos)
                continue;
            const auto at = bytes.find("Content-Length: ");
            if (at < head) length = std::stoul(bytes.substr(at + 16));
        }
        Message message;
        for (size_t at = bytes.find("\r\n") + 2; at < head;) {
            const size_t end = bytes.find("\r\n", at), colon = bytes.find(": ", at);
            std::string name = bytes.substr(at, colon - at);
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return std::tolower(c); });
            message.headers[name] = bytes.substr(colon + 2, end - colon - 2);
            at = end + 2;
        }
        message.body = bytes.substr(head + 4);
        std::string answer;
        {
            std::lock_guard lock(mutex_);
            answer = answer_(messages_.size(), message);
            messages_.push_back(std::move(message));
        }
        answer = "HTTP/1.1 " + answer + "Content-Length: 0\r\nConnection: close\r\n\r\n";
        if (::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
        ::shutdown(peer, SHUT_WR);
        arrived_.notify_all();
    }

    const Answer answer_;
    const int socket_;
    uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Message> messages_;
    std::thread thread_;
};

}  // namespace tarn::events

// A request and its recorded answer without a connection, for the tests of handlers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/request.h"
#include "protocols/http/response.h"

namespace tarn::http {

/// One exchange: FakeExchange x("PUT", "/b/k?acl", {{"Host", "localhost"}}, "body");
/// handler(x.request(), x.responder()).
class FakeExchange {
 public:
    FakeExchange(std::string method, std::string target,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> headers = {},
                 std::string body = {});
    /// From the bytes of a complete message; asserts that they are one.
    explicit FakeExchange(std::string_view message);
    ~FakeExchange();

    /// Waits for what a suspended handler waits for and runs its rest here; nothing when the handler
    /// was not suspended.
    void run_rest();

    Request& request();
    Responder& responder();

    int status() const;                               // 0: no head yet
    std::string header(std::string_view name) const;  // of the answer; the first; empty when absent
    const Headers& headers() const;
    const std::string& body() const;
    std::optional<uint64_t> declared_length() const;
    bool ended() const;
    std::shared_ptr<ResponseStream> stream() const;  // when the answer was detached

    struct Impl;

 private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::http

// Standard Webhooks on the sender's side: secrets, addresses, and what an answer means.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "events/alerts.h"
#include "net/http_client.h"

namespace tarn::events {

/// A webhook's URL taken apart, as far as we need it.
struct WebhookUrl {
    std::string target;    // stable id of the URL: 16 hexadecimal digits
    std::string host;      // "https://hooks.example.com:8443": the bound on requests counts by it
    std::string where;     // host and "/..." when there is more; nothing of it is secret
    std::string url;       // without userinfo
    std::string userinfo;  // "name:password", decoded; sent as Basic authorisation
};
/// invalid_argument; the message does not repeat the URL beyond its host.
Result<WebhookUrl> parse_webhook_url(const std::string& url);

/// The key's bytes. invalid_argument.
Result<std::string> decode_secret(const std::string& secret);
/// "whsec_" and 32 random bytes.
std::string make_secret();

/// What comes of an attempt.
struct Verdict {
    enum class Kind : uint8_t { delivered, again, refused, gone };

    Kind kind = Kind::again;
    std::optional<std::chrono::milliseconds> pause;  // again: what the receiver asked for
    bool receiver_down = false;                      // again: no use to try other messages at once
};
/// refused: the receiver does not want this message; gone (410): it wants none any more.
Verdict judge(const Result<net::HttpReply>& reply, Timestamp now);

/// How long to wait after the `failures`-th failed attempt (from 1), spread by up to a tenth so
/// that receivers that come back are not met by everybody at once. `spread` is a random number.
std::chrono::milliseconds pause_after(const DeliveryOptions& options, uint32_t failures,
                                      const Verdict& verdict, uint64_t spread);

}  // namespace tarn::events

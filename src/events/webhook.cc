// Standard Webhooks (standardwebhooks.com, specification 1.0.0): the signature is HMAC-SHA256 over
// "id.timestamp.body" under the bytes behind "whsec_".
#include "events/internal/webhook.h"

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::events {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr size_t kSecretBytesMin = 24, kSecretBytesMax = 64;  // the specification's
constexpr size_t kUrlBytesMax = 4096;

Error bad_url(const std::string& why) {
    return Error(Code::invalid_argument,
                 "a webhook's URL " + why + "; it looks like https://hooks.example.com/path");
}

Result<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        TARN_TRY(byte, codec::hex_decode(text.substr(i + 1, 2)));
        if (byte.size() != 1) return bad_url("has a broken % in its user name or password");
        out += byte;
        i += 2;
    }
    return out;
}

}  // namespace

Result<std::string> decode_secret(const std::string& secret) {
    std::string_view text = secret;
    if (text.starts_with(kSecretPrefix)) text.remove_prefix(kSecretPrefix.size());
    auto bytes = codec::base64_decode(text);
    if (!bytes.ok() || bytes->size() < kSecretBytesMin || bytes->size() > kSecretBytesMax)
        return Error(Code::invalid_argument,
                     "a webhook's secret is \"whsec_\" and 24 to 64 bytes in base64; leave it out "
                     "to have one made");
    return bytes;
}

std::string make_secret() {
    return std::string(kSecretPrefix) + codec::base64_encode(random_bytes(32));
}

Result<std::string> sign_webhook(const std::string& secret, const std::string& id, int64_t seconds,
                                 const std::string& body) {
    TARN_TRY(key, decode_secret(secret));
    codec::HmacSha256 code(key);
    code.update(id).update(".").update(std::to_string(seconds)).update(".").update(body);
    return "v1," + codec::base64_encode(code.finish());
}

Result<WebhookUrl> parse_webhook_url(const std::string& url) {
    if (url.size() > kUrlBytesMax) return bad_url("is longer than 4096 bytes");
    if (std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; }))
        return bad_url("has spaces or control characters in it");
    const std::string_view all = url;
    const std::string_view scheme = all.starts_with("https://")  ? "https://"
                                    : all.starts_with("http://") ? "http://"
                                                                 : "";
    if (scheme.empty()) return bad_url("does not begin with https:// or http://");
    const auto after = all.substr(scheme.size());
    const size_t end = std::min(after.find_first_of("/?#"), after.size());
    const auto authority = after.substr(0, end);
    auto rest = after.substr(end);
    rest = rest.substr(0, std::min(rest.find('#'), rest.size()));
    const size_t at = authority.rfind('@');
    const auto host = at == std::string_view::npos ? authority : authority.substr(at + 1);
    if (host.empty() || host.front() == ':') return bad_url("names no host");
    if (host.find_first_of("\\\"<>^`{|}%@") != std::string_view::npos)
        return bad_url("has a host that is none");

    WebhookUrl out;
    out.target = codec::hex_encode(codec::sha256(url)).substr(0, 16);
    out.host = std::string(scheme) + std::string(host);
    out.where = rest.size() > 1 ? out.host + "/..." : out.host + std::string(rest);
    out.url = out.host + std::string(rest.empty() ? "/" : rest);
    if (at != std::string_view::npos) {
        TARN_TRY(decoded, percent_decoded(authority.substr(0, at)));
        out.userinfo = std::move(decoded);
    }
    return out;
}

namespace {

/// RFC 9110 10.2.3: seconds, or a date.
std::optional<std::chrono::milliseconds> retry_after(const net::HttpReply& reply, Timestamp now) {
    for (const auto& [name, value] : reply.headers) {
        if (name != "retry-after") continue;
        int64_t seconds = 0;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
        if (read.ec == std::errc() && read.ptr == value.data() + value.size() && seconds >= 0)
            return std::chrono::seconds(std::min<int64_t>(seconds, 86'400));
        const auto date = parse_time(value);
        if (date.ok() && *date > now)
            return std::chrono::duration_cast<std::chrono::milliseconds>(date->since(now));
    }
    return std::nullopt;
}

}  // namespace

Verdict judge(const Result<net::HttpReply>& reply, Timestamp now) {
    using Kind = Verdict::Kind;
    if (!reply.ok()) {
        const Code code = reply.error().code;
        // An address that may not be called, or a request that cannot be made, does not mend by
        // itself.
        if (code == Code::permission_denied || code == Code::invalid_argument)
            return {Kind::refused, {}, false};
        return {Kind::again, {}, true};
    }
    const int status = reply->status;
    if (status >= 200 && status < 300) return {Kind::delivered, {}, false};
    if (status == 410) return {Kind::gone, {}, false};
    if (status == 429 || status >= 500) return {Kind::again, retry_after(*reply, now), true};
    if (status == 408 || status == 409 || status == 425)
        return {Kind::again, retry_after(*reply, now), false};
    return {Kind::refused, {}, false};  // redirects too: they are not followed
}

std::chrono::milliseconds pause_after(const DeliveryOptions& options, uint32_t failures,
                                      const Verdict& verdict, uint64_t spread) {
    const size_t at = std::min<size_t>(std::max(failures, 1u) - 1, options.pauses.size() - 1);
    auto pause = options.pauses.at(at);
    pause += std::chrono::milliseconds(spread % static_cast<uint64_t>(pause.count() / 10 + 1));
    if (verdict.pause) pause = std::max(pause, std::min(*verdict.pause, options.retry_after_max));
    return pause;
}

}  // namespace tarn::events

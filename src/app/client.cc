#include "app/client.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/client_json.h"
#include "base/ascii.h"
#include "base/time.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "io/disk.h"
#include "net/http_client.h"
#include "security/sigv4.h"

namespace tarn::app {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<Endpoint> find_key() {
    Endpoint found;
    found.access_key_id = environment("AWS_ACCESS_KEY_ID");
    found.secret = environment("AWS_SECRET_ACCESS_KEY");
    if (!found.access_key_id.empty() && !found.secret.empty()) return found;
    std::string path = environment("AWS_SHARED_CREDENTIALS_FILE");
    if (path.empty()) path = environment("HOME") + "/.aws/credentials";
    std::string profile = environment("AWS_PROFILE");
    return read_key_pair(path, profile.empty() ? "default" : profile);
}

Result<std::string> find_url(const std::string& given) {
    if (!given.empty()) return given;
    if (std::string url = environment("TARN_ENDPOINT"); !url.empty()) return url;
    const std::string ready_file = environment("TARN_READY_FILE");
    if (ready_file.empty()) return std::string("http://127.0.0.1:8080");
    io::RealDisk disk;
    TARN_TRY(text, io::read_file(disk, ready_file, 1 << 16));
    const auto ready = nlohmann::json::parse(text, nullptr, false);
    if (!ready.is_object() || !ready.contains("http") || !ready["http"].is_string())
        return Error(Code::invalid_argument, ready_file + " names no http door");
    return "http://" + ready["http"].get<std::string>();
}

/// "127.0.0.1:8080" of "http://127.0.0.1:8080/".
Result<std::string> host_of(const std::string& url) {
    const size_t scheme = url.find("://");
    if (scheme == std::string::npos ||
        (!url.starts_with("http://") && !url.starts_with("https://")))
        return Error(Code::invalid_argument, "the endpoint is not an http address: " + url);
    const std::string rest = url.substr(scheme + 3);
    return rest.substr(0, rest.find('/'));
}

}  // namespace

Error error_of(const Answer& answer) {
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    std::string message = "the server answered " + std::to_string(answer.status);
    if (body.is_object() && body.contains("error") && body["error"].is_object())
        if (const auto said = text_of(body["error"], "message"); !said.empty()) message = said;
    const Code code = answer.status == 401   ? Code::unauthenticated
                      : answer.status == 403 ? Code::permission_denied
                      : answer.status == 404 ? Code::not_found
                      : answer.status == 501 ? Code::unimplemented
                      : answer.status >= 500 ? Code::unavailable
                                             : Code::invalid_argument;
    return Error(code, message);
}

std::optional<Endpoint> parse_key_pair(std::string_view text, const std::string& profile) {
    Endpoint found;
    bool inside = false;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        const std::string line(trim(text.substr(at, end - at), " \t\r"));
        at = end + 1;
        if (line.starts_with("[")) inside = line == "[" + profile + "]";
        const size_t equals = line.find('=');
        if (!inside || equals == std::string::npos) continue;
        const std::string name(trim(std::string_view(line).substr(0, equals), " \t\r"));
        const std::string value(trim(std::string_view(line).substr(equals + 1), " \t\r"));
        if (name == "aws_access_key_id") found.access_key_id = value;
        if (name == "aws_secret_access_key") found.secret = value;
    }
    if (found.access_key_id.empty() || found.secret.empty()) return std::nullopt;
    return found;
}

Result<Endpoint> read_key_pair(const std::string& path, const std::string& profile) {
    io::RealDisk disk;
    auto text = io::read_file(disk, path, 1 << 20);
    if (!text.ok())
        return Error(Code::unauthenticated,
                     "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                     "AWS_SHARED_CREDENTIALS_FILE to the "
                     "root.credentials in the server's data folder (" +
                         path + ": " + text.error().message + ")");
    auto found = parse_key_pair(*text, profile);
    if (!found)
        return Error(Code::unauthenticated, path + " has no key pair under [" + profile + "]");
    return *std::move(found);
}

Result<Endpoint> find_endpoint(const std::string& url) {
    TARN_TRY(key, find_key());
    Endpoint found = std::move(key);
    TARN_TRY(at, find_url(url));
    found.url = at;
    while (found.url.ends_with('/')) found.url.pop_back();
    return found;
}

Result<Answer> call(const Endpoint& endpoint, const std::string& method, const std::string& path,
                    const std::string& body, const std::string& accept) {
    TARN_TRY(host, host_of(endpoint.url));
    const size_t question = path.find('?');
    security::SignedRequest described;
    described.method = method;
    described.raw_path = std::string_view(path).substr(0, question);
    if (question != std::string::npos)
        described.raw_query = std::string_view(path).substr(question + 1);
    // Stated, so that the server knows who asks before it reads the body.
    const std::string hash = codec::hex_encode(codec::sha256(body));
    described.headers = {{"host", host}, {"x-amz-content-sha256", hash}};
    const security::Signer signer{endpoint.access_key_id, endpoint.secret, "us-east-1", "tarn"};
    const auto signed_headers = security::sign(described, signer, SystemClock().now(), hash);

    net::HttpCall request;
    request.method = method;
    request.url = endpoint.url + path;
    request.headers = signed_headers.headers;
    request.headers.emplace_back("x-amz-content-sha256", hash);
    request.headers.emplace_back("accept", accept);
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    request.total_timeout = std::chrono::minutes(30);
    request.response_bytes_max = 512u << 20;
    // The person at the keyboard names the endpoint: any address is fine.
    request.may_connect = [](const std::string&, uint16_t) { return true; };
    auto reply = net::http_call(request);
    if (!reply.ok())
        return std::move(reply).error().within(
            "no answer from " + endpoint.url +
            " (is tarn serve running? --endpoint or TARN_ENDPOINT names it)");
    Answer answer{reply->status, std::move(reply->body)};
    if (answer.status >= 400) return error_of(answer);
    return answer;
}

int fail(std::string_view command, const Error& error) {
    std::fprintf(stderr, "tarn %s: %s\n", std::string(command).c_str(), error.message.c_str());
    return error.code == Code::invalid_argument ? 2 : 1;
}

}  // namespace tarn::app

// A client of /api/v1 with the caller's own credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::app {

/// What the client commands share.
struct ClientOptions {
    std::string endpoint;
    bool json = false;
};

struct Endpoint {
    std::string url;  // http://127.0.0.1:8080
    std::string access_key_id;
    std::string secret;
};

/// `url` given, or $TARN_ENDPOINT, or the "http" door of the ready file in $TARN_READY_FILE, or
/// http://127.0.0.1:8080. The key from $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, or the
/// profile $AWS_PROFILE (default) of $AWS_SHARED_CREDENTIALS_FILE or
/// ~/.aws/credentials.
Result<Endpoint> find_endpoint(const std::string& url);

/// The key pair of one profile of an AWS shared credentials file; the url stays empty.
Result<Endpoint> read_key_pair(const std::string& path, const std::string& profile);

/// The same of the file's text; nullopt: it has none.
std::optional<Endpoint> parse_key_pair(std::string_view text, const std::string& profile);

struct Answer {
    int status = 0;
    std::string body;
};

/// What an answer of 400 and above says, whatever its body is.
Error error_of(const Answer& answer);

/// One signed request. An answer of 400 and above becomes an Error with the server's message.
Result<Answer> call(const Endpoint& endpoint, const std::string& method, const std::string& path,
                    const std::string& body = {}, const std::string& accept = "application/json");

/// Prints "tarn COMMAND: message"; the exit code: 2 where the arguments are wrong, else 1.
int fail(std::string_view command, const Error& error);

}  // namespace tarn::app

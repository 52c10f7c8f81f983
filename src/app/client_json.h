// What the client commands ask the API, and read out of its answers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "app/client.h"

namespace tarn::app {

/// One request. Null: the answer has no body. internal: it is no JSON (no_json); else what call()
/// says.
Result<nlohmann::json> ask(const Endpoint& endpoint, const std::string& method,
                           const std::string& path, const nlohmann::json& body = {});
Result<nlohmann::json> ask(const ClientOptions& options, const std::string& method,
                           const std::string& path, const nlohmann::json& body = {});
Error no_json(const Endpoint& endpoint);

/// A member as text: strings as they are, others as JSON; empty when absent or null.
std::string text_of(const nlohmann::json& object, const char* name);
/// One path segment or query value, percent-encoded.
std::string encoded(const std::string& text);

}  // namespace tarn::app

// What a request says about its own signature, taken apart but not yet believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "security/internal/canonical.h"
#include "security/sigv4.h"

namespace tarn::security {

struct Claim {
    bool presigned = false;
    std::string access_key_id;
    CredentialScope scope;
    std::vector<std::string> signed_names;  // lower case, as listed
    std::string signature;                  // 64 lower-case hexadecimal characters
    std::string timestamp;                  // yyyymmddThhmmssZ
    Timestamp at;
    int64_t expires_seconds = 0;  // presigned only
};

/// Errors as of verify(). `query` is the request's, decoded.
Result<Claim> parse_claim(const SignedRequest& request, const QueryPairs& query);

/// Of the form key/yyyymmdd/region/service/aws4_request; the key may itself hold slashes.
std::optional<std::pair<std::string, CredentialScope>> parse_credential(std::string_view text);

}  // namespace tarn::security

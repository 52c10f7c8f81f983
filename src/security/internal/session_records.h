// How sign-in tokens and console sessions stand in the store.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tarn::security {

struct TokenRecord {
    std::string user;
    Timestamp created;
    Timestamp expires;
    std::string access_key_id;  // it was made with; empty: of an older version, bound to none
};

struct SessionRecord {
    std::string user;
    Timestamp created;
    Timestamp expires;
    Timestamp last_seen;        // coarse
    std::string access_key_id;  // as of a token
};

/// Keys hold the SHA-256 of the token or session id.
std::string token_key(std::string_view hash);
std::string session_key(std::string_view hash);
/// When a user signed out everywhere: older sessions are void.
std::string signed_out_key(std::string_view user);

std::string encode(const TokenRecord& token);
std::string encode(const SessionRecord& session);
/// corrupted.
Result<TokenRecord> decode_token(std::string_view value);
Result<SessionRecord> decode_session(std::string_view value);

}  // namespace tarn::security

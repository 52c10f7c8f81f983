// Signing in to the console: tokens that work once, and sessions that end by themselves. Ids are
// 256 random bits; the store holds their hashes only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/caller.h"
#include "security/users.h"

namespace tarn::security {

struct SessionOptions {
    std::chrono::seconds token_lifetime{15 * 60};
    std::chrono::seconds session_lifetime{12 * 3600};
    std::chrono::seconds idle_timeout{2 * 3600};
};

struct NewSession {
    std::string id;          // the cookie's value
    std::string csrf_token;  // what a changing request must carry
    Principal principal;
    Timestamp expires;
};

struct Session {
    Principal principal;  // as the user is now, not as it was at sign-in
    std::string csrf_token;
    Timestamp expires;
    std::string access_key_id;  // that it was opened with
};

/// What was opened with an access key, or with a link that was made with it, ends when the key is
/// disabled or removed. Owner: wiring. Lane: any but a loop.
class Sessions {
 public:
    Sessions(meta::Store& store, const Users& users, const Clock& clock, SessionOptions options);

    /// A sign-in link's token for `user`, made by who holds `access_key_id`: works once, until it
    /// expires.
    Result<std::string> create_token(std::string_view user, std::string_view access_key_id,
                                     meta::Batch with = {});
    /// unauthenticated: unknown, used or expired.
    Result<NewSession> redeem_token(std::string_view token, meta::Batch with = {});
    /// After Users::verify_password.
    Result<NewSession> open_session(const Principal& principal, meta::Batch with = {});
    /// unauthenticated: unknown, expired, idle for too long, or its user or key is gone.
    Result<Session> find(std::string_view session_id);
    /// permission_denied unless `presented` is the session's token.
    static Status check_csrf(const Session& session, std::string_view presented);

    Status sign_out(std::string_view session_id, meta::Batch with = {});
    Status sign_out_everywhere(std::string_view user, meta::Batch with = {});
    /// Removes what has expired; looks at up to `records_max` records. Returns how many went. Lane:
    /// background.
    Result<size_t> remove_expired(size_t records_max);

 private:
    bool is_good_key(const std::string& access_key_id) const;

    meta::Store& store_;
    const Users& users_;
    const Clock& clock_;
    const SessionOptions options_;
};

}  // namespace tarn::security

// From a signed HTTP request to a principal: sigv4.h and users.h put together for the doors.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "security/caller.h"
#include "security/sigv4.h"
#include "security/users.h"

namespace tarn::security {

struct Authenticated {
    Principal principal;
    Verified signature;
};

/// Owner: wiring. Lane: any.
class Authenticator {
 public:
    /// `users` and `clock` outlive it.
    Authenticator(const Users& users, const Clock& clock) : users_(users), clock_(clock) {}

    /// Errors as of verify(). `services` as in SignatureRules.
    Result<Authenticated> authenticate(const SignedRequest& request,
                                       const std::vector<std::string>& services = {}) const;

 private:
    const Users& users_;
    const Clock& clock_;
};

}  // namespace tarn::security

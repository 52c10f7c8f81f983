// The one place that says yes or no: every door and every domain asks here.
#pragma once

#include <vector>

#include "base/result.h"
#include "security/caller.h"
#include "security/policy.h"
#include "security/users.h"

namespace tarn::security {

/// Root and the server itself may do everything; users what their policies and those of the roles
/// they hold allow, and no document denies; anybody else nothing. Owner: wiring. Lane: any.
class Authorizer {
 public:
    /// `users` outlives it.
    explicit Authorizer(const Users& users) : users_(users) {}

    /// May the caller do caller.action on caller.resource? `extra` adds the keys of the action
    /// ("s3:prefix"); it can't override those made from the caller itself (aws:SourceIp,
    /// aws:username ...). permission_denied, reason AccessDenied, in IAM's words: "User: arn... is
    /// not authorized to perform: s3:PutObject on resource: "arn..." because no identity-based
    /// policy allows the s3:PutObject action".
    Status decide(const Caller& caller, const ConditionKeys& extra = {}) const;
    /// The same for another action or resource of the same request (a copy's source).
    Status decide(const Caller& caller, std::string_view action, std::string_view resource,
                  const ConditionKeys& extra = {}) const;
    /// The decision itself, for "why may she see this".
    Decision explain(const Caller& caller, std::string_view action, std::string_view resource,
                     const ConditionKeys& extra = {}) const;

 private:
    const Users& users_;
};

}  // namespace tarn::security

// The S3 door: Amazon S3's REST API (2006-03-01) over the object store. Path style and virtual-host
// style on one port. Every request is authenticated, authorised, run, audited and counted by one
// dispatch (internal/exchange.h); what an operation is and who answers it stands in one table
// (internal/operations.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "objects/store.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"
#include "protocols/http/server.h"
#include "security/audit.h"
#include "security/authenticator.h"
#include "security/authorizer.h"
#include "security/caller.h"

namespace tarn::s3 {

enum class Access { read, write, list };

/// A second opinion after the policies said yes: governance refuses objects that belong to tables.
/// `key` is empty for a bucket as a whole, and for Access::list. Called on the request's lane;
/// permission_denied becomes AccessDenied.
using ResourceGuard = std::function<Status(const security::Caller& caller, Access access,
                                           std::string_view bucket, std::string_view key)>;

struct DoorOptions {
    std::string account_id;
    std::string region = "us-east-1";
    /// `bucket.<domain>` names a bucket by host.
    std::vector<std::string> base_domains = {"localhost", "s3.localhost"};
    ResourceGuard guard;  // null: none
};

/// What the door stands on; all outlive it.
struct DoorParts {
    objects::ObjectStore& store;
    const security::Authenticator& authenticator;
    const security::Authorizer& authorizer;
    security::AuditTrail* audit = nullptr;  // null: nothing is recorded (tests)
    const Clock& clock;
    Metrics& metrics;
};

/// Owner: wiring. handle() runs on any lane, many at once; refuse() on a loop.
class Door {
 public:
    Door(DoorParts parts, DoorOptions options);
    ~Door();
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    /// Answers one request; for http::Service.
    void handle(http::Request& request, http::Responder& responder);
    /// What never reached a handler, in S3's words; for http::ServiceOptions::refuse.
    http::Response refuse(const http::Refusal& refusal) const;

    struct State;

 private:
    std::unique_ptr<State> state_;
};

}  // namespace tarn::s3

#include "security/authorizer.h"

#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

constexpr std::string_view kTag = "aws:PrincipalTag/";

const char* type_of(const Principal& principal) {
    switch (principal.kind) {
        case Principal::Kind::root:
            return "Account";
        case Principal::Kind::user:
            return "User";
        case Principal::Kind::session:
            return "AssumedRole";
        case Principal::Kind::system:
            return "Service";
    }
    return "Anonymous";
}

// The fifth field of the ARN.
std::string account_of(std::string_view arn) {
    for (int skipped = 0; skipped < 4; ++skipped) {
        const size_t colon = arn.find(':');
        if (colon == arn.npos) return {};
        arn.remove_prefix(colon + 1);
    }
    return std::string(arn.substr(0, arn.find(':')));
}

// Keys made from the caller come last, over whatever the action brought: nobody may state his own
// address.
PolicyRequest request_of(const Caller& caller, std::string_view action, std::string_view resource,
                         const ConditionKeys& extra) {
    const Principal& principal = caller.principal;
    PolicyRequest request{std::string(action), std::string(resource), principal.arn,
                          account_of(principal.arn), extra};
    const auto set = [&](std::string name, std::string value) {
        request.keys[std::move(name)] = {std::move(value)};
    };
    std::erase_if(request.keys, [](const auto& key) {
        return equal_ignoring_case(std::string_view(key.first).substr(0, kTag.size()), kTag);
    });
    request.keys.erase("aws:SourceIp");
    request.keys.erase("aws:UserAgent");
    request.keys.erase("aws:username");
    if (principal.kind == Principal::Kind::user) set("aws:username", principal.name);
    set("aws:userid", principal.name);
    set("aws:PrincipalArn", principal.arn);
    set("aws:PrincipalAccount", request.account_id);
    set("aws:PrincipalType", type_of(principal));
    set("aws:SecureTransport", caller.secure_transport ? "true" : "false");
    set("aws:CurrentTime", format_iso8601(caller.at));
    set("aws:EpochTime", std::to_string(caller.at.seconds()));
    if (!caller.source_ip.empty()) set("aws:SourceIp", caller.source_ip);
    if (!caller.user_agent.empty()) set("aws:UserAgent", caller.user_agent);
    for (const auto& [name, value] : principal.attributes) set(std::string(kTag) + name, value);
    return request;
}

Error denied(const Caller& caller, std::string_view action, std::string_view resource,
             const Decision& decision) {
    std::string message =
        "User: " + (caller.principal.arn.empty() ? "anonymous" : caller.principal.arn) +
        " is not authorized to perform: " + std::string(action) +
        " on resource: " + std::string(resource);
    if (decision.effect == Decision::Effect::explicit_deny) {
        message += " with an explicit deny in an identity-based policy";
    } else {
        message +=
            " because no identity-based policy allows the " + std::string(action) + " action";
    }
    return Error(Code::permission_denied, std::move(message), "AccessDenied");
}

}  // namespace

Decision Authorizer::explain(const Caller& caller, std::string_view action,
                             std::string_view resource, const ConditionKeys& extra) const {
    if (caller.principal.is_root()) return {Decision::Effect::allow, "root", ""};
    return evaluate(*users_.policies_of(caller.principal),
                    request_of(caller, action, resource, extra));
}

Status Authorizer::decide(const Caller& caller, std::string_view action, std::string_view resource,
                          const ConditionKeys& extra) const {
    const Decision decision = explain(caller, action, resource, extra);
    if (decision.allowed()) return ok_status();
    return denied(caller, action, resource, decision);
}

Status Authorizer::decide(const Caller& caller, const ConditionKeys& extra) const {
    return decide(caller, caller.action, caller.resource, extra);
}

}  // namespace tarn::security

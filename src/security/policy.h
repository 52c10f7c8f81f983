// IAM policy documents: what they say and what follows from them. Pure: no store, no clock.
// Specification: IAM User Guide "IAM JSON policy elements reference" and "Policy evaluation logic".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::security {

struct LessIgnoringCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

/// Condition keys of a request ("aws:SourceIp", "s3:prefix"), each with its values. Names compare
/// without case.
using ConditionKeys = std::map<std::string, std::vector<std::string>, LessIgnoringCase>;

/// One request as policies see it.
struct PolicyRequest {
    std::string action;         // "s3:PutObject"
    std::string resource;       // an ARN, or "*"
    std::string principal_arn;  // empty: anonymous
    std::string account_id;
    ConditionKeys keys;
};

enum class PolicyKind {
    identity,  // attached to a user or role: has no Principal
    resource,  // attached to a bucket or queue: each statement names its Principal
};

/// Limits on a document, beyond which parse refuses it.
struct PolicyLimits {
    static constexpr size_t bytes = 20480;
    static constexpr size_t depth = 10;
    static constexpr size_t statements = 200;
};

struct PolicyStatement;

/// One parsed document. Immutable; copies share the statements.
class Policy {
 public:
    /// `id` names the document in decisions. Errors: invalid_argument (reason
    /// MalformedPolicyDocument) naming the element and its place: unknown elements, operators and
    /// effects are errors, never ignored.
    static Result<Policy> parse(std::string_view json, PolicyKind kind, std::string id);

    const std::string& id() const { return id_; }
    const std::vector<PolicyStatement>& statements() const { return *statements_; }

 private:
    std::string id_;
    std::shared_ptr<const std::vector<PolicyStatement>> statements_;
};

struct Decision {
    enum class Effect { allow, explicit_deny, implicit_deny };

    Effect effect = Effect::implicit_deny;
    std::string policy;     // the deciding document's id; empty when no statement fits
    std::string statement;  // its Sid, or "#1" counted from one

    bool allowed() const { return effect == Effect::allow; }
};

/// Deny beats allow, allow beats silence. Linear in the documents' sizes.
Decision evaluate(const std::vector<Policy>& policies, const PolicyRequest& request);

/// IAM's wildcards: '*' any run, '?' any one character. Linear memory, no backtracking blow-up.
bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace tarn::security

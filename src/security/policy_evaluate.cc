#include <algorithm>

#include "security/internal/canonical.h"
#include "security/internal/policy_statement.h"
#include "security/policy.h"

namespace tarn::security {
namespace {

bool action_fits(const PolicyStatement& statement, std::string_view lower_action) {
    const bool listed = std::any_of(
        statement.actions.begin(), statement.actions.end(),
        [&](const std::string& wanted) { return matches_wildcard(wanted, lower_action); });
    return listed != statement.not_action;
}

bool resource_fits(const PolicyStatement& statement, const PolicyRequest& request) {
    bool listed = false;
    for (const Pattern& resource : statement.resources) {
        const auto pattern = resource.expand(request.keys);
        // A variable without a value fits nothing; for "allow all but this" that would open
        // everything, so such a statement allows nothing.
        if (!pattern && statement.not_resource && statement.allow) return false;
        if (pattern && matches_arn(*pattern, request.resource)) listed = true;
    }
    return listed != statement.not_resource;
}

bool is_principal(const std::string& wanted, const PolicyRequest& request) {
    if (wanted == "*") return true;
    if (request.principal_arn.empty()) return false;
    if (wanted == request.principal_arn) return true;
    const std::string account = "arn:aws:iam::" + request.account_id + ":root";
    return wanted == request.account_id || wanted == account;
}

bool principal_fits(const PolicyStatement& statement, const PolicyRequest& request) {
    if (statement.principals == PolicyStatement::Principals::none) return true;
    const bool listed =
        std::any_of(statement.aws_principals.begin(), statement.aws_principals.end(),
                    [&](const std::string& wanted) { return is_principal(wanted, request); });
    return listed == (statement.principals == PolicyStatement::Principals::listed);
}

bool applies(const PolicyStatement& statement, const PolicyRequest& request,
             std::string_view lower_action) {
    return action_fits(statement, lower_action) && principal_fits(statement, request) &&
           resource_fits(statement, request) &&
           std::all_of(
               statement.conditions.begin(), statement.conditions.end(),
               [&](const Condition& one) { return holds(one, request.keys, statement.allow); });
}

}  // namespace

Decision evaluate(const std::vector<Policy>& policies, const PolicyRequest& request) {
    const std::string lower_action = lower_ascii(request.action);
    Decision decision;
    for (const Policy& policy : policies) {
        for (const PolicyStatement& statement : policy.statements()) {
            if (statement.allow && decision.allowed()) continue;
            if (!applies(statement, request, lower_action)) continue;
            decision.policy = policy.id();
            decision.statement = statement.id;
            decision.effect =
                statement.allow ? Decision::Effect::allow : Decision::Effect::explicit_deny;
            if (!statement.allow) return decision;
        }
    }
    return decision;
}

}  // namespace tarn::security

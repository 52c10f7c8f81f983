// Every condition operator in every form (plain, IfExists, ForAllValues, ForAnyValue) over a value
// that fits, one that does not, and none at all; with Allow and with Deny. What is expected follows
// from the rules that the IAM User Guide gives for the forms, not from the code.
#include <gtest/gtest.h>

#include "security/policy.h"

namespace tarn::security {
namespace {

struct Operator {
    const char* name;
    const char* wanted;  // the value in the policy
    const char* fits;    // request values for which the positive comparison holds, and not
    const char* misfits;
    bool negated = false;
};

constexpr Operator kOperators[] = {
    {"StringEquals", "blue", "blue", "Blue"},
    {"StringNotEquals", "blue", "blue", "Blue", true},
    {"StringEqualsIgnoreCase", "blue", "BLUE", "blues"},
    {"StringNotEqualsIgnoreCase", "blue", "BLUE", "blues", true},
    {"StringLike", "b?ue/*", "blue/sky/high", "bue/"},
    {"StringNotLike", "b?ue/*", "blue/", "Blue/", true},
    {"NumericEquals", "10", "10.0", "11"},
    {"NumericNotEquals", "10", "1e1", "-10", true},
    {"NumericLessThan", "10", "9.99", "10"},
    {"NumericLessThanEquals", "10", "10", "10.01"},
    {"NumericGreaterThan", "10", "11", "10"},
    {"NumericGreaterThanEquals", "10", "10", "9"},
    {"DateEquals", "2026-11-21T00:00:00Z", "1795219200", "2026-11-21T00:00:01Z"},
    {"DateNotEquals", "2026-11-21T00:00:00Z", "2026-11-21T01:00:00+01:00", "2026-11-22", true},
    {"DateLessThan", "2026-11-21", "2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z"},
    {"DateLessThanEquals", "2026-11-21", "2026-11-21T00:00:00Z", "2026-11-21T00:00:01Z"},
    {"DateGreaterThan", "2026-11-21", "2026-11-21T00:00:01Z", "2026-11-21T00:00:00Z"},
    {"DateGreaterThanEquals", "2026-11-21", "2026-11-21T00:00:00Z", "2026-11-20T23:59:59Z"},
    {"Bool", "true", "True", "false"},
    {"BinaryEquals", "AQID", "AQID", "AQIE"},
    {"IpAddress", "203.0.113.0/24", "203.0.113.255", "203.0.114.0"},
    {"IpAddress", "2001:db8:1234:5678::/64", "2001:DB8:1234:5678::1", "2001:db8:1234:5679::1"},
    {"NotIpAddress", "203.0.113.0/24", "203.0.113.1", "2001:db8::1", true},
    {"ArnEquals", "arn:aws:iam::*:user/a?n", "arn:aws:iam::123456789012:user/ann",
     "arn:aws:iam::123456789012:user/anna"},
    {"ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", "arn:aws:s3:::c/x"},
    {"ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", "arn:aws:s3:::B", true},
    {"ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::bb", "arn:aws:s3:::a", true},
};

struct Form {
    const char* before;
    const char* after;
    bool when_absent_plain;    // of an operator that is not negated
    bool when_absent_negated;  // and of one that is
};
constexpr Form kForms[] = {
    {"", "", false, true},
    {"", "IfExists", true, true},
    {"ForAllValues:", "", true, true},
    {"ForAnyValue:", "", false, false},
    {"ForAllValues:", "IfExists", true, true},
    {"ForAnyValue:", "IfExists", true, true},
};

Decision::Effect decide(const std::string& effect, const std::string& operation,
                        const std::string& wanted, const ConditionKeys& keys) {
    const std::string text = R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect +
                             R"(","Action":"s3:GetObject","Resource":"*","Condition":{")" +
                             operation + R"(":{"test:Key":")" + wanted + R"("}}}})";
    const auto policy = Policy::parse(text, PolicyKind::identity, "p");
    if (!policy.ok()) {
        ADD_FAILURE() << text << ": " << policy.error().message;
        return Decision::Effect::implicit_deny;
    }
    return evaluate({policy.value()}, {"s3:GetObject", "arn:aws:s3:::b/k", "", "", keys}).effect;
}

TEST(PolicyOperators, EachInEachForm) {
    using Effect = Decision::Effect;
    int decisions = 0;
    for (const Operator& one : kOperators) {
        for (const Form& form : kForms) {
            const std::string name = std::string(form.before) + one.name + form.after;
            const bool absent = one.negated ? form.when_absent_negated : form.when_absent_plain;
            // The key's name is compared without case.
            const std::pair<ConditionKeys, bool> requests[] = {
                {{{"TEST:key", {one.fits}}}, !one.negated},
                {{{"test:Key", {one.misfits}}}, one.negated},
                {{{"test:OtherKey", {one.fits}}}, absent},
                {{}, absent},
            };
            for (const auto& [keys, holds] : requests) {
                EXPECT_EQ(decide("Allow", name, one.wanted, keys),
                          holds ? Effect::allow : Effect::implicit_deny)
                    << name << " of " << (keys.empty() ? "nothing" : keys.begin()->second[0]);
                EXPECT_EQ(decide("Deny", name, one.wanted, keys),
                          holds ? Effect::explicit_deny : Effect::implicit_deny)
                    << name << " of " << (keys.empty() ? "nothing" : keys.begin()->second[0]);
                decisions += 2;
            }
        }
    }
    EXPECT_GE(decisions, 1200);
}

TEST(PolicyOperators, ValuesThatAreNoneOfTheirKindFitNothing) {
    using Effect = Decision::Effect;
    const std::pair<const char*, const char*> rows[] = {
        {"NumericLessThan", "10"},
        {"NumericGreaterThan", "10"},
        {"DateLessThan", "2026-11-21"},
        {"DateGreaterThan", "2026-11-21"},
        {"Bool", "true"},
        {"IpAddress", "0.0.0.0/0"},
        {"ArnLike", "arn:*:*:*:*:*"},
        {"BinaryEquals", "AQID"},
    };
    for (const auto& [name, wanted] : rows)
        for (const char* given : {"", "x", "10 ", "::", "NaN", "true ", "arn:aws", "10.0.0.1.2"})
            EXPECT_EQ(decide("Allow", name, wanted, {{"test:Key", {given}}}), Effect::implicit_deny)
                << name << " of '" << given << "'";
}

}  // namespace
}  // namespace tarn::security

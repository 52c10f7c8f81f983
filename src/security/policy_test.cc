#include "security/policy.h"

#include <gtest/gtest.h>

namespace tarn::security {
namespace {

// What IAM decides, row by row, after the IAM User Guide ("policy elements", "condition operators",
// "multivalued keys", "policy variables", "evaluation logic"). 'A' allowed, 'D' explicitly denied,
// '-' nothing applies.
struct Row {
    const char* name;
    const char* statements;  // what stands in "Statement": [...]
    const char* action;
    const char* resource;
    ConditionKeys keys;
    char expected;
    const char* version = "2012-10-17";
};

constexpr char kObject[] = "arn:aws:s3:::bucket/dir/file.txt";
constexpr char kBucket[] = "arn:aws:s3:::bucket";

#define ALLOW_IF(condition) \
    R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":)" condition "}"

char decide(const Row& row, PolicyKind kind = PolicyKind::identity, std::string principal = {}) {
    const std::string text =
        std::string(R"({"Version":")") + row.version + R"(","Statement":[)" + row.statements + "]}";
    const auto policy = Policy::parse(text, kind, "p");
    if (!policy.ok()) {
        ADD_FAILURE() << row.name << ": " << policy.error().message;
        return '!';
    }
    const auto decision =
        evaluate({policy.value()},
                 {row.action, row.resource, std::move(principal), "123456789012", row.keys});
    switch (decision.effect) {
        case Decision::Effect::allow:
            return 'A';
        case Decision::Effect::explicit_deny:
            return 'D';
        case Decision::Effect::implicit_deny:
            return '-';
    }
    return '?';
}

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) EXPECT_EQ(decide(row), row.expected) << row.name;
}

TEST(PolicyTable, Actions) {
    const auto allow = [](const char* action) {
        static std::vector<std::unique_ptr<std::string>> texts;
        texts.push_back(std::make_unique<std::string>(R"({"Effect":"Allow","Action":)" +
                                                      std::string(action) + R"(,"Resource":"*"})"));
        return texts.back()->c_str();
    };
    check({
        {"star allows all", allow(R"("*")"), "s3:PutObject", kObject, {}, 'A'},
        {"service star", allow(R"("s3:*")"), "s3:PutObject", kObject, {}, 'A'},
        {"other service", allow(R"("glue:*")"), "s3:PutObject", kObject, {}, '-'},
        {"exact", allow(R"("s3:PutObject")"), "s3:PutObject", kObject, {}, 'A'},
        {"exact, other", allow(R"("s3:PutObject")"), "s3:GetObject", kObject, {}, '-'},
        {"no prefix match", allow(R"("s3:PutObject")"), "s3:PutObjectAcl", kObject, {}, '-'},
        {"prefix star", allow(R"("s3:PutObject*")"), "s3:PutObjectAcl", kObject, {}, 'A'},
        {"prefix star matches nothing more",
         allow(R"("s3:PutObject*")"),
         "s3:PutObject",
         kObject,
         {},
         'A'},
        {"inner star", allow(R"("s3:*Object")"), "s3:DeleteObject", kObject, {}, 'A'},
        {"inner star, not at end",
         allow(R"("s3:*Object")"),
         "s3:DeleteObjectTagging",
         kObject,
         {},
         '-'},
        {"two stars", allow(R"("s3:*Object*")"), "s3:GetObjectTagging", kObject, {}, 'A'},
        {"question mark", allow(R"("s3:?etObject")"), "s3:GetObject", kObject, {}, 'A'},
        {"question mark needs one", allow(R"("s3:?GetObject")"), "s3:GetObject", kObject, {}, '-'},
        {"case does not matter", allow(R"("S3:getobject")"), "s3:GetObject", kObject, {}, 'A'},
        {"list", allow(R"(["s3:GetObject","s3:PutObject"])"), "s3:PutObject", kObject, {}, 'A'},
        {"list, none",
         allow(R"(["s3:GetObject","s3:PutObject"])"),
         "s3:DeleteObject",
         kObject,
         {},
         '-'},
        {"service wildcard", allow(R"("s3*:GetObject")"), "s3express:GetObject", kObject, {}, 'A'},
        {"NotAction allows others",
         R"({"Effect":"Allow","NotAction":"s3:DeleteObject","Resource":"*"})",
         "s3:GetObject",
         kObject,
         {},
         'A'},
        {"NotAction leaves out the named",
         R"({"Effect":"Allow","NotAction":"s3:DeleteObject","Resource":"*"})",
         "s3:DeleteObject",
         kObject,
         {},
         '-'},
        {"NotAction list with wildcard",
         R"({"Effect":"Allow","NotAction":["iam:*","s3:Delete*"],"Resource":"*"})",
         "iam:CreateUser",
         "*",
         {},
         '-'},
        {"NotAction list, another",
         R"({"Effect":"Allow","NotAction":["iam:*","s3:Delete*"],"Resource":"*"})",
         "glue:GetTable",
         "*",
         {},
         'A'},
        {"Deny NotAction denies others",
         R"({"Effect":"Deny","NotAction":"s3:GetObject","Resource":"*"})",
         "s3:PutObject",
         kObject,
         {},
         'D'},
        {"Deny NotAction spares the named",
         R"({"Effect":"Deny","NotAction":"s3:GetObject","Resource":"*"})",
         "s3:GetObject",
         kObject,
         {},
         '-'},
    });
}

TEST(PolicyTable, Resources) {
    const auto allow = [](const char* element) {
        static std::vector<std::unique_ptr<std::string>> texts;
        texts.push_back(std::make_unique<std::string>(R"({"Effect":"Allow","Action":"*",)" +
                                                      std::string(element) + "}"));
        return texts.back()->c_str();
    };
    const char* everything = allow(R"("Resource":"*")");
    const char* tree = allow(R"("Resource":"arn:aws:s3:::bucket/*")");
    const char* table = "arn:aws:glue:us-east-1:123456789012:table/db/t";
    check({
        {"star", everything, "s3:GetObject", kObject, {}, 'A'},
        {"star matches star", everything, "s3:ListAllMyBuckets", "*", {}, 'A'},
        {"exact", allow(R"("Resource":"arn:aws:s3:::bucket")"), "s3:ListBucket", kBucket, {}, 'A'},
        {"bucket is not its objects",
         allow(R"("Resource":"arn:aws:s3:::bucket")"),
         "s3:GetObject",
         kObject,
         {},
         '-'},
        {"objects below", tree, "s3:GetObject", kObject, {}, 'A'},
        {"objects are not the bucket", tree, "s3:ListBucket", kBucket, {}, '-'},
        {"other bucket", tree, "s3:GetObject", "arn:aws:s3:::bucket2/dir/file.txt", {}, '-'},
        {"star crosses slashes",
         allow(R"("Resource":"arn:aws:s3:::bucket/*/file.txt")"),
         "s3:GetObject",
         "arn:aws:s3:::bucket/a/b/c/file.txt",
         {},
         'A'},
        {"question mark is one",
         allow(R"("Resource":"arn:aws:s3:::bucket/?")"),
         "s3:GetObject",
         "arn:aws:s3:::bucket/a",
         {},
         'A'},
        {"question mark is not two",
         allow(R"("Resource":"arn:aws:s3:::bucket/?")"),
         "s3:GetObject",
         "arn:aws:s3:::bucket/ab",
         {},
         '-'},
        {"question mark is one character of UTF-8",
         allow(R"("Resource":"arn:aws:s3:::bucket/?")"),
         "s3:GetObject",
         "arn:aws:s3:::bucket/é",
         {},
         'A'},
        {"case matters",
         allow(R"("Resource":"arn:aws:s3:::bucket/A*")"),
         "s3:GetObject",
         "arn:aws:s3:::bucket/abc",
         {},
         '-'},
        {"prefix of a bucket name",
         allow(R"("Resource":"arn:aws:s3:::buck*")"),
         "s3:GetObject",
         kObject,
         {},
         'A'},
        {"list",
         allow(R"("Resource":["arn:aws:s3:::a/*","arn:aws:s3:::bucket/*"])"),
         "s3:GetObject",
         kObject,
         {},
         'A'},
        {"region wildcard",
         allow(R"("Resource":"arn:aws:glue:*:123456789012:table/*")"),
         "glue:GetTable",
         table,
         {},
         'A'},
        {"all fields wild",
         allow(R"("Resource":"arn:*:*:*:*:*")"),
         "glue:GetTable",
         table,
         {},
         'A'},
        {"a star stays in its field",
         allow(R"("Resource":"arn:aws:g*:123456789012:table/db/t:x")"),
         "glue:GetTable",
         table,
         {},
         '-'},
        {"wrong account",
         allow(R"("Resource":"arn:aws:glue:*:210987654321:table/*")"),
         "glue:GetTable",
         table,
         {},
         '-'},
        {"colons in the last field",
         allow(R"("Resource":"arn:aws:logs:r:1:log:*:stream")"),
         "x:Y",
         "arn:aws:logs:r:1:log:a:b:stream",
         {},
         'A'},
        {"an ARN pattern is no plain star",
         allow(R"("Resource":"arn:aws:s3:::*")"),
         "s3:ListAllMyBuckets",
         "*",
         {},
         '-'},
        {"NotResource allows others",
         allow(R"("NotResource":"arn:aws:s3:::bucket/*")"),
         "s3:GetObject",
         "arn:aws:s3:::other/x",
         {},
         'A'},
        {"NotResource leaves out",
         allow(R"("NotResource":"arn:aws:s3:::bucket/*")"),
         "s3:GetObject",
         kObject,
         {},
         '-'},
        {"NotResource list",
         allow(R"("NotResource":["arn:aws:s3:::bucket/*","arn:aws:s3:::b/*"])"),
         "s3:GetObject",
         "arn:aws:s3:::b/x",
         {},
         '-'},
        {"Deny NotResource",
         R"({"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::bucket/*"})",
         "s3:GetObject",
         "arn:aws:s3:::other/x",
         {},
         'D'},
        {"Deny NotResource spares",
         R"({"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::bucket/*"})",
         "s3:GetObject",
         kObject,
         {},
         '-'},
    });
}

TEST(PolicyTable, Logic) {
    const char* allow_all = R"({"Effect":"Allow","Action":"*","Resource":"*"})";
    const char* both =
        R"({"Effect":"Allow","Action":"*","Resource":"*"},
           {"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"})";
    const char* deny_first =
        R"({"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"},
           {"Effect":"Allow","Action":"*","Resource":"*"})";
    const char* deny_unless_tls =
        R"({"Effect":"Allow","Action":"*","Resource":"*"},
           {"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{"Bool":{"aws:SecureTransport":"false"}}})";
    const char* two_conditions =
        ALLOW_IF(R"({"StringEquals":{"a:x":"1","a:y":"2"},"NumericLessThan":{"a:n":"10"}})");
    check({
        {"nothing says nothing",
         R"({"Effect":"Deny","Action":"s3:X","Resource":"*"})",
         "s3:Y",
         kObject,
         {},
         '-'},
        {"allow", allow_all, "s3:GetObject", kObject, {}, 'A'},
        {"deny beats allow", both, "s3:DeleteObject", kObject, {}, 'D'},
        {"deny is only for its action", both, "s3:GetObject", kObject, {}, 'A'},
        {"order does not matter", deny_first, "s3:DeleteObject", kObject, {}, 'D'},
        {"a denying condition that holds",
         deny_unless_tls,
         "s3:GetObject",
         kObject,
         {{"aws:SecureTransport", {"false"}}},
         'D'},
        {"a denying condition that does not",
         deny_unless_tls,
         "s3:GetObject",
         kObject,
         {{"aws:SecureTransport", {"true"}}},
         'A'},
        {"a denying condition without its key", deny_unless_tls, "s3:GetObject", kObject, {}, 'A'},
        {"all conditions hold",
         two_conditions,
         "s:a",
         "*",
         {{"a:x", {"1"}}, {"a:y", {"2"}}, {"a:n", {"9"}}},
         'A'},
        {"one key of an operator fails",
         two_conditions,
         "s:a",
         "*",
         {{"a:x", {"1"}}, {"a:y", {"3"}}, {"a:n", {"9"}}},
         '-'},
        {"one operator fails",
         two_conditions,
         "s:a",
         "*",
         {{"a:x", {"1"}}, {"a:y", {"2"}}, {"a:n", {"10"}}},
         '-'},
        {"one statement for a list",
         R"({"Effect":"Allow","Action":["s3:A","s3:B"],"Resource":"*"})",
         "s3:B",
         "*",
         {},
         'A'},
        {"old version allows too", allow_all, "s3:GetObject", kObject, {}, 'A', "2008-10-17"},
    });
}

TEST(PolicyTable, Strings) {
    const char* equals = ALLOW_IF(R"({"StringEquals":{"aws:username":["ann","bob"]}})");
    const char* not_equals = ALLOW_IF(R"({"StringNotEquals":{"aws:username":["ann","bob"]}})");
    const char* ignore = ALLOW_IF(R"({"StringEqualsIgnoreCase":{"aws:username":"Ann"}})");
    const char* not_ignore = ALLOW_IF(R"({"StringNotEqualsIgnoreCase":{"aws:username":"Ann"}})");
    const char* like = ALLOW_IF(R"({"StringLike":{"s3:prefix":["home/*","tmp?"]}})");
    const char* not_like = ALLOW_IF(R"({"StringNotLike":{"s3:prefix":["home/*","tmp?"]}})");
    const char* literal = ALLOW_IF(R"({"StringEquals":{"s3:prefix":"home/*"}})");
    const char* if_exists = ALLOW_IF(R"({"StringEqualsIfExists":{"aws:username":"ann"}})");
    const char* not_if_exists = ALLOW_IF(R"({"StringNotEqualsIfExists":{"aws:username":"ann"}})");
    const char* like_if_exists = ALLOW_IF(R"({"StringLikeIfExists":{"aws:username":"a*"}})");
    check({
        {"equals first", equals, "s:a", "*", {{"aws:username", {"ann"}}}, 'A'},
        {"equals second", equals, "s:a", "*", {{"aws:username", {"bob"}}}, 'A'},
        {"equals none", equals, "s:a", "*", {{"aws:username", {"eve"}}}, '-'},
        {"equals minds case", equals, "s:a", "*", {{"aws:username", {"Ann"}}}, '-'},
        {"equals without key", equals, "s:a", "*", {}, '-'},
        {"key names do not mind case", equals, "s:a", "*", {{"AWS:UserName", {"ann"}}}, 'A'},
        {"not equals", not_equals, "s:a", "*", {{"aws:username", {"eve"}}}, 'A'},
        {"not equals, one of them", not_equals, "s:a", "*", {{"aws:username", {"bob"}}}, '-'},
        {"not equals without key holds", not_equals, "s:a", "*", {}, 'A'},
        {"ignore case", ignore, "s:a", "*", {{"aws:username", {"aNN"}}}, 'A'},
        {"ignore case, other", ignore, "s:a", "*", {{"aws:username", {"anna"}}}, '-'},
        {"not, ignoring case", not_ignore, "s:a", "*", {{"aws:username", {"ANN"}}}, '-'},
        {"not, ignoring case, other", not_ignore, "s:a", "*", {{"aws:username", {"eve"}}}, 'A'},
        {"like", like, "s:a", "*", {{"s3:prefix", {"home/ann"}}}, 'A'},
        {"like, empty rest", like, "s:a", "*", {{"s3:prefix", {"home/"}}}, 'A'},
        {"like, one", like, "s:a", "*", {{"s3:prefix", {"tmp1"}}}, 'A'},
        {"like, one missing", like, "s:a", "*", {{"s3:prefix", {"tmp"}}}, '-'},
        {"like, other", like, "s:a", "*", {{"s3:prefix", {"Home/ann"}}}, '-'},
        {"not like", not_like, "s:a", "*", {{"s3:prefix", {"etc/"}}}, 'A'},
        {"not like, fits", not_like, "s:a", "*", {{"s3:prefix", {"home/x"}}}, '-'},
        {"equals takes a star literally", literal, "s:a", "*", {{"s3:prefix", {"home/x"}}}, '-'},
        {"equals a star", literal, "s:a", "*", {{"s3:prefix", {"home/*"}}}, 'A'},
        {"if exists, there", if_exists, "s:a", "*", {{"aws:username", {"ann"}}}, 'A'},
        {"if exists, wrong", if_exists, "s:a", "*", {{"aws:username", {"bob"}}}, '-'},
        {"if exists, absent", if_exists, "s:a", "*", {}, 'A'},
        {"not if exists, absent", not_if_exists, "s:a", "*", {}, 'A'},
        {"not if exists, equal", not_if_exists, "s:a", "*", {{"aws:username", {"ann"}}}, '-'},
        {"like if exists, absent", like_if_exists, "s:a", "*", {}, 'A'},
        {"like if exists, wrong", like_if_exists, "s:a", "*", {{"aws:username", {"bob"}}}, '-'},
    });
}

TEST(PolicyTable, Numbers) {
    const char* equals = ALLOW_IF(R"({"NumericEquals":{"s3:max-keys":10}})");
    const char* not_equals = ALLOW_IF(R"({"NumericNotEquals":{"s3:max-keys":"10"}})");
    const char* less = ALLOW_IF(R"({"NumericLessThan":{"s3:max-keys":"10"}})");
    const char* less_equal = ALLOW_IF(R"({"NumericLessThanEquals":{"s3:max-keys":"10"}})");
    const char* greater = ALLOW_IF(R"({"NumericGreaterThan":{"s3:max-keys":"10"}})");
    const char* greater_equal = ALLOW_IF(R"({"NumericGreaterThanEquals":{"s3:max-keys":"10"}})");
    const auto keys = [](const char* value) { return ConditionKeys{{"s3:max-keys", {value}}}; };
    check({
        {"equals", equals, "s:a", "*", keys("10"), 'A'},
        {"equals, other form", equals, "s:a", "*", keys("1e1"), 'A'},
        {"equals, other", equals, "s:a", "*", keys("11"), '-'},
        {"equals no number", equals, "s:a", "*", keys("ten"), '-'},
        {"equals empty", equals, "s:a", "*", keys(""), '-'},
        {"not equals", not_equals, "s:a", "*", keys("11"), 'A'},
        {"not equals, same", not_equals, "s:a", "*", keys("10.0"), '-'},
        {"less", less, "s:a", "*", keys("9.5"), 'A'},
        {"less, negative", less, "s:a", "*", keys("-11"), 'A'},
        {"less, same", less, "s:a", "*", keys("10"), '-'},
        {"less or equal, same", less_equal, "s:a", "*", keys("10"), 'A'},
        {"less or equal, more", less_equal, "s:a", "*", keys("10.1"), '-'},
        {"greater", greater, "s:a", "*", keys("100"), 'A'},
        {"greater, same", greater, "s:a", "*", keys("10"), '-'},
        {"greater or equal, same", greater_equal, "s:a", "*", keys("10"), 'A'},
        {"greater without key", greater, "s:a", "*", {}, '-'},
    });
}

TEST(PolicyTable, Dates) {
    const char* before = ALLOW_IF(R"({"DateLessThan":{"aws:CurrentTime":"2026-07-01T00:00:00Z"}})");
    const char* after = ALLOW_IF(R"({"DateGreaterThan":{"aws:CurrentTime":"2026-07-01"}})");
    const char* epoch = ALLOW_IF(R"({"DateGreaterThanEquals":{"aws:EpochTime":"1750000000"}})");
    const char* equals =
        ALLOW_IF(R"({"DateEquals":{"aws:CurrentTime":"2026-07-01T02:00:00+02:00"}})");
    const char* not_equals =
        ALLOW_IF(R"({"DateNotEquals":{"aws:CurrentTime":"2026-07-01T00:00:00Z"}})");
    const char* until =
        ALLOW_IF(R"({"DateLessThanEquals":{"aws:CurrentTime":"2026-07-01T00:00:00Z"}})");
    const auto at = [](const char* value) { return ConditionKeys{{"aws:CurrentTime", {value}}}; };
    check({
        {"before", before, "s:a", "*", at("2026-06-30T23:59:59Z"), 'A'},
        {"before, same", before, "s:a", "*", at("2026-07-01T00:00:00Z"), '-'},
        {"until, same", until, "s:a", "*", at("2026-07-01T00:00:00Z"), 'A'},
        {"after a day", after, "s:a", "*", at("2026-07-01T00:00:01Z"), 'A'},
        {"after a day, not yet", after, "s:a", "*", at("2026-06-30T12:00:00Z"), '-'},
        {"epoch", epoch, "s:a", "*", {{"aws:EpochTime", {"1750000000"}}}, 'A'},
        {"epoch, earlier", epoch, "s:a", "*", {{"aws:EpochTime", {"1749999999"}}}, '-'},
        {"zones", equals, "s:a", "*", at("2026-07-01T00:00:00Z"), 'A'},
        {"not equals", not_equals, "s:a", "*", at("2026-07-01T00:00:01Z"), 'A'},
        {"not equals, same", not_equals, "s:a", "*", at("2026-07-01T00:00:00Z"), '-'},
        {"no date", before, "s:a", "*", at("yesterday"), '-'},
    });
}

TEST(PolicyTable, BoolNullAndBinary) {
    const char* yes = ALLOW_IF(R"({"Bool":{"aws:SecureTransport":true}})");
    const char* no = ALLOW_IF(R"({"Bool":{"aws:SecureTransport":"false"}})");
    const char* yes_if = ALLOW_IF(R"({"BoolIfExists":{"aws:SecureTransport":"true"}})");
    const char* absent = ALLOW_IF(R"({"Null":{"aws:TokenIssueTime":"true"}})");
    const char* present = ALLOW_IF(R"({"Null":{"aws:TokenIssueTime":false}})");
    const char* binary = ALLOW_IF(R"({"BinaryEquals":{"a:b":"QmluYXJ5"}})");
    check({
        {"true", yes, "s:a", "*", {{"aws:SecureTransport", {"true"}}}, 'A'},
        {"true, any case", yes, "s:a", "*", {{"aws:SecureTransport", {"True"}}}, 'A'},
        {"true, is false", yes, "s:a", "*", {{"aws:SecureTransport", {"false"}}}, '-'},
        {"true, absent", yes, "s:a", "*", {}, '-'},
        {"false", no, "s:a", "*", {{"aws:SecureTransport", {"false"}}}, 'A'},
        {"false, absent", no, "s:a", "*", {}, '-'},
        {"true if exists, absent", yes_if, "s:a", "*", {}, 'A'},
        {"true if exists, false", yes_if, "s:a", "*", {{"aws:SecureTransport", {"false"}}}, '-'},
        {"null, absent", absent, "s:a", "*", {}, 'A'},
        {"null, empty counts as absent", absent, "s:a", "*", {{"aws:TokenIssueTime", {}}}, 'A'},
        {"null, present", absent, "s:a", "*", {{"aws:TokenIssueTime", {"x"}}}, '-'},
        {"not null, present", present, "s:a", "*", {{"aws:TokenIssueTime", {"x"}}}, 'A'},
        {"not null, absent", present, "s:a", "*", {}, '-'},
        {"binary", binary, "s:a", "*", {{"a:b", {"QmluYXJ5"}}}, 'A'},
        {"binary, other", binary, "s:a", "*", {{"a:b", {"QmluYXJz"}}}, '-'},
        {"binary, no base64", binary, "s:a", "*", {{"a:b", {"?"}}}, '-'},
    });
}

TEST(PolicyTable, Addresses) {
    const char* block = ALLOW_IF(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.1.7"]}})");
    const char* not_block = ALLOW_IF(R"({"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}})");
    const char* odd = ALLOW_IF(R"({"IpAddress":{"aws:SourceIp":"10.1.2.129/25"}})");
    const char* six = ALLOW_IF(R"({"IpAddress":{"aws:SourceIp":"2001:db8:1234::/48"}})");
    const char* any_four = ALLOW_IF(R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})");
    const auto from = [](const char* value) { return ConditionKeys{{"aws:SourceIp", {value}}}; };
    check({
        {"in the block", block, "s:a", "*", from("10.255.3.4"), 'A'},
        {"single address", block, "s:a", "*", from("192.168.1.7"), 'A'},
        {"beside the single address", block, "s:a", "*", from("192.168.1.8"), '-'},
        {"outside", block, "s:a", "*", from("11.0.0.1"), '-'},
        {"mapped into IPv6", block, "s:a", "*", from("::ffff:10.1.1.1"), 'A'},
        {"no address", block, "s:a", "*", from("localhost"), '-'},
        {"absent", block, "s:a", "*", {}, '-'},
        {"not in the block", not_block, "s:a", "*", from("198.51.100.1"), 'A'},
        {"not in the block, is", not_block, "s:a", "*", from("203.0.113.77"), '-'},
        {"not in the block, absent", not_block, "s:a", "*", {}, 'A'},
        {"bits below a byte, in", odd, "s:a", "*", from("10.1.2.255"), 'A'},
        {"bits below a byte, out", odd, "s:a", "*", from("10.1.2.127"), '-'},
        {"IPv6", six, "s:a", "*", from("2001:db8:1234:5678::1"), 'A'},
        {"IPv6, out", six, "s:a", "*", from("2001:db8:1235::1"), '-'},
        {"all of IPv4 is not IPv6", any_four, "s:a", "*", from("::1"), '-'},
        {"all of IPv4", any_four, "s:a", "*", from("127.0.0.1"), 'A'},
    });
}

TEST(PolicyTable, Arns) {
    const char* like = ALLOW_IF(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::lake-*"}})");
    const char* equals =
        ALLOW_IF(R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:user/ops/*"}})");
    const char* not_like = ALLOW_IF(R"({"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:alerts"}})");
    const char* not_equals =
        ALLOW_IF(R"({"ArnNotEquals":{"aws:SourceArn":"arn:aws:sns:*:*:alerts"}})");
    const char* itself = ALLOW_IF(R"({"ArnEquals":{"a:owner":"${aws:PrincipalArn}"}})");
    const auto source = [](const char* value) { return ConditionKeys{{"aws:SourceArn", {value}}}; };
    const char* me = "arn:aws:iam::123456789012:user/ops/ann";
    check({
        {"like", like, "s:a", "*", source("arn:aws:s3:::lake-raw"), 'A'},
        {"like, other", like, "s:a", "*", source("arn:aws:s3:::pond"), '-'},
        {"like, not an ARN", like, "s:a", "*", source("lake-raw"), '-'},
        {"equals takes wildcards too", equals, "s:a", "*", {{"aws:PrincipalArn", {me}}}, 'A'},
        {"equals, other path",
         equals,
         "s:a",
         "*",
         {{"aws:PrincipalArn", {"arn:aws:iam::123456789012:user/dev/ann"}}},
         '-'},
        {"not like", not_like, "s:a", "*", source("arn:aws:sns:us-east-1:1:news"), 'A'},
        {"not like, is", not_like, "s:a", "*", source("arn:aws:sns:us-east-1:1:alerts"), '-'},
        {"not equals, absent", not_equals, "s:a", "*", {}, 'A'},
        {"a variable as a whole",
         itself,
         "s:a",
         "*",
         {{"aws:PrincipalArn", {me}}, {"a:owner", {me}}},
         'A'},
        {"a variable as a whole, other",
         itself,
         "s:a",
         "*",
         {{"aws:PrincipalArn", {me}}, {"a:owner", {"arn:aws:iam::123456789012:user/x"}}},
         '-'},
    });
}

TEST(PolicyTable, SeveralValues) {
    const char* all = ALLOW_IF(R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}})");
    const char* any = ALLOW_IF(R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}})");
    const char* all_like = ALLOW_IF(R"({"ForAllValues:StringLike":{"aws:TagKeys":"cost*"}})");
    const char* any_not = ALLOW_IF(R"({"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}})");
    const char* all_not = ALLOW_IF(R"({"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}})");
    const char* any_if = ALLOW_IF(R"({"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}})");
    const char* bare = ALLOW_IF(R"({"StringEquals":{"aws:TagKeys":"a"}})");
    const char* bare_not = ALLOW_IF(R"({"StringNotEquals":{"aws:TagKeys":"a"}})");
    const auto tags = [](std::vector<std::string> values) {
        return ConditionKeys{{"aws:TagKeys", std::move(values)}};
    };
    check({
        {"all, subset", all, "s:a", "*", tags({"a"}), 'A'},
        {"all, all", all, "s:a", "*", tags({"a", "b"}), 'A'},
        {"all, one outside", all, "s:a", "*", tags({"a", "c"}), '-'},
        {"all, absent", all, "s:a", "*", {}, 'A'},
        {"any, one inside", any, "s:a", "*", tags({"c", "b"}), 'A'},
        {"any, none", any, "s:a", "*", tags({"c", "d"}), '-'},
        {"any, absent", any, "s:a", "*", {}, '-'},
        {"all like", all_like, "s:a", "*", tags({"cost-center", "costs"}), 'A'},
        {"all like, one not", all_like, "s:a", "*", tags({"cost-center", "owner"}), '-'},
        {"any not, one differs", any_not, "s:a", "*", tags({"a", "c"}), 'A'},
        {"any not, none differs", any_not, "s:a", "*", tags({"a", "b"}), '-'},
        {"any not, absent", any_not, "s:a", "*", {}, '-'},
        {"all not", all_not, "s:a", "*", tags({"c", "d"}), 'A'},
        {"all not, one is", all_not, "s:a", "*", tags({"c", "a"}), '-'},
        {"any if exists, absent", any_if, "s:a", "*", {}, 'A'},
        {"any if exists, none", any_if, "s:a", "*", tags({"b"}), '-'},
        {"no set operator, one equal", bare, "s:a", "*", tags({"b", "a"}), 'A'},
        {"no set operator, not equal means none", bare_not, "s:a", "*", tags({"b", "a"}), '-'},
    });
}

TEST(PolicyTable, Variables) {
    const char* home =
        R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket/${aws:username}/*"})";
    const char* team =
        R"({"Effect":"Allow","Action":"*",
            "Resource":"arn:aws:s3:::${aws:PrincipalTag/team, 'common'}/*"})";
    const char* star = R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket/${*}"})";
    const char* mark = R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket/a${?}"})";
    const char* dollar =
        R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket/${$}{x}"})";
    const char* prefix = ALLOW_IF(R"({"StringLike":{"s3:prefix":"home/${aws:username}/*"}})");
    const char* equal = ALLOW_IF(R"({"StringEquals":{"a:owner":"${aws:username}"}})");
    const char* not_equal = ALLOW_IF(R"({"StringNotEquals":{"a:owner":"${aws:username}"}})");
    const char* deny_not_equal =
        R"({"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{"StringNotEquals":{"a:owner":"${aws:username}"}}})";
    const char* not_home =
        R"({"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::bucket/${aws:username}/*"})";
    const char* deny_not_home =
        R"({"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::bucket/${aws:username}/*"})";
    const char* address = ALLOW_IF(R"({"StringEquals":{"a:from":"${aws:SourceIp}"}})");
    const ConditionKeys ann{{"aws:username", {"ann"}}};
    check({
        {"own folder", home, "s3:GetObject", "arn:aws:s3:::bucket/ann/x", ann, 'A'},
        {"other's folder", home, "s3:GetObject", "arn:aws:s3:::bucket/bob/x", ann, '-'},
        {"no name", home, "s3:GetObject", "arn:aws:s3:::bucket/ann/x", {}, '-'},
        {"no name, empty folder", home, "s3:GetObject", "arn:aws:s3:::bucket//x", {}, '-'},
        {"a star in a name is no wildcard",
         home,
         "s3:GetObject",
         "arn:aws:s3:::bucket/ann/x",
         {{"aws:username", {"*"}}},
         '-'},
        {"a star in a name is a star",
         home,
         "s3:GetObject",
         "arn:aws:s3:::bucket/*/x",
         {{"aws:username", {"*"}}},
         'A'},
        {"two values give none",
         home,
         "s3:GetObject",
         "arn:aws:s3:::bucket/ann/x",
         {{"aws:username", {"ann", "bob"}}},
         '-'},
        {"old version takes it literally", home, "s3:GetObject", "arn:aws:s3:::bucket/ann/x", ann,
         '-', "2008-10-17"},
        {"old version, literal", home, "s3:GetObject", "arn:aws:s3:::bucket/${aws:username}/x", ann,
         'A', "2008-10-17"},
        {"tag",
         team,
         "s3:GetObject",
         "arn:aws:s3:::red/x",
         {{"aws:PrincipalTag/team", {"red"}}},
         'A'},
        {"tag, other",
         team,
         "s3:GetObject",
         "arn:aws:s3:::common/x",
         {{"aws:PrincipalTag/team", {"red"}}},
         '-'},
        {"default", team, "s3:GetObject", "arn:aws:s3:::common/x", {}, 'A'},
        {"default, other", team, "s3:GetObject", "arn:aws:s3:::red/x", {}, '-'},
        {"literal star", star, "s3:GetObject", "arn:aws:s3:::bucket/*", {}, 'A'},
        {"literal star is none", star, "s3:GetObject", "arn:aws:s3:::bucket/x", {}, '-'},
        {"literal question mark", mark, "s3:GetObject", "arn:aws:s3:::bucket/a?", {}, 'A'},
        {"literal question mark is none", mark, "s3:GetObject", "arn:aws:s3:::bucket/ab", {}, '-'},
        {"literal dollar", dollar, "s3:GetObject", "arn:aws:s3:::bucket/${x}", {}, 'A'},
        {"in a condition",
         prefix,
         "s3:ListBucket",
         kBucket,
         {{"aws:username", {"ann"}}, {"s3:prefix", {"home/ann/docs"}}},
         'A'},
        {"in a condition, other",
         prefix,
         "s3:ListBucket",
         kBucket,
         {{"aws:username", {"ann"}}, {"s3:prefix", {"home/bob/docs"}}},
         '-'},
        {"equal", equal, "s:a", "*", {{"aws:username", {"ann"}}, {"a:owner", {"ann"}}}, 'A'},
        {"equal to nothing", equal, "s:a", "*", {{"a:owner", {"ann"}}}, '-'},
        {"not equal to nothing allows nothing", not_equal, "s:a", "*", {{"a:owner", {"ann"}}}, '-'},
        {"not equal",
         not_equal,
         "s:a",
         "*",
         {{"aws:username", {"bob"}}, {"a:owner", {"ann"}}},
         'A'},
        {"not equal to nothing denies", deny_not_equal, "s:a", "*", {{"a:owner", {"ann"}}}, 'D'},
        {"all but an unknown folder allows nothing", not_home, "s:a", kObject, {}, '-'},
        {"all but my folder", not_home, "s:a", kObject, ann, 'A'},
        {"all but an unknown folder is denied", deny_not_home, "s:a", kObject, {}, 'D'},
        {"address",
         address,
         "s:a",
         "*",
         {{"aws:SourceIp", {"10.0.0.1"}}, {"a:from", {"10.0.0.1"}}},
         'A'},
    });
}

TEST(PolicyTable, Principals) {
    const char* everybody = R"({"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"})";
    const char* aws_star =
        R"({"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*","Resource":"*"})";
    const char* account =
        R"({"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*"})";
    const char* root =
        R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},
            "Action":"*","Resource":"*"})";
    const char* other_account =
        R"({"Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"*","Resource":"*"})";
    const char* ann =
        R"({"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:user/ann"]},
            "Action":"*","Resource":"*"})";
    const char* not_ann =
        R"({"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::123456789012:user/ann"},
            "Action":"*","Resource":"*"})";
    const char* service =
        R"({"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},
            "Action":"*","Resource":"*"})";
    const std::string user_ann = "arn:aws:iam::123456789012:user/ann";
    const std::string user_bob = "arn:aws:iam::123456789012:user/bob";
    const auto with = [](const char* statements, const std::string& principal) {
        return decide({"principal", statements, "s3:GetObject", kObject, {}, 'A'},
                      PolicyKind::resource, principal);
    };
    EXPECT_EQ(with(everybody, ""), 'A');
    EXPECT_EQ(with(everybody, user_ann), 'A');
    EXPECT_EQ(with(aws_star, user_ann), 'A');
    EXPECT_EQ(with(account, user_bob), 'A');
    EXPECT_EQ(with(account, ""), '-');
    EXPECT_EQ(with(root, user_bob), 'A');
    EXPECT_EQ(with(other_account, user_bob), '-');
    EXPECT_EQ(with(ann, user_ann), 'A');
    EXPECT_EQ(with(ann, user_bob), '-');
    EXPECT_EQ(with(ann, ""), '-');
    EXPECT_EQ(with(not_ann, user_bob), 'D');
    EXPECT_EQ(with(not_ann, user_ann), '-');
    EXPECT_EQ(with(service, user_ann), '-');
}

TEST(Policy, TellsWhichStatementDecided) {
    const auto first = Policy::parse(
        R"({"Version":"2012-10-17","Statement":[
            {"Sid":"ReadAll","Effect":"Allow","Action":"s3:Get*","Resource":"*"},
            {"Effect":"Allow","Action":"s3:*","Resource":"*"}]})",
        PolicyKind::identity, "one");
    const auto second = Policy::parse(
        R"({"Version":"2012-10-17","Statement":
            {"Sid":"NoSecrets","Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::secret/*"}})",
        PolicyKind::identity, "two");
    ASSERT_TRUE(first.ok() && second.ok());
    const std::vector<Policy> both{first.value(), second.value()};
    const auto on = [&](const char* action, const char* resource) {
        return evaluate(both, {action, resource, "", "", {}});
    };
    EXPECT_EQ(on("s3:GetObject", kObject).statement, "ReadAll");
    EXPECT_EQ(on("s3:GetObject", kObject).policy, "one");
    EXPECT_EQ(on("s3:PutObject", kObject).statement, "#2");
    EXPECT_EQ(on("s3:GetObject", "arn:aws:s3:::secret/x").statement, "NoSecrets");
    EXPECT_EQ(on("s3:GetObject", "arn:aws:s3:::secret/x").effect, Decision::Effect::explicit_deny);
    EXPECT_EQ(on("iam:X", kObject).policy, "");
    EXPECT_EQ(evaluate({}, {"s3:GetObject", kObject, "", "", {}}).effect,
              Decision::Effect::implicit_deny);
}

TEST(Policy, RefusesWhatItDoesNotUnderstand) {
    const auto document = [](const std::string& statement) {
        return R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
    };
    const std::string good = R"("Effect":"Allow","Action":"*","Resource":"*")";
    const std::pair<std::string, const char*> cases[] = {
        {"", "not JSON"},
        {"[]", "not a JSON object"},
        {"{", "not JSON"},
        {"{}", "no Statement"},
        {R"({"Version":"2012-10-17","Statement":[]})", "Statement is empty"},
        {R"({"Version":"2020-01-01","Statement":[]})", "Version"},
        {R"({"Version":"2012-10-17","Statment":[]})", "unknown element Statment"},
        {R"({"Statement":[],"Statement":[]})", "given twice"},
        {R"({"Id":1,"Statement":[]})", "Id"},
        {document("3"), "statement 1"},
        {document(R"({"Action":"*","Resource":"*"})"), "no Effect"},
        {document(R"({"Effect":"allow","Action":"*","Resource":"*"})"), "Allow or Deny"},
        {document(R"({"Effect":"Allow","Resource":"*"})"), "Action or NotAction"},
        {document(R"({"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"})"),
         "Action or NotAction"},
        {document(R"({"Effect":"Allow","Action":"*"})"), "Resource or NotResource"},
        {document(R"({"Effect":"Allow","Action":[],"Resource":"*"})"), "empty"},
        {document(R"({"Effect":"Allow","Action":[1],"Resource":"*"})"), "texts"},
        {document(R"({"Effect":"Allow","Action":"GetObject","Resource":"*"})"), "not an action"},
        {document(R"({"Effect":"Allow","Action":"s3:${aws:username}","Resource":"*"})"),
         "not an action"},
        {document(R"({"Effect":"Allow","Action":"*","Resource":"bucket/*"})"), "ARN"},
        {document(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:bucket"})"), "ARN"},
        {document(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"})"),
         "closing"},
        {document(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${user}"})"),
         "no key"},
        {document(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${a:b, c}"})"),
         "single quotes"},
        {document("{" + good + R"(,"Principal":"*"})"), "Principal"},
        {document("{" + good + R"(,"Sid":"a b"})"), "Sid"},
        {document(R"({"Sid":"x",)" + good + R"(},{"Sid":"x",)" + good + "}"), "Sid x"},
        {document("{" + good + R"(,"Condition":{"StringEqual":{"aws:username":"x"}}})"),
         "no condition operator \"StringEqual\""},
        {document("{" + good + R"(,"Condition":{"NullIfExists":{"aws:username":"x"}}})"),
         "NullIfExists"},
        {document("{" + good + R"(,"Condition":{"ForSome:StringEquals":{"aws:username":"x"}}})"),
         "ForSome"},
        {document("{" + good + R"(,"Condition":{"StringEquals":{}}})"), "condition keys"},
        {document("{" + good + R"(,"Condition":{"StringEquals":{"username":"x"}}})"),
         "not a condition key"},
        {document("{" + good + R"(,"Condition":{"StringEquals":{"a:b":[]}}})"), "empty"},
        {document("{" + good + R"(,"Condition":{"StringEquals":{"a:b":{}}}})"), "must be a text"},
        {document("{" + good + R"(,"Condition":{"NumericEquals":{"a:b":"ten"}}})"), "a number"},
        {document("{" + good + R"(,"Condition":{"DateEquals":{"a:b":"soon"}}})"), "a date"},
        {document("{" + good + R"(,"Condition":{"Bool":{"a:b":"yes"}}})"), "true or false"},
        {document("{" + good + R"(,"Condition":{"IpAddress":{"a:b":"10.0.0.0/33"}}})"),
         "address block"},
        {document("{" + good + R"(,"Condition":{"ArnLike":{"a:b":"bucket"}}})"), "an ARN"},
        {document("{" + good + R"(,"Condition":{"BinaryEquals":{"a:b":"?"}}})"), "base64"},
        {document("{" + good + R"(,"Condition":[]})"), "no object"},
        {std::string(PolicyLimits::bytes + 1, ' '), "larger"},
        {document(std::string(200, '[') + std::string(200, ']')), "deeply"},
    };
    for (const auto& [text, expected] : cases) {
        const auto policy = Policy::parse(text, PolicyKind::identity, "p");
        ASSERT_FALSE(policy.ok()) << text;
        EXPECT_EQ(policy.error().reason, "MalformedPolicyDocument");
        EXPECT_NE(policy.error().message.find(expected), std::string::npos)
            << text << " gave: " << policy.error().message;
    }
    const auto resource = [](const char* statement) {
        return Policy::parse(
                   R"({"Version":"2012-10-17","Statement":[)" + std::string(statement) + "]}",
                   PolicyKind::resource, "p")
            .ok();
    };
    EXPECT_FALSE(resource(R"({"Effect":"Allow","Action":"*","Resource":"*"})"));
    EXPECT_FALSE(resource(R"({"Effect":"Allow","Principal":"me","Action":"*","Resource":"*"})"));
    EXPECT_FALSE(
        resource(R"({"Effect":"Allow","Principal":{"Any":"*"},"Action":"*","Resource":"*"})"));
}

TEST(Policy, BoundsStatements) {
    std::string text = R"({"Statement":[)";
    for (size_t i = 0; i <= PolicyLimits::statements; ++i)
        text += std::string(i == 0 ? "" : ",") + R"({"Effect":"Deny","Action":"*","Resource":"*"})";
    EXPECT_FALSE(Policy::parse(text + "]}", PolicyKind::identity, "p").ok());
}

TEST(Wildcard, DoesNotBlowUp) {
    const std::string text(20000, 'a');
    std::string pattern;
    for (int i = 0; i < 50; ++i) pattern += "a*";
    EXPECT_FALSE(matches_wildcard(pattern + "b", text));
    EXPECT_TRUE(matches_wildcard(pattern, text));
    EXPECT_TRUE(matches_wildcard("", ""));
    EXPECT_TRUE(matches_wildcard("*", ""));
    EXPECT_FALSE(matches_wildcard("?", ""));
    EXPECT_TRUE(matches_wildcard("a*b*c", "aXbYbZc"));
}

}  // namespace
}  // namespace tarn::security

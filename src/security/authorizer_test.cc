#include "security/authorizer.h"

#include <gtest/gtest.h>

#include "security/authenticator.h"
#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

constexpr char kOwnFolder[] =
    R"({"Version":"2012-10-17","Statement":[
        {"Sid":"Own","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],
         "Resource":"arn:aws:s3:::lake/${aws:username}/*"},
        {"Sid":"NoLogs","Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::lake/ann/logs/*"}]})";
constexpr char kRegion[] =
    R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject",
         "Resource":"arn:aws:s3:::lake/regions/${aws:PrincipalTag/region}/*",
         "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]})";

class AuthorizerTest : public testing::Test {
 protected:
    AuthorizerTest() {
        users_ = Users::open(*store_, keyring_, store_.clock).value();
        EXPECT_TRUE(users_->ensure_root().ok());
        EXPECT_TRUE(users_->put_role("analyst", {{"regions", kRegion}}).ok());
        EXPECT_TRUE(
            users_->create_user({"ann", {{"own", kOwnFolder}}, {"analyst"}, {{"region", "north"}}})
                .ok());
    }
    Caller caller(std::string_view name, std::string action, std::string resource) {
        Caller made;
        made.principal = users_->principal_of(name).value();
        made.source_ip = "10.1.2.3";
        made.at = store_.clock.now();
        made.action = std::move(action);
        made.resource = "arn:aws:s3:::lake/" + std::move(resource);
        return made;
    }
    bool may(const Caller& who, const ConditionKeys& extra = {}) {
        return Authorizer(*users_).decide(who, extra).ok();
    }

    TestStore store_;
    const Keyring keyring_{std::string(32, 'r')};
    std::unique_ptr<Users> users_;
};

TEST_F(AuthorizerTest, TheRootMayDoAll) {
    EXPECT_TRUE(may(caller("root", "s3:DeleteBucket", "x")));
    Caller system;
    system.principal.kind = Principal::Kind::system;
    EXPECT_TRUE(may(system));
}

TEST_F(AuthorizerTest, UsersMayWhatTheirPoliciesSay) {
    EXPECT_TRUE(may(caller("ann", "s3:PutObject", "ann/x")));
    EXPECT_FALSE(may(caller("ann", "s3:PutObject", "bob/x")));
    EXPECT_FALSE(may(caller("ann", "s3:DeleteObject", "ann/x")));
    EXPECT_FALSE(may(caller("ann", "s3:GetObject", "ann/logs/today")));
}

TEST_F(AuthorizerTest, RolesCountToo) {
    EXPECT_TRUE(may(caller("ann", "s3:GetObject", "regions/north/x")));
    EXPECT_FALSE(may(caller("ann", "s3:GetObject", "regions/south/x")));
    auto outside = caller("ann", "s3:GetObject", "regions/north/x");
    outside.source_ip = "192.168.0.1";
    EXPECT_FALSE(may(outside));
    EXPECT_FALSE(may(outside, {{"AWS:sourceip", {"10.0.0.1"}}})) << "not stated by the request";
    outside.source_ip.clear();
    EXPECT_FALSE(may(outside, {{"aws:SourceIp", {"10.0.0.1"}}}));
    EXPECT_FALSE(may(caller("ann", "s3:GetObject", "regions/south/x"),
                     {{"aws:principaltag/region", {"south"}}, {"aws:PrincipalTag/x", {"y"}}}));
    ASSERT_TRUE(users_->set_user_roles("ann", {}).ok());
    EXPECT_FALSE(may(caller("ann", "s3:GetObject", "regions/north/x")));
}

TEST_F(AuthorizerTest, OthersMayNothing) {
    Caller nobody;
    nobody.action = "s3:GetObject";
    nobody.resource = "arn:aws:s3:::lake/x";
    nobody.principal.name = "ghost";
    EXPECT_FALSE(may(nobody));
    nobody.principal.name = "root";
    EXPECT_FALSE(may(nobody)) << "a name makes no root";
}

TEST_F(AuthorizerTest, ASessionHasItsRoles) {
    auto session = caller("ann", "s3:GetObject", "regions/north/x");
    session.principal.kind = Principal::Kind::session;
    EXPECT_TRUE(may(session));
    session.principal.roles.clear();
    EXPECT_FALSE(may(session));
}

TEST_F(AuthorizerTest, SaysItInIamsWords) {
    const Authorizer authorizer(*users_);
    const auto silent = authorizer.decide(caller("ann", "s3:PutObject", "bob/x"));
    EXPECT_EQ(silent.error().code, Code::permission_denied);
    EXPECT_EQ(silent.error().reason, "AccessDenied");
    EXPECT_EQ(silent.error().message,
              "User: arn:aws:iam::" + users_->account_id() +
                  ":user/ann is not authorized to perform: s3:PutObject on resource: "
                  "arn:aws:s3:::lake/bob/x because no identity-based policy allows the "
                  "s3:PutObject action");
    const auto explicitly = authorizer.decide(caller("ann", "s3:PutObject", "ann/logs/x"));
    EXPECT_NE(explicitly.error().message.find("with an explicit deny"), std::string::npos);
}

TEST_F(AuthorizerTest, ExplainsItself) {
    const Authorizer authorizer(*users_);
    const auto who = caller("ann", "s3:PutObject", "ann/x");
    const auto decision = authorizer.explain(who, who.action, who.resource);
    EXPECT_EQ(decision.statement, "Own");
    EXPECT_EQ(decision.policy, "user ann, policy own");
    const auto other = authorizer.decide(who, "s3:GetObject", "arn:aws:s3:::lake/regions/north/x");
    EXPECT_TRUE(other.ok());
}

TEST_F(AuthorizerTest, AuthenticatesASignedRequest) {
    const auto key = users_->create_key("ann").value();
    const Authenticator authenticator(*users_, store_.clock);
    SignedRequest request{"GET", "/lake/x", "", {{"host", "h"}}, ""};
    const auto signature = sign(request, {key.id, key.secret, "us-east-1", "s3"},
                                store_.clock.now(), "UNSIGNED-PAYLOAD");
    for (const auto& [name, value] : signature.headers) request.headers.emplace_back(name, value);
    const auto good = authenticator.authenticate(request, {"s3"});
    ASSERT_TRUE(good.ok()) << good.error().message;
    EXPECT_EQ(good->principal.name, "ann");
    EXPECT_EQ(good->principal.access_key_id, key.id);
    EXPECT_TRUE(users_->get_user("ann")->keys[0].last_used.has_value());
    EXPECT_FALSE(authenticator.authenticate(request, {"glue"}).ok());
    ASSERT_TRUE(users_->set_key_active(key.id, false).ok());
    EXPECT_EQ(authenticator.authenticate(request).error().reason, "InvalidAccessKeyId");
}

}  // namespace
}  // namespace tarn::security

#include "security/sessions.h"

#include <gtest/gtest.h>

#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SessionsTest : public testing::Test {
 protected:
    SessionsTest() {
        users_ = Users::open(*store_, keyring_, store_.clock).value();
        EXPECT_TRUE(users_->create_user({"ann", {}, {}, {}}).ok());
        store_.clock.advance(seconds(1));
        sessions_ = std::make_unique<Sessions>(*store_, *users_, store_.clock, SessionOptions{});
    }
    NewSession sign_in() {
        return sessions_->open_session(users_->principal_of("ann").value()).value();
    }
    bool is_in(const NewSession& session) {
        const bool found = sessions_->find(session.id).ok();
        // find() notes that it saw the session without waiting; whatever comes after this commit
        // sees the note.
        EXPECT_TRUE(store_->commit(meta::Batch().put("x", "")).ok());
        return found;
    }

    TestStore store_;
    const Keyring keyring_{std::string(32, 'r')};
    std::unique_ptr<Users> users_;
    std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, ATokenWorksOnce) {
    const auto token = sessions_->create_token("ann", "");
    ASSERT_TRUE(token.ok());
    EXPECT_GE(token->size(), 43u);
    const auto session = sessions_->redeem_token(token.value());
    ASSERT_TRUE(session.ok()) << session.error().message;
    EXPECT_EQ(session->principal.name, "ann");
    EXPECT_TRUE(is_in(session.value()));
    EXPECT_EQ(sessions_->redeem_token(token.value()).error().code, Code::unauthenticated);
    EXPECT_FALSE(sessions_->redeem_token("").ok());
    EXPECT_EQ(sessions_->create_token("nobody", "").error().code, Code::not_found);
}

TEST_F(SessionsTest, ATokenExpires) {
    const auto token = sessions_->create_token("ann", "").value();
    store_.clock.advance(minutes(15));
    EXPECT_EQ(sessions_->redeem_token(token).error().code, Code::unauthenticated);
}

TEST_F(SessionsTest, NothingSecretStandsInTheStore) {
    const auto token = sessions_->create_token("ann", "").value();
    const auto session = sign_in();
    for (auto iterator = store_->scan({}); iterator->valid(); iterator->next()) {
        const std::string all =
            std::string(iterator->key()) + std::string(iterator->record()->value);
        EXPECT_EQ(all.find(token), std::string::npos);
        EXPECT_EQ(all.find(session.id), std::string::npos);
        EXPECT_EQ(all.find(session.csrf_token), std::string::npos);
    }
}

TEST_F(SessionsTest, ASessionEndsByItself) {
    const auto busy = sign_in(), idle = sign_in();
    for (int i = 0; i < 11; ++i) {
        store_.clock.advance(hours(1));
        EXPECT_TRUE(is_in(busy)) << i;
        if (i == 0) continue;
        EXPECT_FALSE(is_in(idle)) << i;
    }
    store_.clock.advance(hours(1));
    EXPECT_FALSE(is_in(busy)) << "twelve hours are over";
}

TEST_F(SessionsTest, SignsOut) {
    const auto here = sign_in(), there = sign_in();
    ASSERT_TRUE(sessions_->sign_out(here.id).ok());
    EXPECT_FALSE(is_in(here));
    EXPECT_TRUE(is_in(there));
    const auto elsewhere = sign_in();
    ASSERT_TRUE(sessions_->sign_out_everywhere("ann").ok());
    EXPECT_FALSE(is_in(there));
    EXPECT_FALSE(is_in(elsewhere));
    store_.clock.advance(seconds(1));
    EXPECT_TRUE(is_in(sign_in()));
}

TEST_F(SessionsTest, EndsWithItsUser) {
    const auto session = sign_in();
    ASSERT_TRUE(users_->set_user_attributes("ann", {{"region", "east"}}).ok());
    EXPECT_EQ(sessions_->find(session.id)->principal.attributes.at("region"), "east");
    const auto token = sessions_->create_token("ann", "").value();
    ASSERT_TRUE(users_->delete_user("ann").ok());
    EXPECT_FALSE(is_in(session));
    store_.clock.advance(seconds(1));
    ASSERT_TRUE(users_->create_user({"ann", {}, {}, {}}).ok());
    EXPECT_FALSE(is_in(session)) << "another user of the same name";
    EXPECT_FALSE(sessions_->redeem_token(token).ok());
}

TEST_F(SessionsTest, ChecksTheCsrfToken) {
    const auto made = sign_in();
    const auto session = sessions_->find(made.id).value();
    EXPECT_TRUE(Sessions::check_csrf(session, made.csrf_token).ok());
    EXPECT_FALSE(Sessions::check_csrf(session, "").ok());
    EXPECT_FALSE(Sessions::check_csrf(session, sign_in().csrf_token).ok());
}

TEST_F(SessionsTest, RemovesWhatHasExpired) {
    const auto token = sessions_->create_token("ann", "").value();
    sign_in();
    sign_in();
    EXPECT_EQ(sessions_->remove_expired(100).value(), 0u);
    store_.clock.advance(hours(3));
    const auto fresh = sign_in();
    EXPECT_EQ(sessions_->remove_expired(1).value(), 1u);
    EXPECT_EQ(sessions_->remove_expired(100).value(), 2u);
    EXPECT_EQ(sessions_->remove_expired(100).value(), 0u);
    EXPECT_TRUE(is_in(fresh));
}

TEST_F(SessionsTest, EndWithTheKeyTheyWereOpenedWith) {
    const auto key = users_->create_key("ann").value();
    const auto other = users_->create_key("ann").value();
    const auto by_key = sessions_->open_session(users_->find_key(key.id)->principal).value();
    const auto by_other = sessions_->open_session(users_->find_key(other.id)->principal).value();
    const auto link = sessions_->create_token("ann", key.id).value();
    const auto unused = sessions_->create_token("ann", key.id).value();
    const auto by_link = sessions_->redeem_token(link).value();
    EXPECT_EQ(sessions_->find(by_link.id)->access_key_id, key.id);
    ASSERT_TRUE(users_->set_key_active(key.id, false).ok());
    EXPECT_EQ(sessions_->find(by_key.id).error().code, Code::unauthenticated);
    EXPECT_EQ(sessions_->find(by_link.id).error().code, Code::unauthenticated);
    EXPECT_EQ(sessions_->redeem_token(unused).error().code, Code::unauthenticated);
    EXPECT_TRUE(sessions_->find(by_other.id).ok());
    ASSERT_TRUE(users_->delete_key(other.id).ok());
    EXPECT_FALSE(sessions_->find(by_other.id).ok());
}

}  // namespace
}  // namespace tarn::security

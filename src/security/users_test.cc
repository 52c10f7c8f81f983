#include "security/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "meta/keys.h"
#include "security/internal/directory.h"
#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kReadAll[] =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]})";

class UsersTest : public testing::Test {
 protected:
    UsersTest() { open(); }
    void open() {
        users_.reset();
        auto opened = Users::open(*store_, keyring_, store_.clock);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        users_ = std::move(opened).value();
    }
    void reopen() {
        users_.reset();
        store_.open();
        open();
    }
    NewAccessKey new_key(const char* user) {
        store_.clock.advance(seconds(1));
        auto key = users_->create_key(user);
        EXPECT_TRUE(key.ok());
        return key.value();
    }
    void add(const char* name) { ASSERT_TRUE(users_->create_user({name, {}, {}, {}}).ok()); }

    TestStore store_;
    const Keyring keyring_{std::string(32, 'r')};
    std::unique_ptr<Users> users_;
};

TEST_F(UsersTest, TheAccountIsFixed) {
    const std::string account = users_->account_id();
    EXPECT_THAT(account, testing::MatchesRegex("[1-9][0-9]+"));
    EXPECT_EQ(account.size(), 12u);
    reopen();
    EXPECT_EQ(users_->account_id(), account);
}

/// What was taken back does not go on because what is stored can't be read.
TEST_F(UsersTest, NobodyIsKnownWhileUsersCantBeReadBack) {
    add("eva");
    const NewAccessKey kept = new_key("eva"), revoked = new_key("eva");
    meta::Batch damage;
    damage.put(records::user_key("zoe"), "no record");
    EXPECT_FALSE(users_->set_key_active(revoked.id, false, std::move(damage)).ok());
    for (const auto& key : {kept, revoked}) {
        EXPECT_EQ(users_->find_key(key.id), nullptr);
        EXPECT_FALSE(users_->verify_password(key.id, key.secret).ok());
    }
    EXPECT_FALSE(users_->principal_of("eva").ok());
    EXPECT_FALSE(users_->set_user_roles("eva", {}).ok());
    EXPECT_FALSE(users_->read_back().ok());
    EXPECT_EQ(users_->account_id().size(), 12u);

    meta::Batch mended;
    mended.erase(records::user_key("zoe"));
    ASSERT_TRUE(store_->commit(std::move(mended)).ok());
    ASSERT_TRUE(users_->read_back().ok());
    EXPECT_NE(users_->find_key(kept.id), nullptr);
    EXPECT_EQ(users_->find_key(revoked.id), nullptr);
    EXPECT_TRUE(users_->set_user_roles("eva", {}).ok());
}

TEST_F(UsersTest, TheRootIsMadeOnce) {
    const auto made = users_->ensure_root();
    ASSERT_TRUE(made.ok());
    EXPECT_TRUE(made->created);
    EXPECT_THAT(made->key.id, testing::MatchesRegex("AKIA[A-Z2-7]+"));
    EXPECT_EQ(made->key.id.size(), 20u);
    EXPECT_THAT(made->key.secret, testing::MatchesRegex("[A-Za-z0-9]+"));
    EXPECT_EQ(made->key.secret.size(), 40u);
    reopen();
    const auto again = users_->ensure_root();
    EXPECT_FALSE(again->created);
    EXPECT_EQ(again->key.id, made->key.id);
    const auto credential = users_->find_key(made->key.id);
    ASSERT_NE(credential, nullptr);
    EXPECT_EQ(credential->secret, made->key.secret);
    EXPECT_TRUE(credential->principal.is_root());
    EXPECT_EQ(credential->principal.arn, "arn:aws:iam::" + users_->account_id() + ":root");
}

TEST_F(UsersTest, WritesACredentialsFile) {
    const auto root = users_->ensure_root().value();
    const std::string path = store_.directory + "/root.credentials";
    ASSERT_TRUE(users_->write_credentials_file(store_.disk, path).ok());
    EXPECT_EQ(io::read_file(store_.disk, path, 1000).value(),
              "[default]\naws_access_key_id = " + root.key.id +
                  "\naws_secret_access_key = " + root.key.secret + "\n");
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(UsersTest, UsersSurviveARestart) {
    const auto made =
        users_->create_user({"ann", {{"read", kReadAll}}, {"analyst"}, {{"region", "north"}}});
    ASSERT_TRUE(made.ok()) << made.error().message;
    const auto key = new_key("ann");
    reopen();
    const auto user = users_->get_user("ann");
    ASSERT_TRUE(user.ok());
    EXPECT_EQ(user->arn, "arn:aws:iam::" + users_->account_id() + ":user/ann");
    EXPECT_EQ(user->policies.at("read"), kReadAll);
    EXPECT_THAT(user->roles, testing::ElementsAre("analyst"));
    ASSERT_EQ(user->keys.size(), 1u);
    EXPECT_EQ(user->keys[0].id, key.id);
    EXPECT_FALSE(user->keys[0].last_used.has_value());
    const auto principal = users_->verify_password(key.id, key.secret);
    ASSERT_TRUE(principal.ok());
    EXPECT_EQ(principal->name, "ann");
    EXPECT_EQ(principal->attributes.at("region"), "north");
    EXPECT_EQ(principal->access_key_id, key.id);
    EXPECT_FALSE(principal->is_root());
}

TEST_F(UsersTest, NothingSecretStandsInTheStore) {
    add("ann");
    const auto key = new_key("ann");
    auto iterator = store_->scan({});
    int records = 0;
    for (; iterator->valid(); iterator->next(), ++records)
        EXPECT_EQ(iterator->record()->value.find(key.secret), std::string::npos);
    EXPECT_GE(records, 3);
    iterator.reset();
    const Keyring other(std::string(32, 'x'));
    users_.reset();
    EXPECT_EQ(Users::open(*store_, other, store_.clock).error().code, Code::corrupted);
}

TEST_F(UsersTest, RefusesBadUsers) {
    add("ann");
    const auto code_of = [&](NewUser user) {
        const auto made = users_->create_user(std::move(user));
        return made.ok() ? std::string("ok") : std::string(to_string(made.error().code));
    };
    EXPECT_EQ(code_of({"ann", {}, {}, {}}), "already_exists");
    for (const char* name : {"", "root", "a b", "a/b", "AKIAIOSFODNN7EXAMPLE", "é"})
        EXPECT_EQ(code_of({name, {}, {}, {}}), "invalid_argument") << name;
    EXPECT_EQ(code_of({std::string(65, 'a'), {}, {}, {}}), "invalid_argument");
    EXPECT_EQ(code_of({"bob", {{"p", "{}"}}, {}, {}}), "invalid_argument");
    EXPECT_EQ(code_of({"bob", {}, {"not a role"}, {}}), "invalid_argument");
    EXPECT_EQ(code_of({"bob", {}, {}, {{"a", std::string(5000, 'x')}}}), "invalid_argument");
    EXPECT_EQ(code_of({"b.o+b=,@_-", {}, {}, {}}), "ok");
}

TEST_F(UsersTest, KeysComeAndGo) {
    add("ann");
    const auto first = new_key("ann"), second = new_key("ann");
    ASSERT_TRUE(users_->set_key_active(first.id, false).ok());
    EXPECT_EQ(users_->find_key(first.id), nullptr);
    EXPECT_NE(users_->find_key(second.id), nullptr);
    EXPECT_FALSE(users_->verify_password(first.id, first.secret).ok());
    EXPECT_FALSE(users_->verify_password("ann", first.secret).ok());
    ASSERT_TRUE(users_->set_key_active(first.id, true).ok());
    EXPECT_EQ(users_->find_key(first.id)->secret, first.secret);
    ASSERT_TRUE(users_->delete_key(first.id).ok());
    EXPECT_EQ(users_->find_key(first.id), nullptr);
    EXPECT_EQ(users_->delete_key(first.id).error().code, Code::not_found);
    EXPECT_EQ(users_->set_key_active("AKIAX", true).error().code, Code::not_found);
    EXPECT_EQ(users_->create_key("nobody").error().code, Code::not_found);
    for (size_t i = 1; i < Users::kKeysPerUser; ++i) new_key("ann");
    EXPECT_EQ(users_->create_key("ann").error().code, Code::exhausted);
}

TEST_F(UsersTest, TheRootKeepsAKey) {
    const auto root = users_->ensure_root().value();
    EXPECT_EQ(users_->delete_key(root.key.id).error().code, Code::conflict);
    EXPECT_EQ(users_->set_key_active(root.key.id, false).error().code, Code::conflict);
    const auto second = new_key("root");
    EXPECT_TRUE(users_->delete_key(root.key.id).ok());
    EXPECT_EQ(users_->ensure_root()->key.id, second.id);
    EXPECT_FALSE(users_->delete_user("root").ok());
    EXPECT_FALSE(users_->put_user_policy("root", "p", kReadAll).ok());
}

TEST_F(UsersTest, DeletingAUserTakesItsKeys) {
    add("ann");
    const auto key = new_key("ann");
    ASSERT_TRUE(users_->delete_user("ann").ok());
    EXPECT_EQ(users_->find_key(key.id), nullptr);
    EXPECT_EQ(users_->delete_user("ann").error().code, Code::not_found);
    EXPECT_FALSE(users_->principal_of("ann").ok());
    reopen();
    EXPECT_EQ(users_->find_key(key.id), nullptr);
}

TEST_F(UsersTest, PasswordsByNameAndByKey) {
    add("ann");
    const auto first = new_key("ann"), second = new_key("ann");
    EXPECT_EQ(users_->verify_password("ann", first.secret)->access_key_id, first.id);
    EXPECT_EQ(users_->verify_password("ann", second.secret)->access_key_id, second.id);
    EXPECT_TRUE(users_->verify_password(second.id, second.secret).ok());
    EXPECT_FALSE(users_->verify_password(first.id, second.secret).ok());
    const auto wrong = users_->verify_password("ann", "");
    const auto unknown = users_->verify_password("bob", first.secret);
    EXPECT_EQ(wrong.error().code, Code::unauthenticated);
    EXPECT_EQ(wrong.error().message, unknown.error().message);
}

TEST_F(UsersTest, ScramCandidates) {
    add("ann");
    const auto first = new_key("ann"), second = new_key("ann");
    const auto by_name = users_->scram_candidates("ann");
    ASSERT_EQ(by_name.account.verifiers.size(), 2u);
    const auto expected = make_scram_verifier(first.secret, by_name.account.salt, kScramIterations);
    EXPECT_EQ(by_name.account.verifiers[0].stored_key, expected.stored_key);
    EXPECT_EQ(by_name.account.verifiers[0].server_key, expected.server_key);
    EXPECT_EQ(by_name.credentials[0]->principal.access_key_id, first.id);
    const auto by_key = users_->scram_candidates(second.id);
    EXPECT_EQ(by_key.account.verifiers.size(), 1u);
    EXPECT_EQ(by_key.account.salt, by_name.account.salt);

    const auto unknown = users_->scram_candidates("bob");
    EXPECT_TRUE(unknown.account.verifiers.empty());
    EXPECT_EQ(unknown.account.salt.size(), by_name.account.salt.size());
    EXPECT_EQ(unknown.account.salt, users_->scram_candidates("bob").account.salt);
    EXPECT_NE(unknown.account.salt, users_->scram_candidates("eve").account.salt);
}

TEST_F(UsersTest, PoliciesAndRoles) {
    ASSERT_TRUE(users_->create_user({"ann", {}, {"analyst", "not_yet"}, {}}).ok());
    const auto count = [&] {
        return users_->policies_of(users_->principal_of("ann").value())->size();
    };
    EXPECT_EQ(count(), 0u);
    ASSERT_TRUE(users_->put_role("analyst", {{"read", kReadAll}}).ok());
    EXPECT_EQ(count(), 1u);
    ASSERT_TRUE(users_->put_user_policy("ann", "own", kReadAll).ok());
    EXPECT_EQ(count(), 2u);
    EXPECT_FALSE(users_->put_user_policy("ann", "own", "{").ok());
    EXPECT_FALSE(users_->put_role("analyst", {{"read", "{"}}).ok());
    reopen();
    EXPECT_EQ(count(), 2u);
    EXPECT_EQ(users_->list_roles().at("analyst").at("read"), kReadAll);
    ASSERT_TRUE(users_->delete_user_policy("ann", "own").ok());
    EXPECT_EQ(users_->delete_user_policy("ann", "own").error().code, Code::not_found);
    ASSERT_TRUE(users_->delete_role("analyst").ok());
    EXPECT_EQ(users_->delete_role("analyst").error().code, Code::not_found);
    EXPECT_EQ(count(), 0u);
    ASSERT_TRUE(users_->set_user_roles("ann", {"operator"}).ok());
    ASSERT_TRUE(users_->set_user_attributes("ann", {{"region", "south"}}).ok());
    const auto principal = users_->principal_of("ann").value();
    EXPECT_THAT(principal.roles, testing::ElementsAre("operator"));
    EXPECT_EQ(principal.attributes.at("region"), "south");
    EXPECT_EQ(users_->set_user_roles("bob", {}).error().code, Code::not_found);
}

TEST_F(UsersTest, AChangeCommitsWithWhatComesWithIt) {
    const Error no(Code::precondition_failed, "no");
    EXPECT_FALSE(
        users_->create_user({"ann", {}, {}, {}}, meta::Batch().require_present("x", no)).ok());
    EXPECT_FALSE(users_->get_user("ann").ok());
    ASSERT_TRUE(users_->create_user({"ann", {}, {}, {}}, meta::Batch().put("x", "1")).ok());
    EXPECT_TRUE(store_->get("x")->has_value());
}

TEST_F(UsersTest, ListsTheRootFirst) {
    add("ann");
    ASSERT_TRUE(users_->ensure_root().ok());
    add("zoe");
    std::vector<std::string> names;
    for (const auto& user : users_->list_users()) names.push_back(user.name);
    EXPECT_THAT(names, testing::ElementsAre("root", "ann", "zoe"));
}

TEST_F(UsersTest, KeepsTheHourOfTheLastUse) {
    add("ann");
    const auto key = new_key("ann");
    const auto last_used = [&] { return users_->get_user("ann")->keys[0].last_used; };
    users_->note_used(key.id);
    users_->note_used("AKIAUNKNOWN");
    const Timestamp first = store_.clock.now();
    EXPECT_EQ(last_used(), first);
    store_.clock.advance(minutes(59));
    users_->note_used(key.id);
    EXPECT_EQ(last_used(), first);
    store_.clock.advance(hours(1));
    users_->note_used(key.id);
    EXPECT_EQ(last_used(), store_.clock.now());
    ASSERT_TRUE(store_->commit(meta::Batch().put("x", "after")).ok());
    reopen();
    EXPECT_EQ(last_used(), store_.clock.now());
}

}  // namespace
}  // namespace tarn::security

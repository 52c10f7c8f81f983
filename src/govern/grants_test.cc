#include "govern/grants.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "io/disk.h"
#include "tables/files.h"

namespace tarn::govern {
namespace {

/// The catalog is asked for names only here; none of its tables has files.
class NoFiles final : public tables::Files {
 public:
    Result<std::string> read(const std::string& path, uint64_t) const override {
        return Error(Code::not_found, path);
    }
    Result<std::unique_ptr<Staged>> stage_put(meta::Batch&, const std::string& path,
                                              std::string) override {
        return Error(Code::unimplemented, path);
    }
    Result<std::vector<Listed>> list(const std::string&, const std::string&,
                                     size_t) const override {
        return std::vector<Listed>{};
    }
    Status remove(const std::vector<std::string>&) override { return ok_status(); }
};

class GrantsTest : public ::testing::Test {
 protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("tarn_grants_" + random_hex(6));
        meta::LocalStoreOptions options;
        options.directory = folder_;
        options.segment_bytes = 1 << 20;
        options.free_bytes_min = 0;
        store_ = meta::LocalStore::open(disk_, clock_, metrics_, options).value();
        users_ = security::Users::open(*store_, keyring_, clock_).value();
        authorizer_ = std::make_unique<security::Authorizer>(*users_);
        catalog_ = std::make_unique<tables::Catalog>(*store_, files_, clock_);
        grants_ = Grants::open(*store_, *users_, *authorizer_, *catalog_, "us-east-1").value();
    }
    void TearDown() override {
        grants_.reset();
        catalog_.reset();
        users_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    security::Principal user(std::vector<std::string> roles) {
        static int number = 0;
        const std::string name = "user" + std::to_string(++number);
        EXPECT_TRUE(users_->create_user({name, {}, std::move(roles), {}}).ok());
        return users_->principal_of(name).value();
    }
    void put(const std::string& role, const char* json) {
        const auto grants = parse_grants(json);
        ASSERT_TRUE(grants.ok()) << grants.error().message;
        const Status put = grants_->put_role(role, *grants, {});
        ASSERT_TRUE(put.ok()) << put.error().message;
    }

    std::filesystem::path folder_;
    io::RealDisk disk_;
    ManualClock clock_;
    Metrics metrics_;
    security::Keyring keyring_{std::string(32, 'k')};
    NoFiles files_;
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<security::Users> users_;
    std::unique_ptr<security::Authorizer> authorizer_;
    std::unique_ptr<tables::Catalog> catalog_;
    std::unique_ptr<Grants> grants_;
};

TEST_F(GrantsTest, WithoutAGrantNothingIsVisible) {
    EXPECT_FALSE(grants_->table_access(user({}), "erp", "sales")->visible());
    EXPECT_FALSE(grants_->database_access(user({}), "erp")->visible);
    EXPECT_FALSE(grants_->may_create_database(user({})).value());
}

TEST_F(GrantsTest, ARoleShowsWhatItNamesAndNothingElse) {
    put("analyst",
        R"({"erp.sales": {"columns": ["day", "units"], "rows": "region = user.region"}})");
    const auto ana = user({"analyst"});
    const auto access = grants_->table_access(ana, "erp", "sales").value();
    ASSERT_EQ(access.read.size(), 1u);
    EXPECT_EQ(access.read[0].columns, (std::vector<std::string>{"day", "units"}));
    EXPECT_EQ(access.read[0].row_filter, "region = user.region");
    EXPECT_FALSE(access.insert || access.update || access.remove || access.alter);
    EXPECT_FALSE(grants_->table_access(ana, "erp", "sales2")->visible());
    EXPECT_FALSE(grants_->table_access(ana, "erp2", "sales")->visible());
    EXPECT_TRUE(grants_->database_access(ana, "erp")->visible);
}

TEST_F(GrantsTest, RolesAddUpAsSeparateWindows) {
    put("north", R"({"erp.sales": {"rows": "region = 'north'"}})");
    put("totals", R"({"erp.*": {"columns": ["units"]}})");
    EXPECT_EQ(grants_->table_access(user({"north", "totals"}), "erp", "sales")->read.size(), 2u);
    EXPECT_EQ(grants_->table_access(user({"totals"}), "erp", "stores")->read.size(), 1u);
}

TEST_F(GrantsTest, APolicyThatDeniesWinsOverAGrant) {
    put("all", R"({"*": {"write": ["insert"]}})");
    const auto access = grants_->table_access(user({"all"}), "erp", "sales").value();
    EXPECT_TRUE(access.unrestricted());
    EXPECT_TRUE(access.insert);
    ASSERT_TRUE(
        users_
            ->create_user(
                {"denied",
                 {{"no", R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"tarn:*",
                                     "Resource":"arn:aws:tarn:*:*:table/erp/*"}]})"}},
                 {"all"},
                 {}})
            .ok());
    const auto denied = users_->principal_of("denied").value();
    EXPECT_FALSE(grants_->table_access(denied, "erp", "sales")->visible());
    EXPECT_TRUE(grants_->table_access(denied, "lake", "levels")->visible());
}

TEST_F(GrantsTest, ARemovedRoleShowsNothingAtOnce) {
    put("analyst", R"({"erp.sales": {}})");
    const auto ana = user({"analyst"});
    EXPECT_TRUE(grants_->table_access(ana, "erp", "sales")->visible());
    ASSERT_TRUE(grants_->delete_role("analyst").ok());
    EXPECT_FALSE(grants_->table_access(ana, "erp", "sales")->visible());
    EXPECT_EQ(grants_->delete_role("analyst").error().code, Code::not_found);
}

TEST_F(GrantsTest, GrantsOutliveAReopening) {
    put("analyst", R"({"erp.sales": {"masks": {"email": "'*'"}, "write": ["insert", "delete"]}})");
    const auto before = grants_->roles();
    grants_ = Grants::open(*store_, *users_, *authorizer_, *catalog_, "us-east-1").value();
    EXPECT_EQ(grants_->roles(), before);
}

TEST(ParseGrants, RefusesWhatItDoesNotKnow) {
    for (const auto* json :
         {"[]", "{", R"({"sales": {}})", R"({"erp.sales": 1})", R"({"erp.sales": {"colums": []}})",
          R"({"erp.sales": {"columns": ["a"], "hide": ["b"]}})",
          R"({"erp.sales": {"write": ["drop"]}})", R"({"erp.sales": {"rows": 1}})",
          R"({"erp.sales": {"masks": {"a": 1}}})", R"({"e;p.sales": {}})"})
        EXPECT_EQ(parse_grants(json).error().code, Code::invalid_argument) << json;
}

}  // namespace
}  // namespace tarn::govern

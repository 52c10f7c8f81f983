#include "security/secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

class SecretsTest : public testing::Test {
 protected:
    std::unique_ptr<Secrets> open(std::map<std::string, Secrets::Given> given = {}) {
        return Secrets::open(*store_, keyring_, store_.clock, std::move(given)).value();
    }

    TestStore store_;
    const Keyring keyring_{std::string(32, 'r')};
};

TEST_F(SecretsTest, KeptAcrossOpens) {
    auto secrets = open();
    EXPECT_EQ(secrets->find("shop_url"), std::nullopt);
    ASSERT_TRUE(secrets->set("shop_url", "postgresql://a:b@c/d").ok());
    EXPECT_EQ(open()->find("shop_url"), "postgresql://a:b@c/d");
    ASSERT_TRUE(secrets->set("shop_url", "another").ok());
    EXPECT_EQ(secrets->find("shop_url"), "another");
    ASSERT_EQ(secrets->list().size(), 1u);
    EXPECT_EQ(secrets->list()[0].from, "lake");
    ASSERT_TRUE(secrets->remove("shop_url").ok());
    EXPECT_EQ(secrets->find("shop_url"), std::nullopt);
    EXPECT_EQ(secrets->remove("shop_url").error().code, Code::not_found);
    EXPECT_EQ(open()->list().size(), 0u);
}

TEST_F(SecretsTest, TheStoreHoldsNoReadableValueAndAnotherKeyOpensNone) {
    ASSERT_TRUE(open()->set("token", "a value to look for").ok());
    auto walk = store_->scan({"se/", "se0", false});
    ASSERT_TRUE(walk->valid());
    EXPECT_EQ(walk->record()->value.find("a value"), std::string::npos);
    const Keyring other{std::string(32, 'x')};
    EXPECT_FALSE(Secrets::open(*store_, other, store_.clock).ok());
}

TEST_F(SecretsTest, WhatIsGivenGoesFirst) {
    ASSERT_TRUE(open()->set("token", "kept").ok());
    auto secrets = open({{"token", {"given", "environment"}}});
    EXPECT_EQ(secrets->find("token"), "given");
    EXPECT_EQ(secrets->list()[0].from, "environment");
}

TEST_F(SecretsTest, NamesAndSizes) {
    auto secrets = open();
    for (const char* name : {"", "Upper", "with-dash", "1st", "a.b"})
        EXPECT_FALSE(secrets->set(name, "v").ok()) << name;
    EXPECT_FALSE(secrets->set("empty", "").ok());
    EXPECT_FALSE(secrets->set("large", std::string(Secrets::kBytesMax + 1, 'x')).ok());
}

TEST(SecretsOutside, Environment) {
    std::string entries[] = {"TARN_SECRET_SHOP_URL=v=1", "TARN_SECRET_=x",
                             "TARN_SECRET_EMPTY=", "PATH=/bin", "TARN_SECRET_BAD-NAME=x"};
    char* environment[] = {entries[0].data(), entries[1].data(), entries[2].data(),
                           entries[3].data(), entries[4].data(), nullptr};
    const auto given = secrets_in_environment(environment);
    ASSERT_EQ(given.size(), 1u);
    EXPECT_EQ(given.at("shop_url").value, "v=1");
}

TEST(SecretsOutside, File) {
    const std::string path = testing::TempDir() + "secrets-" + std::to_string(::getpid());
    std::ofstream(path) << "# comment\n\nshop_url=postgresql://a=b\r\n";
    ::chmod(path.c_str(), 0640);
    EXPECT_EQ(read_secrets_file(path).error().code, Code::permission_denied);
    ::chmod(path.c_str(), 0600);
    EXPECT_EQ(read_secrets_file(path)->at("shop_url").value, "postgresql://a=b");
    std::ofstream(path, std::ios::app) << "No Name: hidden value\n";
    const auto wrong = read_secrets_file(path);
    ASSERT_FALSE(wrong.ok());
    EXPECT_NE(wrong.error().message.find("line 4"), std::string::npos);
    EXPECT_EQ(wrong.error().message.find("hidden"), std::string::npos);
    std::remove(path.c_str());
    EXPECT_EQ(read_secrets_file(path).error().code, Code::not_found);
}

}  // namespace
}  // namespace tarn::security

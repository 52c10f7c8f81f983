#include "security/keyring.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/random.h"

namespace tarn::security {
namespace {

const std::string kRoot(32, 'k');

TEST(Keyring, OpensWhatItSealed) {
    const Keyring keyring(kRoot);
    for (const std::string& secret : {std::string(), std::string("x"), std::string(5000, 's')}) {
        const std::string sealed = keyring.seal("u/key/AKIA", secret);
        EXPECT_EQ(sealed.size(), secret.size() + 29);
        EXPECT_EQ(keyring.unseal("u/key/AKIA", sealed).value(), secret);
    }
    EXPECT_NE(keyring.seal("a", "same"), keyring.seal("a", "same"));
}

TEST(Keyring, NoticesEveryChange) {
    const Keyring keyring(kRoot);
    const std::string sealed = keyring.seal("name", "secret");
    for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        std::string changed = sealed;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        EXPECT_EQ(keyring.unseal("name", changed).error().code, Code::corrupted) << bit;
    }
    for (size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(keyring.unseal("name", sealed.substr(0, size)).ok());
    EXPECT_FALSE(keyring.unseal("name", sealed + "x").ok());
    EXPECT_FALSE(keyring.unseal("other", sealed).ok());
    EXPECT_FALSE(Keyring(std::string(32, 'l')).unseal("name", sealed).ok());
}

TEST(Keyring, DerivesByPurpose) {
    const Keyring keyring(kRoot);
    EXPECT_EQ(keyring.derive("a"), Keyring(kRoot).derive("a"));
    EXPECT_NE(keyring.derive("a"), keyring.derive("b"));
    EXPECT_EQ(keyring.derive("a").size(), 32u);
}

class KeyringFile : public testing::Test {
 protected:
    ~KeyringFile() override { std::filesystem::remove_all(directory_); }
    io::RealDisk disk_;
    const std::string directory_ = testing::TempDir() + "keyring_" + random_hex(8);
};

TEST_F(KeyringFile, IsMadeOnceAndReadAgain) {
    const auto made = Keyring::open(disk_, directory_, false);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const std::string sealed = made.value()->seal("n", "secret");
    const auto again = Keyring::open(disk_, directory_, true);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again.value()->unseal("n", sealed).value(), "secret");
    struct stat info {};
    ASSERT_EQ(stat((directory_ + "/root.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(info.st_size, 32);
}

TEST_F(KeyringFile, IsMissedBesideAStore) {
    const auto missing = Keyring::open(disk_, directory_, true);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_NE(missing.error().message.find("root.key"), std::string::npos);
}

TEST_F(KeyringFile, MustBeWholeAndPrivate) {
    ASSERT_TRUE(Keyring::open(disk_, directory_, false).ok());
    const std::string path = directory_ + "/root.key";
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(Keyring::open(disk_, directory_, true).error().code, Code::permission_denied);
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    ASSERT_TRUE(io::replace_file(disk_, path, std::string(31, 'x')).ok());
    EXPECT_EQ(Keyring::open(disk_, directory_, true).error().code, Code::corrupted);
    ASSERT_TRUE(io::replace_file(disk_, path, std::string(33, 'x')).ok());
    EXPECT_EQ(Keyring::open(disk_, directory_, true).error().code, Code::corrupted);
}

}  // namespace
}  // namespace tarn::security

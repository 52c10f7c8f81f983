#include "security/passphrase.h"

#include <gtest/gtest.h>

namespace tarn::security {
namespace {

constexpr std::string_view kPhrase = "correct horse battery";

TEST(Passphrase, OpensWhatItSealed) {
    const auto sealed = seal_with_passphrase("root key", "a secret", kPhrase);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->find("a secret"), std::string::npos);
    const auto opened = unseal_with_passphrase("root key", *sealed, kPhrase);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ(*opened, "a secret");
}

TEST(Passphrase, RefusesAnotherPassphraseNameOrBytes) {
    const auto sealed = seal_with_passphrase("root key", "a secret", kPhrase);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(unseal_with_passphrase("root key", *sealed, "correct horse batterz").error().code,
              Code::unauthenticated);
    EXPECT_EQ(unseal_with_passphrase("other", *sealed, kPhrase).error().code,
              Code::unauthenticated);
    auto changed = *sealed;
    changed.back() ^= 1;
    EXPECT_EQ(unseal_with_passphrase("root key", changed, kPhrase).error().code,
              Code::unauthenticated);
}

TEST(Passphrase, RefusesWhatWasNeverSealed) {
    EXPECT_EQ(unseal_with_passphrase("root key", "", kPhrase).error().code, Code::corrupted);
    std::string costly(80, '\x01');
    costly[1] = 40;  // a terabyte of memory
    EXPECT_EQ(unseal_with_passphrase("root key", costly, kPhrase).error().code, Code::corrupted);
}

TEST(Passphrase, IsNotShort) {
    EXPECT_EQ(seal_with_passphrase("root key", "a secret", "short").error().code,
              Code::invalid_argument);
}

}  // namespace
}  // namespace tarn::security

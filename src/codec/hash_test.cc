#include "codec/hash.h"

#include <gtest/gtest.h>

#include "codec/text.h"

namespace tarn::codec {
namespace {

TEST(Hash, KnownValues) {
    EXPECT_EQ(hex_encode(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(hex_encode(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(hex_encode(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex_encode(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_encode(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, StreamingIsTheSameAndBeginsAnew) {
    Hasher hasher(HashKind::sha256);
    EXPECT_EQ(hasher.update("a").update("").update("bc").finish(), sha256("abc"));
    EXPECT_EQ(hasher.update("abc").finish(), sha256("abc"));
    EXPECT_EQ(hasher.finish(), sha256(""));
}

// RFC 4231, cases 1, 2 and 6 (a key longer than a block).
TEST(Hash, Hmac) {
    EXPECT_EQ(hex_encode(hmac_sha256(std::string(20, 0x0b), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex_encode(hmac_sha256(std::string(131, '\xaa'),
                                     "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    HmacSha256 code("Jefe");
    const auto whole = code.update("what do ya want ").update("for nothing?").finish();
    EXPECT_EQ(whole, code.update("what do ya want for nothing?").finish());
}

TEST(Text, Hex) {
    EXPECT_EQ(hex_encode(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
    EXPECT_EQ(hex_decode("00FF1a").value(), std::string("\x00\xff\x1a", 3));
    EXPECT_EQ(hex_decode("0").error().code, Code::invalid_argument);
    EXPECT_EQ(hex_decode("0g").error().code, Code::invalid_argument);
}

// RFC 4648 section 10.
TEST(Text, Base64) {
    const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                            {"f", "Zg=="},
                                                            {"fo", "Zm8="},
                                                            {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg=="},
                                                            {"fooba", "Zm9vYmE="},
                                                            {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : examples) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text).value(), bytes);
        EXPECT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
    }
    EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
    EXPECT_EQ(base64url_decode("-_8=").value(), "\xfb\xff");
    for (const auto* bad : {"Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9v\n", "-_8="})
        EXPECT_FALSE(base64_decode(bad).ok()) << bad;
}

}  // namespace
}  // namespace tarn::codec

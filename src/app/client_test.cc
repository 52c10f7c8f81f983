#include "app/client.h"

#include <gtest/gtest.h>

namespace tarn::app {
namespace {

TEST(Client, AnyErrorOfAServerIsRead) {
    EXPECT_EQ(error_of({403, R"({"error":{"message":"no"}})"}).message, "no");
    EXPECT_EQ(error_of({403, R"({"error":{"message":"no"}})"}).code, Code::permission_denied);
    for (const char* body : {"", "<html>", "[]", "null", R"({"error":5})", R"({"error":{}})"})
        EXPECT_EQ(error_of({502, body}).message, "the server answered 502") << body;
    // Other types than ours.
    EXPECT_EQ(error_of({500, R"({"error":{"message":["a",5]}})"}).message, R"(["a",5])");
    EXPECT_EQ(error_of({500, R"({"error":{"message":null}})"}).message, "the server answered 500");
}

TEST(Client, KeyPairsAreFoundByProfile) {
    const auto found = parse_key_pair(
        "[other]\naws_access_key_id=b\n[default]\r\n aws_access_key_id = a \naws_secret_access_key= s=1",
        "default");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->access_key_id, "a");
    EXPECT_EQ(found->secret, "s=1");
    EXPECT_FALSE(parse_key_pair("aws_access_key_id=a\naws_secret_access_key=s\n", "default"));
}

}  // namespace
}  // namespace tarn::app

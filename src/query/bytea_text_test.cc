#include "query/internal/bytea_text.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

using namespace std::string_literals;

TEST(ByteaText, HexFormEscapeFormAndTheEngines) {
    const std::pair<std::string, std::string> read[] = {{"", ""},
                                                        {"\\x", ""},
                                                        {"\\x00ff41", "\0\xff\x41"s},
                                                        {"\\x 00 FF\n41", "\0\xff\x41"s},
                                                        {"plain", "plain"},
                                                        {"t\xc3\xab", "t\xc3\xab"},
                                                        {"a\\\\b", "a\\b"},
                                                        {"\\001\\377", "\x01\xff"},
                                                        {"\\xAA\\x01", "\xaa\x01"},
                                                        {"b\\x41", "bA"}};
    for (const auto& [text, bytes] : read) EXPECT_EQ(parse_bytea(text), bytes) << text;
    for (const char* text :
         {"\\", "a\\", "\\x0", "\\xg0", "\\x00f", "\\400", "\\09", "\\q", "\\x0 0"})
        EXPECT_EQ(parse_bytea(text), std::nullopt) << text;
}

TEST(ByteaText, IsWrittenAsItIsRead) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    EXPECT_EQ(format_bytea("\0\xff\x41"s), "\\x00ff41");
    EXPECT_EQ(parse_bytea(format_bytea(all)), all);
}

}  // namespace
}  // namespace tarn::query

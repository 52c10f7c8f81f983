#include <gtest/gtest.h>

#include "ingest/internal/json_lines_reader.h"

namespace tarn::ingest {
namespace {

std::string lines(const std::vector<std::string>& pieces) {
    LineCutter cutter;
    LineCutter::Line line;
    std::string out;
    const auto drain = [&] {
        while (cutter.next(line))
            out += std::to_string(line.number) + ":" + std::string(line.text.substr(0, 20)) +
                   (line.problem != nullptr ? "!" : "") + ";";
    };
    for (const auto& piece : pieces) {
        cutter.push(piece);
        drain();
    }
    cutter.finish();
    drain();
    return out;
}

std::string members(std::string_view line) {
    JsonLine parser;
    std::string out;
    const Status read = parser.read(line, [&](const JsonMember& member) {
        out += std::string(member.name) + "=" + "nbdts"[static_cast<size_t>(member.kind)] +
               std::string(member.text) +
               (member.kind == JsonMember::Kind::boolean ? (member.truth ? "1" : "0") : "") + ";";
        return true;
    });
    return read.ok() ? out : "!" + read.error().message;
}

TEST(LineCutter, EveryCutGivesTheSame) {
    const std::string text = "{\"a\":1}\n\r\n  \n{\"b\":2}\r\nlast";
    const std::string expected = "1:{\"a\":1};4:{\"b\":2};5:last;";
    for (size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(lines({text.substr(0, cut), text.substr(cut)}), expected) << cut;
}

TEST(LineCutter, LongLineOnce) {
    const std::string line(3 << 20, 'x');
    EXPECT_EQ(lines({"1\n" + line + "\n3\n"}), "1:1;2:xxxxxxxxxxxxxxxxxxxx!;3:3;");
    std::vector<std::string> pieces{"1\n"};
    for (size_t at = 0; at < line.size(); at += 100'000) pieces.push_back(line.substr(at, 100'000));
    pieces.push_back("\n3");
    EXPECT_EQ(lines(pieces), "1:1;2:xxxxxxxxxxxxxxxxxxxx!;3:3;");
}

TEST(JsonLine, Members) {
    EXPECT_EQ(members("{\"a\":1,\"b\":-2.50,\"c\":\"x\\n\",\"d\":null,\"e\":true,\"f\":[1, "
                      "{\"g\":2}],\"h\":1e30}"),
              "a=d1;b=d-2.5;c=tx\n;d=n;e=b1;f=s[1,{\"g\":2}];h=d1e+30;");
    EXPECT_EQ(members("{\"n\":9007199254740993,\"m\":18446744073709551615}"),
              "n=d9007199254740993;m=d18446744073709551615;");
    EXPECT_EQ(members("[1]"), "!the line is JSON, but no object");
    EXPECT_EQ(members("{\"a\":1").substr(0, 9), "!no JSON:");
    EXPECT_EQ(members("{\"a\":1} x").substr(0, 9), "!no JSON:");
    EXPECT_EQ(members("{\"a\":\"\xff\"}").substr(0, 9), "!no JSON:");
    EXPECT_EQ(members("{}"), "");
}

}  // namespace
}  // namespace tarn::ingest

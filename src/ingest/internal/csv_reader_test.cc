#include "ingest/internal/csv_reader.h"
#include "ingest/internal/folder_bytes.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

/// "line:field|field" or "line!reason", records joined by newlines of the test's own ("\n" inside a
/// field shows as ^).
std::string shown(const std::vector<std::string>& pieces, CsvSyntax syntax,
                  size_t bytes_max = kRecordBytesMax) {
    CsvReader reader(syntax, bytes_max);
    std::string out;
    CsvRecord record;
    const auto drain = [&] {
        while (reader.next(record)) {
            if (!out.empty()) out += '\n';
            out += std::to_string(record.line);
            if (record.problem != nullptr) {
                out += std::string("!") + record.problem + " <" + std::string(record.text) + ">";
                continue;
            }
            for (size_t i = 0; i < record.fields->size(); ++i) {
                const auto& field = (*record.fields)[i];
                out += i == 0 ? ':' : '|';
                if (field.quoted) out += '"';
                for (const char c : field.text) out += c == '\n' ? '^' : c;
            }
        }
    };
    for (const auto& piece : pieces) {
        reader.push(piece);
        drain();
    }
    reader.finish();
    drain();
    return out;
}

struct Case {
    const char* name;
    std::string text;
    std::string records;
    CsvSyntax syntax = {};
};

std::vector<Case> cases() {
    return {
        {"plain", "a,b\n1,2\n", "1:a|b\n2:1|2"},
        {"no end", "a,b\n1,2", "1:a|b\n2:1|2"},
        {"crlf", "a,b\r\n1,2\r\n", "1:a|b\n2:1|2"},
        {"cr", "a,b\r1,2\r", "1:a|b\n2:1|2"},
        {"empty lines", "a\n\n\r\nb\n", "1:a\n4:b"},
        {"empty fields", ",\n,,\n", "1:|\n2:||"},
        {"trailing delimiter", "1,\n", "1:1|"},
        {"quotes", "\"a\",\"b,c\"\n", "1:\"a|\"b,c"},
        {"doubled", "\"say \"\"hi\"\"\",2\n", "1:\"say \"hi\"|2"},
        {"only doubled", "\"\"\"\"\n\"\",x\n", "1:\"\"\n2:\"|x"},
        {"two unescaped", "\"a\"\"b\",\"c\"\"d\"\n", "1:\"a\"b|\"c\"d"},
        {"line end inside", "\"a\nb\",2\n3,4\n", "1:\"a^b|2\n3:3|4"},
        {"crlf inside", "\"a\r\nb\",2\r\n3,4\r\n", "1:\"a\r^b|2\n3:3|4"},
        {"quote within", "5\" pipe,a\"b\n", "1:5\" pipe|a\"b"},
        {"text after quote", "\"a\"b,2\n3,4\n",
         "1!there is text between a closing quote and the delimiter <\"a\"b,2>\n2:3|4"},
        {"never closed", "1,2\n\"a,2\n3,4\n",
         "1:1|2\n2!a quote is opened and never closed <\"a,2>\n3:3|4"},
        {"never closed at the end", "1,2\n3,\"4",
         "1:1|2\n2!a quote is opened and never closed <3,\"4>"},
        {"nul", std::string("a\0b,c\nd,e\n", 10),
         std::string("1!the line holds a NUL byte <a\0b,c>\n2:d|e", 41)},
        {"semicolon", "1,5;2\n", "1:1,5|2", {';', '"'}},
        {"tab", "a\tb\n", "1:a|b", {'\t', '"'}},
        {"no quote", "\"a,b\"\n", "1:\"a|b\"", {',', 0}},
        {"single quote", "'a,b','it''s'\n", "1:\"a,b|\"it's", {',', '\''}},
        {"sixteen and more", "0123456789abcdef0123456789,0123456789abcdef\n",
         "1:0123456789abcdef0123456789|0123456789abcdef"},
        {"nothing", "", ""},
        {"only ends", "\n\r\n\n", ""},
        {"bytes above 127", "\xff\xfe,\x80\n", "1:\xff\xfe|\x80"},
    };
}

TEST(CsvReader, Nasty) {
    for (const auto& one : cases()) {
        EXPECT_EQ(shown({one.text}, one.syntax), one.records) << one.name;
    }
}

TEST(CsvReader, EveryCutGivesTheSame) {
    for (const auto& one : cases()) {
        std::vector<std::string> bytes;
        for (const char c : one.text) bytes.emplace_back(1, c);
        EXPECT_EQ(shown(bytes, one.syntax), one.records) << one.name << ", byte by byte";
        for (size_t cut = 0; cut <= one.text.size(); ++cut)
            EXPECT_EQ(shown({one.text.substr(0, cut), one.text.substr(cut)}, one.syntax),
                      one.records)
                << one.name << ", cut at " << cut;
    }
}

TEST(CsvReader, LongLinesAreSetAside) {
    const std::string text = "1,2\n" + std::string(50, 'x') + "\n3,4\n";
    const std::string expected =
        "1:1|2\n2!the line is longer than 1 MiB <" + std::string(16, 'x') + ">\n3:3|4";
    for (size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(shown({text.substr(0, cut), text.substr(cut)}, {}, 16), expected) << cut;
    // A quote that is not closed in time costs its own line only.
    const std::string open = "\"a,b\n3,4\n5,6\n7,8\n9,\"\"\n";
    const std::string rest =
        "1!a quote is opened and never closed <\"a,b>\n2:3|4\n3:5|6\n4:7|8\n5:9|\"";
    for (size_t cut = 0; cut <= open.size(); ++cut)
        EXPECT_EQ(shown({open.substr(0, cut), open.substr(cut)}, {}, 16), rest) << cut;
}

TEST(CsvReader, ManyOpenQuotesStayCheap) {
    // Each line keeps the quote of the one before open: without a bound every line would cost a
    // megabyte.
    std::string text;
    for (int i = 0; i < 400'000; ++i) text += "a\"\"\",\"\n";
    CsvReader reader({});
    CsvRecord record;
    uint64_t broken = 0;
    reader.push(text);
    reader.finish();
    while (reader.next(record)) broken += record.problem != nullptr ? 1 : 0;
    EXPECT_GT(broken, 0u);
}

TEST(CsvReader, RandomTextCutAtRandom) {
    const std::string letters = "ab,\"\"\n\n\r;'";
    for (uint64_t seed = 0; seed < 2000; ++seed) {
        uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
        const auto random = [&](uint64_t below) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            return state % below;
        };
        std::string text;
        for (uint64_t i = 0, n = random(60); i < n; ++i) text += letters[random(letters.size())];
        std::vector<std::string> pieces;
        for (size_t at = 0; at < text.size();) {
            const size_t length = 1 + random(7);
            pieces.push_back(text.substr(at, length));
            at += length;
        }
        ASSERT_EQ(shown(pieces, {}, 24), shown({text}, {}, 24))
            << "seed " << seed << " text " << text;
    }
}

// Zeros between the members of a file are padding, wherever it is cut into pieces.
TEST(Gunzip, PaddingBetweenMembers) {
    const std::string member(
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\xe2\x02\x00\x3e\x98\x4a\x01\x03\x00\x00"
        "\x00",
        23);
    const std::string file = member + std::string(5, '\0') + member + std::string(3, '\0');
    for (const size_t step : {file.size(), size_t{3}, size_t{1}}) {
        Gunzip gunzip;
        std::string text;
        for (size_t at = 0; at < file.size(); at += step) {
            gunzip.push(std::string_view(file).substr(at, step));
            for (auto piece = gunzip.next(); piece.ok() && !piece->empty(); piece = gunzip.next())
                text += *piece;
        }
        EXPECT_TRUE(gunzip.finish().ok());
        EXPECT_EQ(text, "ab\nab\n") << step;
    }
}

}  // namespace
}  // namespace tarn::ingest

#include "protocols/postgres/internal/messages.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::postgres {
namespace {

using std::string_literals::operator""s;

std::string framed(char type, const std::string& body) {
    std::string out;
    if (type != 0) out.push_back(type);
    append_be(out, static_cast<uint32_t>(body.size() + 4));
    return out + body;
}

TEST(MessageReader, CutsAStreamWhereverItIsTorn) {
    const std::string stream = framed('Q', "select 1\0"s) + framed('S', "") + framed('X', "");
    for (size_t piece = 1; piece <= stream.size(); ++piece) {
        MessageReader reader(1000);
        reader.expect_any();
        std::string types;
        for (size_t at = 0; at < stream.size(); at += piece) {
            std::string_view input = std::string_view(stream).substr(at, piece);
            while (!input.empty() && reader.next(input) == MessageReader::Step::message) {
                const Message message = reader.take();
                types.push_back(message.type);
                if (message.type == 'Q') {
                    EXPECT_EQ(message.body, "select 1\0"s);
                }
            }
        }
        EXPECT_EQ(types, "QSX");
        EXPECT_FALSE(reader.started());
    }
}

TEST(MessageReader, RefusesLengthsBeforeBodies) {
    const auto fails = [](auto phase, const std::string& head) {
        MessageReader reader(1000);
        phase(reader);
        std::string_view input = head;
        return reader.next(input) == MessageReader::Step::failed;
    };
    const auto any = [](MessageReader& r) { r.expect_any(); };
    const auto sign_in = [](MessageReader& r) { r.expect_sign_in(); };
    const auto startup = [](MessageReader& r) { r.expect_startup(); };
    EXPECT_TRUE(fails(any, "Q\x7f\xff\xff\xff"s));
    EXPECT_TRUE(fails(any, "Q\xff\xff\xff\xff"s));
    EXPECT_TRUE(fails(any, "Q\0\0\0\3"s));
    EXPECT_TRUE(fails(any, "Q\0\0\3\xe9"s));
    EXPECT_FALSE(fails(any, "Q\0\0\3\xe8"s));
    EXPECT_TRUE(fails(any, "S\0\0\x40\1"s));
    EXPECT_TRUE(fails(any, "\1\0\0\0\4"s));
    EXPECT_TRUE(fails(any, "p\0\0\x40\1"s));
    EXPECT_TRUE(fails(sign_in, "Q\0\0\0\x10"s));
    EXPECT_TRUE(fails(sign_in, "p\0\0\x20\1"s));
    EXPECT_TRUE(fails(startup, "\0\0\x28\1"s));
    EXPECT_TRUE(fails(startup, "\0\0\0\7"s));
    EXPECT_TRUE(fails(startup, "GET "s));
}

TEST(Startup, ReadsItsKinds) {
    const auto packet = parse_startup("\0\3\0\0user\0ann\0database\0lake\0\0"s);
    ASSERT_TRUE(packet.ok());
    EXPECT_EQ(packet->parameter("user"), "ann");
    EXPECT_EQ(packet->parameter("database"), "lake");
    EXPECT_EQ(packet->parameter("nothing"), "");
    EXPECT_EQ(parse_startup("\x04\xd2\x16\x2f"s)->kind, StartupPacket::Kind::ssl_request);
    EXPECT_EQ(parse_startup("\x04\xd2\x16\x30"s)->kind, StartupPacket::Kind::gss_request);
    const auto cancel = parse_startup("\x04\xd2\x16\x2e\0\0\0\x09kkkk"s);
    EXPECT_EQ(cancel->kind, StartupPacket::Kind::cancel_request);
    EXPECT_EQ(cancel->process_id, 9);
    EXPECT_EQ(cancel->key, "kkkk");
    EXPECT_EQ(parse_startup("\0\2\0\0whatever"s)->major, 2);
}

TEST(Startup, RefusesWhatIsCutOrTooMuch) {
    EXPECT_FALSE(parse_startup("\0\3\0"s).ok());
    EXPECT_FALSE(parse_startup("\0\3\0\0user\0ann\0"s).ok());
    EXPECT_FALSE(parse_startup("\0\3\0\0user\0ann"s).ok());
    EXPECT_FALSE(parse_startup("\0\3\0\0user\0ann\0\0more"s).ok());
    EXPECT_FALSE(parse_startup("\0\3\0\0user\0\xff\xfe\0\0"s).ok());
    EXPECT_FALSE(parse_startup("\x04\xd2\x16\x2e\0\0\0\x09kkk"s).ok());
    EXPECT_FALSE(parse_startup("\x04\xd2\x16\x2f more"s).ok());
}

TEST(Startup, ReadsOptions) {
    const auto options =
        parse_startup_options(R"(-c search_path=a,b  -cstatement_timeout=5 --time-zone=a\ b)");
    ASSERT_TRUE(options.ok());
    ASSERT_EQ(options->size(), 3u);
    EXPECT_EQ((*options)[0], (std::pair<std::string, std::string>("search_path", "a,b")));
    EXPECT_EQ((*options)[1].first, "statement_timeout");
    EXPECT_EQ((*options)[2], (std::pair<std::string, std::string>("time_zone", "a b")));
    EXPECT_FALSE(parse_startup_options("-x").ok());
    EXPECT_FALSE(parse_startup_options("-c nothing").ok());
    EXPECT_TRUE(parse_startup_options("")->empty());
}

TEST(Messages, Bind) {
    const std::string good = "p\0s\0\0\1\0\1\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\2\0\0\0\1"s;
    const auto bind = parse_bind(good);
    ASSERT_TRUE(bind.ok());
    EXPECT_EQ(bind->portal, "p");
    EXPECT_EQ(bind->statement, "s");
    EXPECT_EQ(bind->parameter_formats, (std::vector<int16_t>{1}));
    ASSERT_EQ(bind->parameters.size(), 2u);
    EXPECT_EQ(*bind->parameters[0], "\0\0\0\7"s);
    EXPECT_FALSE(bind->parameters[1]);
    EXPECT_EQ(bind->result_formats, (std::vector<int16_t>{0, 1}));
    for (size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(parse_bind(good.substr(0, size)).ok()) << size;
    EXPECT_FALSE(parse_bind(good + "x").ok());
    EXPECT_FALSE(parse_bind("\0\0\0\1\0\2\0\0\0\0"s).ok());  // there is no format 2
    EXPECT_FALSE(parse_bind("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"s).ok());
    EXPECT_FALSE(parse_bind("\0\0\0\0\xff\xff\0\0"s).ok());
}

TEST(Messages, ParseTargetExecuteText) {
    const std::string body = "n\0select 1\0\0\1\0\0\0\x17"s;
    const auto parsed = parse_parse(body);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->name, "n");
    EXPECT_EQ(parsed->sql, "select 1");
    EXPECT_EQ(parsed->types, (std::vector<uint32_t>{23}));
    EXPECT_FALSE(parse_parse("n\0select 1\0\x7f\xff"s).ok());
    EXPECT_EQ(parse_target("Pp\0"s)->kind, 'P');
    EXPECT_FALSE(parse_target("Qp\0"s).ok());
    EXPECT_FALSE(parse_target(""s).ok());
    EXPECT_EQ(parse_execute("\0\0\0\0\5"s)->rows_max, 5);
    EXPECT_EQ(parse_execute("\0\xff\xff\xff\xff"s)->rows_max, 0);
    EXPECT_FALSE(parse_execute("\0\0\0"s).ok());
    const std::string text = "a\0"s;
    EXPECT_EQ(*parse_text(text), "a");
    EXPECT_FALSE(parse_text("a"s).ok());
    EXPECT_FALSE(parse_text("a\0b\0"s).ok());
}

TEST(Messages, Utf8) {
    EXPECT_TRUE(is_utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80"));
    for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xff", "\xe2\x82", "\xf0\x80\x80\x80"})
        EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace tarn::postgres

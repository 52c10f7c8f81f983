#include <gtest/gtest.h>

#include "base/random.h"
#include "protocols/http/internal/body_parser.h"
#include "protocols/http/internal/head_parser.h"

namespace tarn::http {
namespace {

struct Parsed {
    HeadParser::Step step = HeadParser::Step::need_more;
    int status = 0;
    RequestHead head;
    std::string rest;
};

/// Feeds the bytes in pieces of that size.
Parsed parse(std::string_view bytes, size_t piece_size) {
    HeadParser parser;
    Parsed parsed;
    while (!bytes.empty() && parsed.step == HeadParser::Step::need_more) {
        auto piece = bytes.substr(0, piece_size);
        const size_t size = piece.size();
        parsed.step = parser.feed(piece);
        bytes.remove_prefix(size - piece.size());
    }
    parsed.rest = bytes;
    if (parsed.step == HeadParser::Step::complete) parsed.head = parser.take();
    if (parsed.step == HeadParser::Step::failed) parsed.status = parser.failure().status;
    return parsed;
}

/// The status of a refusal, 0 when taken, -1 when more is needed; the same however the bytes are
/// cut.
int verdict(std::string_view bytes) {
    const auto code = [](const Parsed& parsed) {
        return parsed.step == HeadParser::Step::need_more ? -1 : parsed.status;
    };
    const int whole = code(parse(bytes, bytes.size()));
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}})
        EXPECT_EQ(code(parse(bytes, piece)), whole) << bytes;
    return whole;
}

std::string with_fields(std::string_view fields, std::string_view line = "PUT /a HTTP/1.1") {
    return std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

TEST(HeadParser, keeps_target_and_fields_byte_for_byte) {
    const auto parsed = parse(
        "\r\nGET /b/a%2Fb//c%20?x=%41&acl&y= HTTP/1.1\r\nHOST: b.example:4566\r\nX-Amz-Meta-A:  "
        "two  words\t\r\nx-empty:\r\n\r\nrest",
        1000);
    ASSERT_EQ(parsed.step, HeadParser::Step::complete);
    EXPECT_EQ(parsed.rest, "rest");
    EXPECT_EQ(parsed.head.method, "GET");
    EXPECT_EQ(parsed.head.target, "/b/a%2Fb//c%20?x=%41&acl&y=");
    EXPECT_EQ(parsed.head.path(), "/b/a%2Fb//c%20");
    EXPECT_EQ(parsed.head.query(), "x=%41&acl&y=");
    EXPECT_EQ(parsed.head.host(), "b.example:4566");
    ASSERT_EQ(parsed.head.headers.size(), 3u);
    EXPECT_EQ(parsed.head.headers[1].name, "X-Amz-Meta-A");
    EXPECT_EQ(parsed.head.headers.get("x-amz-meta-a"), "two  words");
    EXPECT_EQ(parsed.head.headers.find("X-Empty"), std::string_view());
    EXPECT_FALSE(parsed.head.headers.has("x-amz"));
    EXPECT_TRUE(parsed.head.keep_alive);
    EXPECT_FALSE(parsed.head.has_body());
}

TEST(HeadParser, target_forms) {
    const auto head = [](std::string_view line) { return parse(with_fields("", line), 4096).head; };
    EXPECT_EQ(head("GET http://other:80/p?q HTTP/1.1").path(), "/p");
    EXPECT_EQ(head("GET http://other:80/p?q HTTP/1.1").query(), "q");
    EXPECT_EQ(head("GET http://other:80/p?q HTTP/1.1").host(), "other:80");
    EXPECT_EQ(head("GET http://other HTTP/1.1").path(), "/");
    EXPECT_EQ(head("GET HTTPS://other?q HTTP/1.1").path(), "/");
    EXPECT_EQ(head("OPTIONS * HTTP/1.1").path(), "*");
    EXPECT_EQ(head("GET /?http://x HTTP/1.1").host(), "h");
    EXPECT_EQ(verdict(with_fields("", "GET * HTTP/1.1")), 400);
    EXPECT_EQ(verdict(with_fields("", "GET a HTTP/1.1")), 400);
    EXPECT_EQ(verdict(with_fields("", "GET http:///x HTTP/1.1")), 400);
    EXPECT_EQ(verdict(with_fields("", "GET ftp://x/ HTTP/1.1")), 400);
    EXPECT_EQ(verdict(with_fields("", "CONNECT h:443 HTTP/1.1")), 501);
}

TEST(HeadParser, request_lines) {
    EXPECT_EQ(verdict(with_fields("")), 0);
    for (const char* line :
         {"GET /", "GET  HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET / http/1.1",
          "GET / HTTP/11", "GET /a b HTTP/1.1", "GET\t/ HTTP/1.1", "G@T / HTTP/1.1",
          "GET /\x01 HTTP/1.1", "GET /\r HTTP/1.1"})
        EXPECT_EQ(verdict(with_fields("", line)), 400) << line;
    EXPECT_EQ(verdict(with_fields("", "GET / HTTP/2.0")), 505);
    EXPECT_EQ(verdict("GET / HTTP/1.0\r\n\r\n"), 0);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
    EXPECT_EQ(verdict("\r\n\r\n\r\n\r\n\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: h\r\n"), -1);
}

TEST(HeadParser, refuses_what_can_be_read_in_two_ways) {
    for (const char* fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                               "Content-Length: 5\r\nContent-Length: 6\r\n",
                               "Content-Length: 5\r\nContent-Length: 5\r\n",
                               "Content-Length: 5, 5\r\n",
                               "Content-Length: +5\r\n",
                               "Content-Length: -1\r\n",
                               "Content-Length: 0x5\r\n",
                               "Content-Length:\r\n",
                               "Content-Length: 5 6\r\n",
                               "Content-Length: 99999999999999999999\r\n",
                               "Content-Length: 9223372036854775808\r\n",
                               "Transfer-Encoding: chunked, chunked\r\n",
                               "Transfer-Encoding: chunked, identity\r\n",
                               "Transfer-Encoding: gzip, chunked\r\n",
                               "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                               "Transfer-Encoding:\r\n",
                               "Host: other\r\n",
                               "X: a\r\n folded\r\n",
                               "X: a\r\n\tfolded\r\n",
                               "X : a\r\n",
                               "X\t: a\r\n",
                               ": a\r\n",
                               "X\r\n",
                               "X: a\nY: b\r\n",
                               "X: a\rY: b\r\n",
                               "X: a\x01\r\n",
                               "X: a\x7f\r\n",
                               "X(: a\r\n",
                               "X: a\r\n\n"})
        EXPECT_EQ(verdict(with_fields(fields)), 400) << fields;
    EXPECT_EQ(verdict(with_fields(std::string_view("X: a\0b\r\n", 8))), 400);
    EXPECT_EQ(verdict("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\nHost: h\n\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: h/../x\r\n\r\n"), 400);
    EXPECT_EQ(verdict(with_fields("Transfer-Encoding: gzip\r\n")), 501);
    EXPECT_EQ(verdict(with_fields("Expect: 200-ok\r\n")), 417);
    EXPECT_EQ(verdict(with_fields("X: caf\xc3\xa9\r\n")), 0);
}

TEST(HeadParser, bounds) {
    EXPECT_EQ(verdict(with_fields(
                  "", "GET /" + std::string(kRequestLineBytesMax - 14, 'a') + " HTTP/1.1")),
              0);
    EXPECT_EQ(
        verdict(with_fields("", "GET /" + std::string(kRequestLineBytesMax, 'a') + " HTTP/1.1")),
        414);
    EXPECT_EQ(verdict("GET /" + std::string(200'000, 'a')), 414);
    EXPECT_EQ(verdict(with_fields("X: " + std::string(60'000, 'a') + "\r\n")), 0);
    EXPECT_EQ(verdict(with_fields("X: " + std::string(66'000, 'a') + "\r\n")), 431);
    EXPECT_EQ(verdict(with_fields("X: " + std::string(200'000, 'a'))), 431);
    std::string many;
    for (size_t i = 0; i < kFieldsMax - 1; ++i) many += "X: y\r\n";
    EXPECT_EQ(verdict(with_fields(many)), 0);
    EXPECT_EQ(verdict(with_fields(many + "X: y\r\n")), 431);
}

TEST(HeadParser, connection_and_framing) {
    const auto head = [](std::string_view bytes) { return parse(bytes, 4096).head; };
    EXPECT_FALSE(head(with_fields("Connection: TE, Close\r\n")).keep_alive);
    EXPECT_FALSE(head("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
    EXPECT_EQ(head(with_fields("Content-Length: 07\r\n")).content_length, 7u);
    EXPECT_TRUE(head(with_fields("Transfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n"))
                    .expects_continue);
    EXPECT_TRUE(head(with_fields("Expect: 100-continue\r\n")).expects_continue);
    EXPECT_FALSE(head(with_fields("Expect:\r\n")).expects_continue);
    EXPECT_EQ(head(with_fields("A: 1\r\nB: 2\r\na: 3\r\n")).headers.joined("A"), "1, 3");
}

struct Body {
    BodyParser::Step step = BodyParser::Step::need_more;
    std::string data;
    std::string rest;
    std::string trailer;
};

Body read_body(std::string_view head_bytes, std::string_view bytes, size_t piece_size) {
    const auto parsed = parse(head_bytes, head_bytes.size());
    BodyParser parser(parsed.head);
    Body body;
    for (bool more = true; more && body.step == BodyParser::Step::need_more;) {
        auto piece = bytes.substr(0, piece_size);
        const size_t size = piece.size();
        more = size > 0;
        std::string_view data;
        while ((body.step = parser.next(piece, data)) == BodyParser::Step::data) body.data += data;
        bytes.remove_prefix(size - piece.size());
    }
    body.rest = bytes;
    body.trailer = parser.trailers().joined("x-amz-checksum-crc32");
    return body;
}

Body chunked(std::string_view bytes, size_t piece_size = 4096) {
    return read_body(with_fields("Transfer-Encoding: chunked\r\n"), bytes, piece_size);
}

TEST(BodyParser, counted) {
    for (const size_t piece : {1, 3, 100}) {
        const auto body = read_body(with_fields("Content-Length: 5\r\n"), "helloGET", piece);
        EXPECT_EQ(body.step, BodyParser::Step::complete);
        EXPECT_EQ(body.data, "hello");
        EXPECT_EQ(body.rest, "GET");
    }
    EXPECT_EQ(read_body(with_fields(""), "GET", 10).rest, "GET");
    EXPECT_EQ(read_body(with_fields("Content-Length: 5\r\n"), "hell", 10).step,
              BodyParser::Step::need_more);
}

TEST(BodyParser, chunked_with_trailers) {
    const std::string_view bytes =
        "5\r\nhello\r\n00A;name=\"v\" ; x\r\n0123456789\r\n0\r\nx-amz-checksum-crc32: AAAA==\r\nY: "
        "z\r\n\r\nGET";
    for (const size_t piece : {1, 2, 5, 100}) {
        const auto body = chunked(bytes, piece);
        EXPECT_EQ(body.step, BodyParser::Step::complete);
        EXPECT_EQ(body.data, "hello0123456789");
        EXPECT_EQ(body.trailer, "AAAA==");
        EXPECT_EQ(body.rest, "GET");
    }
    EXPECT_EQ(chunked("0\r\n\r\n").step, BodyParser::Step::complete);
}

TEST(BodyParser, refuses_broken_chunks) {
    for (const std::string_view bytes :
         {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x5\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n",
          "5\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello0\r\n",
          "8000000000000000\r\n", "11111111111111111\r\n", "00000000000000005\r\n", "5;a\rb\r\n",
          "5;\x01\r\n", "0\r\n folded: x\r\n", "0\r\nX : y\r\n", "0\r\nX: y\n\r\n"})
        for (const size_t piece : {size_t{1}, size_t{100}})
            EXPECT_EQ(chunked(bytes, piece).step, BodyParser::Step::failed) << bytes;
    EXPECT_EQ(chunked("5;" + std::string(2000, 'a')).step, BodyParser::Step::failed);
    std::string trailers = "0\r\n";
    for (int i = 0; i < 65; ++i) trailers += "X: y\r\n";
    EXPECT_EQ(chunked(trailers + "\r\n").step, BodyParser::Step::failed);
    EXPECT_EQ(chunked("0\r\nX: " + std::string(20'000, 'a')).step, BodyParser::Step::failed);
}

TEST(Query, decodes_and_keeps_the_raw) {
    auto parameters = parse_query("a=1&&b=%20+&%63&d==%3D&=x");
    ASSERT_TRUE(parameters.ok());
    ASSERT_EQ(parameters->size(), 5u);
    EXPECT_EQ((*parameters)[1].value, " +");
    EXPECT_EQ((*parameters)[1].raw_value, "%20+");
    EXPECT_EQ((*parameters)[2].name, "c");
    EXPECT_FALSE((*parameters)[2].has_value);
    EXPECT_EQ((*parameters)[3].value, "==");
    EXPECT_EQ((*parameters)[4].name, "");
    EXPECT_EQ((*parse_query("a=b+c", true))[0].value, "b c");
    EXPECT_EQ(parse_query("a=%4").error().code, Code::invalid_argument);
    EXPECT_EQ(percent_decode("%zz").error().code, Code::invalid_argument);
    EXPECT_EQ(*percent_decode("%c3%A9%00"), std::string("\xc3\xa9\0", 3));
}

TEST(ResponseHeaders, a_value_starts_no_line) {
    ResponseHeaders headers{{"X-Note", std::string_view("a\r\nSet-Cookie: b\0c", 18)}};
    EXPECT_EQ(headers.wire(), "X-Note: a  Set-Cookie: b c\r\n");
}

}  // namespace
}  // namespace tarn::http

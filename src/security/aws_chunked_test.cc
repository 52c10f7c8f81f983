#include "security/aws_chunked.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tarn::security {
namespace {

const CredentialScope kScope{"20130524", "us-east-1", "s3"};

ChunkSigning example_signing(const char* seed) {
    return {signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", kScope), "20130524T000000Z",
            kScope, seed};
}

// S3 API Reference, "Transferring Payload in Multiple Chunks" and "Including Trailing Headers":
// 66,560 times 'a' in chunks of 65,536 and 1,024 bytes.
const ChunkSigning kPlain =
    example_signing("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
const ChunkSigning kWithTrailer =
    example_signing("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
const std::string kData(66560, 'a');

std::string plain_example() {
    return "10000;chunk-signature="
           "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
           kData.substr(0, 65536) +
           "\r\n400;chunk-signature="
           "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
           kData.substr(65536) +
           "\r\n0;chunk-signature="
           "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

std::string trailer_example() {
    return "10000;chunk-signature="
           "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
           kData.substr(0, 65536) +
           "\r\n400;chunk-signature="
           "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
           kData.substr(65536) +
           "\r\n0;chunk-signature="
           "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
           "x-amz-checksum-crc32c:sOO8/Q==\r\n"
           "x-amz-trailer-signature:"
           "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
}

struct Decoded {
    Status status;
    std::string bytes;
    Headers trailers;
};

Decoded decode(AwsChunkedOptions options, std::string_view body, size_t step = SIZE_MAX) {
    AwsChunkedDecoder decoder(std::move(options));
    Decoded result;
    std::vector<std::string_view> pieces;
    while (!body.empty() && result.status.ok()) {
        result.status = decoder.push(body.substr(0, step), pieces);
        body.remove_prefix(std::min(step, body.size()));
    }
    if (result.status.ok()) result.status = decoder.finish();
    for (const std::string_view piece : pieces) result.bytes.append(piece);
    result.trailers = decoder.trailers();
    return result;
}

std::string reason(const Decoded& decoded) {
    return decoded.status.ok() ? "ok" : decoded.status.error().reason;
}

AwsChunkedOptions plain_options() {
    return {PayloadKind::chunks_signed, kPlain, kData.size(), {}};
}
AwsChunkedOptions trailer_options() {
    return {
        PayloadKind::chunks_signed_trailer, kWithTrailer, kData.size(), {"x-amz-checksum-crc32c"}};
}
AwsChunkedOptions unsigned_options(uint64_t size) {
    return {PayloadKind::chunks_unsigned_trailer, {}, size, {"x-amz-checksum-crc32"}};
}

TEST(AwsChunked, DecodesThePublishedExample) {
    for (const size_t step : {SIZE_MAX, size_t{1}, size_t{7}, size_t{4096}}) {
        const auto decoded = decode(plain_options(), plain_example(), step);
        EXPECT_EQ(reason(decoded), "ok") << step;
        EXPECT_EQ(decoded.bytes, kData);
    }
}

TEST(AwsChunked, DecodesThePublishedExampleWithTrailer) {
    ASSERT_EQ(trailer_example().size(), 66946u);
    for (const size_t step : {SIZE_MAX, size_t{1}, size_t{333}}) {
        const auto decoded = decode(trailer_options(), trailer_example(), step);
        EXPECT_EQ(reason(decoded), "ok") << step;
        EXPECT_EQ(decoded.bytes, kData);
        ASSERT_EQ(decoded.trailers.size(), 1u);
        EXPECT_EQ(decoded.trailers[0].second, "sOO8/Q==");
    }
}

std::string encode(AwsChunkedEncoder encoder, const Headers& trailers) {
    std::string body = encoder.chunk(kData.substr(0, 65536));
    body += encoder.chunk(kData.substr(65536));
    return body + encoder.finish(trailers);
}

TEST(AwsChunked, EncodesThePublishedExamples) {
    EXPECT_EQ(encode({PayloadKind::chunks_signed, kPlain}, {}), plain_example());
    EXPECT_EQ(encode({PayloadKind::chunks_signed_trailer, kWithTrailer},
                     {{"x-amz-checksum-crc32c", "sOO8/Q=="}}),
              trailer_example());
}

// Every byte of the framing and one of the data: nothing but the hexadecimal case of sizes may
// change unnoticed.
TEST(AwsChunked, NoticesEveryChangedByte) {
    const std::string good = trailer_example();
    for (size_t i = 0; i < good.size(); ++i) {
        if (i > 120 && i < 65500) continue;
        if (i > 65800 && i < 66600) continue;
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        EXPECT_NE(reason(decode(trailer_options(), bad)), "ok") << i;
    }
}

TEST(AwsChunked, NoticesCutAndLongerBodies) {
    const std::string good = plain_example();
    for (const size_t size : {good.size() - 1, good.size() - 3, good.size() - 90, size_t{70}})
        EXPECT_EQ(reason(decode(plain_options(), good.substr(0, size))), "IncompleteBody") << size;
    EXPECT_EQ(reason(decode(plain_options(), good + "x")), "InvalidRequest");
    auto shorter = plain_options();
    shorter.decoded_bytes -= 1;
    EXPECT_EQ(reason(decode(shorter, good)), "IncompleteBody");
    auto longer = plain_options();
    longer.decoded_bytes += 1;
    EXPECT_EQ(reason(decode(longer, good)), "IncompleteBody");
    EXPECT_EQ(reason(decode(plain_options(), "")), "IncompleteBody");
}

TEST(AwsChunked, NoticesSwappedChunks) {
    const ChunkSigning signing = example_signing(std::string(64, '0').c_str());
    AwsChunkedEncoder encoder(PayloadKind::chunks_signed, signing);
    const std::string first = encoder.chunk("one"), second = encoder.chunk("two"),
                      end = encoder.finish({});
    const AwsChunkedOptions options{PayloadKind::chunks_signed, signing, 6, {}};
    EXPECT_EQ(reason(decode(options, first + second + end)), "ok");
    EXPECT_EQ(reason(decode(options, second + first + end)), "SignatureDoesNotMatch");
    EXPECT_EQ(reason(decode(options, first + first + end)), "SignatureDoesNotMatch");
    EXPECT_EQ(reason(decode({PayloadKind::chunks_signed, signing, 3, {}}, first + end)),
              "SignatureDoesNotMatch");
}

TEST(AwsChunked, DecodesUnsignedChunksWithTrailer) {
    const auto decoded = decode(unsigned_options(11),
                                "6\r\nhello \r\n5\r\nworld\r\n0\r\n"
                                "x-amz-checksum-crc32:DUoRhQ==\r\n\r\n");
    EXPECT_EQ(reason(decoded), "ok");
    EXPECT_EQ(decoded.bytes, "hello world");
    EXPECT_EQ(decoded.trailers, (Headers{{"x-amz-checksum-crc32", "DUoRhQ=="}}));
    EXPECT_EQ(reason(decode(unsigned_options(0), "0\r\nX-Amz-Checksum-Crc32: AAAA \r\n\r\n")),
              "ok");
}

TEST(AwsChunked, AcceptsTheLineFeedThatSomeClientsLeaveInTheTrailer) {
    EXPECT_EQ(reason(decode(unsigned_options(0), "0\r\nx-amz-checksum-crc32:AAAA\n\r\n\r\n")),
              "ok");
}

TEST(AwsChunked, RefusesMalformedFraming) {
    const std::pair<const char*, const char*> cases[] = {
        {"g\r\n", "InvalidChunk"},
        {"\r\n", "InvalidChunk"},
        {"-1\r\n", "InvalidChunk"},
        {"3 \r\nabc\r\n", "InvalidChunk"},
        {"11111111111111111\r\n", "InvalidChunk"},
        {"ffffffffffffffff\r\n", "IncompleteBody"},
        {"3\r\nabcd\r\n", "InvalidChunk"},
        {"3\nabc\r\n", "InvalidChunk"},
        {"3\r\nabc\r\n0\r\n\r\n", "MalformedTrailerError"},
        {"3\r\nabc\r\n0\r\nx-amz-checksum-crc32\r\n\r\n", "MalformedTrailerError"},
        {"3\r\nabc\r\n0\r\n:AAAA\r\n\r\n", "MalformedTrailerError"},
        {"3\r\nabc\r\n0\r\nx-amz-meta-a:AAAA\r\n\r\n", "MalformedTrailerError"},
        {"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:a\r\n\r\n",
         "MalformedTrailerError"},
    };
    for (const auto& [body, expected] : cases)
        EXPECT_EQ(reason(decode(unsigned_options(3), body)), expected) << body;
    EXPECT_EQ(reason(decode(unsigned_options(3), std::string(10000, '0'))), "InvalidChunk");
    EXPECT_EQ(reason(decode(plain_options(), "3\r\nabc\r\n")), "InvalidChunk");
}

TEST(AwsChunked, StaysFailed) {
    AwsChunkedDecoder decoder(unsigned_options(3));
    std::vector<std::string_view> pieces;
    EXPECT_FALSE(decoder.push("x\r\n", pieces).ok());
    EXPECT_FALSE(decoder.push("3\r\nabc\r\n", pieces).ok());
    EXPECT_FALSE(decoder.finish().ok());
    EXPECT_TRUE(pieces.empty());
}

TEST(AwsChunked, RoundTripsRandomBodies) {
    Random random(7);
    for (int round = 0; round < 50; ++round) {
        const bool trailer = random.one_in(2);
        const auto kind = trailer ? PayloadKind::chunks_signed_trailer : PayloadKind::chunks_signed;
        AwsChunkedEncoder encoder(kind, kPlain);
        std::string data, body;
        for (uint64_t chunks = random.below(5); chunks > 0; --chunks) {
            const std::string chunk = random.bytes(1 + random.below(5000));
            data += chunk;
            body += encoder.chunk(chunk);
        }
        body += encoder.finish(trailer ? Headers{{"x-amz-checksum-sha1", "abc="}} : Headers{});
        AwsChunkedOptions options{kind, kPlain, data.size(), {}};
        if (trailer) options.trailer_names = {"x-amz-checksum-sha1"};
        const auto decoded = decode(options, body, 1 + random.below(300));
        EXPECT_EQ(reason(decoded), "ok");
        EXPECT_EQ(decoded.bytes, data);
    }
}

}  // namespace
}  // namespace tarn::security

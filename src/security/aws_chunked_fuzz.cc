#include "security/aws_chunked.h"

#include "base/assert.h"
#include "base/fuzz.h"

namespace {

using namespace tarn::security;

constexpr uint64_t kDecodedBytes = 100;

// The same bytes in two cuts must decode to the same: what a chunk boundary of the network is must
// not matter.
std::pair<bool, std::string> decode(PayloadKind kind, std::string_view body, size_t step) {
    ChunkSigning signing{
        std::string(32, 'k'), "20130524T000000Z", {"20130524", "r", "s3"}, std::string(64, '0')};
    AwsChunkedDecoder decoder({kind, std::move(signing), kDecodedBytes, {"x-amz-checksum-crc32"}});
    std::string decoded;
    bool good = true;
    while (!body.empty() && good) {
        std::vector<std::string_view> pieces;
        good = decoder.push(body.substr(0, step), pieces).ok();
        for (const std::string_view piece : pieces) decoded.append(piece);
        body.remove_prefix(std::min(step, body.size()));
    }
    TARN_ASSERT(decoded.size() <= kDecodedBytes);
    TARN_ASSERT(decoded.size() == decoder.decoded_so_far());
    good = good && decoder.finish().ok();
    TARN_ASSERT(good == decoder.done());
    return {good, decoded};
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    const std::string signature = ";chunk-signature=" + std::string(64, 'a') + "\r\n";
    return {std::string("\0\x03", 2) + "5" + signature + "hello\r\n0" + signature + "\r\n",
            "\x01\x07"
            "3" +
                signature + "abc\r\n0" + signature +
                "x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:" + std::string(64, 'b') +
                "\r\n\r\n",
            "\x02\x01"
            "64\r\n" +
                std::string(100, 'x') + "\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            "\x02\x02"
            "ffffffffffffffff\r\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    static constexpr PayloadKind kKinds[] = {PayloadKind::chunks_signed,
                                             PayloadKind::chunks_signed_trailer,
                                             PayloadKind::chunks_unsigned_trailer};
    const PayloadKind kind = kKinds[data[0] % 3];
    const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
    TARN_ASSERT(decode(kind, body, SIZE_MAX) == decode(kind, body, 1 + data[1] % 16));
    return 0;
}

// Any bytes as a packed file, in two cuts, and as text of each encoding.
#include <zlib.h>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/folder_bytes.h"

namespace {

using namespace tarn::ingest;

std::string pack(std::string_view text) {
    z_stream stream{};
    std::string out(text.size() + 100, '\0');
    TARN_ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    TARN_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// What came out, and whether the file was whole.
std::pair<std::string, bool> unpack(std::string_view bytes, size_t step) {
    Gunzip gunzip(10);
    std::string out;
    for (size_t at = 0; at < bytes.size(); at += step) {
        gunzip.push(bytes.substr(at, step));
        while (true) {
            const auto piece = gunzip.next();
            if (!piece.ok()) return {"", false};
            if (piece->empty()) break;
            out.append(piece->substr(0, 100'000 - out.size()));
        }
    }
    return {out, gunzip.finish().ok()};
}

std::string all_of(Encoding encoding, std::string_view bytes, size_t step) {
    Transcoder transcoder(encoding);
    std::string out;
    for (size_t at = 0; at < bytes.size(); at += step)
        out += transcoder.convert(bytes.substr(at, step));
    out += transcoder.finish();
    return out;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    return {pack("a,b\n1,2\n"),  pack("a\n") + pack("b\n"),  pack(std::string(100'000, 'x')),
            "\xef\xbb\xbfplain", "\xff\xfe\x3d\xd8\x00\xde", "\xfe\xff\xd8\x3d\xde\x00",
            "caf\xe9 \x80"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto bytes = tarn::fuzz_text(data, size);
    if (is_gzip(bytes)) TARN_ASSERT(unpack(bytes, bytes.size()) == unpack(bytes, 3));
    (void)guess_encoding(bytes, true);
    (void)guess_encoding(bytes, false);
    (void)parse_encoding(bytes, bytes).ok();
    for (const Encoding encoding :
         {Encoding::utf8, Encoding::latin1, Encoding::utf16_little, Encoding::utf16_big})
        TARN_ASSERT(all_of(encoding, bytes, bytes.size() + 1) == all_of(encoding, bytes, 1));
    return 0;
}

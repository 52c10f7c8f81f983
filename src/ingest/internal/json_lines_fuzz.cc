// Any bytes, cut anywhere, give the same lines; each is an object or an error.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/json_lines_reader.h"

namespace {

std::string lines(std::string_view text, size_t step) {
    tarn::ingest::LineCutter cutter;
    tarn::ingest::LineCutter::Line line;
    std::string out;
    const auto drain = [&] {
        while (cutter.next(line))
            out.append(std::to_string(line.number)).append(line.text).push_back('\n');
    };
    for (size_t at = 0; at < text.size(); at += step) {
        cutter.push(text.substr(at, step));
        drain();
    }
    cutter.finish();
    drain();
    return out;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        "{\"a\":1,\"b\":[1,2,{\"c\":null}]}\n{\"a\":\"\\u0000\\ud83d\\ude00\"}\r\n\n{\"x\":1e400}",
        "\xef\xbb\xbf{}\n[1]\n\"x\"", "{\"a\":" + std::string(200, '[') + "}\n",
        "{\"a\":18446744073709551616,\"a\":true}"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::ingest;
    const std::string_view bytes = tarn::fuzz_text(data, size);
    const auto whole = lines(bytes, bytes.size() + 1);
    TARN_ASSERT(lines(bytes, 1) == whole);
    TARN_ASSERT(lines(bytes, 7) == whole);
    JsonLine parser;
    LineCutter cutter;
    LineCutter::Line line;
    cutter.push(bytes);
    cutter.finish();
    while (cutter.next(line))
        (void)parser
            .read(line.text, [](const JsonMember& member) { return member.name.size() < 100; })
            .ok();
    return 0;
}

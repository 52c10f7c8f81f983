// A connection's bytes through both parsers, cut in two ways: no crash, and the same reading
// whatever the pieces.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/http/internal/body_parser.h"
#include "protocols/http/internal/head_parser.h"

namespace tarn::http {
namespace {

std::string reading(std::string_view bytes, size_t piece_size) {
    std::string seen;
    HeadParser heads;
    std::optional<BodyParser> body;
    while (!bytes.empty()) {
        auto piece = bytes.substr(0, piece_size);
        bytes.remove_prefix(piece.size());
        while (!piece.empty()) {
            if (!body) {
                const auto step = heads.feed(piece);
                if (step == HeadParser::Step::failed) return seen + "F";
                if (step == HeadParser::Step::need_more) continue;
                RequestHead head = heads.take();
                body.emplace(head);
                Request request(std::move(head), {}, nullptr);
                seen += "H" + request.method() + " " + std::string(request.path()) +
                        std::string(request.host());
                for (const auto& parameter : request.query_parameters())
                    seen += parameter.name + parameter.value;
            }
            std::string_view data;
            auto step = BodyParser::Step::data;
            while ((step = body->next(piece, data)) == BodyParser::Step::data) seen += data;
            if (step == BodyParser::Step::failed) return seen + "f";
            if (step != BodyParser::Step::complete) continue;
            seen += "E" + std::to_string(body->trailers().size());
            body.reset();
        }
    }
    return seen;
}

}  // namespace
}  // namespace tarn::http

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        "GET /a%20b?x=1&y HTTP/1.1\r\nHost: h:80\r\n\r\nPUT / HTTP/1.1\r\nHost: "
        "h\r\nContent-Length: 5\r\n\r\nhello",
        "POST http://h/p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: "
        "100-continue\r\nTrailer: t\r\n\r\n"
        "5;ext=\"a\"\r\nhello\r\n0\r\nt: v\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:\r\nConnection: keep-alive, close\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\nContent-Length: "
        "3\r\n\r\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes = tarn::fuzz_text(data, size);
    const std::string whole = tarn::http::reading(bytes, 64 * 1024);
    TARN_ASSERT(whole == tarn::http::reading(bytes, 1));
    TARN_ASSERT(whole == tarn::http::reading(bytes, 7));
    return 0;
}

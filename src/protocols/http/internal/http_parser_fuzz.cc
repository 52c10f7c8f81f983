// A connection's bytes through both parsers, cut in two ways: no crash, and the same reading
// whatever the pieces.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
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

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = tarn::http::reading(bytes, 64 * 1024);
    TARN_ASSERT(whole == tarn::http::reading(bytes, 1));
    TARN_ASSERT(whole == tarn::http::reading(bytes, 7));
    return 0;
}

#include "security/sigv4.h"

#include "base/assert.h"

// The input is lines: path, query, then "name: value" headers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto take_line = [&] {
        const size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
        return line;
    };
    security::SignedRequest request;
    request.method = "GET";
    request.raw_path = take_line();
    request.raw_query = take_line();
    while (!rest.empty()) {
        const std::string_view line = take_line();
        const size_t colon = line.find(':');
        request.headers.emplace_back(line.substr(0, colon),
                                     colon == line.npos ? "" : line.substr(colon + 1));
    }
    const security::SignatureRules rules{{1369353600'000'000}, {}, {}};
    const auto verified = security::verify(request, rules, [](std::string_view) {
        return std::optional<std::string>("a secret that the input can't know");
    });
    TARN_ASSERT(!verified.ok());
    TARN_ASSERT(!verified.error().reason.empty());
    (void)security::is_signed(request);
    (void)security::claimed_scope(request);
    return 0;
}

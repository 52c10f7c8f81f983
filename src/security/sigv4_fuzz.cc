#include "security/sigv4.h"

#include "base/assert.h"
#include "base/fuzz.h"

std::vector<std::string> tarn::fuzz_seeds() {
    const std::string credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
    const std::string signature(64, 'f');
    return {
        "/a%20b\nx=1&y\nHost: h\nx-amz-date: 20130524T000000Z\nx-amz-content-sha256: "
        "UNSIGNED-PAYLOAD\nAuthorization: "
        "AWS4-HMAC-SHA256 Credential=" +
            credential +
            ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + signature,
        "/\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-"
        "east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-"
        "Signature=" +
            signature + "\nHost: h",
        "/\n\nAuthorization: AWS AKIA:sig\nDate: Fri, 24 May 2013 00:00:00 GMT",
        "/\nAWSAccessKeyId=a&Signature=b&Expires=1"};
}

// The input is lines: path, query, then "name: value" headers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn;
    std::string_view rest = tarn::fuzz_text(data, size);
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

#include "security/sigv4.h"

#include <algorithm>

#include "codec/hash.h"
#include "codec/text.h"
#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

// Proxies and clients change these on the way.
bool is_unsignable(std::string_view name) {
    static constexpr std::string_view kNames[] = {"authorization", "connection",
                                                  "expect",        "transfer-encoding",
                                                  "user-agent",    "x-amzn-trace-id"};
    return std::any_of(std::begin(kNames), std::end(kNames),
                       [&](std::string_view n) { return equal_ignoring_case(n, name); });
}

std::vector<std::string> names_to_sign(const HeaderViews& headers) {
    std::vector<std::string> names;
    for (const auto& [name, value] : headers)
        if (!is_unsignable(name)) names.push_back(lower_ascii(name));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

// The caller's own request: a path or query that can't be decoded is our bug, not input.
CanonicalRequest canonical_of_own(const SignedRequest& request, std::string_view raw_query,
                                  std::string_view service, const HeaderViews& headers,
                                  const std::vector<std::string>& names, std::string_view payload) {
    auto path = canonical_path(request.raw_path, is_s3(service));
    auto query = parse_query(raw_query);
    TARN_ASSERT(path.ok() && query.ok());
    return {request.method,
            std::move(path).value(),
            canonical_query(query.value()),
            canonical_headers(headers, names),
            join(names, ';'),
            payload};
}

}  // namespace

std::string signing_key(std::string_view secret, const CredentialScope& scope) {
    const std::string date = codec::hmac_sha256("AWS4" + std::string(secret), scope.date);
    const std::string region = codec::hmac_sha256(date, scope.region);
    const std::string service = codec::hmac_sha256(region, scope.service);
    return codec::hmac_sha256(service, "aws4_request");
}

SignatureHeaders sign(const SignedRequest& request, const Signer& signer, Timestamp at,
                      std::string_view payload) {
    SignatureHeaders result;
    result.signing.timestamp = format_iso8601_basic(at);
    result.signing.scope = {result.signing.timestamp.substr(0, 8), signer.region, signer.service};
    result.signing.key = signing_key(signer.secret, result.signing.scope);
    result.headers.emplace_back("x-amz-date", result.signing.timestamp);
    if (is_s3(signer.service)) result.headers.emplace_back("x-amz-content-sha256", payload);

    HeaderViews headers = request.headers;
    for (const auto& [name, value] : result.headers) headers.emplace_back(name, value);
    const std::vector<std::string> names = names_to_sign(headers);
    const CanonicalRequest canonical =
        canonical_of_own(request, request.raw_query, signer.service, headers, names, payload);
    result.signing.seed_signature =
        signature_of(result.signing.key,
                     string_to_sign(canonical, result.signing.timestamp, result.signing.scope));
    result.headers.emplace_back(
        "authorization", std::string(kAlgorithm) + " Credential=" + signer.access_key_id + "/" +
                             result.signing.scope.str() +
                             ", SignedHeaders=" + canonical.signed_names +
                             ", Signature=" + result.signing.seed_signature);
    return result;
}

std::string presign(const SignedRequest& request, const Signer& signer, Timestamp at,
                    uint32_t expires_seconds) {
    TARN_ASSERT(expires_seconds >= 1 && expires_seconds <= kPresignSecondsMax);
    const std::string timestamp = format_iso8601_basic(at);
    const CredentialScope scope{timestamp.substr(0, 8), signer.region, signer.service};
    const std::vector<std::string> names = names_to_sign(request.headers);
    std::string query(request.raw_query);
    if (!query.empty()) query.push_back('&');
    query.append("X-Amz-Algorithm=").append(kAlgorithm);
    query.append("&X-Amz-Credential=")
        .append(percent_encode(signer.access_key_id + "/" + scope.str(), false));
    query.append("&X-Amz-Date=").append(timestamp);
    query.append("&X-Amz-Expires=").append(std::to_string(expires_seconds));
    query.append("&X-Amz-SignedHeaders=").append(percent_encode(join(names, ';'), false));

    const std::string_view payload = is_s3(signer.service)         ? kUnsignedPayload
                                     : request.body_sha256.empty() ? kEmptySha256
                                                                   : request.body_sha256;
    const CanonicalRequest canonical =
        canonical_of_own(request, query, signer.service, request.headers, names, payload);
    return query + "&X-Amz-Signature=" +
           signature_of(signing_key(signer.secret, scope),
                        string_to_sign(canonical, timestamp, scope));
}

}  // namespace tarn::security

#include <algorithm>

#include "base/bytes.h"
#include "codec/text.h"
#include "security/internal/canonical.h"
#include "security/internal/claim.h"
#include "security/internal/signing_keys.h"
#include "security/sigv4.h"

namespace tarn::security {
namespace {

constexpr int64_t kSkewSecondsMax = 15 * 60;
constexpr std::string_view kAmzPrefix = "x-amz-";

Error denied(const std::string& why) {
    return Error(Code::permission_denied, why, "AccessDenied");
}

bool lists(const std::vector<std::string>& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

Status check_scope(const Claim& claim, const SignatureRules& rules) {
    const auto wrong = [&](const std::string& what, const std::string& got,
                           const std::vector<std::string>& expected) {
        const std::string text =
            "the " + what + " '" + got + "' is wrong; expecting '" + join(expected, '\'') + "'";
        if (claim.presigned) {
            return Error(Code::invalid_argument,
                         "Error parsing the X-Amz-Credential parameter; " + text,
                         "AuthorizationQueryParametersError");
        }
        return Error(Code::invalid_argument, "The authorization header is malformed; " + text,
                     "AuthorizationHeaderMalformed");
    };
    if (!rules.regions.empty() && !lists(rules.regions, claim.scope.region))
        return wrong("region", claim.scope.region, rules.regions);
    if (!rules.services.empty() && !lists(rules.services, claim.scope.service))
        return wrong("service", claim.scope.service, rules.services);
    return ok_status();
}

Status check_time(const Claim& claim, Timestamp now) {
    const int64_t age = now.seconds() - claim.at.seconds();
    if (!claim.presigned) {
        if (age <= kSkewSecondsMax && age >= -kSkewSecondsMax) return ok_status();
        return Error(Code::unauthenticated,
                     "The difference between the request time and the server's time is too large: "
                     "the request says " +
                         claim.timestamp + ", the server " + format_iso8601_basic(now),
                     "RequestTimeTooSkewed");
    }
    if (age < -kSkewSecondsMax) return denied("Request is not valid yet");
    if (age > claim.expires_seconds) return denied("Request has expired");
    return ok_status();
}

// A header that changes what a request does must be signed: else whoever holds a presigned URL
// could add x-amz-copy-source to it and read what its signer may read.
Status check_signed_names(const SignedRequest& request, const Claim& claim) {
    if (!lists(claim.signed_names, "host"))
        return denied("The host header must be among the signed headers");
    std::string unsigned_names;
    for (const auto& header : request.headers) {
        if (!equal_ignoring_case(header.first.substr(0, kAmzPrefix.size()), kAmzPrefix)) continue;
        const std::string name = lower_ascii(header.first);
        if (lists(claim.signed_names, name)) continue;
        unsigned_names += (unsigned_names.empty() ? "" : ", ") + name;
    }
    if (unsigned_names.empty()) return ok_status();
    return denied("There were headers present in the request which were not signed: " +
                  unsigned_names);
}

Status refuse_security_token(const SignedRequest& request, const QueryPairs& query) {
    const bool in_query = std::any_of(query.begin(), query.end(), [](const auto& pair) {
        return equal_ignoring_case(pair.first, "X-Amz-Security-Token");
    });
    if (!in_query && !find_header(request.headers, "x-amz-security-token")) return ok_status();
    return Error(Code::unauthenticated,
                 "The provided token is malformed or otherwise invalid: there are no session "
                 "credentials here",
                 "InvalidToken");
}

bool is_hash(std::string_view text) {
    return text.size() == 64 && codec::hex_decode(text).ok();
}

// The last line of the canonical request, as the signer wrote it.
Result<std::string> stated_payload(const SignedRequest& request, const QueryPairs& query,
                                   const Claim& claim) {
    const bool s3 = is_s3(claim.scope.service);
    if (count_header(request.headers, "x-amz-content-sha256") > 1) {
        return Error(Code::invalid_argument, "x-amz-content-sha256 is given twice",
                     "InvalidRequest");
    }
    if (const auto header = find_header(request.headers, "x-amz-content-sha256"))
        return std::string(*header);
    if (claim.presigned) {
        for (const auto& [name, value] : query)
            if (name == "X-Amz-Content-Sha256") return value;
        if (s3) return std::string(kUnsignedPayload);
    }
    if (!s3 && !request.body_sha256.empty()) return request.body_sha256;
    return Error(Code::invalid_argument,
                 "Missing required header for this request: x-amz-content-sha256",
                 "InvalidRequest");
}

Result<PayloadKind> payload_kind(std::string_view stated, const Claim& claim) {
    if (is_hash(stated)) return PayloadKind::hash;
    if (is_s3(claim.scope.service)) {
        if (stated == kUnsignedPayload) return PayloadKind::unsigned_payload;
        if (stated == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return PayloadKind::chunks_signed;
        if (stated == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
            return PayloadKind::chunks_signed_trailer;
        if (stated == "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            return PayloadKind::chunks_unsigned_trailer;
        if (stated.starts_with("STREAMING-AWS4-ECDSA-")) {
            return Error(Code::unimplemented, "Signature Version 4A is not implemented",
                         "NotImplemented");
        }
    }
    return Error(Code::invalid_argument,
                 "x-amz-content-sha256 must be the SHA-256 of the body in hexadecimal" +
                     std::string(is_s3(claim.scope.service)
                                     ? ", UNSIGNED-PAYLOAD or one of the STREAMING- words"
                                     : ""),
                 "InvalidArgument");
}

Status check_stated_hash(PayloadKind kind, std::string_view stated, const SignedRequest& request) {
    if (kind != PayloadKind::hash || request.body_sha256.empty()) return ok_status();
    if (equal_constant_time(lower_ascii(stated), request.body_sha256)) return ok_status();
    return Error(Code::invalid_argument,
                 "The provided 'x-amz-content-sha256' header does not match what was computed.",
                 "XAmzContentSHA256Mismatch");
}

// Some clients sign an S3 path exactly as they send it, where the canonical form encodes more ('=',
// '+', ':'). Both bind every byte of the request, so either is good.
bool signature_fits(CanonicalRequest canonical, std::string_view raw_path, const Claim& claim,
                    const std::string& key) {
    const auto fits = [&] {
        const std::string expected =
            signature_of(key, string_to_sign(canonical, claim.timestamp, claim.scope));
        return equal_constant_time(expected, claim.signature);
    };
    if (fits()) return true;
    if (!is_s3(claim.scope.service) || canonical.path == raw_path) return false;
    canonical.path = raw_path;
    return fits();
}

}  // namespace

Result<Verified> verify(const SignedRequest& request, const SignatureRules& rules,
                        const SecretLookup& secret_of) {
    TARN_TRY(query, parse_query(request.raw_query));
    TARN_TRY(claim, parse_claim(request, query));
    TARN_CHECK_OK(refuse_security_token(request, query));
    TARN_CHECK_OK(check_scope(claim, rules));
    TARN_CHECK_OK(check_time(claim, rules.now));
    TARN_CHECK_OK(check_signed_names(request, claim));
    TARN_TRY(stated, stated_payload(request, query, claim));
    TARN_TRY(kind, payload_kind(stated, claim));
    TARN_TRY(path, canonical_path(request.raw_path, is_s3(claim.scope.service)));

    // The canonical list of names is the one that was sent: an unsorted list is another signature,
    // and fails as such.
    const CanonicalRequest canonical{request.method,
                                     std::move(path),
                                     canonical_query(query),
                                     canonical_headers(request.headers, claim.signed_names),
                                     join(claim.signed_names, ';'),
                                     stated};
    const std::optional<std::string> secret = secret_of(claim.access_key_id);
    // An unknown key goes all the way too, so that time does not tell it from a wrong signature.
    const std::string key = SigningKeys::of_this_thread().get(
        secret.has_value() ? *secret : std::string(40, 'x'), claim.scope);
    const bool fits = signature_fits(canonical, request.raw_path, claim, key);
    if (!secret) {
        return Error(Code::unauthenticated,
                     "The AWS Access Key Id you provided does not exist in our records.",
                     "InvalidAccessKeyId");
    }
    if (!fits) {
        return Error(Code::unauthenticated,
                     "The request signature we calculated does not match the signature you "
                     "provided. Check your key and signing method.",
                     "SignatureDoesNotMatch");
    }
    TARN_CHECK_OK(check_stated_hash(kind, stated, request));
    Verified verified;
    verified.access_key_id = claim.access_key_id;
    verified.presigned = claim.presigned;
    verified.payload = kind;
    if (kind == PayloadKind::hash) verified.payload_sha256 = lower_ascii(stated);
    verified.signing = {key, claim.timestamp, claim.scope, claim.signature};
    return verified;
}

}  // namespace tarn::security

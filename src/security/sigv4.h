// AWS Signature Version 4, both sides, as pure functions of a described request: no clock, no
// store, no I/O. Specification: AWS General Reference "Create a signed AWS API request", S3 API
// Reference "Authenticating Requests". Canonical form: S3 signs the path once encoded and as it
// stands; every other service signs the normalised path, encoded twice.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tarn::security {

using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

/// A request as it came over the wire. Views live as long as the request's bytes.
struct SignedRequest {
    std::string_view method;
    std::string_view raw_path;   // before '?', percent-encoded as received, with the leading '/'
    std::string_view raw_query;  // after '?', as received; empty when there is none
    HeaderViews headers;         // names in any case, in order, repeated names allowed
    /// Lower-case hexadecimal SHA-256 of the body, where the body is at hand and the request does
    /// not state its hash (all services but S3). Empty: the request must state it.
    std::string body_sha256;
};

/// <date>/<region>/<service>/aws4_request
struct CredentialScope {
    std::string date;  // yyyymmdd
    std::string region;
    std::string service;

    std::string str() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

/// How the body is protected: x-amz-content-sha256.
enum class PayloadKind {
    hash,                   // Verified::payload_sha256 is the body's hash; the door must compare it
    unsigned_payload,       // UNSIGNED-PAYLOAD
    chunks_signed,          // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
    chunks_signed_trailer,  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
    chunks_unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

/// What signing a chunk needs: the key of this day, region and service, and the signature that
/// comes before.
struct ChunkSigning {
    std::string key;        // 32 bytes; a secret
    std::string timestamp;  // yyyymmddThhmmssZ
    CredentialScope scope;
    std::string seed_signature;  // 64 lower-case hexadecimal characters
};

struct Verified {
    std::string access_key_id;
    bool presigned = false;
    PayloadKind payload = PayloadKind::hash;
    std::string payload_sha256;  // lower-case hexadecimal, for PayloadKind::hash
    ChunkSigning signing;
};

struct SignatureRules {
    Timestamp now;
    /// Empty: any. A scope outside is AuthorizationHeaderMalformed, naming what is expected.
    std::vector<std::string> regions;
    std::vector<std::string> services;
};

/// The secret of an access key that may sign now; nullopt: unknown or inactive.
using SecretLookup = std::function<std::optional<std::string>(std::string_view access_key_id)>;

/// Checks the Authorization header or the presigned query. An unknown key costs the same work as a
/// wrong signature. Errors: the code, and in `reason` S3's word for it:
///   permission_denied AccessDenied (nothing signed it, expired, not yet valid, unsigned x-amz-*
///   headers) unauthenticated   InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed,
///   InvalidToken invalid_argument  AuthorizationHeaderMalformed,
///   AuthorizationQueryParametersError, InvalidArgument, InvalidRequest,
///                     InvalidURI, XAmzContentSHA256Mismatch (a stated hash that is not
///                     body_sha256)
///   unimplemented     NotImplemented (SigV4A)
Result<Verified> verify(const SignedRequest& request, const SignatureRules& rules,
                        const SecretLookup& secret_of);

/// True when the request claims any signature at all (header or query); else it is anonymous.
bool is_signed(const SignedRequest& request);
/// The scope that the request claims, unchecked: good for routing to a service and nothing else.
std::optional<CredentialScope> claimed_scope(const SignedRequest& request);

/// 32 bytes. The key of one day, region and service.
std::string signing_key(std::string_view secret, const CredentialScope& scope);

/// The client's side.
struct Signer {
    std::string access_key_id;
    std::string secret;
    std::string region = "us-east-1";
    std::string service = "s3";
};
using Headers = std::vector<std::pair<std::string, std::string>>;

struct SignatureHeaders {
    Headers
        headers;  // to add: authorization, x-amz-date, x-amz-content-sha256 (where S3 or streaming)
    ChunkSigning signing;  // to sign chunks with
};
/// Signs all headers of `request` (host must be among them) but those that proxies change.
/// `payload` is the value of x-amz-content-sha256: a hash or one of the fixed words.
SignatureHeaders sign(const SignedRequest& request, const Signer& signer, Timestamp at,
                      std::string_view payload);
inline constexpr uint32_t kPresignSecondsMax = 604800;
/// The query string (with X-Amz-Signature) to put after '?'. Precondition: expires is 1..604800
/// seconds.
std::string presign(const SignedRequest& request, const Signer& signer, Timestamp at,
                    uint32_t expires_seconds);

}  // namespace tarn::security

// A request's body as S3 protects it: the stated SHA-256, or aws-chunked with signed or unsigned
// chunks and trailers. Bytes are handed on as they come; only finish() says that they were the ones
// that were signed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/hash.h"
#include "protocols/s3/internal/exchange.h"
#include "security/aws_chunked.h"

namespace tarn::s3 {

/// Owner: one request. Lane: the request's.
class Body {
 public:
    /// Errors: invalid_argument "MissingContentLength".
    static Result<std::unique_ptr<Body>> open(Exchange& exchange);

    /// Payload bytes as announced; nullopt when the client did not say.
    std::optional<uint64_t> size() const { return size_; }
    /// Appends the next pieces to `pieces`; none at the end. The views hold until the next call.
    /// Blocks.
    Status next(std::vector<std::string_view>& pieces);
    /// After the end: the hash or the last signature fits, and nothing is missing. Errors:
    /// invalid_argument "XAmzContentSHA256Mismatch", "IncompleteBody"; unauthenticated
    /// "SignatureDoesNotMatch".
    Status finish();
    /// Complete after finish(). Names in lower case.
    const security::Headers& trailers() const;

    /// All of it, finished. Errors: invalid_argument "EntityTooLarge" beyond `bytes_max`.
    Result<std::string> read_all(size_t bytes_max);

 private:
    explicit Body(Exchange& exchange) : exchange_(exchange) {}

    Exchange& exchange_;
    std::optional<uint64_t> size_;
    std::optional<security::AwsChunkedDecoder> decoder_;
    std::optional<codec::Hasher> hasher_;  // when the whole body's hash was stated
    std::string buffer_;
    bool ended_ = false;
};

/// A small document in full, its stated checksums and Content-MD5 verified ("BadDigest").
/// `digest_required`: S3 refuses some operations without any ("InvalidRequest").
Result<std::string> read_document(Exchange& exchange, size_t bytes_max,
                                  bool digest_required = false);

}  // namespace tarn::s3

#include "protocols/s3/internal/errors.h"

#include <algorithm>

#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

struct Word {
    std::string_view code;
    int status;
};

/// Sorted by code.
constexpr Word kWords[] = {
    {"AccessControlListNotSupported", 400},
    {"AccessDenied", 403},
    {"AuthorizationHeaderMalformed", 400},
    {"AuthorizationQueryParametersError", 400},
    {"BadDigest", 400},
    {"BadRequest", 400},
    {"BucketAlreadyExists", 409},
    {"BucketAlreadyOwnedByYou", 409},
    {"BucketNotEmpty", 409},
    {"ConditionalRequestConflict", 409},
    {"EntityTooLarge", 400},
    {"EntityTooSmall", 400},
    {"IllegalLocationConstraintException", 400},
    {"IncompleteBody", 400},
    {"InternalError", 500},
    {"InvalidAccessKeyId", 403},
    {"InvalidArgument", 400},
    {"InvalidBucketAclWithObjectOwnership", 400},
    {"InvalidBucketName", 400},
    {"InvalidChunk", 400},
    {"InvalidDigest", 400},
    {"InvalidLocationConstraint", 400},
    {"InvalidObjectState", 403},
    {"InvalidPart", 400},
    {"InvalidPartNumber", 416},
    {"InvalidPartOrder", 400},
    {"InvalidRange", 416},
    {"InvalidRequest", 400},
    {"InvalidStorageClass", 400},
    {"InvalidTag", 400},
    {"InvalidToken", 400},
    {"InvalidURI", 400},
    {"KeyTooLongError", 400},
    {"MalformedPolicyDocument", 400},
    {"MalformedTrailerError", 400},
    {"MalformedXML", 400},
    {"MaxMessageLengthExceeded", 400},
    {"MetadataTooLarge", 400},
    {"MethodNotAllowed", 405},
    {"MissingContentLength", 411},
    {"MissingRequestBodyError", 400},
    {"NoSuchBucket", 404},
    {"NoSuchBucketPolicy", 404},
    {"NoSuchCORSConfiguration", 404},
    {"NoSuchConfiguration", 404},
    {"NoSuchKey", 404},
    {"NoSuchLifecycleConfiguration", 404},
    {"NoSuchPublicAccessBlockConfiguration", 404},
    {"NoSuchTagSet", 404},
    {"NoSuchUpload", 404},
    {"NoSuchVersion", 404},
    {"NoSuchWebsiteConfiguration", 404},
    {"NotImplemented", 501},
    {"NotModified", 304},
    {"ObjectLockConfigurationNotFoundError", 404},
    {"OwnershipControlsNotFoundError", 404},
    {"PreconditionFailed", 412},
    {"ReplicationConfigurationNotFoundError", 404},
    {"RequestTimeTooSkewed", 403},
    {"RequestTimeout", 400},
    {"ServerSideEncryptionConfigurationNotFoundError", 404},
    {"SignatureDoesNotMatch", 403},
    {"SlowDown", 503},
    {"XAmzContentChecksumMismatch", 400},
    {"XAmzContentSHA256Mismatch", 400},
};
static_assert(std::is_sorted(std::begin(kWords), std::end(kWords),
                             [](const Word& a, const Word& b) { return a.code < b.code; }));

Word word_of(Code code) {
    switch (code) {
        case Code::not_found:
            return {"NoSuchKey", 404};
        case Code::already_exists:
            return {"BucketAlreadyOwnedByYou", 409};
        case Code::invalid_argument:
            return {"InvalidArgument", 400};
        case Code::unauthenticated:
            return {"AccessDenied", 403};
        case Code::permission_denied:
            return {"AccessDenied", 403};
        case Code::conflict:
            return {"OperationAborted", 409};
        case Code::precondition_failed:
            return {"PreconditionFailed", 412};
        case Code::out_of_range:
            return {"InvalidRange", 416};
        case Code::exhausted:
            return {"SlowDown", 503};
        case Code::unavailable:
            return {"ServiceUnavailable", 503};
        case Code::timed_out:
            return {"RequestTimeout", 400};
        case Code::cancelled:
            return {"RequestTimeout", 400};
        case Code::corrupted:
            return {"InternalError", 500};
        case Code::io:
            return {"InternalError", 500};
        case Code::unimplemented:
            return {"NotImplemented", 501};
        case Code::internal:
            return {"InternalError", 500};
    }
    return {"InternalError", 500};
}

}  // namespace

S3Error s3_error(const Error& error) {
    auto at = std::lower_bound(
        std::begin(kWords), std::end(kWords), error.reason,
        [](const Word& word, const std::string& reason) { return word.code < reason; });
    auto word = at != std::end(kWords) && at->code == error.reason ? *at : word_of(error.code);
    // S3 has no word for it. 503 would make clients try again and again; 507 tells them at once.
    if (error.reason == "disk_full") word = {"InsufficientStorage", 507};
    return {std::string(word.code), word.status};
}

std::string error_body(const S3Error& kind, const Error& error, std::string_view resource,
                       std::string_view request_id, std::string_view host_id) {
    // What went wrong inside is for the log; the client is told how to find it there.
    auto message = kind.status == 500
                       ? std::string("We encountered an internal error. Please try again.")
                       : error.message;
    XmlWriter xml("Error", false);
    xml.element("Code", kind.code).element("Message", message);
    xml.element("Resource", resource).element("RequestId", request_id).element("HostId", host_id);
    return xml.finish();
}

}  // namespace tarn::s3

// CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload.
#include "protocols/s3/internal/multipart.h"

#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/range.h"
#include "protocols/s3/internal/request_bodies.h"
#include "protocols/s3/internal/upload.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

Result<std::optional<objects::ChecksumType>> checksum_type(std::string_view word) {
    std::optional<objects::ChecksumType> none;
    if (word.empty()) return none;
    if (http::equal_ignoring_case(word, "FULL_OBJECT"))
        return std::optional(objects::ChecksumType::full_object);
    if (http::equal_ignoring_case(word, "COMPOSITE"))
        return std::optional(objects::ChecksumType::composite);
    return Error(Code::invalid_argument, "Value for x-amz-checksum-type header is invalid.",
                 "InvalidRequest");
}

Result<objects::CompletedPart> completed_part(CompleteUploadBody::Part& part) {
    objects::CompletedPart result{part.number, std::move(part.etag), std::nullopt};
    for (const auto& [name, value] : part.checksums) {
        auto algorithm = algorithm_of_element(name);
        if (!algorithm)
            return Error(Code::unimplemented,
                         "The checksum algorithm of " + name + " is not implemented",
                         "NotImplemented");
        if (result.checksum)
            return Error(Code::invalid_argument, "Expecting a single checksum for each part",
                         "InvalidRequest");
        TARN_TRY(checksum, parse_checksum(*algorithm, value));
        result.checksum = std::move(checksum);
    }
    return result;
}

/// The checksum of the whole object that the client expects; composite when it says "-<parts>".
Result<std::optional<objects::Checksum>> expected_checksum(const http::Request& request) {
    std::optional<objects::Checksum> expected;
    TARN_TRY(type, checksum_type(request.header("x-amz-checksum-type")));
    const auto& headers = request.headers();
    for (size_t i = 0; i < headers.size(); ++i) {
        auto algorithm = algorithm_of_header(headers[i].name);
        if (!algorithm) continue;
        TARN_TRY(checksum, parse_checksum(*algorithm, headers[i].value));
        if (type && checksum.type != *type) checksum.type = *type;
        expected = std::move(checksum);
    }
    return expected;
}

std::string location_of(const Exchange& exchange) {
    std::string scheme = exchange.request().peer().secure ? "https://" : "http://";
    return scheme + std::string(exchange.request().host()) + std::string(exchange.request().path());
}

}  // namespace

Result<PartPlace> part_place(Exchange& exchange) {
    auto number = parse_number(exchange.query("partNumber").value_or(""));
    if (!number || *number < 1 || *number > objects::kPartsMax)
        return Error(Code::invalid_argument,
                     "Part number must be an integer between 1 and 10000, inclusive",
                     "InvalidArgument");
    return PartPlace{exchange.query("uploadId").value_or(""), static_cast<uint32_t>(*number)};
}

Status create_multipart_upload(Exchange& exchange) {
    objects::MultipartOptions options;
    TARN_TRY(metadata, metadata_of(exchange.request()));
    if (!metadata.tags.empty())
        TARN_CHECK_OK(exchange.authorize("s3:PutObjectTagging", Access::write, exchange.bucket(),
                                         exchange.key()));
    options.metadata = std::move(metadata);
    if (auto word = exchange.header("x-amz-checksum-algorithm"); !word.empty()) {
        options.algorithm = algorithm_of(word);
        if (!options.algorithm)
            return Error(Code::invalid_argument,
                         "Checksum algorithm provided is unsupported. Please try again with any of "
                         "the valid types: "
                         "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
                         "InvalidRequest");
    }
    TARN_TRY(type, checksum_type(exchange.header("x-amz-checksum-type")));
    options.type = type;
    const bool with_checksum = options.algorithm.has_value();
    TARN_TRY(upload, exchange.store().create_multipart(exchange.caller, exchange.bucket(),
                                                       exchange.key(), std::move(options)));
    http::ResponseHeaders headers;
    if (with_checksum && upload.algorithm) {
        headers.add("x-amz-checksum-algorithm", word_of(*upload.algorithm));
        headers.add("x-amz-checksum-type", type_word(upload.type));
    }
    XmlWriter xml("InitiateMultipartUploadResult");
    xml.element("Bucket", exchange.bucket())
        .element("Key", exchange.key())
        .element("UploadId", upload.upload_id);
    return exchange.respond_xml(xml.finish(), std::move(headers));
}

Status upload_part(Exchange& exchange) {
    TARN_TRY(place, part_place(exchange));
    TARN_TRY(incoming, Incoming::open(exchange));
    TARN_TRY(upload,
             exchange.store().begin_part(exchange.caller, exchange.bucket(), exchange.key(),
                                         place.upload_id, place.number, incoming.options()));
    TARN_TRY(part, incoming.stream_into(*upload));
    http::ResponseHeaders headers;
    headers.add("ETag", quoted(part.etag));
    if (part.checksum)
        headers.add(header_of(part.checksum->algorithm), checksum_text(*part.checksum, 1));
    return exchange.respond(200, std::move(headers));
}

Status complete_multipart_upload(Exchange& exchange) {
    auto upload_id = exchange.query("uploadId").value_or("");
    objects::CompleteOptions options;
    TARN_TRY(conditions, write_conditions(exchange.request()));
    options.conditions = std::move(conditions);
    TARN_TRY(expected, expected_checksum(exchange.request()));
    options.expected = std::move(expected);
    if (auto size = exchange.header("x-amz-mp-object-size"); !size.empty()) {
        options.size = parse_number(size);
        if (!options.size)
            return Error(Code::invalid_argument,
                         "Value for x-amz-mp-object-size header is invalid.", "InvalidRequest");
    }
    // The checksum in this request's headers is that of the object, not of this document.
    TARN_TRY(body, Body::open(exchange));
    TARN_TRY(document, body->read_all(kCompleteUploadBodyMax));
    TARN_TRY(listed, parse_complete_upload(document));
    std::vector<objects::CompletedPart> parts;
    parts.reserve(listed.parts.size());
    for (auto& part : listed.parts) {
        TARN_TRY(completed, completed_part(part));
        parts.push_back(std::move(completed));
    }
    TARN_TRY(stored, exchange.store().complete(exchange.caller, exchange.bucket(), exchange.key(),
                                               upload_id, parts, options));
    XmlWriter xml("CompleteMultipartUploadResult");
    xml.element("Location", location_of(exchange)).element("Bucket", exchange.bucket());
    xml.element("Key", exchange.key()).element("ETag", quoted(stored.etag));
    add_checksum_elements(xml, stored.checksums, stored.parts.size());
    return exchange.respond_xml(xml.finish());
}

Status abort_multipart_upload(Exchange& exchange) {
    TARN_CHECK_OK(exchange.store().abort(exchange.caller, exchange.bucket(), exchange.key(),
                                         exchange.query("uploadId").value_or("")));
    return exchange.respond(204);
}

}  // namespace tarn::s3

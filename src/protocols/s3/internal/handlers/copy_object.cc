// CopyObject and UploadPartCopy. Both need s3:GetObject on the source as well.
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/multipart.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/range.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

Result<Address> authorized_source(Exchange& exchange) {
    TARN_TRY(source, parse_copy_source(exchange.header("x-amz-copy-source")));
    TARN_CHECK_OK(exchange.authorize("s3:GetObject", Access::read, source.address.bucket,
                                     source.address.key));
    TARN_CHECK_OK(check_version_id(source.version_id));
    exchange.source_bucket = source.address.bucket;
    return std::move(source.address);
}

/// COPY (the default) or REPLACE.
Result<bool> replaces(std::string_view directive, std::string_view header) {
    if (directive.empty() || directive == "COPY") return false;
    if (directive == "REPLACE") return true;
    return Error(Code::invalid_argument,
                 "Unknown " + std::string(header) + ": it must be COPY or REPLACE",
                 "InvalidArgument");
}

Result<objects::CopyOptions> copy_options(Exchange& exchange) {
    objects::CopyOptions options;
    TARN_TRY(metadata, metadata_of(exchange.request()));
    TARN_TRY(replace_metadata,
             replaces(exchange.header("x-amz-metadata-directive"), "metadata directive"));
    TARN_TRY(replace_tags,
             replaces(exchange.header("x-amz-tagging-directive"), "tagging directive"));
    if (replace_tags) options.replace_tags = metadata.tags;
    if (replace_metadata) options.replace = std::move(metadata);
    options.source_conditions = copy_source_conditions(exchange.request());
    TARN_TRY(conditions, write_conditions(exchange.request()));
    options.conditions = std::move(conditions);
    if (auto word = exchange.header("x-amz-checksum-algorithm"); !word.empty()) {
        auto algorithm = algorithm_of(word);
        if (!algorithm)
            return Error(Code::invalid_argument,
                         "Checksum algorithm provided is unsupported. Please try again with any of "
                         "the valid types: "
                         "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
                         "InvalidRequest");
        options.compute.push_back(*algorithm);
    }
    return options;
}

}  // namespace

Status copy_object(Exchange& exchange) {
    TARN_TRY(source, authorized_source(exchange));
    TARN_TRY(options, copy_options(exchange));
    if (options.replace_tags && !options.replace_tags->empty())
        TARN_CHECK_OK(exchange.authorize("s3:PutObjectTagging", Access::write, exchange.bucket(),
                                         exchange.key()));
    TARN_TRY(copied, exchange.store().copy(exchange.caller, source.bucket, source.key,
                                           exchange.bucket(), exchange.key(), std::move(options)));
    XmlWriter xml("CopyObjectResult");
    xml.element("LastModified", format_iso8601(copied.modified))
        .element("ETag", quoted(copied.etag));
    add_checksum_elements(xml, copied.checksums, copied.parts.size());
    return exchange.respond_xml(xml.finish());
}

Status upload_part_copy(Exchange& exchange) {
    TARN_TRY(source, authorized_source(exchange));
    TARN_TRY(place, part_place(exchange));
    std::optional<std::pair<uint64_t, uint64_t>> range;
    if (auto header = exchange.header("x-amz-copy-source-range"); !header.empty()) {
        TARN_TRY(info, exchange.store().head(source.bucket, source.key));
        TARN_TRY(bytes, parse_copy_range(header, info.size));
        range.emplace(bytes.offset, bytes.length);
    }
    TARN_TRY(part, exchange.store().copy_part(exchange.caller, source.bucket, source.key, range,
                                              copy_source_conditions(exchange.request()),
                                              exchange.bucket(), exchange.key(), place.upload_id,
                                              place.number));
    XmlWriter xml("CopyPartResult");
    xml.element("LastModified", format_iso8601(part.modified)).element("ETag", quoted(part.etag));
    if (part.checksum) add_checksum_elements(xml, {*part.checksum}, 1, false);
    return exchange.respond_xml(xml.finish());
}

}  // namespace tarn::s3

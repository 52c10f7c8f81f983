// ListParts and ListMultipartUploads.
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/listing.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/range.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

void add_people(XmlWriter& xml, const Exchange& exchange) {
    for (std::string_view role : {"Initiator", "Owner"})
        xml.open(role)
            .element("ID", exchange.context().owner_id)
            .element("DisplayName", "tarn")
            .close();
}

void add_algorithm(XmlWriter& xml, const objects::MultipartInfo& upload) {
    if (!upload.algorithm) return;
    xml.element("ChecksumAlgorithm", word_of(*upload.algorithm));
    xml.element("ChecksumType", type_word(upload.type));
}

}  // namespace

Status list_parts(Exchange& exchange) {
    TARN_TRY(text, key_text(exchange));
    TARN_TRY(entries_max, entries_limit(exchange, "max-parts"));
    auto marker = parse_number(exchange.query("part-number-marker").value_or("0"));
    if (!marker || *marker > UINT32_MAX)
        return Error(Code::invalid_argument,
                     "Argument part-number-marker must be an integer between 0 and 2147483647",
                     "InvalidArgument");
    auto upload_id = exchange.query("uploadId").value_or("");
    TARN_TRY(page, exchange.store().list_parts(exchange.bucket(), exchange.key(), upload_id,
                                               static_cast<uint32_t>(*marker), entries_max));
    XmlWriter xml("ListPartsResult");
    xml.element("Bucket", exchange.bucket())
        .element("Key", text(exchange.key()))
        .element("UploadId", upload_id);
    if (text.url) xml.element("EncodingType", "url");
    add_people(xml, exchange);
    xml.element("StorageClass", page.upload.metadata.storage_class);
    add_algorithm(xml, page.upload);
    xml.element("PartNumberMarker", *marker);
    xml.element("NextPartNumberMarker", page.parts.empty() ? 0 : page.parts.back().number);
    xml.element("MaxParts", entries_max).flag("IsTruncated", page.truncated);
    for (const auto& part : page.parts) {
        xml.open("Part")
            .element("PartNumber", part.number)
            .element("LastModified", format_iso8601(part.modified));
        xml.element("ETag", quoted(part.etag)).element("Size", part.size);
        if (part.checksum) add_checksum_elements(xml, {*part.checksum}, 1, false);
        xml.close();
    }
    return exchange.respond_xml(xml.finish());
}

Status list_multipart_uploads(Exchange& exchange) {
    TARN_TRY(text, key_text(exchange));
    objects::ListUploadsOptions options;
    options.prefix = exchange.query("prefix").value_or("");
    options.delimiter = exchange.query("delimiter").value_or("");
    options.after_key = exchange.query("key-marker").value_or("");
    // S3 ignores it without a key-marker.
    if (!options.after_key.empty())
        options.after_upload_id = exchange.query("upload-id-marker").value_or("");
    TARN_TRY(entries_max, entries_limit(exchange, "max-uploads"));
    options.entries_max = entries_max;
    TARN_TRY(page, exchange.store().list_uploads(exchange.bucket(), options));

    XmlWriter xml("ListMultipartUploadsResult");
    xml.element("Bucket", exchange.bucket()).element("KeyMarker", text(options.after_key));
    xml.element("UploadIdMarker", options.after_upload_id);
    if (page.truncated)
        xml.element("NextKeyMarker", text(page.next_key))
            .element("NextUploadIdMarker", page.next_upload_id);
    if (!options.prefix.empty()) xml.element("Prefix", text(options.prefix));
    if (!options.delimiter.empty()) xml.element("Delimiter", text(options.delimiter));
    xml.element("MaxUploads", entries_max).flag("IsTruncated", page.truncated);
    if (text.url) xml.element("EncodingType", "url");
    for (const auto& upload : page.uploads) {
        xml.open("Upload").element("Key", text(upload.key)).element("UploadId", upload.upload_id);
        add_people(xml, exchange);
        xml.element("StorageClass", upload.metadata.storage_class);
        xml.element("Initiated", format_iso8601(upload.initiated));
        add_algorithm(xml, upload);
        xml.close();
    }
    add_common_prefixes(xml, page.common_prefixes, text);
    return exchange.respond_xml(xml.finish());
}

}  // namespace tarn::s3

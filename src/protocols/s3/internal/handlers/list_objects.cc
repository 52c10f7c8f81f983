// ListObjects, ListObjectsV2, and ListObjectVersions of a bucket whose objects have one version
// each.
#include "codec/text.h"
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/listing.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

struct Request {
    objects::ListOptions options;
    KeyText text;
};

Result<Request> read_request(Exchange& exchange) {
    Request request;
    TARN_TRY(text, key_text(exchange));
    request.text = text;
    request.options.prefix = exchange.query("prefix").value_or("");
    request.options.delimiter = exchange.query("delimiter").value_or("");
    TARN_TRY(entries_max, entries_limit(exchange, "max-keys"));
    request.options.entries_max = entries_max;
    return request;
}

void add_owner(XmlWriter& xml, const Exchange& exchange) {
    xml.open("Owner")
        .element("ID", exchange.context().owner_id)
        .element("DisplayName", "tarn")
        .close();
}

void add_object(XmlWriter& xml, const objects::ListedObject& object, const KeyText& text) {
    xml.element("Key", text(object.key)).element("LastModified", format_iso8601(object.modified));
    xml.element("ETag", quoted(object.etag));
    for (const auto algorithm : object.checksums)
        xml.element("ChecksumAlgorithm", word_of(algorithm));
    if (!object.checksums.empty()) xml.element("ChecksumType", type_word(object.checksum_type));
    xml.element("Size", object.size).element("StorageClass", object.storage_class);
}

void add_echo(XmlWriter& xml, const Exchange& exchange, const Request& request,
              const objects::ListPage& page) {
    constexpr size_t kObjectBytes = 400;  // most have fewer
    xml.expect(4096 + kObjectBytes * page.objects.size());
    xml.element("Name", exchange.bucket()).element("Prefix", request.text(request.options.prefix));
    if (!request.options.delimiter.empty())
        xml.element("Delimiter", request.text(request.options.delimiter));
    xml.element("MaxKeys", request.options.entries_max);
    if (request.text.url) xml.element("EncodingType", "url");
}

}  // namespace

Status list_objects(Exchange& exchange) {
    TARN_TRY(request, read_request(exchange));
    request.options.after = exchange.query("marker").value_or("");
    TARN_TRY(page, exchange.store().list(exchange.bucket(), request.options));

    XmlWriter xml("ListBucketResult");
    add_echo(xml, exchange, request, page);
    xml.element("Marker", request.text(request.options.after)).flag("IsTruncated", page.truncated);
    // S3 gives it only with a delimiter; without one the last key is the next marker.
    if (page.truncated && !request.options.delimiter.empty())
        xml.element("NextMarker", request.text(page.next));
    for (const auto& object : page.objects) {
        xml.open("Contents");
        add_object(xml, object, request.text);
        add_owner(xml, exchange);
        xml.close();
    }
    add_common_prefixes(xml, page.common_prefixes, request.text);
    return exchange.respond_xml(xml.finish());
}

Status list_objects_v2(Exchange& exchange) {
    if (exchange.query("list-type") != "2")
        return Error(Code::invalid_argument, "Invalid List Type specified in Request",
                     "InvalidArgument");
    TARN_TRY(request, read_request(exchange));
    auto start_after = exchange.query("start-after").value_or("");
    request.options.after = start_after;
    auto token = exchange.query("continuation-token");
    if (token) {
        auto decoded = codec::base64url_decode(*token);
        if (!decoded.ok() || decoded->empty())
            return Error(Code::invalid_argument, "The continuation token provided is incorrect",
                         "InvalidArgument");
        request.options.after = std::move(decoded).value();
    }
    TARN_TRY(page, exchange.store().list(exchange.bucket(), request.options));

    const bool with_owner = exchange.query("fetch-owner") == "true";
    XmlWriter xml("ListBucketResult");
    add_echo(xml, exchange, request, page);
    xml.element("KeyCount", page.objects.size() + page.common_prefixes.size());
    if (token) xml.element("ContinuationToken", *token);
    if (!start_after.empty()) xml.element("StartAfter", request.text(start_after));
    xml.flag("IsTruncated", page.truncated);
    if (page.truncated) xml.element("NextContinuationToken", codec::base64url_encode(page.next));
    for (const auto& object : page.objects) {
        xml.open("Contents");
        add_object(xml, object, request.text);
        if (with_owner) add_owner(xml, exchange);
        xml.close();
    }
    add_common_prefixes(xml, page.common_prefixes, request.text);
    return exchange.respond_xml(xml.finish());
}

Status list_object_versions(Exchange& exchange) {
    TARN_TRY(request, read_request(exchange));
    request.options.after = exchange.query("key-marker").value_or("");
    TARN_TRY(page, exchange.store().list(exchange.bucket(), request.options));

    XmlWriter xml("ListVersionsResult");
    add_echo(xml, exchange, request, page);
    xml.element("KeyMarker", request.text(request.options.after));
    xml.element("VersionIdMarker", exchange.query("version-id-marker").value_or(""));
    xml.flag("IsTruncated", page.truncated);
    if (page.truncated)
        xml.element("NextKeyMarker", request.text(page.next))
            .element("NextVersionIdMarker", "null");
    for (const auto& object : page.objects) {
        xml.open("Version").element("VersionId", "null").flag("IsLatest", true);
        add_object(xml, object, request.text);
        add_owner(xml, exchange);
        xml.close();
    }
    add_common_prefixes(xml, page.common_prefixes, request.text);
    return exchange.respond_xml(xml.finish());
}

}  // namespace tarn::s3

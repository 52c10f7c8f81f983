// Tags of objects and of buckets. Those of a bucket are labels, kept as a document.
#include "protocols/s3/internal/body.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/request_bodies.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

constexpr size_t kObjectTagsMax = 10;
constexpr size_t kBucketTagsMax = 50;
constexpr const char* kDocument = "tagging";

std::string tagging_document(const objects::Tags& tags) {
    XmlWriter xml("Tagging");
    xml.open("TagSet");
    for (const auto& [key, value] : tags)
        xml.open("Tag").element("Key", key).element("Value", value).close();
    return xml.finish();
}

Result<objects::Tags> read_tags(Exchange& exchange, size_t tags_max) {
    TARN_TRY(document, read_document(exchange, kTaggingBodyMax));
    TARN_TRY(tags, parse_tagging(document));
    if (tags.size() > tags_max)
        return Error(Code::invalid_argument,
                     "Object tags cannot be greater than " + std::to_string(tags_max),
                     "BadRequest");
    return tags;
}

}  // namespace

Status put_object_tagging(Exchange& exchange) {
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    TARN_TRY(tags, read_tags(exchange, kObjectTagsMax));
    TARN_CHECK_OK(exchange.store().put_tags(exchange.caller, exchange.bucket(), exchange.key(),
                                            std::move(tags)));
    return exchange.respond(200);
}

Status get_object_tagging(Exchange& exchange) {
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    TARN_TRY(info, exchange.store().head(exchange.bucket(), exchange.key()));
    return exchange.respond_xml(tagging_document(info.metadata.tags));
}

Status delete_object_tagging(Exchange& exchange) {
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    TARN_CHECK_OK(
        exchange.store().put_tags(exchange.caller, exchange.bucket(), exchange.key(), {}));
    return exchange.respond(204);
}

Status put_bucket_tagging(Exchange& exchange) {
    TARN_TRY(tags, read_tags(exchange, kBucketTagsMax));
    TARN_CHECK_OK(exchange.store().put_bucket_document(exchange.caller, exchange.bucket(),
                                                       kDocument, tagging_document(tags)));
    return exchange.respond(204);
}

Status get_bucket_tagging(Exchange& exchange) {
    TARN_TRY(document, exchange.store().bucket_document(exchange.bucket(), kDocument));
    if (!document) return Error(Code::not_found, "The TagSet does not exist", "NoSuchTagSet");
    return exchange.respond_xml(std::move(*document));
}

Status delete_bucket_tagging(Exchange& exchange) {
    TARN_CHECK_OK(
        exchange.store().delete_bucket_document(exchange.caller, exchange.bucket(), kDocument));
    return exchange.respond(204);
}

}  // namespace tarn::s3

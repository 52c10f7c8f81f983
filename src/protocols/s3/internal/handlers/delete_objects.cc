// DeleteObject and DeleteObjects.
#include "protocols/s3/internal/body.h"
#include "protocols/s3/internal/conditions.h"
#include "protocols/s3/internal/errors.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/request_bodies.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

namespace {

/// What keeps one object of the request from being deleted, before the store is asked.
Status check_object(const Exchange& exchange, const DeleteObjectsBody::Object& object) {
    TARN_CHECK_OK(
        exchange.authorize("s3:DeleteObject", Access::write, exchange.bucket(), object.key));
    TARN_CHECK_OK(check_version_id(object.version_id));
    if (object.size || !object.modified.empty())
        return Error(Code::unimplemented,
                     "Deleting by size or modification time is not implemented", "NotImplemented");
    return ok_status();
}

void add_error(XmlWriter& xml, const DeleteObjectsBody::Object& object, std::string_view code,
               std::string_view message) {
    xml.open("Error").element("Key", object.key);
    if (!object.version_id.empty()) xml.element("VersionId", object.version_id);
    xml.element("Code", code).element("Message", message).close();
}

/// One outcome for each object, in order. Those without conditions go in one batch.
Result<std::vector<objects::DeleteOutcome>> remove_all(
    Exchange& exchange, const std::vector<DeleteObjectsBody::Object>& wanted) {
    std::vector<objects::DeleteOutcome> outcomes(wanted.size());
    std::vector<std::string> keys;
    std::vector<size_t> places;
    for (size_t i = 0; i < wanted.size(); ++i) {
        auto verdict = check_object(exchange, wanted[i]);
        if (verdict.ok() && wanted[i].etag)
            verdict = exchange.store().remove(exchange.caller, exchange.bucket(), wanted[i].key,
                                              wanted[i].etag);
        if (!verdict.ok()) {
            exchange.record_failure(verdict.error(),
                                    resource_arn(exchange.bucket(), wanted[i].key));
            outcomes[i].error_reason = s3_error(verdict.error()).code;
            outcomes[i].error_message = verdict.error().message;
        } else if (!wanted[i].etag) {
            keys.push_back(wanted[i].key);
            places.push_back(i);
        }
    }
    if (keys.empty()) return outcomes;
    TARN_TRY(removed, exchange.store().remove_many(exchange.caller, exchange.bucket(), keys));
    for (size_t i = 0; i < removed.size() && i < places.size(); ++i)
        outcomes[places[i]] = std::move(removed[i]);
    return outcomes;
}

}  // namespace

Status delete_object(Exchange& exchange) {
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    TARN_TRY(conditions, write_conditions(exchange.request()));
    for (std::string_view name : {"x-amz-if-match-last-modified-time", "x-amz-if-match-size"})
        if (!exchange.header(name).empty())
            return Error(Code::unimplemented,
                         "A header you provided implies functionality that is not implemented: " +
                             std::string(name),
                         "NotImplemented");
    TARN_CHECK_OK(exchange.store().remove(exchange.caller, exchange.bucket(), exchange.key(),
                                          conditions.if_match));
    return exchange.respond(204);
}

Status delete_objects(Exchange& exchange) {
    TARN_TRY(document, read_document(exchange, kDeleteObjectsBodyMax, true));
    TARN_TRY(body, parse_delete_objects(document));
    TARN_CHECK_OK(exchange.store().head_bucket(exchange.bucket()));
    TARN_TRY(outcomes, remove_all(exchange, body.objects));
    XmlWriter xml("DeleteResult");
    for (size_t i = 0; i < outcomes.size(); ++i) {
        const auto& object = body.objects[i];
        if (outcomes[i].error_reason) {
            add_error(xml, object, *outcomes[i].error_reason, outcomes[i].error_message);
        } else if (!body.quiet) {
            xml.open("Deleted").element("Key", object.key);
            if (!object.version_id.empty()) xml.element("VersionId", object.version_id);
            xml.close();
        }
    }
    return exchange.respond_xml(xml.finish());
}

}  // namespace tarn::s3

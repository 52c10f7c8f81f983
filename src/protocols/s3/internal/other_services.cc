#include "protocols/s3/internal/other_services.h"

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "protocols/s3/internal/describe.h"
#include "protocols/s3/internal/xml_writer.h"
#include "security/sigv4.h"

namespace tarn::s3 {

namespace {

/// The service in the signature's scope, unchecked; empty when there is none.
std::string claimed_service(const http::Request& request) {
    // The usual case is told by one look.
    if (request.header("authorization").find("/s3/aws4_request") != std::string_view::npos)
        return "s3";
    auto scope = security::claimed_scope(describe(request));
    return scope ? scope->service : std::string();
}

}  // namespace

bool answer_other_service(const http::Request& request, http::Responder& responder) {
    auto target = request.header("x-amz-target");
    auto service = claimed_service(request);
    if (target.empty() && (service.empty() || service == "s3")) return false;
    auto id = random_uuid();
    http::ResponseHeaders headers;
    headers.add("x-amzn-RequestId", id);
    // The answer can't be delivered to a peer that has gone; there is nothing else to do.
    if (!target.empty()) {
        headers.add("Content-Type", "application/x-amz-json-1.1");
        auto body = nlohmann::json{{"__type", "UnknownOperationException"},
                                   {"message", std::string(target) + " is not implemented"}}
                        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        (void)responder.respond(400, headers, std::move(body)).ok();
        return true;
    }
    headers.add("Content-Type", "text/xml");
    XmlWriter xml("ErrorResponse", false);
    xml.open("Error").element("Type", "Sender").element("Code", "InvalidAction");
    xml.element("Message", "The service " + service + " is not implemented")
        .close()
        .element("RequestId", id);
    (void)responder.respond(400, headers, xml.finish()).ok();
    return true;
}

}  // namespace tarn::s3

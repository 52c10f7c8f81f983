#include "protocols/s3/internal/exchange.h"

#include "base/log.h"
#include "base/random.h"
#include "protocols/s3/internal/errors.h"

namespace tarn::s3 {

namespace {

std::string upper_hex_id() {
    auto id = random_hex(8);
    for (char& c : id)
        if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    return id;
}

/// The keys that policies may speak about besides those made from the caller (IAM: "Actions,
/// resources, and condition keys for Amazon S3").
security::ConditionKeys condition_keys(const Exchange& exchange) {
    security::ConditionKeys keys;
    auto add_query = [&](std::string_view parameter, const char* key) {
        if (auto value = exchange.query(parameter)) keys[key] = {*value};
    };
    auto add_header = [&](std::string_view header, const char* key) {
        if (auto value = exchange.header(header); !value.empty()) keys[key] = {std::string(value)};
    };
    if (exchange.address.key.empty()) {
        add_query("prefix", "s3:prefix");
        add_query("delimiter", "s3:delimiter");
        add_query("max-keys", "s3:max-keys");
    } else {
        add_header("x-amz-acl", "s3:x-amz-acl");
        add_header("x-amz-copy-source", "s3:x-amz-copy-source");
        add_header("x-amz-metadata-directive", "s3:x-amz-metadata-directive");
        add_header("x-amz-storage-class", "s3:x-amz-storage-class");
        add_header("if-match", "s3:if-match");
        add_header("if-none-match", "s3:if-none-match");
    }
    add_header("x-amz-content-sha256", "s3:x-amz-content-sha256");
    keys["s3:authType"] = {exchange.signature.presigned ? "REST-QUERY-STRING" : "REST-HEADER"};
    keys["s3:signatureversion"] = {"AWS4-HMAC-SHA256"};
    return keys;
}

}  // namespace

std::string resource_arn(std::string_view bucket, std::string_view key) {
    if (bucket.empty()) return "*";
    std::string arn = "arn:aws:s3:::";
    arn += bucket;
    if (!key.empty()) {
        arn += '/';
        arn += key;
    }
    return arn;
}

Status check_version_id(std::string_view version_id) {
    if (version_id.empty() || version_id == "null") return ok_status();
    return Error(Code::not_found, "The specified version does not exist.", "NoSuchVersion");
}

Exchange::Exchange(const Context& context, http::Request& request, http::Responder& responder,
                   Conclude conclude)
    : context_(context),
      request_(request),
      responder_(responder),
      conclude_(std::move(conclude)),
      started_(context.parts.clock.steady()) {
    caller.request_id = upper_hex_id();
    caller.door = "s3";
    caller.source_ip = request.peer().address;
    caller.user_agent = request.header("user-agent");
    caller.secure_transport = request.peer().secure;
    caller.at = context.parts.clock.now();
}

Status Exchange::authorize(std::string_view action, Access access, std::string_view in_bucket,
                           std::string_view of_key) const {
    if (caller.principal.is_root()) {
        // The keys below cost more than the question where the answer is always yes.
        TARN_CHECK_OK(
            context_.parts.authorizer.decide(caller, action, resource_arn(in_bucket, of_key)));
    } else {
        TARN_CHECK_OK(context_.parts.authorizer.decide(
            caller, action, resource_arn(in_bucket, of_key), condition_keys(*this)));
    }
    if (context_.options.guard && !in_bucket.empty())
        return context_.options.guard(caller, access, in_bucket, of_key);
    return ok_status();
}

void Exchange::add_ids(http::ResponseHeaders& headers) const {
    headers.add("x-amz-request-id", caller.request_id);
    headers.add("x-amz-id-2", context_.host_id);
    headers.add("Server", "Tarn");
}

Status Exchange::record_read(uint64_t bytes) {
    // The object store put the record of a change into the change's own batch.
    bool reads = operation && (operation->method == "GET" || operation->method == "HEAD");
    if (!reads || !context_.parts.audit) return ok_status();
    security::AuditResult result;
    result.bytes = bytes;
    return context_.parts.audit->record(caller, result);
}

Status Exchange::respond(int status, http::ResponseHeaders headers, std::string body) {
    TARN_CHECK_OK(record_read(body.size()));
    add_ids(headers);
    status_ = status;
    return responder_.respond(status, headers, std::move(body));
}

Status Exchange::respond_xml(std::string document, http::ResponseHeaders headers) {
    headers.add("Content-Type", "application/xml");
    return respond(200, std::move(headers), std::move(document));
}

Status Exchange::send_head(int status, http::ResponseHeaders headers, uint64_t length) {
    TARN_CHECK_OK(record_read(length));
    add_ids(headers);
    status_ = status;
    return responder_.send_head(status, headers, length);
}

std::function<void(Exchange::Rest)> Exchange::suspend() {
    suspended_ = true;
    return [self = shared_from_this(), waiting = responder_.suspend()](Rest rest) {
        waiting->resume([self, rest = std::move(rest)] { self->conclude_(*self, rest(*self)); });
    };
}

void Exchange::record_failure(const Error& error, std::string_view resource) const {
    if (!context_.parts.audit) return;
    auto result = security::AuditResult::of(Status(error));
    result.error_code = s3_error(error).code;
    auto asker = caller;
    asker.resource = resource;
    if (auto recorded = context_.parts.audit->record(asker, result); !recorded.ok())
        log_warning("s3", "a failed request is not on record",
                    {{"request_id", caller.request_id}, {"error", recorded.error().message}});
}

void Exchange::fail(const Error& error) {
    auto kind = s3_error(error);
    record_failure(error, caller.resource);
    if (kind.status >= 500 && error.code != Code::unimplemented && error.code != Code::exhausted)
        log_error("s3", "request failed",
                  {{"request_id", caller.request_id},
                   {"operation", operation ? operation->name : std::string_view("unknown")},
                   {"error", error.message}});
    if (status_ != 0) return;  // the answer had begun: ending here aborts the connection
    http::ResponseHeaders headers;
    headers.add("Content-Type", "application/xml");
    add_ids(headers);
    status_ = kind.status;
    auto body = request_.method() == "HEAD" || kind.status == 304
                    ? std::string()
                    : error_body(kind, error, request_.path(), caller.request_id, context_.host_id);
    // The peer may have gone; there is nobody left to tell.
    (void)responder_.respond(kind.status, headers, std::move(body)).ok();
}

}  // namespace tarn::s3

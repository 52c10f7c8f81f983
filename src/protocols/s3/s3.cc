// The dispatch: every request takes the same way from its signature to its audit record.
#include "protocols/s3/s3.h"

#include <array>
#include <mutex>

#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "protocols/s3/internal/describe.h"
#include "protocols/s3/internal/errors.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/operations.h"
#include "protocols/s3/internal/other_services.h"

namespace tarn::s3 {

namespace {

Target target_of(const Address& address) {
    if (address.bucket.empty()) return Target::service;
    return address.key.empty() ? Target::bucket : Target::object;
}

Access access_of(const Operation& operation) {
    if (operation.method != "GET" && operation.method != "HEAD") return Access::write;
    return operation.target == Target::object ? Access::read : Access::list;
}

/// Names the operation first, so that a refused request too is on record with what it wanted.
Status authenticate(Exchange& exchange) {
    auto& request = exchange.request();
    TARN_TRY(address, parse_address(request.host(), request.path(),
                                    exchange.context().options.base_domains));
    exchange.address = std::move(address);
    auto found =
        find_operation({request.method(), target_of(exchange.address),
                        [&](std::string_view name) {
                            return !request.query().empty() && request.has_query_parameter(name);
                        },
                        [&](std::string_view name) { return request.headers().has(name); }});
    if (found.ok()) {
        exchange.operation = found.value();
        exchange.caller.action = exchange.operation->action;
    }
    exchange.caller.resource = resource_arn(exchange.bucket(), exchange.key());
    // A form's signature is among its fields, which are not read.
    if (found.ok() && exchange.operation->name == "PostObject")
        return Error(Code::unimplemented, "PostObject is not implemented", "NotImplemented");
    TARN_TRY(known, exchange.context().parts.authenticator.authenticate(describe(request), {"s3"}));
    exchange.caller.principal = std::move(known.principal);
    exchange.signature = std::move(known.signature);
    return found.ok() ? ok_status() : Status(std::move(found).error());
}

/// S3 tells that a key is missing only to those who may list the bucket.
Status hide_missing_key(const Exchange& exchange, Status status) {
    if (status.ok() || status.error().reason != "NoSuchKey" || exchange.caller.principal.is_root())
        return status;
    const auto& bucket =
        exchange.source_bucket.empty() ? exchange.bucket() : exchange.source_bucket;
    if (exchange.authorize("s3:ListBucket", Access::list, bucket, "").ok()) return status;
    return Error(Code::permission_denied, "Access Denied", "AccessDenied");
}

Status run(Exchange& exchange) {
    TARN_CHECK_OK(authenticate(exchange));
    const auto& operation = *exchange.operation;
    TARN_CHECK_OK(check_expected_owner(exchange));
    // DeleteObjects asks for each of its keys.
    if (operation.name != "DeleteObjects")
        TARN_CHECK_OK(exchange.authorize(operation.action, access_of(operation), exchange.bucket(),
                                         exchange.key()));
    if (!operation.handler)
        return Error(Code::unimplemented, std::string(operation.name) + " is not implemented",
                     "NotImplemented");
    return operation.handler(exchange);
}

/// The figures of one operation, made when it is first used.
class OperationMetrics {
 public:
    void count(Metrics& metrics, std::string_view operation, int status, double seconds) {
        std::call_once(made_, [&] { make(metrics, std::string(operation)); });
        auto family = status >= 100 && status < 600 ? static_cast<size_t>(status / 100) : 5;
        requests_[family]->add();
        seconds_->observe(seconds);
    }

 private:
    void make(Metrics& metrics, const std::string& operation) {
        static constexpr const char* kFamilies[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
        for (size_t i = 0; i < requests_.size(); ++i)
            requests_[i] = &metrics.counter("tarn_s3_requests_total", "Requests at the S3 door",
                                            {{"operation", operation}, {"status", kFamilies[i]}});
        seconds_ = &metrics.histogram("tarn_s3_request_seconds",
                                      "From a request's head to the end of its answer",
                                      latency_bounds(), {{"operation", operation}});
    }

    std::once_flag made_;
    std::array<Counter*, 6> requests_{};
    Histogram* seconds_ = nullptr;
};

}  // namespace

struct Door::State {
    State(DoorParts parts, DoorOptions options)
        : context{parts, std::move(options), {}, codec::base64url_encode(random_bytes(32))},
          metrics(operations().size()) {
        context.owner_id =
            codec::hex_encode(codec::sha256("tarn account " + context.options.account_id));
    }

    OperationMetrics& metrics_of(const Operation* operation) {
        return operation ? metrics[static_cast<size_t>(operation - operations().data())] : unknown;
    }

    /// Tells the peer of a failure, and counts the request.
    void conclude(Exchange& exchange, Status status) {
        status = hide_missing_key(exchange, std::move(status));
        if (!status.ok()) exchange.fail(status.error());
        const auto& parts = context.parts;
        const auto took = parts.clock.steady() - exchange.started();
        metrics_of(exchange.operation)
            .count(parts.metrics, exchange.operation ? exchange.operation->name : "unknown",
                   exchange.status(), std::chrono::duration<double>(took).count());
    }

    Context context;
    std::vector<OperationMetrics> metrics;
    OperationMetrics unknown;
};

Door::Door(DoorParts parts, DoorOptions options)
    : state_(std::make_unique<State>(parts, std::move(options))) {}
Door::~Door() = default;

void Door::handle(http::Request& request, http::Responder& responder) {
    if (answer_other_service(request, responder)) return;
    const auto exchange = std::make_shared<Exchange>(
        state_->context, request, responder,
        [state = state_.get()](Exchange& ended, Status status) {
            state->conclude(ended, std::move(status));
        });
    auto status = run(*exchange);
    if (!exchange->suspended()) state_->conclude(*exchange, std::move(status));
}

http::Response Door::refuse(const http::Refusal& refusal) const {
    S3Error kind{"BadRequest", refusal.status};
    switch (refusal.kind) {
        case http::Refusal::Kind::busy:
            kind = {"SlowDown", 503};
            break;
        case http::Refusal::Kind::timeout:
            kind = {"RequestTimeout", 400};
            break;
        case http::Refusal::Kind::malformed:
            if (refusal.status == 501) kind.code = "NotImplemented";
            if (refusal.status == 431 || refusal.status == 414)
                kind.code = "RequestHeaderSectionTooLarge";
            break;
    }
    auto request_id = random_hex(8);
    http::Response response;
    response.status = kind.status;
    response.headers.add("Content-Type", "application/xml").add("x-amz-request-id", request_id);
    response.body = error_body(kind, Error(Code::invalid_argument, std::string(refusal.message)),
                               refusal.head ? refusal.head->path() : std::string_view(), request_id,
                               state_->context.host_id);
    return response;
}

}  // namespace tarn::s3

// PutObject: small bodies go to the store in one call, large ones stream.
#include <algorithm>

#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/upload.h"

namespace tarn::s3 {

namespace {

Status answer_stored(Exchange& exchange, const objects::ObjectInfo& stored) {
    http::ResponseHeaders headers;
    headers.add("ETag", quoted(stored.etag));
    add_checksum_headers(headers, stored.checksums, 0);
    return exchange.respond(200, std::move(headers));
}

/// Most puts are small and wait for the log and for nothing else: they hold no thread meanwhile.
Status put_small(Exchange& exchange, std::string bytes, objects::PutOptions options) {
    auto waiting = exchange.suspend();
    exchange.store().start_put(
        exchange.caller, exchange.bucket(), exchange.key(), std::move(bytes), std::move(options),
        [waiting = std::move(waiting)](std::shared_ptr<objects::StartedPut> put) {
            waiting([put = std::move(put)](Exchange& resumed) -> Status {
                TARN_TRY(stored, put->finish());
                return answer_stored(resumed, stored);
            });
        });
    return ok_status();
}

}  // namespace

Status put_object(Exchange& exchange) {
    TARN_TRY(incoming, Incoming::open(exchange));
    TARN_TRY(metadata, metadata_of(exchange.request()));
    if (!metadata.tags.empty())
        TARN_CHECK_OK(exchange.authorize("s3:PutObjectTagging", Access::write, exchange.bucket(),
                                         exchange.key()));
    TARN_TRY(conditions, write_conditions(exchange.request()));
    auto options = incoming.options();
    options.metadata = std::move(metadata);
    options.conditions = std::move(conditions);

    if (incoming.is_small()) {
        TARN_TRY(bytes, incoming.read_small(options));
        return put_small(exchange, std::move(bytes), std::move(options));
    }
    TARN_TRY(upload, exchange.store().begin_put(exchange.caller, exchange.bucket(), exchange.key(),
                                                std::move(options)));
    TARN_TRY(stored, incoming.stream_into(*upload));
    return answer_stored(exchange, stored);
}

}  // namespace tarn::s3

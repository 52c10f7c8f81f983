// PutObject: small bodies go to the store in one call, large ones stream.
#include <algorithm>

#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/upload.h"

namespace tarn::s3 {

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

    objects::ObjectInfo stored;
    if (incoming.is_small()) {
        TARN_TRY(bytes, incoming.read_small(options));
        TARN_TRY(info, exchange.store().put(exchange.caller, exchange.bucket(), exchange.key(),
                                            bytes, std::move(options)));
        stored = std::move(info);
    } else {
        TARN_TRY(upload, exchange.store().begin_put(exchange.caller, exchange.bucket(),
                                                    exchange.key(), std::move(options)));
        TARN_TRY(info, incoming.stream_into(*upload));
        stored = std::move(info);
    }
    http::ResponseHeaders headers;
    headers.add("ETag", quoted(stored.etag));
    add_checksum_headers(headers, stored.checksums, 0);
    return exchange.respond(200, std::move(headers));
}

}  // namespace tarn::s3

// GetObject and HeadObject: conditions, ranges, parts.
#include <algorithm>

#include "codec/text.h"
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"
#include "protocols/s3/internal/handlers.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/range.h"

namespace tarn::s3 {

namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

/// Which bytes of the object are asked for.
struct Selection {
    ByteRange range;
    bool partial = false;
    const objects::PartInfo* part = nullptr;  // when a part was asked for by number
};

Result<Selection> select_part(Exchange& exchange, std::string_view text,
                              const objects::ObjectInfo& info) {
    auto number = parse_number(text);
    if (!number || *number < 1 || *number > objects::kPartsMax)
        return Error(Code::invalid_argument,
                     "Part number must be an integer between 1 and 10000, inclusive",
                     "InvalidArgument");
    if (!exchange.header("range").empty())
        return Error(Code::invalid_argument,
                     "Cannot specify both Range header and partNumber query parameter",
                     "InvalidRequest");
    if (info.parts.empty() && *number == 1)
        return Selection{{0, info.size}, info.size > 0, nullptr};
    uint64_t offset = 0;
    for (const auto& part : info.parts) {
        if (part.number == *number) return Selection{{offset, part.size}, true, &part};
        offset += part.size;
    }
    return Error(Code::out_of_range, "The requested partnumber is not satisfiable",
                 "InvalidPartNumber");
}

Result<Selection> select(Exchange& exchange, const objects::ObjectInfo& info) {
    if (auto part = exchange.query("partNumber")) return select_part(exchange, *part, info);
    Selection whole{{0, info.size}, false, nullptr};
    auto header = exchange.header("range");
    if (header.empty() || !if_range_holds(exchange.header("if-range"), info.etag, info.modified))
        return whole;
    TARN_TRY(range, parse_range(header, info.size));
    if (!range) return whole;
    return Selection{*range, true, nullptr};
}

void add_checksums(const Exchange& exchange, const objects::ObjectInfo& info,
                   const Selection& selection, http::ResponseHeaders& headers) {
    if (!http::equal_ignoring_case(exchange.header("x-amz-checksum-mode"), "ENABLED")) return;
    if (selection.part) {
        // The part's own value, under the type of the whole.
        if (!selection.part->checksum || info.checksums.empty()) return;
        const auto& checksum = *selection.part->checksum;
        headers.add(header_of(checksum.algorithm), codec::base64_encode(checksum.value));
        headers.add("x-amz-checksum-type", type_word(info.checksums.front().type));
    } else if (!selection.partial || selection.range.length == info.size) {
        add_checksum_headers(headers, info.checksums, info.parts.size());
    }
}

/// 304 tells what a cache needs to know and has no body.
Status not_modified(Exchange& exchange, const objects::ObjectInfo& info) {
    http::ResponseHeaders headers;
    headers.add("ETag", quoted(info.etag)).add("Last-Modified", format_http_date(info.modified));
    if (!info.metadata.headers.cache_control.empty())
        headers.add("Cache-Control", info.metadata.headers.cache_control);
    if (!info.metadata.headers.expires.empty())
        headers.add("Expires", info.metadata.headers.expires);
    return exchange.respond(304, std::move(headers));
}

Status check_request(Exchange& exchange) {
    TARN_CHECK_OK(check_version_id(exchange.query("versionId").value_or("")));
    if (!exchange.header("x-amz-server-side-encryption-customer-algorithm").empty())
        return Error(Code::invalid_argument,
                     "The encryption parameters are not applicable to this object.",
                     "InvalidRequest");
    return ok_status();
}

/// Sends the chosen bytes; the first piece is read before the head leaves, so that a damaged object
/// is a clean error.
Status send_bytes(Exchange& exchange, const objects::ObjectReader& reader, ByteRange range,
                  int status, http::ResponseHeaders headers) {
    TARN_TRY(piece, reader.read(range.offset, std::min(range.length, kPieceBytes)));
    if (piece.size() == range.length)
        return exchange.respond(status, std::move(headers), std::move(piece));
    TARN_CHECK_OK(exchange.send_head(status, std::move(headers), range.length));
    uint64_t sent = 0;
    while (true) {
        if (piece.empty()) return Error(Code::corrupted, "an object's bytes end before its size");
        sent += piece.size();
        TARN_CHECK_OK(exchange.write(std::move(piece)));
        if (sent >= range.length) return exchange.end();
        TARN_TRY(next,
                 reader.read(range.offset + sent, std::min(range.length - sent, kPieceBytes)));
        piece = std::move(next);
    }
}

/// What GET and HEAD have in common: the verdict on conditions, the selection, the headers.
/// `send(selection, status, headers)` answers.
template <typename Send>
Status answer(Exchange& exchange, const objects::ObjectInfo& info, Send send) {
    switch (check_conditions(read_conditions(exchange.request()), info.etag, info.modified)) {
        case Verdict::proceed:
            break;
        case Verdict::not_modified:
            return not_modified(exchange, info);
        case Verdict::precondition_failed:
            return Error(Code::precondition_failed,
                         "At least one of the pre-conditions you specified did not hold",
                         "PreconditionFailed");
    }
    TARN_TRY(selection, select(exchange, info));
    TARN_TRY(headers, object_headers(exchange, info));
    if (selection.partial)
        headers.add("Content-Range",
                    "bytes " + std::to_string(selection.range.offset) + "-" +
                        std::to_string(selection.range.offset + selection.range.length - 1) + "/" +
                        std::to_string(info.size));
    if (!info.parts.empty() && exchange.query("partNumber"))
        headers.add("x-amz-mp-parts-count", std::to_string(info.parts.size()));
    add_checksums(exchange, info, selection, headers);
    return send(selection, selection.partial ? 206 : 200, std::move(headers));
}

}  // namespace

Status get_object(Exchange& exchange) {
    TARN_CHECK_OK(check_request(exchange));
    TARN_TRY(reader, exchange.store().open(exchange.bucket(), exchange.key()));
    return answer(exchange, reader->info(),
                  [&](const Selection& selection, int status, http::ResponseHeaders headers) {
                      return send_bytes(exchange, *reader, selection.range, status,
                                        std::move(headers));
                  });
}

Status head_object(Exchange& exchange) {
    TARN_CHECK_OK(check_request(exchange));
    TARN_TRY(info, exchange.store().head(exchange.bucket(), exchange.key()));
    return answer(
        exchange, info,
        [&](const Selection& selection, int status, http::ResponseHeaders headers) -> Status {
            TARN_CHECK_OK(exchange.send_head(status, std::move(headers), selection.range.length));
            return exchange.end();
        });
}

}  // namespace tarn::s3

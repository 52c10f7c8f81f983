#include "protocols/s3/internal/body.h"

#include "base/bytes.h"
#include "codec/text.h"
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/range.h"

namespace tarn::s3 {

namespace {

constexpr size_t kReadBytes = 256 << 10;

bool is_chunked(security::PayloadKind kind) {
    switch (kind) {
        case security::PayloadKind::hash:
        case security::PayloadKind::unsigned_payload:
            return false;
        case security::PayloadKind::chunks_signed:
        case security::PayloadKind::chunks_signed_trailer:
        case security::PayloadKind::chunks_unsigned_trailer:
            return true;
    }
    return false;
}

std::vector<std::string> names_in(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        auto comma = list.find(',');
        std::string name;
        for (char c : list.substr(0, comma))
            if (c != ' ') name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        if (!name.empty()) names.push_back(std::move(name));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return names;
}

}  // namespace

Result<std::unique_ptr<Body>> Body::open(Exchange& exchange) {
    std::unique_ptr<Body> body(new Body(exchange));
    const auto& request = exchange.request();
    const auto& signature = exchange.signature;
    if (is_chunked(signature.payload)) {
        body->size_ = parse_number(request.header("x-amz-decoded-content-length"));
        if (!body->size_)
            return Error(Code::invalid_argument, "You must provide the Content-Length HTTP header.",
                         "MissingContentLength");
        body->decoder_.emplace(
            security::AwsChunkedOptions{signature.payload, signature.signing, *body->size_,
                                        names_in(request.header("x-amz-trailer"))});
    } else {
        body->size_ = request.content_length();
        if (!body->size_ && !request.head().chunked) {
            if (request.method() == "PUT" && exchange.operation &&
                (exchange.operation->name == "PutObject" ||
                 exchange.operation->name == "UploadPart"))
                return Error(Code::invalid_argument,
                             "You must provide the Content-Length HTTP header.",
                             "MissingContentLength");
            body->size_ = 0;
        }
        if (signature.payload == security::PayloadKind::hash)
            body->hasher_.emplace(codec::HashKind::sha256);
    }
    return body;
}

Status Body::next(std::vector<std::string_view>& pieces) {
    pieces.clear();
    while (!ended_ && pieces.empty()) {
        TARN_TRY(bytes, exchange_.request().read(kReadBytes));
        buffer_ = std::move(bytes);
        ended_ = buffer_.empty();
        if (ended_) break;
        if (decoder_) {
            TARN_CHECK_OK(decoder_->push(buffer_, pieces));
        } else {
            if (hasher_) hasher_->update(buffer_);
            pieces.push_back(buffer_);
        }
    }
    return ok_status();
}

Status Body::finish() {
    if (decoder_) return decoder_->finish();
    if (!hasher_) return ok_status();
    if (equal_constant_time(codec::hex_encode(hasher_->finish()),
                            exchange_.signature.payload_sha256))
        return ok_status();
    return Error(Code::invalid_argument,
                 "The provided 'x-amz-content-sha256' header does not match what was computed.",
                 "XAmzContentSHA256Mismatch");
}

const security::Headers& Body::trailers() const {
    static const security::Headers kNone;
    return decoder_ ? decoder_->trailers() : kNone;
}

Result<std::string> Body::read_all(size_t bytes_max) {
    std::string whole;
    std::vector<std::string_view> pieces;
    while (true) {
        TARN_CHECK_OK(next(pieces));
        if (pieces.empty()) break;
        // The usual case: all of it in one piece, taken instead of copied.
        if (whole.empty() && pieces.size() == 1 && pieces[0].size() == buffer_.size() &&
            buffer_.size() <= bytes_max) {
            whole = std::move(buffer_);
            continue;
        }
        for (auto piece : pieces) {
            if (whole.size() + piece.size() > bytes_max)
                return Error(Code::invalid_argument,
                             "Your proposed upload exceeds the maximum allowed size",
                             "EntityTooLarge");
            whole += piece;
        }
    }
    TARN_CHECK_OK(finish());
    return whole;
}

Result<std::string> read_document(Exchange& exchange, size_t bytes_max, bool digest_required) {
    TARN_TRY(promised, request_checksum(exchange.request()));
    if (digest_required && !promised.any())
        return Error(Code::invalid_argument,
                     "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
                     "InvalidRequest");
    TARN_TRY(body, Body::open(exchange));
    TARN_TRY(document, body->read_all(bytes_max));
    Error mismatch(Code::invalid_argument,
                   "The Content-MD5 or checksum you specified did not match what we received.",
                   "BadDigest");
    if (promised.content_md5 && *promised.content_md5 != codec::md5(document)) return mismatch;
    if (promised.in_trailer) {
        TARN_TRY(came, trailer_checksum(*promised.in_trailer, body->trailers()));
        promised.expected = std::move(came);
    }
    if (promised.expected &&
        compute_checksum(promised.expected->algorithm, document).value != promised.expected->value)
        return mismatch;
    return document;
}

}  // namespace tarn::s3

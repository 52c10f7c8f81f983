#include "protocols/s3/internal/upload.h"

namespace tarn::s3 {

namespace {
/// Read whole before the store sees a byte.
constexpr uint64_t kSmallBytes = 128 << 10;
}  // namespace

Result<Incoming> Incoming::open(Exchange& exchange) {
    TARN_TRY(promised, request_checksum(exchange.request()));
    TARN_TRY(body, Body::open(exchange));
    if (body->size().value_or(0) > objects::kPutBytesMax)
        return Error(Code::invalid_argument,
                     "Your proposed upload exceeds the maximum allowed size", "EntityTooLarge");
    return Incoming(std::move(promised), std::move(body));
}

objects::PutOptions Incoming::options() const {
    objects::PutOptions options;
    options.size = body_->size();
    options.content_md5 = promised_.content_md5;
    if (promised_.expected) options.expected.push_back(*promised_.expected);
    if (promised_.in_trailer) options.compute.push_back(*promised_.in_trailer);
    // Every object has a checksum that reading can be checked against; this one costs next to
    // nothing.
    if (!promised_.expected && !promised_.in_trailer)
        options.compute.push_back(objects::ChecksumAlgorithm::crc64nvme);
    return options;
}

bool Incoming::is_small() const {
    return body_->size() && *body_->size() <= kSmallBytes;
}

Result<std::string> Incoming::read_small(objects::PutOptions& options) {
    TARN_TRY(bytes, body_->read_all(kSmallBytes));
    if (promised_.in_trailer) {
        TARN_TRY(checksum, trailer_checksum(*promised_.in_trailer, body_->trailers()));
        options.compute.clear();
        options.expected.push_back(std::move(checksum));
    }
    return bytes;
}

Result<std::vector<objects::Checksum>> Incoming::finish_body() {
    TARN_CHECK_OK(body_->finish());
    std::vector<objects::Checksum> trailer;
    if (promised_.in_trailer) {
        TARN_TRY(checksum, trailer_checksum(*promised_.in_trailer, body_->trailers()));
        trailer.push_back(std::move(checksum));
    }
    return trailer;
}

}  // namespace tarn::s3

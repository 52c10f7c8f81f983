#include "objects/internal/intake.h"

#include <fmt/format.h>

#include "codec/text.h"
#include "objects/store.h"

namespace tarn::objects::internal {
namespace {

std::vector<ChecksumAlgorithm> algorithms_of(const IntakeOptions& options) {
    auto algorithms = options.compute;
    for (const auto& checksum : options.expected) algorithms.push_back(checksum.algorithm);
    if (algorithms.empty() && !options.etag_is_md5)
        algorithms.push_back(ChecksumAlgorithm::crc64nvme);
    return algorithms;
}

Error too_large(uint64_t bytes_max) {
    return {Code::invalid_argument,
            fmt::format("Your proposed upload exceeds the maximum allowed size of {} bytes.",
                        bytes_max),
            "EntityTooLarge"};
}

Error incomplete() {
    return {Code::invalid_argument,
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
            "IncompleteBody"};
}

}  // namespace

IntakeOptions intake_options(const PutOptions& options) {
    IntakeOptions intake;
    intake.size = options.size;
    intake.content_md5 = options.content_md5;
    intake.compute = options.compute;
    intake.expected = options.expected;
    intake.etag_is_md5 = options.etag_is_md5 || options.content_md5;
    intake.bytes_max = kPutBytesMax;
    return intake;
}

Status check_intake(const IntakeOptions& options) {
    if (options.size && *options.size > options.bytes_max) return too_large(options.bytes_max);
    if (options.content_md5 && options.content_md5->size() != 16)
        return Error(Code::invalid_argument, "The Content-MD5 you specified is not valid.",
                     "InvalidDigest");
    for (const auto& checksum : options.expected)
        if (checksum.value.size() != checksum_bytes(checksum.algorithm))
            return Error(Code::invalid_argument,
                         "Value for x-amz-checksum-" +
                             std::string(checksum_name(checksum.algorithm)) + " header is invalid.",
                         "InvalidRequest");
    return {};
}

Intake::Intake(BytesBackend& bytes, IntakeOptions options)
    : bytes_(bytes),
      options_(std::move(options)),
      digests_(algorithms_of(options_), options_.etag_is_md5, options_.size) {}

Status Intake::count(std::string_view piece) {
    if (piece.size() > options_.bytes_max - size_) return too_large(options_.bytes_max);
    if (options_.size && piece.size() > *options_.size - size_) return incomplete();
    size_ += piece.size();
    return {};
}

Status Intake::write_whole(std::string body) {
    TARN_ASSERT(size_ == 0);
    if (body.size() > options_.inline_bytes_max) return write(body);
    TARN_CHECK_OK(count(body));
    body_ = std::move(body);
    return {};
}

Status Intake::write(std::string_view piece) {
    TARN_CHECK_OK(count(piece));
    if (!out_ && size_ <= options_.inline_bytes_max) {
        body_.append(piece);
        return {};
    }
    if (!out_) TARN_CHECK_OK(begin_streaming());
    return gather(piece);
}

Status Intake::begin_streaming() {
    TARN_TRY(out, bytes_.begin(options_.size));
    out_ = std::move(out);
    gathered_ = buffers_.emplace(kAppendBytes).take();
    return gather(std::exchange(body_, {}));
}

Status Intake::gather(std::string_view piece) {
    while (!piece.empty()) {
        const auto taken = piece.substr(0, kAppendBytes - gathered_->size());
        gathered_->append(taken);
        piece.remove_prefix(taken.size());
        if (gathered_->size() < kAppendBytes) break;
        std::shared_ptr<const PieceBytes> full = std::exchange(gathered_, buffers_->take());
        digests_.update(full);
        TARN_CHECK_OK(out_->append(std::move(full)));
    }
    return {};
}

Status Intake::finish(const std::vector<Checksum>& trailer) {
    if (options_.size && size_ != *options_.size) return incomplete();
    if (!out_) {
        digests_.update_whole(body_);
    } else {
        digests_.update(gathered_);
        TARN_CHECK_OK(out_->seal(*gathered_));  // beside the digests of what came last
    }
    values_ = digests_.finish();
    return verify(trailer);
}

Status Intake::verify(const std::vector<Checksum>& trailer) {
    if (options_.content_md5 && *options_.content_md5 != values_.md5)
        return Error(Code::invalid_argument,
                     "The Content-MD5 you specified did not match what we received.", "BadDigest");
    TARN_CHECK_OK(verify_checksums(options_.expected, values_.checksums));
    return verify_checksums(trailer, values_.checksums);
}

std::string Intake::etag() const {
    if (options_.etag_is_md5) return codec::hex_encode(values_.md5);
    std::string all = std::to_string(size_);
    for (const auto& checksum : values_.checksums) all += checksum.value;
    return codec::hex_encode(codec::md5(all)) + "-1";
}

std::vector<Piece> Intake::pieces() const {
    std::vector<Piece> pieces;
    if (out_)
        for (const auto& extent : out_->extents()) pieces.push_back({extent, 0, extent.length});
    return pieces;
}

void Intake::stage(meta::Batch& batch) const {
    if (out_) out_->stage(batch);
}

void Intake::kept() {
    if (out_) out_->kept();
}

}  // namespace tarn::objects::internal

// A body on its way into the store, for PutObject and UploadPart: what the client promised about
// it, and the bytes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/lane.h"
#include "base/result.h"
#include "objects/store.h"
#include "protocols/s3/internal/body.h"
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/exchange.h"

namespace tarn::s3 {

/// Owner: one request. Lane: the request's.
class Incoming {
 public:
    /// Errors as of request_checksum() and Body::open(); "EntityTooLarge".
    static Result<Incoming> open(Exchange& exchange);

    /// Size and digests, for the store to verify.
    objects::PutOptions options() const;
    bool is_small() const;
    /// Precondition: is_small(). The verified payload; a checksum from the trailer is added to
    /// `options`.
    Result<std::string> read_small(objects::PutOptions& options);

    /// Pumps the body into an objects::Upload or objects::PartUpload and finishes it once the
    /// signature was seen to fit.
    template <typename Upload>
    auto stream_into(Upload& upload) -> decltype(upload.finish()) {
        const PatientThread patient;
        std::vector<std::string_view> pieces;
        while (true) {
            TARN_CHECK_OK(body_->next(pieces));
            if (pieces.empty()) break;
            for (auto piece : pieces) TARN_CHECK_OK(upload.write(piece));
        }
        TARN_TRY(trailer, finish_body());
        return upload.finish(trailer);
    }

 private:
    Incoming(RequestChecksum promised, std::unique_ptr<Body> body)
        : promised_(std::move(promised)), body_(std::move(body)) {}
    Result<std::vector<objects::Checksum>> finish_body();

    RequestChecksum promised_;
    std::unique_ptr<Body> body_;
};

}  // namespace tarn::s3

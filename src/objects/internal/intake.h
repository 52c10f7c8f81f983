// A body on its way in: digests computed as it passes, kept in memory while small, streamed into
// extents from then on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/bytes.h"
#include "objects/internal/piece_buffers.h"
#include "objects/internal/record.h"
#include "objects/internal/stream_digests.h"

namespace tarn::objects::internal {

/// What the writer promised about the body, and how much of it may stay in memory.
struct IntakeOptions {
    std::optional<uint64_t> size;
    std::optional<std::string> content_md5;
    std::vector<ChecksumAlgorithm> compute;
    std::vector<Checksum> expected;
    bool etag_is_md5 = true;
    uint64_t inline_bytes_max = 0;
    uint64_t bytes_max = 0;
};

class Intake {
 public:
    Intake(BytesBackend& bytes, IntakeOptions options);

    Status write(std::string_view piece);
    /// A whole body in place of pieces: a small one is kept without a copy.
    Status write_whole(std::string body);
    /// Verifies and, for extents, makes durable. Once.
    Status finish(const std::vector<Checksum>& trailer);

    // After finish().
    uint64_t size() const { return size_; }
    const std::string& md5() const { return values_.md5; }
    /// Of an object with this body.
    std::string etag() const;
    const std::vector<Checksum>& checksums() const { return values_.checksums; }
    /// The body of a small object; empty when it went to extents.
    const std::string& inline_body() const { return body_; }
    std::vector<Piece> pieces() const;
    /// Adds what the backend needs to the batch that names the pieces.
    void stage(meta::Batch& batch) const;
    void kept();

 private:
    Status count(std::string_view piece);
    Status begin_streaming();
    Status gather(std::string_view piece);
    Status verify(const std::vector<Checksum>& trailer);

    BytesBackend& bytes_;
    const IntakeOptions options_;
    StreamDigests digests_;
    Digests::Values values_;
    uint64_t size_ = 0;
    std::string body_;
    // From begin_streaming() on.
    std::optional<PieceBuffers> buffers_;
    std::shared_ptr<PieceBytes> gathered_;
    std::unique_ptr<BytesWrite> out_;
};

/// What PutOptions say about the body.
IntakeOptions intake_options(const PutOptions& options);
/// InvalidDigest, InvalidRequest: promises that no body can keep.
Status check_intake(const IntakeOptions& options);

}  // namespace tarn::objects::internal

#include "objects/internal/stream_digests.h"

#include "base/assert.h"

namespace tarn::objects::internal {

namespace {
constexpr uint64_t kShortBytes = 4 << 20;  // not worth a thread
constexpr size_t kPiecesAhead = 8;         // MD5 is never without work while pieces come
}  // namespace

StreamDigests::StreamDigests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5,
                             std::optional<uint64_t> size)
    : checksums_(algorithms, false),
      md5_({}, with_md5),
      with_md5_(with_md5),
      is_long_(size.value_or(0) > kShortBytes) {}

void StreamDigests::update(std::shared_ptr<const PieceBytes> piece) {
    checksums_.update(*piece);
    if (!with_md5_) return;
    seen_ += piece->size();
    is_long_ = is_long_ || seen_ > kShortBytes;
    if (!is_long_) return md5_.update(*piece);
    if (!behind_) behind_ = std::make_unique<WorkBehind>(kPiecesAhead);
    const Status begun = behind_->begin([this, piece = std::move(piece)] {
        md5_.update(*piece);
        return ok_status();
    });
    TARN_ASSERT(begun.ok());
}

void StreamDigests::update_whole(std::string_view body) {
    TARN_ASSERT(!behind_);
    checksums_.update(body);
    md5_.update(body);
}

Digests::Values StreamDigests::finish() {
    if (behind_) TARN_ASSERT(behind_->wait().ok());
    auto values = checksums_.finish();
    values.md5 = md5_.finish().md5;
    return values;
}

}  // namespace tarn::objects::internal

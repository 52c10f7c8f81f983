#include "objects/internal/stream_digests.h"

#include "base/assert.h"

namespace tarn::objects::internal {

namespace {
constexpr uint64_t kAtOnceBytes = 4 << 20;  // shorter bodies are not worth a thread
constexpr size_t kPieceBytes = 512 << 10;   // two of them are in memory
}  // namespace

StreamDigests::StreamDigests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5)
    : digests_(algorithms, with_md5), slow_(with_md5) {}

void StreamDigests::update(std::string_view bytes) {
    seen_ += bytes.size();
    if (seen_ <= kAtOnceBytes || !slow_) {
        digests_.update(bytes);
        return;
    }
    gathered_.append(bytes);
    if (gathered_.size() >= kPieceBytes) hand_over();
}

void StreamDigests::hand_over() {
    if (!behind_) behind_ = std::make_unique<OneBehind>();
    TARN_ASSERT(behind_->wait().ok());
    std::swap(gathered_, under_way_);
    gathered_.clear();
    behind_->begin([this] {
        digests_.update(under_way_);
        return ok_status();
    });
}

Digests::Values StreamDigests::finish() {
    if (behind_) TARN_ASSERT(behind_->wait().ok());
    digests_.update(gathered_);
    return digests_.finish();
}

}  // namespace tarn::objects::internal

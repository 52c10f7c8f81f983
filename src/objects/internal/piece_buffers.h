// Buffers for the pieces of one body: several threads read a piece, and who lets it go last gives
// its memory back for the next one. Bodies of gigabytes would otherwise make and clear their own
// pages.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "objects/bytes.h"

namespace tarn::objects::internal {

class PieceBuffers {
 public:
    explicit PieceBuffers(size_t bytes) : bytes_(bytes) {}

    /// Empty, with room for a piece. May outlive this object. As many are made as are used at once.
    std::shared_ptr<PieceBytes> take() {
        auto buffer = std::make_unique<PieceBytes>();
        {
            const MutexLock lock(free_->mutex);
            if (!free_->buffers.empty()) {
                buffer = std::move(free_->buffers.back());
                free_->buffers.pop_back();
            }
        }
        buffer->reserve(bytes_);
        return {buffer.release(), [free = free_](PieceBytes* used) {
                    used->clear();
                    const MutexLock lock(free->mutex);
                    free->buffers.emplace_back(used);
                }};
    }

 private:
    struct Free {
        Mutex mutex;
        std::vector<std::unique_ptr<PieceBytes>> buffers TARN_GUARDED_BY(mutex);
    };
    const size_t bytes_;
    std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

}  // namespace tarn::objects::internal

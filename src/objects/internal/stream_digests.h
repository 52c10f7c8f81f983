// Digests of a body of any length as it passes. MD5 of a long one is computed by a thread beside:
// it alone takes longer than all else that is done with a byte, and would be waited for in turn.
// One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/work_behind.h"
#include "objects/bytes.h"
#include "objects/internal/digests.h"

namespace tarn::objects::internal {

class StreamDigests {
 public:
    /// `size`: of the whole, where it is known.
    StreamDigests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5,
                  std::optional<uint64_t> size);
    void update(std::shared_ptr<const PieceBytes> piece);
    /// Of a body that is in memory as a whole: no piece came before.
    void update_whole(std::string_view body);
    /// Once.
    Digests::Values finish();

 private:
    Digests checksums_;
    Digests md5_;  // the thread's, from the first piece that is handed over to finish()
    const bool with_md5_;
    bool is_long_;
    uint64_t seen_ = 0;
    std::unique_ptr<WorkBehind> behind_;  // of a long body; last, because it works with the above
};

}  // namespace tarn::objects::internal

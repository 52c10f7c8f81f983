// Digests of a body of any length as it passes. Those of a long one are computed by a thread beside:
// MD5 alone takes longer than all else that is done with a byte, and would be waited for in turn.
// One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/one_behind.h"
#include "objects/internal/digests.h"

namespace tarn::objects::internal {

class StreamDigests {
 public:
    StreamDigests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5);
    /// The bytes are not needed after it.
    void update(std::string_view bytes);
    /// Once.
    Digests::Values finish();

 private:
    void hand_over();

    Digests digests_;  // the thread's, from the first hand_over() to finish()
    const bool slow_;
    uint64_t seen_ = 0;
    std::string gathered_, under_way_;
    std::unique_ptr<OneBehind> behind_;  // of a long body; last, because it works with the above
};

}  // namespace tarn::objects::internal

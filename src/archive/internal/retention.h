// Which points stay at a destination, and the space of what no point needs any more.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "archive/destination.h"
#include "base/time.h"

namespace tarn::archive {

inline constexpr std::chrono::hours kForEver{24 * 365 * 1000};

struct Retention {
    uint64_t keep_backups = 0;                // the newest so many; 0: all
    std::chrono::hours keep_archive{7 * 24};  // the archive's points that are needed for this long
    std::chrono::hours keep_tails{24};        // of them, each second
};

struct Expired {
    uint64_t points = 0;
    uint64_t tails = 0;  // points that lost their tails
    uint64_t pieces = 0;
    uint64_t bytes = 0;
};

/// Removes what the rule no longer keeps, manifests first. A state is reached from the point before
/// it, so the newest point older than the rule's time stays. The newest point of each kind always
/// stays. With `sweep`, pieces go that no point names and that are older than any tail that is
/// kept: it reads all manifests. Nobody else may be making a point of this history meanwhile; tails
/// may come.
Result<Expired> expire(Destination& destination, const std::string& history, const Retention& rule,
                       Timestamp now, bool sweep, const std::atomic<bool>& cancel);

}  // namespace tarn::archive

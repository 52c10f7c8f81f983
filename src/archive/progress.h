// How far a copy or a restore is, for those who watch.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::archive {

/// Lane: any.
struct Progress {
    std::atomic<uint64_t> bytes_total{0};  // of the files; 0: not known yet
    std::atomic<uint64_t> bytes_done{0};
    std::atomic<uint64_t> bytes_sent{0};  // over the wire or into the folder
    std::atomic<uint64_t> pieces_sent{0};
};

}  // namespace tarn::archive

// Every cache has a bound, and both are to be seen: tarn_cache_bytes{cache="..."} and
// tarn_cache_limit_bytes of the same label.
#pragma once

#include "base/metrics.h"

namespace tarn {

/// The gauge of what the cache holds, for its owner to set. The bound is recorded here.
inline Gauge& cache_gauge(Metrics& metrics, const std::string& cache, size_t limit_bytes) {
    metrics.gauge("tarn_cache_limit_bytes", "The bound of each cache", {{"cache", cache}})
        .set(static_cast<double>(limit_bytes));
    return metrics.gauge("tarn_cache_bytes", "Memory of each cache", {{"cache", cache}});
}

}  // namespace tarn

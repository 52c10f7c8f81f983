// How each source is at this moment, as gauges: what `tarn status` says, for those who watch by
// numbers. Texts of errors are no labels: that there is one is told, and the status has its words.
// Owned by Sources. Thread safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "ingest/sources.h"

namespace tarn::ingest {

class SourceMetrics {
 public:
    explicit SourceMetrics(Metrics& metrics) : metrics_(metrics) {}

    /// What is no longer there is 0 from then on. Of a source with very many tables those that are
    /// well are left out beyond the first thousand.
    void show(const std::vector<SourceStatus>& sources);

 private:
    void show_source(const SourceStatus& source) TARN_REQUIRES(mutex_);
    void show_table(const std::string& source, const TableStatus& table) TARN_REQUIRES(mutex_);
    void set(const char* name, const char* help, const MetricLabels& labels, double value)
        TARN_REQUIRES(mutex_);

    Metrics& metrics_;
    Mutex mutex_;
    struct Shown {
        Gauge* gauge = nullptr;
        bool now = false;
    };
    std::map<std::pair<std::string, MetricLabels>, Shown> shown_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::ingest

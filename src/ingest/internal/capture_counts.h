// What was taken from a followed database: in metrics, in its status, and as a rate. Used by the
// runner's thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "ingest/internal/capture_metrics.h"
#include "ingest/internal/change_collector.h"
#include "ingest/internal/runner.h"

namespace tarn::ingest {

class CaptureCounts {
 public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    /// Both outlive it.
    CaptureCounts(CaptureMetrics& metrics, StatusBox& status)
        : metrics_(metrics), status_(status) {}

    /// A collector is new, and counts from 0.
    void begin() { counted_changes_ = counted_transactions_ = 0; }
    void committed(const ChangeCollector& collector) {
        const uint64_t changes = collector.changes() - counted_changes_;
        const uint64_t transactions = collector.transactions() - counted_transactions_;
        counted_changes_ = collector.changes();
        counted_transactions_ = collector.transactions();
        all_ += changes;
        metrics_.changes.add(static_cast<double>(changes));
        metrics_.transactions.add(static_cast<double>(transactions));
        status_.change([&](SourceStatus& status) {
            auto& capture = *status.capture;
            capture.position = to_text(collector.position().lsn);
            capture.changes += changes;
            capture.transactions += transactions;
        });
    }
    /// Changes a second, of `span` at least: a collector that is new is no new beginning.
    void rate(SteadyTime now, SteadyTime::duration span) {
        const bool first = rated_at_ == SteadyTime{};
        if (!first && now - rated_at_ < span) return;
        const std::chrono::duration<double> took = now - rated_at_;
        if (!first)
            status_.change([&](SourceStatus& status) {
                status.capture->changes_per_second =
                    static_cast<double>(all_ - rated_) / took.count();
            });
        rated_ = all_;
        rated_at_ = now;
    }

 private:
    CaptureMetrics& metrics_;
    StatusBox& status_;
    uint64_t counted_changes_ = 0, counted_transactions_ = 0;  // of the collector
    uint64_t all_ = 0, rated_ = 0;                             // since this began, at rated_at_
    SteadyTime rated_at_{};
};

}  // namespace tarn::ingest

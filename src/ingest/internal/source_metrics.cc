#include "ingest/internal/source_metrics.h"

#include <algorithm>

namespace tarn::ingest {

namespace {

constexpr size_t kWellTablesMax = 1000;

bool is_failing(const TableStatus& table) {
    return !table.last_error.empty() || !table.paused.empty();
}

}  // namespace

void SourceMetrics::set(const char* name, const char* help, const MetricLabels& labels,
                        double value) {
    auto& one = shown_[{name, labels}];
    if (one.gauge == nullptr) one.gauge = &metrics_.gauge(name, help, labels);
    one.gauge->set(value);
    one.now = true;
}

void SourceMetrics::show_table(const std::string& source, const TableStatus& table) {
    const MetricLabels labels = {{"source", source}, {"table", table.name}};
    set("tarn_source_table_failing", "1 while a table of a source has an error or is paused",
        labels, is_failing(table) ? 1 : 0);
    set("tarn_source_table_rows",
        "Rows of a table taken in: by the load that runs, later since the server's start", labels,
        static_cast<double>(table.rows));
    set("tarn_source_table_commit_time_seconds",
        "When rows of a table were last committed; 0: not since the server's start", labels,
        static_cast<double>(table.last_commit.micros) / 1e6);
}

void SourceMetrics::show_source(const SourceStatus& source) {
    const MetricLabels labels = {{"source", source.name}};
    set("tarn_source_failing", "1 while a source has an error", labels,
        source.last_error.empty() ? 0 : 1);
    size_t well = 0;
    for (const auto& table : source.tables)
        if (is_failing(table) || ++well <= kWellTablesMax) show_table(source.name, table);
    if (!source.capture) return;
    const auto& capture = *source.capture;
    const auto paused = std::count_if(source.tables.begin(), source.tables.end(),
                                      [](const TableStatus& one) { return !one.paused.empty(); });
    set("tarn_capture_lag_bytes", "Log of a database that is not in the lake yet", labels,
        static_cast<double>(capture.lag_bytes));
    set("tarn_capture_lag_seconds",
        "Age of the oldest transaction that is not in the lake yet; grows while the database "
        "is not heard of",
        labels, capture.lag_seconds);
    set("tarn_capture_retained_bytes", "Log that a database keeps for the lake", labels,
        static_cast<double>(capture.retained_bytes));
    set("tarn_capture_paused_tables", "Followed tables that stand still and need a person", labels,
        static_cast<double>(paused));
}

void SourceMetrics::show(const std::vector<SourceStatus>& sources) {
    const MutexLock lock(mutex_);
    for (auto& [key, one] : shown_) one.now = false;
    for (const auto& source : sources) show_source(source);
    for (auto& [key, one] : shown_)
        if (!one.now) one.gauge->set(0);
}

}  // namespace tarn::ingest

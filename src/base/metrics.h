// Counters, gauges and histograms, rendered in Prometheus' text format. Names are snake_case with
// the unit last (tarn_wal_fsync_seconds). Labels are few and bounded: never a user's value.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tarn {

using MetricLabels = std::map<std::string, std::string>;

/// Handles are owned by the Metrics that made them and live as long as it does. Lane: any.
class Counter {
 public:
    virtual ~Counter() = default;
    virtual void add(double by = 1) = 0;
    virtual double value() const = 0;
};

class Gauge {
 public:
    virtual ~Gauge() = default;
    virtual void set(double to) = 0;
    virtual void add(double by) = 0;
};

class Histogram {
 public:
    virtual ~Histogram() = default;
    virtual void observe(double value) = 0;
};

class Metrics {
 public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// The same name and labels give the same handle.
    Counter& counter(const std::string& name, const std::string& help,
                     const MetricLabels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
    /// Bounds are upper limits in the metric's unit, ascending.
    Histogram& histogram(const std::string& name, const std::string& help,
                         const std::vector<double>& bounds, const MetricLabels& labels = {});
    std::string render() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// 50 us to 10 s, for latencies in seconds.
const std::vector<double>& latency_bounds();

}  // namespace tarn

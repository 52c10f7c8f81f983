#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <deque>

#include "base/mutex.h"

namespace tarn {
namespace {

class CounterHandle final : public Counter {
 public:
    explicit CounterHandle(prometheus::Counter& c) : inner(c) {}
    void add(double by) override { inner.Increment(by); }
    double value() const override { return inner.Value(); }
    prometheus::Counter& inner;
};

class GaugeHandle final : public Gauge {
 public:
    explicit GaugeHandle(prometheus::Gauge& g) : inner(g) {}
    void set(double to) override { inner.Set(to); }
    void add(double by) override { inner.Increment(by); }
    prometheus::Gauge& inner;
};

class HistogramHandle final : public Histogram {
 public:
    explicit HistogramHandle(prometheus::Histogram& h) : inner(h) {}
    void observe(double value) override { inner.Observe(value); }
    prometheus::Histogram& inner;
};

/// Finds the handle that wraps `inner`, or makes it.
template <typename Handle, typename Inner>
Handle& handle_for(std::deque<Handle>& handles, Inner& inner) {
    for (auto& handle : handles)
        if (&handle.inner == &inner) return handle;
    return handles.emplace_back(inner);
}

}  // namespace

struct Metrics::Impl {
    Mutex mutex;
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
    std::deque<CounterHandle> counters TARN_GUARDED_BY(mutex);
    std::deque<GaugeHandle> gauges TARN_GUARDED_BY(mutex);
    std::deque<HistogramHandle> histograms TARN_GUARDED_BY(mutex);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help,
                          const MetricLabels& labels) {
    MutexLock lock(impl_->mutex);
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
    return handle_for(impl_->counters, family.Add(labels));
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                      const MetricLabels& labels) {
    MutexLock lock(impl_->mutex);
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
    return handle_for(impl_->gauges, family.Add(labels));
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const std::vector<double>& bounds, const MetricLabels& labels) {
    MutexLock lock(impl_->mutex);
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
    return handle_for(impl_->histograms, family.Add(labels, bounds));
}

std::string Metrics::render() const {
    return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

const std::vector<double>& latency_bounds() {
    static const std::vector<double> bounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                               0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                               0.5,     1,      2.5,     5,      10};
    return bounds;
}

}  // namespace tarn

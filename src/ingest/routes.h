// Which stream takes what is published by MQTT: that of the first declared source whose topic
// matches; what no source declares goes to the default stream. Wiring adapts this to the door.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "ingest/spec.h"

namespace tarn::ingest {

/// The stream that topics without a source land in.
inline constexpr std::string_view kDefaultStream = "mqtt";

/// The stream of an MQTT source: it outlives the source, so that one that is declared again goes
/// on.
std::string stream_of_source(std::string_view name);

/// Immutable. Lane: any, a loop too.
class Routes {
 public:
    /// Sources that are no MQTT, or whose topic is wrong (their runner says so), are left out.
    static std::shared_ptr<const Routes> make(const std::vector<SourceSpec>& specs);
    ~Routes();

    /// Empty: no source takes it.
    std::string_view stream_of(std::string_view topic) const;

 private:
    struct Route;
    Routes();
    std::vector<Route> routes_;
};

/// The routes in force. Owner: wiring, which gives it to Sources to set and to the door's adapter
/// to ask; empty until set. Thread safe, a loop too.
class RouteTable {
 public:
    std::shared_ptr<const Routes> get() const;
    void set(std::shared_ptr<const Routes> routes);

 private:
    mutable Mutex mutex_;
    std::shared_ptr<const Routes> routes_ TARN_GUARDED_BY(mutex_);
};

/// For `plan`: one sentence for each pair of sources that a topic could belong to both of.
std::vector<std::string> shared_topics(const std::vector<SourceSpec>& specs);

}  // namespace tarn::ingest

// Pushes to browsers that a dashboard's tables changed: server-sent events (HTML Living Standard, section 9.2). A message
// carries no rows: the page then asks for them, as its viewer. One thread for all streams; an open stream holds no lane.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"
#include "security/caller.h"

namespace tarn::meta {
class Store;
}
namespace tarn::dashboards {
class Dashboards;
}
namespace tarn::query {
class AccessProvider;
}
namespace tarn::tables {
class Catalog;
}

namespace tarn::admin {

struct LiveOptions {
    size_t streams_max = 256;
    size_t streams_of_one_max = 24;                   // of one principal
    std::chrono::milliseconds look_every{100};        // at the store's version
    std::chrono::milliseconds push_every_min{500};    // to one stream
    std::chrono::milliseconds heartbeat{15'000};
    std::chrono::milliseconds life_max{5 * 60'000};   // then the browser comes again, and signs in again
};

/// What a stream is about: a dashboard's tables, or tables by name. Those that the viewer does not see are left out.
struct LiveWatch {
    std::string dashboard;            // or, when empty,
    std::vector<std::string> tables;  // "main.levels"; "*" alone: all, of at most kTablesMax
    static constexpr size_t kTablesMax = 2'000;
};

/// Owner: wiring; stop() before the dashboards go. Lane: open() any but a loop.
class LiveStreams {
 public:
    LiveStreams(dashboards::Dashboards& dashboards, const tables::Catalog& catalog, const query::AccessProvider& access,
                const meta::Store& store, LiveOptions options = {});
    ~LiveStreams();
    LiveStreams(const LiveStreams&) = delete;
    LiveStreams& operator=(const LiveStreams&) = delete;

    /// Answers the request with an open stream. An event's id is the state that the page knows then: a browser that comes
    /// back with another one (Last-Event-ID) is told at once. not_found: no such dashboard; exhausted: too many streams.
    Status open(const security::Caller& caller, const LiveWatch& watch, http::Request& request,
                http::Responder& responder);
    /// Ends all streams. Idempotent.
    void stop();

 private:
    struct Stream;

    Status begin(const std::shared_ptr<Stream>& stream, std::map<std::string, int64_t> known,
                 http::Request& request, http::Responder& responder);
    void run();
    void look(bool changed);
    std::list<std::shared_ptr<Stream>> open_streams();

    Result<std::map<std::string, int64_t>> versions(const LiveWatch& watch, const security::Principal& viewer) const;

    dashboards::Dashboards& dashboards_;
    const tables::Catalog& catalog_;
    const query::AccessProvider& access_;
    const meta::Store& store_;
    const LiveOptions options_;
    Mutex mutex_;
    Condition wake_;
    std::list<std::shared_ptr<Stream>> streams_ TARN_GUARDED_BY(mutex_);
    std::multiset<std::string> opening_ TARN_GUARDED_BY(mutex_);  // whose; they have a place already
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tarn::admin

// HTTP/1.1 and 1.0 over net (RFC 9110, 9112). A door makes one Service per listener, with its
// handler and its lane.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/lane.h"
#include "base/metrics.h"
#include "base/time.h"
#include "net/session.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"
#include "protocols/http/spare_lane.h"

namespace tarn::http {

/// An ordinary blocking function on a lane; one whose last step is to wait may give its thread back
/// before (Responder::suspend). An exception that escapes becomes a 500 and a log line.
using Handler = std::function<void(Request&, Responder&)>;

/// An answer that no handler gives.
struct Refusal {
    enum class Kind {
        busy,       // 503: the lane's queue is full
        malformed,  // 400, 414, 431, 501, 505: the bytes are no request we take
        timeout,    // 408: the head did not come in time
    };
    Kind kind = Kind::malformed;
    int status = 400;
    std::string_view message;           // what was wrong, for a person
    const RequestHead* head = nullptr;  // when it was complete
};

/// Says a refusal in the door's own words (S3: XML). Lane: the loop; must not block. The default
/// answers plain text.
using RefusalHandler = std::function<Response(const Refusal&)>;

struct ServiceOptions {
    Lane* lane = nullptr;  // outlives the service
    std::function<Lane*(const RequestHead&)>
        choose_lane;  // overrides lane per request; on the loop
    SpareLane* spare = nullptr;  // outlives the service; null: handlers that wait for peers hold their lane
    RefusalHandler refuse;
    const Clock* clock = nullptr;  // for Date; null: the system's
    Metrics* metrics = nullptr;
    std::string door = "http";                       // label of metrics
    std::chrono::milliseconds head_timeout{10'000};  // from its first byte to its last
    /// Between two pieces of a body, either way; of one up to whole_body_bytes: for all of it.
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds keep_alive_timeout{75'000};
    size_t body_buffer_bytes = 512 * 1024;  // received and not yet read by the handler
    size_t whole_body_bytes =
        64 * 1024;  // declared bodies up to this are complete before the handler starts
    size_t drain_bytes = 256 * 1024;  // of an unread body are thrown away to keep the connection
    size_t unsent_bytes_max = 1024 * 1024;  // beyond it Responder::write blocks
};

/// Outlives the net::Server whose listeners use it, and the lane's jobs.
class Service {
 public:
    Service(ServiceOptions options, Handler handler);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    net::SessionFactory factory();

    struct Shared;

 private:
    std::shared_ptr<Shared> shared_;
};

}  // namespace tarn::http

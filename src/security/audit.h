// Who did what, when, from where, and what came of it. A change and its record are one batch
// (attach); reads and denials are queued and durable within a second (record); floods of publishes
// are counted (count). Nothing is dropped silently. Records: docs/formats/audit.md, sequence "a/".
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/caller.h"

namespace tarn::security {

class AuditChain;

enum class AuditOutcome { allowed, denied, failed };

/// What came of a request.
struct AuditResult {
    AuditOutcome outcome = AuditOutcome::allowed;
    std::string error_code;  // the protocol's word; empty when allowed
    uint64_t bytes = 0;      // moved by it

    /// permission_denied and unauthenticated are `denied`, other errors `failed`.
    static AuditResult of(const Status& status, uint64_t bytes = 0);
};

/// One record as it is read back.
struct AuditRecord {
    uint64_t offset = 0;  // its place in the trail
    Timestamp at;
    std::string request_id, principal, access_key_id, door, source_ip, user_agent, action, resource;
    AuditOutcome outcome = AuditOutcome::allowed;
    std::string error_code;
    uint64_t bytes = 0;
    uint64_t count = 1;  // more than one for counted publishes

    std::string to_json() const;
};

struct AuditQuery {
    std::optional<Timestamp> from;   // inclusive
    std::optional<Timestamp> to;     // exclusive
    std::optional<uint64_t> before;  // only offsets below: the next page
    std::string principal;           // ARN or its last part; empty: any
    std::string action;              // with * and ?; empty: any
    std::string resource;            // with * and ?; empty: any
    std::optional<AuditOutcome> outcome;
    size_t records_max = 100;   // at most 1000 are returned
    size_t scan_max = 100'000;  // records looked at before the page ends
};

struct AuditPage {
    std::vector<AuditRecord> records;  // newest first
    std::optional<uint64_t> next;      // AuditQuery::before for the rest; nullopt: there is none
};

struct AuditOptions {
    size_t queue_records_max = 65536;
    size_t queue_bytes_max = 32u << 20;
    size_t counters_max = 65536;
    std::chrono::milliseconds flush_interval{500};
    std::chrono::milliseconds wait_max{2000};  // how long record() waits for room
    std::chrono::hours keep_time{24 * 90};
    uint64_t keep_records = 50'000'000;
};

/// Owner: wiring. `store`, `clock`, `metrics` outlive it.
class AuditTrail {
 public:
    AuditTrail(meta::Store& store, const Clock& clock, Metrics& metrics, AuditOptions options);
    /// stop().
    ~AuditTrail();
    AuditTrail(const AuditTrail&) = delete;
    AuditTrail& operator=(const AuditTrail&) = delete;

    /// Starts the thread that commits what is queued.
    void start();
    /// Commits what is queued and ends the thread. Idempotent. An error means that records were
    /// lost, and is logged.
    Status stop();

    /// Puts the record into the change's own batch. Lane: any.
    void attach(meta::Batch& batch, const Caller& caller, const AuditResult& result = {}) const;
    /// Queues a record. Waits for room for at most wait_max, then `exhausted`: the request must
    /// fail. Lane: any but a loop.
    Status record(const Caller& caller, const AuditResult& result);
    /// As record, without waiting. Lane: any.
    Status try_record(const Caller& caller, const AuditResult& result);
    /// Counts one of many: one record per (connection, action, resource, minute). `caller` is
    /// looked at when a counter is new. exhausted: too many counters. Lane: any.
    Status count(std::string_view connection, const Caller& caller, uint64_t bytes);

    /// Commits everything queued now, counters of the running minute too. Lane: any but a loop.
    Status flush();
    /// Removes what is beyond keep_time and keep_records, about `records_max` at most, and records
    /// that `by` did so. Only what is signed goes. Returns how many went.
    /// Lane: background.
    Result<uint64_t> expire(uint64_t records_max, const Caller& by, AuditChain& chain);
    /// Queued records are not seen until they are committed. Lane: any but a loop.
    Result<AuditPage> read(const AuditQuery& query) const;

 private:
    struct CounterKey {
        std::string connection, action, resource;
        int64_t minute;
        auto operator<=>(const CounterKey&) const = default;
    };
    struct Tally {
        Caller caller;
        uint64_t count = 0, bytes = 0;
    };

    Status enqueue(std::string record, std::chrono::milliseconds wait);
    bool has_room(size_t bytes) const TARN_REQUIRES(mutex_);
    void queue_tallies(int64_t before_minute) TARN_REQUIRES(mutex_);
    /// Commits up to one batch of what waits; true when something may be left.
    Result<bool> commit_some();
    void run();
    /// Has the thread commit now instead of at the interval's end.
    void hurry() TARN_REQUIRES(mutex_);

    meta::Store& store_;
    const Clock& clock_;
    const AuditOptions options_;
    Counter& recorded_;
    Counter& refused_;
    Mutex commit_mutex_;  // one commit of the queue at a time, in order
    Mutex mutex_;         // after commit_mutex_
    Condition wake_, room_;
    std::deque<std::string> queue_ TARN_GUARDED_BY(mutex_);
    size_t queue_bytes_ TARN_GUARDED_BY(mutex_) = 0;
    std::map<CounterKey, Tally> counters_ TARN_GUARDED_BY(mutex_);
    bool hurry_ TARN_GUARDED_BY(mutex_) = false;
    bool stopping_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace tarn::security

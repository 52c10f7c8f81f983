// Sends what waits in the outbox, on threads of its own, and writes down what came of each attempt.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "events/internal/queue.h"
#include "events/internal/records.h"
#include "events/internal/webhook.h"
#include "meta/store.h"
#include "net/http_client.h"

namespace tarn::events {

/// A webhook as an attempt needs it.
struct Receiver {
    WebhookUrl url;
    std::string secret;
    bool allow_private = false;
};

struct DelivererParts {
    meta::Store& store;
    const Clock& clock;
    Metrics& metrics;
    /// The rule's webhook of that target. not_found: the rule has it no more, or it is switched
    /// off; unavailable: nobody knows for now. Any thread.
    std::function<Result<Receiver>(const std::string& rule, const std::string& target)> find;
    /// The receiver answered 410: what is to be committed with the attempt's record. Any thread.
    std::function<void(const std::string& target, const std::string& why, meta::Batch& batch)>
        switch_off;
    /// net::http_call, or a test's.
    std::function<Result<net::HttpReply>(const net::HttpCall&)> call = net::http_call;
};

/// Owner: Alerts. Lane: any but a loop.
class Deliverer {
 public:
    Deliverer(DelivererParts parts, DeliveryOptions options);
    /// stop().
    ~Deliverer();
    Deliverer(const Deliverer&) = delete;
    Deliverer& operator=(const Deliverer&) = delete;

    /// Takes up what waits in the store and starts the threads. The second call does nothing.
    Status start();
    /// New in the store just now, committed, in the order of their ids.
    void add(std::vector<QueuedDelivery> deliveries);
    /// Ends requests under way, within about a second; they are sent again at the next start.
    void stop();
    std::map<std::string, uint64_t> waiting_by_target() const;

    /// One attempt at what is due now, on the calling thread; false when nothing is. For tests and
    /// the threads.
    bool run_one();
    /// Adds what is still in the store and not in memory. For start() and the threads.
    Status load_more();

 private:
    struct Outcome {
        Verdict verdict;
        Attempt attempt;
    };
    void run();
    void note_finished(const std::string& rule);
    Status trim(const std::string& rule);
    void attempt(const QueuedDelivery& item);
    Outcome send(const DeliveryRecord& record, const Receiver& receiver);
    /// Writes the record and tells the queue.
    void settle(const QueuedDelivery& item, DeliveryRecord record, const Outcome& outcome);
    /// The next state of the record; true: it is over.
    bool decide(DeliveryRecord& record, const Outcome& outcome, uint64_t spread) const;
    Status commit(const QueuedDelivery& item, const DeliveryRecord& record, const Outcome& outcome);
    /// Without an attempt: `why` is written down.
    void fail(const QueuedDelivery& item, DeliveryRecord record, const std::string& why);
    void end(const QueuedDelivery& item, bool answered);
    void postpone(const QueuedDelivery& item, Timestamp due, std::optional<Timestamp> down_until);
    void add_locked(QueuedDelivery delivery) TARN_REQUIRES(mutex_);
    bool is_stopping() const;

    const DelivererParts parts_;
    const DeliveryOptions options_;
    Counter &delivered_, &failed_, &retried_;
    Histogram& seconds_;
    Histogram& delay_seconds_;

    mutable Mutex mutex_;
    Condition wake_;
    DeliveryQueue queue_ TARN_GUARDED_BY(mutex_);
    std::set<std::string> in_memory_ TARN_GUARDED_BY(mutex_);  // ids in queue_
    bool more_in_store_ TARN_GUARDED_BY(mutex_) =
        false;  // then new ones come by load_more(), so that they keep order
    uint64_t deferred_ TARN_GUARDED_BY(mutex_) = 0;  // how often add() left some to load_more()
    bool started_ TARN_GUARDED_BY(mutex_) = false;
    bool stopping_ TARN_GUARDED_BY(mutex_) = false;
    std::map<std::string, uint32_t> finished_by_rule_ TARN_GUARDED_BY(mutex_);
    Random random_ TARN_GUARDED_BY(mutex_);
    Mutex load_mutex_;  // one load_more at a time; before mutex_
    std::atomic<bool> cancel_calls_{false};
    std::vector<std::thread> threads_;
};

}  // namespace tarn::events

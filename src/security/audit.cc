#include "security/audit.h"

#include <algorithm>

#include "base/lane.h"
#include "base/log.h"
#include "security/internal/audit_record.h"

namespace tarn::security {
namespace {

// A block is one value of the store and what a reader takes apart at once.
constexpr size_t kBlockRecordsMax = 256;
constexpr size_t kBlockBytesMax = 64 << 10;
constexpr size_t kBatchRecordsMax = 16384;
constexpr size_t kTallyBytes = 512;  // what a counter will need in the queue, roughly
constexpr int64_t kMinuteMicros = 60'000'000;

int64_t minute_of(Timestamp at) {
    return at.micros / kMinuteMicros;
}

Error too_busy() {
    return Error(Code::exhausted, "the audit trail can't keep up; try again", "audit");
}

}  // namespace

AuditTrail::AuditTrail(meta::Store& store, const Clock& clock, Metrics& metrics,
                       AuditOptions options)
    : store_(store),
      clock_(clock),
      options_(options),
      recorded_(metrics.counter("tarn_audit_records_total", "Audit records committed")),
      refused_(metrics.counter("tarn_audit_refused_total",
                               "Requests refused because the audit trail was full")) {}

AuditTrail::~AuditTrail() {
    // stop() has logged what was lost.
    (void)stop();
}

void AuditTrail::start() {
    TARN_ASSERT(!thread_.joinable());
    thread_ = std::thread([this] { run(); });
}

Status AuditTrail::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    Status flushed = flush();
    if (!flushed.ok())
        log_error("audit", "records were lost at shutdown", {{"error", flushed.error().message}});
    return flushed;
}

void AuditTrail::run() {
    name_thread("audit");
    for (bool failed = false;;) {
        {
            MutexLock lock(mutex_);
            if (!stopping_ && (failed || !hurry_)) wake_.wait_for(mutex_, options_.flush_interval);
            if (stopping_) return;
            hurry_ = false;
            queue_tallies(minute_of(clock_.now()));
        }
        for (bool more = true; more;) {
            const auto committed = commit_some();
            if (!committed.ok() && !failed)
                log_error("audit", "records wait because a commit failed",
                          {{"error", committed.error().message}});
            failed = !committed.ok();
            more = !failed && committed.value();
        }
    }
}

void AuditTrail::hurry() {
    hurry_ = true;
    wake_.notify_all();
}

void AuditTrail::attach(meta::Batch& batch, const Caller& caller, const AuditResult& result) const {
    batch.append(audit_sequence(), 1, make_record(caller, result, 1).to_json());
}

Status AuditTrail::record(const Caller& caller, const AuditResult& result) {
    assert_may_block();
    return enqueue(make_record(caller, result, 1).to_json(), options_.wait_max);
}

Status AuditTrail::try_record(const Caller& caller, const AuditResult& result) {
    return enqueue(make_record(caller, result, 1).to_json(), {});
}

bool AuditTrail::has_room(size_t bytes) const {
    return queue_.size() + counters_.size() < options_.queue_records_max &&
           queue_bytes_ + bytes <= options_.queue_bytes_max;
}

Status AuditTrail::enqueue(std::string record, std::chrono::milliseconds wait) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    MutexLock lock(mutex_);
    while (!has_room(record.size())) {
        hurry();
        if (wait.count() == 0 || !room_.wait_until(mutex_, deadline)) {
            if (has_room(record.size())) break;
            refused_.add();
            return too_busy();
        }
    }
    queue_bytes_ += record.size();
    queue_.push_back(std::move(record));
    // Half full: do not wait for the interval's end.
    if (queue_.size() == options_.queue_records_max / 2) hurry();
    return ok_status();
}

Status AuditTrail::count(std::string_view connection, const Caller& caller, uint64_t bytes) {
    CounterKey key{std::string(connection), caller.action, caller.resource, minute_of(caller.at)};
    MutexLock lock(mutex_);
    auto found = counters_.find(key);
    if (found == counters_.end()) {
        if (counters_.size() >= options_.counters_max || !has_room(kTallyBytes)) {
            hurry();
            refused_.add();
            return too_busy();
        }
        found = counters_.emplace(std::move(key), Tally{caller, 0, 0}).first;
    }
    ++found->second.count;
    found->second.bytes += bytes;
    return ok_status();
}

void AuditTrail::queue_tallies(int64_t before_minute) {
    for (auto next = counters_.begin(); next != counters_.end();) {
        if (next->first.minute >= before_minute) {
            ++next;
            continue;
        }
        const Tally& tally = next->second;
        const AuditResult result{AuditOutcome::allowed, {}, tally.bytes};
        queue_.push_back(make_record(tally.caller, result, tally.count).to_json());
        queue_bytes_ += queue_.back().size();
        next = counters_.erase(next);
    }
}

// The records stay in the queue until they are durable, so that a commit that fails loses none of
// them.
Result<bool> AuditTrail::commit_some() {
    MutexLock committing(commit_mutex_);
    meta::Batch batch;
    size_t taken = 0, taken_bytes = 0;
    {
        MutexLock lock(mutex_);
        while (taken < std::min(queue_.size(), kBatchRecordsMax)) {
            std::string block;
            uint32_t records = 0;
            while (taken < queue_.size() && records < kBlockRecordsMax &&
                   block.size() < kBlockBytesMax) {
                if (records > 0) block.push_back('\n');
                block.append(queue_[taken]);
                taken_bytes += queue_[taken].size();
                ++records;
                ++taken;
            }
            batch.append(audit_sequence(), records, std::move(block));
        }
    }
    if (taken == 0) return false;
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    recorded_.add(static_cast<double>(taken));
    MutexLock lock(mutex_);
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(taken));
    queue_bytes_ -= taken_bytes;
    room_.notify_all();
    return !queue_.empty();
}

Status AuditTrail::flush() {
    assert_may_block();
    {
        MutexLock lock(mutex_);
        queue_tallies(INT64_MAX);
    }
    for (;;) {
        TARN_TRY(more, commit_some());
        if (!more) return ok_status();
    }
}

}  // namespace tarn::security

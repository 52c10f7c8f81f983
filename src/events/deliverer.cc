// At least once: an attempt's outcome is written after it, so that a crash in between sends the
// same id again; what was written as delivered is never sent again.
#include "events/internal/deliverer.h"

#include <algorithm>

#include "base/lane.h"
#include "base/log.h"
#include "codec/text.h"
#include "meta/keys.h"

namespace tarn::events {
namespace {

constexpr size_t kAnswerBytesMax = 1024, kAttemptsKept = 10, kResponseBytesMax = 1 << 20;
constexpr auto kDownPauseMax = std::chrono::milliseconds(60'000);
constexpr uint32_t kTrimEvery = 500;
constexpr std::string_view kUserAgent = "tarn-webhooks/1";

QueuedDelivery queued(const DeliveryRecord& record, const Timestamp now) {
    QueuedDelivery out;
    out.id = record.delivery.id;
    out.rule = record.delivery.rule;
    out.key_id = record.key_id;
    out.target = record.delivery.target;
    out.host = record.delivery.where.substr(0, record.delivery.where.find("/", 8));
    out.due = record.delivery.next_attempt.value_or(now);
    return out;
}

/// What the receiver said, without what only we and it should know.
std::string shown(const Result<net::HttpReply>& reply, const Receiver& receiver) {
    std::string text = reply.ok() ? reply->body : reply.error().message;
    // What is put in its place may hold the URL itself ("https://host/"): it is not looked at again.
    const std::string &url = receiver.url.url, &where = receiver.url.where;
    for (size_t at = text.find(url); at != std::string::npos; at = text.find(url, at + where.size()))
        text.replace(at, url.size(), where);
    if (text.size() > kAnswerBytesMax) text.resize(kAnswerBytesMax);
    return text;
}

}  // namespace

Deliverer::Deliverer(DelivererParts parts, DeliveryOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      delivered_(parts_.metrics.counter("tarn_webhook_deliveries_total",
                                        "Webhook messages that are over",
                                        {{"result", "delivered"}})),
      failed_(parts_.metrics.counter("tarn_webhook_deliveries_total",
                                     "Webhook messages that are over", {{"result", "failed"}})),
      retried_(
          parts_.metrics.counter("tarn_webhook_retries_total", "Attempts that will be repeated")),
      seconds_(parts_.metrics.histogram("tarn_webhook_request_seconds",
                                        "Time a receiver took to answer", latency_bounds())),
      delay_seconds_(parts_.metrics.histogram("tarn_webhook_delay_seconds",
                                              "From the alert's commit to the first attempt",
                                              latency_bounds())),
      queue_(options_.per_host_max),
      random_(static_cast<uint64_t>(parts_.clock.now().micros)) {}

Deliverer::~Deliverer() {
    stop();
}

Status Deliverer::start() {
    {
        MutexLock lock(mutex_);
        if (started_ || stopping_) return ok_status();
        started_ = true;
    }
    if (Status loaded = load_more(); !loaded.ok()) {
        MutexLock lock(mutex_);
        started_ = false;
        return loaded;
    }
    for (size_t i = 0; i < options_.threads; ++i)
        threads_.emplace_back([this] {
            name_thread("webhooks");
            run();
        });
    return ok_status();
}

void Deliverer::stop() {
    {
        MutexLock lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        wake_.notify_all();
    }
    cancel_calls_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

bool Deliverer::is_stopping() const {
    MutexLock lock(mutex_);
    return stopping_;
}

void Deliverer::add_locked(QueuedDelivery delivery) {
    if (!in_memory_.insert(delivery.id).second) return;
    queue_.add(std::move(delivery));
}

void Deliverer::add(std::vector<QueuedDelivery> deliveries) {
    MutexLock lock(mutex_);
    if (!started_) return;  // start() finds them in the store
    if (more_in_store_ || queue_.size() + deliveries.size() > options_.waiting_max) {
        more_in_store_ = true;
        ++deferred_;
    } else {
        for (auto& delivery : deliveries) add_locked(std::move(delivery));
    }
    wake_.notify_all();
}

Status Deliverer::load_more() {
    MutexLock one(load_mutex_);
    uint64_t deferred_before = 0;
    {
        MutexLock lock(mutex_);
        deferred_before = deferred_;
    }
    const auto state = parts_.store.snapshot();
    const std::string prefix = waiting_prefix();
    const auto walk = state->scan({prefix, meta::prefix_end(prefix), false});
    bool all = true;
    for (; walk->valid(); walk->next()) {
        std::string id(walk->key().substr(prefix.size()));
        {
            MutexLock lock(mutex_);
            if (in_memory_.contains(id)) continue;
            if (queue_.size() >= options_.waiting_max) {
                all = false;
                break;
            }
        }
        TARN_TRY(waiting, walk->record());
        TARN_TRY(stored, state->get(delivery_key(waiting.value, id)));
        if (!stored) {  // its rule is gone
            TARN_CHECK_OK(parts_.store.commit(meta::Batch().erase(waiting_key(id))));
            continue;
        }
        TARN_TRY(record, parse_delivery(stored->value, id));
        MutexLock lock(mutex_);
        add_locked(queued(record, parts_.clock.now()));
    }
    TARN_CHECK_OK(walk->status());
    MutexLock lock(mutex_);
    more_in_store_ = !all || deferred_ != deferred_before;
    wake_.notify_all();
    return ok_status();
}

void Deliverer::run() {
    while (!is_stopping()) {
        bool load = false;
        {
            MutexLock lock(mutex_);
            load = more_in_store_ && queue_.size() <= options_.waiting_max / 2;
        }
        if (load) {
            const Status loaded = load_more();
            if (!loaded.ok())
                log_warning("events", "waiting webhook messages could not be read",
                            {{"why", loaded.error().message}});
        }
        if (run_one()) continue;
        MutexLock lock(mutex_);
        if (stopping_) return;
        const auto due = queue_.next_due();
        const Timestamp now = parts_.clock.now();
        if (due && *due <= now) continue;
        // The wall clock may jump: never sleep for longer than a second.
        const auto longest = std::chrono::microseconds(1'000'000);
        wake_.wait_for(mutex_, due ? std::min(longest, due->since(now)) : longest);
    }
}

bool Deliverer::run_one() {
    std::optional<QueuedDelivery> item;
    {
        MutexLock lock(mutex_);
        if (stopping_) return false;
        item = queue_.take(parts_.clock.now());
    }
    if (!item) return false;
    attempt(*item);
    return true;
}

void Deliverer::attempt(const QueuedDelivery& item) {
    const Timestamp now = parts_.clock.now();
    // What can't be written down is not sent: it would go out again and again.
    if (!parts_.store.healthy())
        return postpone(item, now.plus(kDownPauseMax), now.plus(kDownPauseMax));
    auto stored = parts_.store.get(delivery_key(item.rule, item.id));
    if (!stored.ok()) return postpone(item, now.plus(kDownPauseMax), std::nullopt);
    if (!*stored) {  // its rule is gone
        const auto erased = parts_.store.commit(meta::Batch().erase(waiting_key(item.id)));
        if (!erased.ok()) log_debug("events", "a waiting mark stays until the next start");
        return end(item, false);
    }
    auto record = parse_delivery((*stored)->value, item.id);
    if (!record.ok()) {
        log_error("events", "a webhook message can't be read and is left out",
                  {{"rule", item.rule}, {"id", item.id}, {"why", record.error().message}});
        return end(item, false);
    }
    if (record->delivery.state != Delivery::State::waiting) return end(item, false);
    const auto receiver = parts_.find(item.rule, item.target);
    if (!receiver.ok() && receiver.error().code == Code::not_found)
        return fail(item, std::move(*record), receiver.error().message);
    if (!receiver.ok()) return postpone(item, now.plus(kDownPauseMax), std::nullopt);
    if (record->delivery.attempt_count == 0)
        delay_seconds_.observe(static_cast<double>(now.since(record->delivery.made).count()) / 1e6);
    const Outcome outcome = send(*record, *receiver);
    // Ended by us: it says nothing of the receiver, and the message goes out at the next start.
    if (cancel_calls_ && outcome.verdict.kind != Verdict::Kind::delivered)
        return postpone(item, now, std::nullopt);
    settle(item, std::move(*record), outcome);
}

Deliverer::Outcome Deliverer::send(const DeliveryRecord& record, const Receiver& receiver) {
    Outcome out;
    out.attempt.at = parts_.clock.now();
    net::HttpCall call;
    call.url = receiver.url.url;
    call.body = record.delivery.body;
    call.total_timeout = options_.timeout;
    call.connect_timeout = std::min(call.connect_timeout, options_.timeout);
    call.response_bytes_max = kResponseBytesMax;
    call.ca_file = options_.ca_file;
    call.cancel = &cancel_calls_;
    const int64_t seconds = out.attempt.at.seconds();
    auto signature = sign_webhook(receiver.secret, record.delivery.id, seconds, call.body);
    if (!signature.ok()) {
        out.verdict.kind = Verdict::Kind::refused;
        out.attempt.answer = signature.error().message;
        return out;
    }
    call.headers = {{"Content-Type", "application/json"},
                    {"User-Agent", std::string(kUserAgent)},
                    {"webhook-id", record.delivery.id},
                    {"webhook-timestamp", std::to_string(seconds)},
                    {"webhook-signature", *signature}};
    if (!receiver.url.userinfo.empty())
        call.headers.emplace_back("Authorization",
                                  "Basic " + codec::base64_encode(receiver.url.userinfo));
    call.may_connect = [allow = receiver.allow_private](const std::string& address, uint16_t) {
        const auto kind = net::classify_address(address);
        return kind == net::AddressKind::global ||
               (allow && kind != net::AddressKind::other_special);
    };
    const auto begun = parts_.clock.steady();
    const auto reply = parts_.call(call);
    const auto took = parts_.clock.steady() - begun;
    seconds_.observe(std::chrono::duration<double>(took).count());
    out.attempt.took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    if (reply.ok()) out.attempt.status = reply->status;
    out.attempt.answer = shown(reply, receiver);
    out.verdict = judge(reply, parts_.clock.now());
    return out;
}

bool Deliverer::decide(DeliveryRecord& record, const Outcome& outcome, uint64_t spread) const {
    auto& of = record.delivery;
    ++of.attempt_count;
    of.attempts.push_back(outcome.attempt);
    if (of.attempts.size() > kAttemptsKept) of.attempts.erase(of.attempts.begin());
    of.next_attempt.reset();
    const Timestamp now = parts_.clock.now();
    const bool over = outcome.verdict.kind == Verdict::Kind::delivered ||
                      outcome.verdict.kind == Verdict::Kind::gone ||
                      now >= of.made.plus(options_.give_up_after) ||
                      (outcome.verdict.kind == Verdict::Kind::refused &&
                       of.attempt_count >= static_cast<uint32_t>(options_.refusals_max));
    if (over)
        of.state = outcome.verdict.kind == Verdict::Kind::delivered ? Delivery::State::delivered
                                                                    : Delivery::State::failed;
    else
        of.next_attempt =
            now.plus(pause_after(options_, of.attempt_count, outcome.verdict, spread));
    return over;
}

void Deliverer::settle(const QueuedDelivery& item, DeliveryRecord record, const Outcome& outcome) {
    uint64_t spread = 0;
    uint32_t down = 0;
    {
        MutexLock lock(mutex_);
        spread = random_.below(1'000'000);
        down = queue_.down_count(item.target);
    }
    const bool over = decide(record, outcome, spread);
    const Status committed = commit(item, record, outcome);
    if (!committed.ok() && committed.error().code == Code::not_found) return end(item, false);
    if (!committed.ok()) {
        log_error("events", "the outcome of a webhook message could not be written",
                  {{"rule", item.rule}, {"id", item.id}, {"why", committed.error().message}});
        const Timestamp later = parts_.clock.now().plus(kDownPauseMax);
        return postpone(item, later, later);
    }
    const bool delivered = outcome.verdict.kind == Verdict::Kind::delivered;
    if (over) {
        (delivered ? delivered_ : failed_).add();
        if (!delivered)
            log_warning("events", "a webhook message is given up",
                        {{"rule", item.rule},
                         {"id", item.id},
                         {"to", record.delivery.where},
                         {"status", outcome.attempt.status}});
        end(item, !outcome.verdict.receiver_down);
        return note_finished(item.rule);
    }
    retried_.add();
    std::optional<Timestamp> down_until;
    if (outcome.verdict.receiver_down)
        down_until = parts_.clock.now().plus(
            std::max(std::min(pause_after(options_, down + 1, {}, spread), kDownPauseMax),
                     std::min(outcome.verdict.pause.value_or(std::chrono::milliseconds(0)),
                              options_.retry_after_max)));
    postpone(item, *record.delivery.next_attempt, down_until);
}

Status Deliverer::commit(const QueuedDelivery& item, const DeliveryRecord& record,
                         const Outcome& outcome) {
    meta::Batch batch;
    const std::string key = delivery_key(item.rule, item.id);
    batch.require_present(key, Error(Code::not_found, "the rule " + item.rule + " is gone"));
    batch.put(key, to_json(record));
    if (record.delivery.state != Delivery::State::waiting) batch.erase(waiting_key(item.id));
    if (outcome.verdict.kind == Verdict::Kind::gone)
        parts_.switch_off(item.target,
                          "it answered 410 (gone) at " + format_iso8601(outcome.attempt.at), batch);
    TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
    return ok_status();
}

void Deliverer::fail(const QueuedDelivery& item, DeliveryRecord record, const std::string& why) {
    record.delivery.state = Delivery::State::failed;
    record.delivery.next_attempt.reset();
    record.delivery.attempts.push_back({parts_.clock.now(), 0, why, 0});
    const Status committed = commit(item, record, {});
    if (!committed.ok() && committed.error().code != Code::not_found)
        return postpone(item, parts_.clock.now().plus(kDownPauseMax), std::nullopt);
    failed_.add();
    end(item, false);
    note_finished(item.rule);
}

void Deliverer::end(const QueuedDelivery& item, bool answered) {
    MutexLock lock(mutex_);
    queue_.done(item, answered);
    in_memory_.erase(item.id);
    wake_.notify_all();
}

void Deliverer::postpone(const QueuedDelivery& item, Timestamp due,
                         std::optional<Timestamp> down_until) {
    MutexLock lock(mutex_);
    queue_.again(item, due, down_until);
    wake_.notify_all();
}

void Deliverer::note_finished(const std::string& rule) {
    {
        MutexLock lock(mutex_);
        if (++finished_by_rule_[rule] < kTrimEvery) return;
        finished_by_rule_.erase(rule);
    }
    const Status trimmed = trim(rule);
    if (!trimmed.ok())
        log_warning("events", "old webhook records were not removed",
                    {{"rule", rule}, {"why", trimmed.error().message}});
}

Status Deliverer::trim(const std::string& rule) {
    const std::string prefix = delivery_prefix(rule);
    const auto walk = parts_.store.scan({prefix, meta::prefix_end(prefix), true});
    size_t finished = 0;
    meta::Batch batch;
    for (; walk->valid(); walk->next()) {
        TARN_TRY(stored, walk->record());
        std::string id(walk->key().substr(prefix.size()));
        const auto record = parse_delivery(stored.value, id);
        if (record.ok() && record->delivery.state == Delivery::State::waiting) continue;
        if (++finished > options_.kept_per_rule_max) batch.erase(std::string(walk->key()));
    }
    TARN_CHECK_OK(walk->status());
    if (!batch.empty()) TARN_CHECK_OK(parts_.store.commit(std::move(batch.frees_space())));
    return ok_status();
}

std::map<std::string, uint64_t> Deliverer::waiting_by_target() const {
    MutexLock lock(mutex_);
    return queue_.waiting_by_target();
}

}  // namespace tarn::events

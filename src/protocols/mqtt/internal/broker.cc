#include "protocols/mqtt/internal/broker.h"

#include <algorithm>

#include "base/lane.h"
#include "base/log.h"
#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

constexpr std::chrono::seconds kRound{1};

}  // namespace

Broker::Broker(const DoorParts& parts, const DoorOptions& options)
    : parts_(parts),
      options_(options),
      limits_{options.queue_messages_max,
              options.queue_bytes_max,
              options.queue_bytes_total_max,
              options.unsent_bytes_max,
              {},
              parts.metrics.counter("tarn_mqtt_dropped_total",
                                    "Messages not given to a subscriber that lags or is away")},
      retained_(options.retained_messages_max, options.retained_bytes_max) {}

Broker::~Broker() {
    stop();
}

void Broker::start() {
    keeper_ = std::thread([this] {
        name_thread("mqtt-keeper");
        run();
    });
}

void Broker::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    if (keeper_.joinable()) keeper_.join();
}

void Broker::run() {
    for (;;) {
        bool last = false;
        {
            MutexLock lock(mutex_);
            if (wills_.empty() && orphans_.empty() && !stopping_) wake_.wait_for(mutex_, kRound);
            last = stopping_;
        }
        keep();
        if (last) return;
    }
}

void Broker::keep() {
    std::vector<SharedMessage> orphans;
    {
        MutexLock lock(mutex_);
        orphans.swap(orphans_);
    }
    route(orphans);
    if (auto due = take_due(); !due.empty()) append_and_route(std::move(due));
}

/// Wills that are due, those of sessions that end now included.
std::vector<SharedMessage> Broker::take_due() {
    const auto now = parts_.clock.steady();
    MutexLock lock(mutex_);
    std::vector<SharedMessage> due = std::exchange(wills_, {});
    for (auto next = entries_.begin(); next != entries_.end();) {
        Entry& entry = next->second;
        const bool ended = entry.expires && *entry.expires <= now;
        if (entry.will && (ended || entry.will_due <= now)) due.push_back(std::move(entry.will));
        if (!ended) {
            ++next;
            continue;
        }
        forget_filters(*entry.client);
        next = entries_.erase(next);
    }
    return due;
}

void Broker::append_and_route(std::vector<SharedMessage> messages) {
    std::map<std::string, std::vector<SharedMessage>> by_stream;
    for (auto& message : messages)
        by_stream[stream_of(message->topic)].push_back(std::move(message));
    for (auto& [stream, of_stream] : by_stream) {
        std::vector<streams::NewRecord> records;
        meta::Batch with;
        for (const auto& message : of_stream) {
            records.push_back({message->topic, message->payload});
            if (message->retain) Retained::stage(with, *message);
        }
        const auto appended = parts_.streams.append(stream, std::move(records), std::move(with));
        if (!appended.ok()) {
            log_error("mqtt", "wills were not published",
                      {{"stream", stream}, {"error", appended.error().message}});
            continue;
        }
        for (const auto& message : of_stream)
            if (message->retain) retained_.apply(message);
        route(of_stream);
    }
}

Result<Broker::Attached> Broker::attach(const std::string& client_id, const std::string& owner,
                                        bool clean_start, Client::Link link,
                                        uint16_t inflight_max) {
    Attached attached;
    Client::Link before;
    {
        MutexLock lock(mutex_);
        auto found = entries_.find(client_id);
        if (found != entries_.end() && found->second.client->owner() != owner)
            return Error(Code::permission_denied,
                         "the client identifier belongs to the session of another user");
        if (found == entries_.end() && entries_.size() >= options_.sessions_max)
            return Error(Code::exhausted, "there are too many sessions");
        if (found == entries_.end()) found = entries_.emplace(client_id, Entry{}).first;
        Entry& entry = found->second;
        const auto now = parts_.clock.steady();
        const bool over = clean_start || (entry.expires && *entry.expires <= now);
        if (entry.client && over) {
            uint64_t ignored = 0;
            before = entry.client->attach({}, 1, ignored);
            forget_filters(*entry.client);
            entry.client.reset();
            if (entry.will) wills_.push_back(std::move(entry.will));
            wake_.notify_all();
        }
        attached.session_present = entry.client != nullptr;
        if (!entry.client) entry.client = std::make_shared<Client>(client_id, owner, limits_);
        entry.expires.reset();
        entry.will.reset();
        auto previous = entry.client->attach(std::move(link), inflight_max, attached.epoch);
        if (previous.wire) before = std::move(previous);
        attached.client = entry.client;
    }
    if (before.wire)
        before.wire->post([old = before.session, ended = !attached.session_present] {
            old->on_taken_over(ended);
        });
    return attached;
}

void Broker::leave(const std::shared_ptr<Client>& client, uint64_t epoch,
                   std::chrono::seconds expiry, std::optional<PendingWill> will) {
    MutexLock lock(mutex_);
    const auto found = entries_.find(client->id());
    const bool ours =
        client->detach(epoch) && found != entries_.end() && found->second.client == client;
    const bool ends = ours && expiry.count() == 0;
    if (will && (ends || !ours || will->delay.count() == 0)) {
        // Whoever resumed the session in the meantime has cancelled a will that was to wait.
        if (ends || will->delay.count() == 0) wills_.push_back(std::move(will->message));
        will.reset();
        wake_.notify_all();
    }
    if (!ours) return;
    if (ends) {
        forget_filters(*client);
        entries_.erase(found);
        return;
    }
    const auto now = parts_.clock.steady();
    found->second.expires = now + expiry;
    if (!will) return;
    found->second.will = std::move(will->message);
    found->second.will_due = now + std::min(will->delay, expiry);
}

void Broker::publish_will(SharedMessage message) {
    MutexLock lock(mutex_);
    wills_.push_back(std::move(message));
    wake_.notify_all();
}

void Broker::forget_filters(Client& client) {
    for (const std::string& text : client.filters())
        if (const auto filter = parse_filter(text, options_.topic_levels_max))
            subscriptions_.remove(*filter, client);
}

Reason Broker::subscribe(const std::shared_ptr<Client>& client, std::string_view text,
                         SubscriptionOptions options, uint32_t id) {
    const auto filter = parse_filter(text, options_.topic_levels_max);
    TARN_ASSERT(filter);
    options.qos = std::min<uint8_t>(options.qos, 1);
    const auto added = client->add_filter(std::string(text), options_.subscriptions_max);
    if (added == Client::Added::refused) return Reason::quota_exceeded;
    subscriptions_.add(*filter, client, options, id);
    const bool wants_retained =
        filter->group.empty() && (options.retain_handling == 0 ||
                                  (options.retain_handling == 1 && added == Client::Added::added));
    if (wants_retained) {
        for (auto& message : retained_.match(filter->filter, parts_.clock.now())) {
            Delivery delivery;
            delivery.qos = std::min(message->qos, options.qos);
            delivery.retain = true;
            if (id != 0) delivery.subscription_ids = {id};
            delivery.message = std::move(message);
            client->deliver(std::move(delivery));
        }
    }
    return options.qos == 0 ? Reason::success : Reason::granted_qos_1;
}

bool Broker::unsubscribe(Client& client, const std::string& text) {
    if (!client.remove_filter(text)) return false;
    if (const auto filter = parse_filter(text, options_.topic_levels_max))
        subscriptions_.remove(*filter, client);
    return true;
}

void Broker::route(const std::vector<SharedMessage>& messages) {
    for (const SharedMessage& message : messages) {
        for (Target& target : subscriptions_.match(message->topic, message->publisher)) {
            Delivery delivery;
            delivery.message = message;
            delivery.qos = std::min(message->qos, target.qos);
            delivery.retain = message->retain && target.retain_as_published;
            delivery.subscription_ids = std::move(target.subscription_ids);
            target.client->deliver(std::move(delivery));
        }
    }
}

void Broker::route_later(std::vector<SharedMessage> messages) {
    if (messages.empty()) return;
    MutexLock lock(mutex_);
    for (auto& message : messages) orphans_.push_back(std::move(message));
    wake_.notify_all();
}

size_t Broker::sessions() const {
    MutexLock lock(mutex_);
    return entries_.size();
}

void Broker::set_routes(std::shared_ptr<const TopicRoutes> routes) {
    MutexLock lock(mutex_);
    routes_ = std::move(routes);
}

std::string Broker::stream_of(std::string_view topic) const {
    std::shared_ptr<const TopicRoutes> routes;
    {
        MutexLock lock(mutex_);
        routes = routes_;
    }
    return routes ? routes->stream_of(topic) : options_.default_stream;
}

}  // namespace tarn::mqtt

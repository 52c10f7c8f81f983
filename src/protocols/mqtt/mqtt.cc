#include "protocols/mqtt/mqtt.h"

#include <algorithm>

#include "protocols/mqtt/internal/session.h"

namespace tarn::mqtt {
namespace {

DoorOptions within_bounds(DoorOptions options) {
    options.packet_bytes_max = std::min(options.packet_bytes_max, streams::kRecordBytesMax);
    options.receive_max = std::max<uint16_t>(options.receive_max, 1);
    options.inflight_max = std::max<uint16_t>(options.inflight_max, 1);
    return options;
}

}  // namespace

Door::Shared::Shared(DoorParts door_parts, DoorOptions door_options)
    : parts(door_parts),
      options(within_bounds(std::move(door_options))),
      connections_gauge(
          parts.metrics.gauge("tarn_mqtt_connections", "Connections that have signed in")),
      received(parts.metrics.counter("tarn_mqtt_received_total", "Messages taken from publishers")),
      received_bytes(parts.metrics.counter("tarn_mqtt_received_bytes_total",
                                           "Bytes of topics and payloads taken from publishers")),
      delivered(parts.metrics.counter("tarn_mqtt_delivered_total", "Messages sent to subscribers")),
      refused(parts.metrics.counter("tarn_mqtt_refused_total",
                                    "Publishes refused or not kept, for whatever reason")),
      broker(parts, options) {}

std::string Door::Shared::arn(std::string_view kind, std::string_view name) const {
    std::string arn = "arn:aws:iot:" + options.region + ":" + options.account_id + ":";
    arn += kind;
    arn.push_back('/');
    return arn += name;
}

std::shared_ptr<Batcher> Door::Shared::batcher() {
    MutexLock lock(mutex_);
    auto& known = batchers_[std::this_thread::get_id()];
    auto batcher = known.lock();
    if (!batcher) {
        batcher =
            std::make_shared<Batcher>(parts.streams, broker, shared_from_this(), flight_bytes);
        known = batcher;
    }
    return batcher;
}

bool Door::Shared::take_place() {
    if (places.fetch_add(1) >= options.connections_max) {
        --places;
        return false;
    }
    connections_gauge.add(1);
    return true;
}

void Door::Shared::give_place() {
    --places;
    connections_gauge.add(-1);
}

Result<std::unique_ptr<Door>> Door::open(DoorParts parts, DoorOptions options) {
    auto shared = std::make_shared<Shared>(parts, std::move(options));
    TARN_CHECK_OK(shared->broker.retained().load(parts.store));
    shared->broker.start();
    return std::unique_ptr<Door>(new Door(std::move(shared)));
}

Door::Door(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

/// An append in flight may hold the shared part a moment longer: its thread must not be the one
/// that waits for the keeper.
Door::~Door() {
    shared_->broker.stop();
}

net::SessionFactory Door::factory() {
    return [shared = shared_](net::Transport& transport) -> std::unique_ptr<net::Session> {
        return std::make_unique<MqttSession>(shared, transport);
    };
}

void Door::set_routes(std::shared_ptr<const TopicRoutes> routes) {
    shared_->broker.set_routes(std::move(routes));
}

size_t Door::connections() const {
    return shared_->places;
}

}  // namespace tarn::mqtt

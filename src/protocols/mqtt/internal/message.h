// A message on its way to subscribers, and its place in one subscriber's queue.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace tarn::mqtt {

/// Immutable and shared once it is published.
struct Message {
    std::string topic, payload;
    std::string forwarded;  // properties that go on unchanged (encode_forwarded)
    uint8_t qos = 0;
    bool retain = false;
    std::optional<Timestamp> expires;
    const void* publisher = nullptr;  // the Client, to be compared only (No Local)

    size_t bytes() const { return topic.size() + payload.size() + forwarded.size() + 64; }
};

using SharedMessage = std::shared_ptr<const Message>;

struct Delivery {
    SharedMessage message;
    uint8_t qos = 0;
    bool retain = false, dup = false;
    uint16_t packet_id = 0;  // 0 with QoS 0
    std::vector<uint32_t> subscription_ids;
};

}  // namespace tarn::mqtt

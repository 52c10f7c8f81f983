// Retained messages (section 3.3.1.3): in memory for subscribers, in the store for good. Records:
// docs/formats/mqtt.md, kind "mr".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "meta/store.h"
#include "protocols/mqtt/internal/message.h"

namespace tarn::mqtt {

/// Lane: any, except load.
class Retained {
 public:
    Retained(size_t messages_max, size_t bytes_max)
        : messages_max_(messages_max), bytes_max_(bytes_max) {}

    /// Reads what the store has. Lane: any but a loop. corrupted, io.
    Status load(const meta::Store& store);
    /// exhausted when there is no room for it beside the others.
    Status check_room(const std::string& topic, size_t bytes) const;
    /// Puts the message, or its removal when the payload is empty, into the batch of its append.
    static void stage(meta::Batch& batch, const Message& message);
    /// Makes it visible. Called in the order of the commits.
    void apply(SharedMessage message);
    /// Those whose topic fits and that have not expired.
    std::vector<SharedMessage> match(std::string_view filter, Timestamp now) const;
    size_t size() const;

 private:
    const size_t messages_max_, bytes_max_;
    mutable Mutex mutex_;
    std::map<std::string, SharedMessage, std::less<>> messages_ TARN_GUARDED_BY(mutex_);
    size_t bytes_ TARN_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::mqtt

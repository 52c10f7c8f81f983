// Publishes on their way into the log: all that one turn of a loop received for a stream is one
// append, whichever connections it came from.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "net/transport.h"
#include "protocols/mqtt/internal/broker.h"
#include "protocols/mqtt/internal/message.h"

namespace tarn::mqtt {

class MqttSession;

/// One per loop. Lane: that loop, except where it says so. Appends in flight hold it alive.
class Batcher : public std::enable_shared_from_this<Batcher> {
 public:
    Batcher(streams::Streams& streams, Broker& broker, std::shared_ptr<void> keep_alive,
            std::atomic<size_t>& flight_bytes);

    /// A session takes part from enter to leave; the number names it in between. leave appends what
    /// waits: the function that was to do so may have been posted on the session's connection.
    uint64_t enter(MqttSession& session, std::shared_ptr<net::Wire> wire);
    void leave(uint64_t session);

    struct Item {
        streams::NewRecord record;
        SharedMessage message;  // null: nobody subscribes and it is not retained
        bool wants_ack = false;
    };
    /// Adds to the batch of the stream; flush is posted. Returns the batch's number, which
    /// MqttSession::on_appended names later.
    uint64_t add(uint64_t session, const std::string& stream, Item item);
    /// Appends all that was added.
    void flush();

 private:
    struct Part {
        uint64_t session = 0;
        std::shared_ptr<net::Wire> wire;
        size_t acks = 0, bytes = 0;
    };
    struct Batch {
        uint64_t number = 0;
        std::vector<streams::NewRecord> records;
        meta::Batch with;
        std::vector<SharedMessage> messages;
        std::vector<Part> parts;
        size_t bytes = 0;
    };
    struct Completed {
        uint64_t number = 0;
        std::vector<Part> parts;
        std::vector<SharedMessage> messages;
        Status status;
    };
    struct Member {
        MqttSession* session = nullptr;
        std::shared_ptr<net::Wire> wire;
    };

    void append(const std::string& stream, Batch batch);
    /// Lane: the committer's thread.
    void complete(Completed completed);
    void post_finish();
    /// Tells sessions and subscribers.
    void finish();

    streams::Streams& streams_;
    Broker& broker_;
    const std::shared_ptr<void> keep_alive_;
    std::atomic<size_t>& flight_bytes_;
    uint64_t last_session_ = 0, last_batch_ = 0;
    std::unordered_map<uint64_t, Member> members_;
    std::map<std::string, Batch> open_;
    bool flush_posted_ = false;

    Mutex mutex_;
    std::vector<Completed> completed_ TARN_GUARDED_BY(mutex_);
    bool finish_posted_ TARN_GUARDED_BY(mutex_) = false;
};

}  // namespace tarn::mqtt

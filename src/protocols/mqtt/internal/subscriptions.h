// Who gets what: a tree of topic levels shared by all connections.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "protocols/mqtt/internal/client.h"
#include "protocols/mqtt/internal/packets.h"
#include "protocols/mqtt/internal/topics.h"

namespace tarn::mqtt {

/// One receiver of a message; subscriptions of a client that overlap are one.
struct Target {
    std::shared_ptr<Client> client;
    uint8_t qos = 0;
    bool retain_as_published = false;
    std::vector<uint32_t> subscription_ids;
};

/// Lane: any.
class Subscriptions {
 public:
    Subscriptions();
    ~Subscriptions();

    /// Adds or replaces. `id` 0: none.
    void add(const Filter& filter, std::shared_ptr<Client> client, SubscriptionOptions options,
             uint32_t id);
    void remove(const Filter& filter, const Client& client);
    /// Those whose subscription fits; of each shared group one, in turn, connected ones first.
    /// `publisher`: for No Local.
    std::vector<Target> match(std::string_view topic, const void* publisher);
    /// Cheap, for publishers: false means that match would find nobody.
    bool any() const { return count_.load(std::memory_order_relaxed) > 0; }

 private:
    struct Subscriber {
        std::shared_ptr<Client> client;
        SubscriptionOptions options;
        uint32_t id = 0;
    };
    struct Group {
        std::vector<Subscriber> members;
        size_t next = 0;
    };
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
        std::vector<Subscriber> subscribers;
        std::map<std::string, Group, std::less<>> groups;
        bool empty() const { return children.empty() && subscribers.empty() && groups.empty(); }
    };
    using Found = std::vector<const Subscriber*>;

    bool remove_below(Node& node, std::optional<std::string_view> rest, std::string_view group,
                      const Client& client) TARN_REQUIRES(mutex_);
    void collect(Node& node, std::optional<std::string_view> rest, bool wildcards, Found& found)
        TARN_REQUIRES(mutex_);
    void collect_here(Node& node, Found& found) TARN_REQUIRES(mutex_);

    Mutex mutex_;
    std::unique_ptr<Node> root_ TARN_GUARDED_BY(mutex_);
    std::atomic<size_t> count_{0};
};

}  // namespace tarn::mqtt

// What one connection may do, asked of the authorizer and reused for a moment; and the count of
// what it published, for the audit trail.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mqtt/internal/packets.h"
#include "protocols/mqtt/internal/shared.h"
#include "security/caller.h"

namespace tarn::mqtt {

/// Owner: the session. Lane: its loop.
class Rights {
 public:
    Rights(Door::Shared& door, security::Caller caller);

    security::Caller& caller() { return caller_; }
    /// Asks, and puts the answer on record. With `always` a yes is recorded too. server_busy: the
    /// audit trail takes no more.
    Status decide(std::string_view action, std::string resource, bool always);
    /// False when the key that signed in is no longer good; asked once per decision_time.
    bool still_good();

    struct Topic {
        std::chrono::steady_clock::time_point until;
        Status allowed;
        std::string stream;
        uint64_t count = 0, bytes = 0;  // published and not yet counted
    };
    /// Valid until the next call.
    Topic& publish_to(std::string_view topic);
    bool may_receive(std::string_view topic);
    /// Notes an accepted publish; `topic` is what publish_to(name) returned.
    void note_published(std::string_view name, Topic& topic, uint64_t bytes);
    /// Hands the counts to the audit trail; what it has no room for waits for the next call.
    void report();

 private:
    using Topics = std::map<std::string, Topic, std::less<>>;
    Topic& look_up(Topics& topics, std::string_view topic, std::string_view action);

    Door::Shared& door_;
    security::Caller caller_;
    const std::string connection_;  // names it in the audit trail's counters
    Topics publish_, receive_;
    std::vector<std::string> uncounted_;  // topics of publish_ with a count
    std::chrono::steady_clock::time_point good_until_;
};

}  // namespace tarn::mqtt

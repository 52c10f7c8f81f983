#include "protocols/mqtt/internal/rights.h"

#include "base/log.h"
#include "protocols/mqtt/internal/errors.h"

namespace tarn::mqtt {
namespace {

constexpr size_t kTopicsMax = 1024;  // remembered for one connection and direction

}  // namespace

Rights::Rights(Door::Shared& door, security::Caller caller)
    : door_(door), caller_(std::move(caller)), connection_(caller_.request_id) {}

Status Rights::decide(std::string_view action, std::string resource, bool always) {
    caller_.action = action;
    caller_.resource = std::move(resource);
    caller_.at = door_.parts.clock.now();
    Status decided = door_.parts.authorizer.decide(caller_);
    if (door_.parts.audit == nullptr || (decided.ok() && !always)) return decided;
    auto result = security::AuditResult::of(decided);
    if (!decided.ok()) result.error_code = word_of(reason_of(decided.error()));
    if (Status recorded = door_.parts.audit->try_record(caller_, result);
        !recorded.ok() && decided.ok())
        return Error(Code::unavailable, "the audit trail is busy: try again");
    return decided;
}

bool Rights::still_good() {
    const auto now = door_.parts.clock.steady();
    if (now < good_until_) return true;
    good_until_ = now + door_.options.decision_time;
    return door_.parts.users.find_key(caller_.principal.access_key_id) != nullptr;
}

Rights::Topic& Rights::look_up(Topics& topics, std::string_view topic, std::string_view action) {
    const auto now = door_.parts.clock.steady();
    auto known = topics.find(topic);
    if (known != topics.end() && now < known->second.until) return known->second;
    if (known == topics.end()) {
        if (topics.size() >= kTopicsMax) {
            report();
            std::erase_if(topics, [](const auto& one) { return one.second.count == 0; });
        }
        known = topics.emplace(std::string(topic), Topic{}).first;
    }
    known->second.until = now + door_.options.decision_time;
    known->second.stream.clear();
    known->second.allowed = decide(action, door_.arn("topic", topic), false);
    return known->second;
}

Rights::Topic& Rights::publish_to(std::string_view topic) {
    Topic& found = look_up(publish_, topic, "iot:Publish");
    if (publish_.size() > 4 * kTopicsMax)
        found.allowed = Error(Code::unavailable, "the audit trail is busy: try again");
    if (found.allowed.ok() && found.stream.empty()) found.stream = door_.broker.stream_of(topic);
    return found;
}

bool Rights::may_receive(std::string_view topic) {
    return caller_.principal.is_root() || look_up(receive_, topic, "iot:Receive").allowed.ok();
}

void Rights::note_published(std::string_view name, Topic& topic, uint64_t bytes) {
    if (topic.count == 0) uncounted_.emplace_back(name);
    ++topic.count;
    topic.bytes += bytes;
}

void Rights::report() {
    if (uncounted_.empty() || door_.parts.audit == nullptr) return;
    caller_.action = "iot:Publish";
    caller_.at = door_.parts.clock.now();
    std::erase_if(uncounted_, [&](const std::string& name) {
        Topic& topic = publish_.find(name)->second;
        caller_.resource = door_.arn("topic", name);
        while (topic.count > 0 &&
               door_.parts.audit->count(connection_, caller_, topic.bytes).ok()) {
            --topic.count;
            topic.bytes = 0;
        }
        return topic.count == 0;
    });
}

}  // namespace tarn::mqtt

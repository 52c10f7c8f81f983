#include "events/internal/queue.h"

#include <algorithm>

#include "base/assert.h"

namespace tarn::events {

std::string DeliveryQueue::line_of(const QueuedDelivery& delivery) {
    // A target has a fixed length and a rule's name no zero byte: lines never run into each other.
    return delivery.target + delivery.rule + std::string(1, '\0') + delivery.key_id;
}

void DeliveryQueue::add(QueuedDelivery delivery) {
    const std::string name = line_of(delivery);
    auto& target = targets_[delivery.target];
    target.host = delivery.host;
    ++target.waiting;
    ++size_;
    auto& line = lines_[name];
    line.waiting.push_back(std::move(delivery));
    if (line.waiting.size() == 1 && !line.running) ready(name);
}

void DeliveryQueue::ready(const std::string& line) {
    const auto& head = lines_.at(line).waiting.front();
    targets_.at(head.target).ready.emplace(head.due, line);
}

bool DeliveryQueue::may_start(const Target& target) const {
    // One at a time feels out whether a webhook that was down is back.
    if (target.down > 0 && target.running > 0) return false;
    const auto running = running_by_host_.find(target.host);
    return running == running_by_host_.end() || running->second < per_host_max_;
}

std::optional<QueuedDelivery> DeliveryQueue::take(Timestamp now) {
    Target* best = nullptr;
    for (auto& [id, target] : targets_) {
        if (target.ready.empty() || target.ready.begin()->first > now || target.not_before > now ||
            !may_start(target))
            continue;
        if (best == nullptr || target.ready.begin()->first < best->ready.begin()->first)
            best = &target;
    }
    if (best == nullptr) return std::nullopt;
    const std::string name = best->ready.begin()->second;
    best->ready.erase(best->ready.begin());
    auto& line = lines_.at(name);
    line.running = true;
    ++best->running;
    ++running_by_host_[best->host];
    return line.waiting.front();
}

std::optional<Timestamp> DeliveryQueue::next_due() const {
    std::optional<Timestamp> next;
    for (const auto& [id, target] : targets_) {
        if (target.ready.empty() || !may_start(target)) continue;
        const Timestamp due = std::max(target.ready.begin()->first, target.not_before);
        if (!next || due < *next) next = due;
    }
    return next;
}

void DeliveryQueue::end(const QueuedDelivery& delivery) {
    auto& target = targets_.at(delivery.target);
    TARN_ASSERT(target.running > 0);
    --target.running;
    auto running = running_by_host_.find(target.host);
    if (running != running_by_host_.end() && --running->second == 0)
        running_by_host_.erase(running);
    lines_.at(line_of(delivery)).running = false;
}

void DeliveryQueue::done(const QueuedDelivery& delivery, bool answered) {
    end(delivery);
    const std::string name = line_of(delivery);
    auto& line = lines_.at(name);
    line.waiting.pop_front();
    auto& target = targets_.at(delivery.target);
    --target.waiting;
    --size_;
    if (answered) {
        target.down = 0;
        target.not_before = {};
    }
    if (line.waiting.empty())
        lines_.erase(name);
    else
        ready(name);
    if (target.waiting == 0 && target.down == 0) targets_.erase(delivery.target);
}

void DeliveryQueue::again(const QueuedDelivery& delivery, Timestamp due,
                          std::optional<Timestamp> down_until) {
    end(delivery);
    auto& target = targets_.at(delivery.target);
    if (down_until) {
        ++target.down;
        target.not_before = std::max(target.not_before, *down_until);
    }
    const std::string name = line_of(delivery);
    lines_.at(name).waiting.front().due = due;
    ready(name);
}

uint32_t DeliveryQueue::down_count(const std::string& target) const {
    const auto found = targets_.find(target);
    return found == targets_.end() ? 0 : found->second.down;
}

std::map<std::string, uint64_t> DeliveryQueue::waiting_by_target() const {
    std::map<std::string, uint64_t> out;
    for (const auto& [id, target] : targets_) out[id] = target.waiting;
    return out;
}

}  // namespace tarn::events

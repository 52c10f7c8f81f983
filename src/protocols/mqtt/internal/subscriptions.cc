#include "protocols/mqtt/internal/subscriptions.h"

#include <algorithm>

namespace tarn::mqtt {

Subscriptions::Subscriptions() : root_(std::make_unique<Node>()) {}
Subscriptions::~Subscriptions() = default;

void Subscriptions::add(const Filter& filter, std::shared_ptr<Client> client,
                        SubscriptionOptions options, uint32_t id) {
    MutexLock lock(mutex_);
    Node* node = root_.get();
    std::optional<std::string_view> rest = filter.filter;
    while (rest) {
        const std::string_view level = take_level(rest);
        auto child = node->children.find(level);
        if (child == node->children.end())
            child = node->children.emplace(std::string(level), std::make_unique<Node>()).first;
        node = child->second.get();
    }
    auto& there =
        filter.group.empty() ? node->subscribers : node->groups[std::string(filter.group)].members;
    for (Subscriber& known : there) {
        if (known.client != client) continue;
        known.options = options;
        known.id = id;
        return;
    }
    there.push_back({std::move(client), options, id});
    ++count_;
}

void Subscriptions::remove(const Filter& filter, const Client& client) {
    MutexLock lock(mutex_);
    remove_below(*root_, filter.filter, filter.group, client);
}

/// True when the node has become empty and may go.
bool Subscriptions::remove_below(Node& node, std::optional<std::string_view> rest,
                                 std::string_view group, const Client& client) {
    if (rest) {
        const auto child = node.children.find(take_level(rest));
        if (child != node.children.end() && remove_below(*child->second, rest, group, client))
            node.children.erase(child);
        return node.empty();
    }
    const auto is_it = [&](const Subscriber& one) { return one.client.get() == &client; };
    if (group.empty()) {
        count_ -= std::erase_if(node.subscribers, is_it);
    } else if (const auto found = node.groups.find(group); found != node.groups.end()) {
        count_ -= std::erase_if(found->second.members, is_it);
        if (found->second.members.empty()) node.groups.erase(found);
    }
    return node.empty();
}

void Subscriptions::collect_here(Node& node, Found& found) {
    for (const Subscriber& one : node.subscribers) found.push_back(&one);
    for (auto& [name, group] : node.groups) {
        const size_t size = group.members.size();
        size_t chosen = group.next % size;
        for (size_t tried = 0; tried < size; ++tried) {
            const size_t candidate = (group.next + tried) % size;
            if (!group.members[candidate].client->attached()) continue;
            chosen = candidate;
            break;
        }
        group.next = chosen + 1;
        found.push_back(&group.members[chosen]);
    }
}

void Subscriptions::collect(Node& node, std::optional<std::string_view> rest, bool wildcards,
                            Found& found) {
    if (wildcards) {
        // "a/#" matches "a" and everything below it.
        if (const auto all = node.children.find("#"); all != node.children.end())
            collect_here(*all->second, found);
    }
    if (!rest) return collect_here(node, found);
    const std::string_view level = take_level(rest);
    if (const auto exact = node.children.find(level); exact != node.children.end())
        collect(*exact->second, rest, true, found);
    if (!wildcards) return;
    if (const auto any_level = node.children.find("+"); any_level != node.children.end())
        collect(*any_level->second, rest, true, found);
}

std::vector<Target> Subscriptions::match(std::string_view topic, const void* publisher) {
    std::vector<Target> targets;
    MutexLock lock(mutex_);
    Found found;
    collect(*root_, topic, topic.front() != '$', found);
    std::stable_sort(found.begin(), found.end(), [](const Subscriber* a, const Subscriber* b) {
        return a->client.get() < b->client.get();
    });
    for (const Subscriber* one : found) {
        if (one->options.no_local && one->client.get() == publisher) continue;
        if (targets.empty() || targets.back().client != one->client)
            targets.push_back({one->client, 0, false, {}});
        Target& target = targets.back();
        target.qos = std::max(target.qos, one->options.qos);
        target.retain_as_published |= one->options.retain_as_published;
        if (one->id != 0) target.subscription_ids.push_back(one->id);
    }
    return targets;
}

}  // namespace tarn::mqtt

#include "ingest/routes.h"

#include <fmt/format.h>

#include "ingest/internal/mqtt_topic.h"

namespace tarn::ingest {

struct Routes::Route {
    TopicTemplate topic;
    std::string source;
    std::string stream;
};

Routes::Routes() = default;
Routes::~Routes() = default;

std::string stream_of_source(std::string_view name) {
    return "source." + std::string(name);
}

std::shared_ptr<const Routes> Routes::make(const std::vector<SourceSpec>& specs) {
    std::shared_ptr<Routes> made(new Routes);
    for (const auto& spec : specs) {
        const auto* mqtt = std::get_if<MqttSource>(&spec.from);
        if (mqtt == nullptr) continue;
        auto topic = TopicTemplate::parse(mqtt->topic);
        if (!topic.ok()) continue;
        made->routes_.push_back(
            {std::move(topic).value(), spec.name, stream_of_source(spec.identity())});
    }
    return made;
}

std::string_view Routes::stream_of(std::string_view topic) const {
    for (const auto& route : routes_)
        if (route.topic.matches(topic)) return route.stream;
    return {};
}

std::shared_ptr<const Routes> RouteTable::get() const {
    const MutexLock lock(mutex_);
    return routes_;
}

void RouteTable::set(std::shared_ptr<const Routes> routes) {
    const MutexLock lock(mutex_);
    routes_ = std::move(routes);
}

std::vector<std::string> shared_topics(const std::vector<SourceSpec>& specs) {
    struct One {
        std::string name;
        TopicTemplate topic;
    };
    std::vector<One> before;
    std::vector<std::string> notes;
    for (const auto& spec : specs) {
        const auto* mqtt = std::get_if<MqttSource>(&spec.from);
        if (mqtt == nullptr) continue;
        auto topic = TopicTemplate::parse(mqtt->topic);
        if (!topic.ok()) continue;
        for (const auto& other : before)
            if (other.topic.overlaps(*topic))
                notes.push_back(fmt::format(
                    "sources {0} and {1} both take topics such as those of \"{2}\" and \"{3}\": "
                    "{0}, which is declared first, gets what matches both",
                    other.name, spec.name, other.topic.text(), topic->text()));
        before.push_back({spec.name, std::move(topic).value()});
    }
    return notes;
}

}  // namespace tarn::ingest

#include "ingest/sources.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/log.h"
#include "ingest/internal/capture_runner.h"
#include "ingest/internal/folder_place.h"
#include "ingest/internal/mqtt_decode.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/source_metrics.h"
#include "ingest/routes.h"

namespace tarn::ingest {

namespace {

std::unique_ptr<Runner> make_runner(const SourceSpec& spec, const SourcesParts& parts) {
    if (std::holds_alternative<PostgresSource>(spec.from)) return make_postgres_runner(spec, parts);
    if (std::holds_alternative<MqttSource>(spec.from)) return make_mqtt_runner(spec, parts);
    return make_folder_runner(spec, parts);
}

struct Running {
    SourceSpec spec;
    std::unique_ptr<Runner> runner;
    bool resting = false;  // guarded by Impl::changing
};

bool is_captured(const SourceSpec& spec) {
    const auto* postgres = std::get_if<PostgresSource>(&spec.from);
    return postgres && postgres->follow == PostgresSource::Follow::changes;
}

}  // namespace

struct Sources::Impl {
    explicit Impl(SourcesParts given) : parts(std::move(given)), metrics(parts.metrics) {}

    SourcesParts parts;
    SourceMetrics metrics;
    Mutex changing;  // one configure() or stop() at a time; held while runners end
    Mutex mutex;     // the map; short. Order: changing, mutex
    std::map<std::string, std::shared_ptr<Running>> running TARN_GUARDED_BY(mutex);
    bool stopped TARN_GUARDED_BY(mutex) = false;
    /// What ends in the databases that are followed no more; by identity.
    std::map<std::string, std::unique_ptr<Runner>> removals TARN_GUARDED_BY(changing);

    static void end(const std::vector<std::shared_ptr<Running>>& leaving) {
        for (const auto& one : leaving) one->runner->ask_to_stop();
        for (const auto& one : leaving) one->runner->stop();
    }

    std::vector<std::shared_ptr<Running>> all() {
        const MutexLock lock(mutex);
        std::vector<std::shared_ptr<Running>> out;
        for (const auto& [name, one] : running) out.push_back(one);
        return out;
    }
};

void AwaitedPositions::await(const std::string& identity) {
    const MutexLock lock(mutex_);
    awaited_.insert(identity);
}

bool AwaitedPositions::take(const std::string& identity) {
    const MutexLock lock(mutex_);
    return awaited_.erase(identity) != 0;
}

Sources::Sources(SourcesParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

Sources::~Sources() {
    stop();
}

Status Sources::configure(std::vector<SourceSpec> specs) {
    const auto routes = Routes::make(specs);  // in the order of the declaration
    std::map<std::string, SourceSpec> wanted;
    std::set<std::string> followed;  // identities whose slot stays
    std::set<std::string> identities;
    for (auto& spec : specs) {
        const std::string name = spec.name;
        if (is_captured(spec)) followed.insert(spec.identity());
        if (!identities.insert(spec.identity()).second)
            return Error(Code::invalid_argument,
                         "two sources have the identity " + spec.identity());
        if (!wanted.emplace(name, std::move(spec)).second)
            return Error(Code::invalid_argument, "two sources have the name " + name);
    }
    const MutexLock changing(impl_->changing);
    std::vector<std::shared_ptr<Running>> leaving;
    {
        const MutexLock lock(impl_->mutex);
        if (impl_->stopped) return Error(Code::cancelled, "the sources have been stopped");
        for (auto it = impl_->running.begin(); it != impl_->running.end();) {
            const auto found = wanted.find(it->first);
            if (found != wanted.end() && found->second == it->second->spec &&
                !it->second->resting) {
                wanted.erase(found);
                ++it;
            } else {
                leaving.push_back(std::move(it->second));
                it = impl_->running.erase(it);
            }
        }
    }
    if (impl_->parts.routes != nullptr) impl_->parts.routes->set(routes);
    // What is replaced must have ended before its successor reads the same positions.
    Impl::end(leaving);
    for (const auto& one : leaving) {
        if (!is_captured(one->spec) || followed.contains(one->spec.identity())) continue;
        auto& removal = impl_->removals[one->spec.identity()];
        removal = make_capture_removal(one->spec, impl_->parts);
        removal->start();
    }
    for (auto& [name, spec] : wanted) {
        // What it made may be used again.
        if (is_captured(spec)) impl_->removals.erase(spec.identity());
        auto one = std::make_shared<Running>();
        one->runner = make_runner(spec, impl_->parts);
        one->spec = std::move(spec);
        one->runner->start();
        const MutexLock lock(impl_->mutex);
        impl_->running.emplace(name, std::move(one));
    }
    return ok_status();
}

void Sources::rest(const std::string& name) {
    const MutexLock changing(impl_->changing);
    for (const auto& one : impl_->all()) {
        if (one->spec.name != name) continue;
        Impl::end({one});
        one->resting = true;
    }
}

std::vector<SourceStatus> Sources::status() const {
    std::vector<SourceStatus> out;
    for (const auto& one : impl_->all()) out.push_back(one->runner->status());
    return out;
}

void Sources::update_metrics() const {
    impl_->metrics.show(status());
}

Result<Preview> Sources::try_source(const SourceSpec& spec, size_t rows_max) {
    if (std::holds_alternative<PostgresSource>(spec.from))
        return preview_postgres(spec, impl_->parts, rows_max);
    if (std::holds_alternative<MqttSource>(spec.from))
        return preview_mqtt(spec, impl_->parts, rows_max);
    return preview_folder(spec, impl_->parts, rows_max);
}

void Sources::stop() {
    const MutexLock changing(impl_->changing);
    {
        const MutexLock lock(impl_->mutex);
        impl_->stopped = true;
    }
    for (const auto& [name, removal] : impl_->removals) removal->stop();
    // They stay in the map: what they were doing can still be asked.
    Impl::end(impl_->all());
}

std::string_view to_string(SourceStatus::State state) {
    switch (state) {
        case SourceStatus::State::loading:
            return "loading";
        case SourceStatus::State::following:
            return "following";
        case SourceStatus::State::waiting:
            return "waiting";
        case SourceStatus::State::complete:
            return "complete";
        case SourceStatus::State::failed:
            return "failed";
    }
    return "failed";
}

Status check(const SourceSpec& spec) {
    if (const auto* folder = std::get_if<FolderSource>(&spec.from))
        return check_drop_folder(folder->path);
    if (!std::holds_alternative<MqttSource>(spec.from)) return ok_status();
    const auto shape = MqttShape::make(spec);
    return shape.ok() ? ok_status() : Status(shape.error());
}

std::vector<std::string> warnings(const SourceSpec& spec) {
    std::vector<std::string> out;
    if (const auto* postgres = std::get_if<PostgresSource>(&spec.from)) {
        if (postgres->follow == PostgresSource::Follow::once) {
            out.push_back(fmt::format(
                "source {} is read once: later changes in the database are not seen", spec.name));
        } else if (postgres->follow == PostgresSource::Follow::changes) {
            if (postgres->retained_wal_max == 0)
                out.push_back(fmt::format(
                    "source {} makes its database keep log until the lake has it, without a limit "
                    "while the lake is down: set limits: {{retained_wal: 10GB}}",
                    spec.name));
        } else {
            out.push_back(fmt::format(
                "source {} cannot see deletes: rows deleted in the database stay in the lake",
                spec.name));
            out.push_back(
                postgres->by.empty()
                    ? fmt::format("source {} finds new rows by their primary key: changes to rows "
                                  "that were read before are not seen; name a column that grows "
                                  "with every change (by: updated_at) to see them",
                                  spec.name)
                    : fmt::format("source {} sees a changed row only when the change also raises "
                                  "its column {}",
                                  spec.name, postgres->by));
        }
    } else if (const auto* mqtt = std::get_if<MqttSource>(&spec.from)) {
        if (mqtt->key.empty())
            out.push_back(fmt::format(
                "source {} has no key: a reading that is sent twice becomes two rows", spec.name));
    } else if (const auto* folder = std::get_if<FolderSource>(&spec.from)) {
        if (folder->key.empty())
            out.push_back(fmt::format(
                "source {} has no key: a row that two files hold becomes two rows", spec.name));
    }
    return out;
}

}  // namespace tarn::ingest

// What runs in a lake by declaration: sources, the graph of steps, models, alerts, dashboards.
// Built after the lake's stores and before its doors; stopped after the doors and before the
// stores.
#pragma once

#include <memory>
#include <string>

#include "app/settings.h"
#include "base/result.h"
#include "lakefile/applier.h"
#include "protocols/mqtt/mqtt.h"

namespace tarn::dashboards {
class Dashboards;
}
namespace tarn::events {
class Alerts;
}
namespace tarn::flows {
class Graph;
class Step;
}  // namespace tarn::flows
namespace tarn::ingest {
class RouteTable;
class Sources;
class Verifications;
class Landing;
struct SourceSpec;
}  // namespace tarn::ingest
namespace tarn::models {
class Registry;
}

namespace tarn::app {

struct Lake;

/// Members stand in the order in which they are built. Owner: Server.
class Services {
 public:
    /// Builds all of it; nothing runs yet. `lake` outlives it.
    static Result<std::unique_ptr<Services>> open(Lake& lake, const Settings& settings);
    /// stop().
    ~Services();
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    /// What was applied runs again; then the lakefile of the settings, if there is one, is applied.
    /// An error of that file names every line that is wrong; nothing of it was applied then.
    Status start(const Settings& settings);
    /// Idempotent.
    void stop();

    lakefile::Applier& applier() { return *applier_; }
    security::Secrets& secrets() { return *secrets_; }
    ingest::Sources& sources() { return *sources_; }
    ingest::Verifications& verifications() { return *verifications_; }
    flows::Graph& graph() { return *graph_; }
    models::Registry& models() { return *models_; }
    events::Alerts& alerts() { return *alerts_; }
    /// For the MQTT door: which stream takes which topic.
    std::shared_ptr<const mqtt::TopicRoutes> topic_routes() const;

 private:
    Services(Lake& lake, const Settings& settings);
    /// permission_denied: a folder outside of those that the settings allow.
    Status may_read(const ingest::SourceSpec& source) const;
    Status open_secrets(const Settings& settings);
    void open_applier(const Settings& settings, lakefile::ApplierParts& parts);
    std::optional<double> rows_per_second(const std::string& step) const;
    /// Turns the declaration into calls of each service's configure().
    Status configure(const lakefile::Lakefile& lakefile);
    /// Those that can be made; the others give problems.
    std::vector<std::shared_ptr<flows::Step>> make_steps(
        const lakefile::Lakefile& lakefile, std::vector<lakefile::Problem>& problems) const;
    std::vector<lakefile::Problem> check(const lakefile::Lakefile& lakefile) const;

    Lake& lake_;
    const std::string source_folders_;
    std::unique_ptr<security::Secrets> secrets_;
    std::shared_ptr<ingest::RouteTable> routes_;
    std::unique_ptr<models::Registry> models_;
    std::unique_ptr<events::Alerts> alerts_;
    std::unique_ptr<flows::Graph> graph_;
    std::unique_ptr<ingest::Sources> sources_;
    std::unique_ptr<ingest::Verifications> verifications_;
    std::unique_ptr<ingest::Landing> landing_;
    std::unique_ptr<lakefile::Applier> applier_;
    bool stopped_ = false;
};

/// A lakefile with the files that it names, read from this machine. not_found, io.
Result<lakefile::Text> read_lakefile(const std::string& path);

}  // namespace tarn::app

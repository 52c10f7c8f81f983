#include "app/services.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/lake.h"
#include "app/preview_json.h"
#include "base/log.h"
#include "dashboards/dashboards.h"
#include "events/alerts.h"
#include "flows/graph.h"
#include "ingest/routes.h"
#include "ingest/landing.h"
#include "ingest/sources.h"
#include "ingest/verify.h"
#include "models/registry.h"
#include "models/steps.h"

namespace tarn::app {
namespace {

/// Asks the routes that are in force at each moment.
class LiveRoutes final : public mqtt::TopicRoutes {
 public:
    explicit LiveRoutes(std::shared_ptr<ingest::RouteTable> table) : table_(std::move(table)) {}

    std::string stream_of(std::string_view topic) const override {
        const auto routes = table_->get();
        const std::string_view found =
            routes == nullptr ? std::string_view() : routes->stream_of(topic);
        return std::string(found.empty() ? ingest::kDefaultStream : found);
    }

 private:
    std::shared_ptr<ingest::RouteTable> table_;
};

std::string describe(const events::Replay& replay) {
    if (replay.evaluations == 0) {
        const bool not_made_yet = replay.note.find("does not exist") != std::string::npos;
        return "there is no history yet to replay it over" +
               (replay.note.empty() || not_made_yet ? "" : " (" + replay.note + ")");
    }
    std::string out = "would have fired " + std::to_string(replay.fired) +
                      (replay.fired == 1 ? " time" : " times") + " and recovered " +
                      std::to_string(replay.recovered) + " from " + format_iso8601(replay.from) +
                      " to " + format_iso8601(replay.to) + ", " +
                      std::to_string(replay.open_at_end) + " open at the end (" +
                      std::to_string(replay.evaluations) + " of " + std::to_string(replay.states) +
                      " states looked at)";
    if (!replay.note.empty()) out += "; " + replay.note;
    return out;
}

}  // namespace

Services::Services(Lake& lake, const Settings& settings)
    : lake_(lake),
      source_folders_(settings.source_folders),
      routes_(std::make_shared<ingest::RouteTable>()) {}

/// What lies outside whatever the settings say is the business of ingest/ (folder_place.h).
Status Services::may_read(const ingest::SourceSpec& source) const {
    const auto* folder = std::get_if<ingest::FolderSource>(&source.from);
    if (folder == nullptr || source_folders_.empty()) return ok_status();
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(folder->path, error);
    for (size_t at = 0; !error && at <= source_folders_.size();) {
        const size_t comma = std::min(source_folders_.find(',', at), source_folders_.size());
        auto allowed =
            std::filesystem::weakly_canonical(source_folders_.substr(at, comma - at), error);
        if (!allowed.has_filename()) allowed = allowed.parent_path();  // "/srv/drop/"
        at = comma + 1;
        if (!allowed.is_absolute()) continue;
        const auto inside = real.lexically_relative(allowed);
        if (!inside.empty() && *inside.begin() != "..") return ok_status();
    }
    return Error(Code::permission_denied,
                 folder->path + " is outside of the folders that sources may read (" +
                     source_folders_ +
                     "): drop files there, or start the server with another "
                     "--source-folders");
}

Services::~Services() {
    stop();
}

Status Services::open_secrets(const Settings& settings) {
    auto given = security::secrets_in_environment(environ);
    if (!settings.secrets_file.empty()) {
        TARN_TRY(from_file, security::read_secrets_file(settings.secrets_file));
        given.merge(from_file);
    }
    TARN_TRY(opened,
             security::Secrets::open(*lake_.store, *lake_.keyring, lake_.clock, std::move(given)));
    secrets_ = std::move(opened);
    return ok_status();
}

Result<std::unique_ptr<Services>> Services::open(Lake& lake, const Settings& settings) {
    std::unique_ptr<Services> out(new Services(lake, settings));
    TARN_CHECK_OK(out->open_secrets(settings));
    const auto system = [&lake] { return lake.system_caller(); };
    out->models_ = std::make_unique<models::Registry>(*lake.store, *lake.objects);
    out->alerts_ = std::make_unique<events::Alerts>(
        events::AlertsParts{*lake.store, *lake.engine, *lake.catalog, lake.clock, lake.metrics,
                            *lake.keyring, lake.audit.get(), system});
    out->graph_ = std::make_unique<flows::Graph>(
        flows::Parts{*lake.store, *lake.catalog, *lake.committer, *lake.engine, lake.clock,
                     lake.metrics, lake.system_caller()});
    const ingest::SourcesParts sources{
        *lake.store, *lake.objects, *lake.streams, *lake.catalog, *lake.committer, *lake.engine,
        lake.clock, lake.metrics, system, out->routes_.get(), settings.data + "/scratch",
        lake.store->lake_id()};
    out->sources_ = std::make_unique<ingest::Sources>(sources);
    out->verifications_ = std::make_unique<ingest::Verifications>(sources);
    out->landing_ = std::make_unique<ingest::Landing>(sources);
    lakefile::ApplierParts parts{*lake.store,
                                 *lake.catalog,
                                 *lake.engine,
                                 *lake.grants,
                                 *out->secrets_,
                                 *lake.audit,
                                 lake.clock,
                                 lake.system_caller()};
    out->open_applier(settings, parts);
    TARN_TRY(applier, lakefile::Applier::open(std::move(parts)));
    out->applier_ = std::move(applier);
    return out;
}

void Services::open_applier(const Settings& settings, lakefile::ApplierParts& parts) {
    parts.account_arn = "arn:aws:tarn:" + settings.region + ":" + lake_.users->account_id() + ":";
    parts.configure = [this](const lakefile::Lakefile& lakefile) { return configure(lakefile); };
    parts.rest_source = [this](const std::string& source) { sources_->rest(source); };
    parts.check = [this](const lakefile::Lakefile& lakefile) { return check(lakefile); };
    parts.holders = [this](const std::string& role) {
        std::vector<std::string> out;
        for (const auto& user : lake_.users->list_users())
            if (std::find(user.roles.begin(), user.roles.end(), role) != user.roles.end())
                out.push_back(user.name);
        return out;
    };
    parts.rows_per_second = [this](const std::string& step) { return rows_per_second(step); };
    parts.replay = [this](const lakefile::Lakefile&, const events::AlertSpec& alert,
                          std::chrono::seconds span) -> Result<std::string> {
        const auto days = std::chrono::duration_cast<std::chrono::hours>(span).count() / 24;
        TARN_TRY(replay, alerts_->replay(alert, std::max(1, static_cast<int>(days))));
        return describe(replay);
    };
    parts.try_source = [this](const ingest::SourceSpec& source,
                              size_t rows) -> Result<std::string> {
        TARN_CHECK_OK(may_read(source));
        TARN_TRY(preview, sources_->try_source(source, rows));
        return preview_json(preview);
    };
}

/// Of the largest run: small ones measure what a run costs before its first row.
std::optional<double> Services::rows_per_second(const std::string& step) const {
    constexpr uint64_t kRowsMin = 10'000;
    const auto runs = graph_->runs(step);
    if (!runs.ok()) return std::nullopt;
    const flows::RunRecord* largest = nullptr;
    for (const auto& run : *runs)
        if (run.outcome == flows::RunOutcome::done && run.result.rows_read >= kRowsMin &&
            (largest == nullptr || run.result.rows_read > largest->result.rows_read))
            largest = &run;
    if (largest == nullptr) return std::nullopt;
    const std::chrono::duration<double> took = largest->ended.since(largest->started);
    return static_cast<double>(largest->result.rows_read) / std::max(took.count(), 0.001);
}

std::vector<std::shared_ptr<flows::Step>> Services::make_steps(
    const lakefile::Lakefile& lakefile, std::vector<lakefile::Problem>& problems) const {
    std::vector<std::shared_ptr<flows::Step>> steps;
    const auto take = [&](const std::string& section, const flows::TableRef& name, auto made) {
        if (made.ok()) {
            steps.push_back(std::move(made).value());
            return;
        }
        const std::string item = name.database == "main" ? name.table : name.full_name();
        problems.push_back({section + item, 0, 0, made.error().message});
    };
    const flows::TableStepParts tables{*lake_.catalog, *lake_.engine, lake_.system_caller(),
                                       lakefile.timezone};
    for (const auto& table : lakefile.tables)
        take("tables.", table.name, flows::make_table_step(table, tables));
    const models::Parts parts{*lake_.engine, *lake_.catalog, *models_, lake_.clock,
                              lake_.system_caller()};
    for (const auto& model : lakefile.forecasts)
        take("models.", model.name, models::make_forecast_step(model, parts));
    for (const auto& model : lakefile.stock_outs)
        take("models.", model.name, models::make_stock_out_step(model, parts));
    return steps;
}

std::vector<lakefile::Problem> Services::check(const lakefile::Lakefile& lakefile) const {
    std::vector<lakefile::Problem> problems;
    const auto steps = make_steps(lakefile, problems);
    const Status fits = flows::Graph::check(steps);
    if (!fits.ok()) {
        std::string where;
        for (const auto& item : lakefile.items)
            if (where.empty() && fits.error().message.find(item.id()) != std::string::npos)
                where = item.id();
        problems.push_back({where, 0, 0, fits.error().message});
    }
    for (const auto& source : lakefile.sources) {
        Status runs = may_read(source);
        if (runs.ok()) runs = ingest::check(source);
        if (!runs.ok()) problems.push_back({"sources." + source.name, 0, 0, runs.error().message});
    }
    for (const auto& dashboard : lakefile.dashboards)
        if (const Status drawn = dashboards::Dashboards::check(dashboard); !drawn.ok())
            problems.push_back({"dashboards." + dashboard.name, 0, 0, drawn.error().message});
    return problems;
}

/// Each service gets what it can; the first refusal is the answer. The order does not matter: what
/// reads a table waits for it.
Status Services::configure(const lakefile::Lakefile& lakefile) {
    Status outcome;
    const auto note = [&](const char* what, const Status& status) {
        if (!status.ok() && outcome.ok())
            outcome = Error(status.error().code, std::string(what) + ": " + status.error().message);
    };
    std::vector<lakefile::Problem> problems;
    auto steps = make_steps(lakefile, problems);
    for (const auto& problem : problems)
        note(problem.where.c_str(), Error(Code::invalid_argument, problem.message));
    note("timezone", graph_->set_time_zone(lakefile.timezone));
    note("dashboards", lake_.dashboards->configure(lakefile.dashboards, lakefile.measures));
    note("alerts",
         alerts_->configure(lakefile.alerts, lakefile.name.empty() ? "lake" : lakefile.name,
                            lakefile.timezone));
    for (auto& step : alerts_->steps()) steps.push_back(std::move(step));
    note("tables", graph_->configure(std::move(steps)));
    // What was applied under other settings does not run under these.
    std::vector<ingest::SourceSpec> allowed;
    for (const auto& source : lakefile.sources) {
        const Status may = may_read(source);
        note("sources", may);
        if (may.ok()) allowed.push_back(source);
    }
    verifications_->configure(allowed);
    landing_->configure(allowed);
    note("sources", sources_->configure(std::move(allowed)));
    return outcome;
}

Status Services::start(const Settings& settings) {
    // What was applied before may lack a secret or a reachable service today: the lake starts, and
    // says so.
    static_cast<void>(applier_->start().ok());
    if (settings.lake.empty()) return ok_status();
    TARN_TRY(text, read_lakefile(settings.lake));
    auto caller = lake_.system_caller();
    caller.action = "tarn:Apply";
    caller.resource = "arn:aws:tarn:" + settings.region + ":" + lake_.users->account_id() + ":lake";
    TARN_TRY(plan, applier_->apply(caller, text, "", false));
    for (const auto& warning : plan.warnings) log_warning("lakefile", warning);
    for (const auto& drift : plan.drift) log_warning("lakefile", drift);
    return ok_status();
}

void Services::stop() {
    if (stopped_) return;
    stopped_ = true;
    if (verifications_) verifications_->stop();
    if (landing_) landing_->stop();
    if (sources_) sources_->stop();
    if (graph_) graph_->stop();
    if (alerts_) alerts_->stop();
}

std::shared_ptr<const mqtt::TopicRoutes> Services::topic_routes() const {
    return std::make_shared<LiveRoutes>(routes_);
}

}  // namespace tarn::app

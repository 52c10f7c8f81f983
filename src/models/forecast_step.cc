// The forecast as a step of the graph: reads, trains when it is due, predicts when time moved on,
// replaces its table.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "codec/hash.h"
#include "codec/text.h"
#include "flows/run_session.h"
#include "meta/keys.h"
#include "models/forecaster.h"
#include "models/internal/due.h"
#include "models/internal/forecast_data.h"
#include "models/internal/outcomes.h"
#include "models/internal/scorer.h"
#include "models/steps.h"
#include "query/work.h"

namespace tarn::models {

namespace {

using tables::TypeId;

constexpr int kEngine = 1;                    // grows when the same data would give another model
constexpr int kTrees = 150, kRows = 100'000;  // of one training, unless `parameters` say otherwise
constexpr const char* kSnapshotsKept = "history.expire.min-snapshots-to-keep";
constexpr double kGrownBy =
    1.2;  // so many more rows than at training: trained on a part that was still arriving

/// What the table of predictions was made from; in the batch that made it.
struct Predicted {
    int64_t time = 0;
    uint64_t version = 0;
    std::string fingerprint;
    bool known = false;
};

std::string predicted_key(const std::string& model) {
    return meta::Key("mf").rest(model).str();
}

int number_or(const std::map<std::string, std::string>& parameters, const char* name,
              int otherwise) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? otherwise : std::atoi(found->second.c_str());
}

ForecasterOptions options_of(const ForecastSpec& spec, const ForecastColumns& columns,
                             const Panel& panel, int threads) {
    ForecasterOptions options;
    options.ahead = spec.ahead;
    options.season = spec.season;
    options.country = spec.calendar;
    // Without a table of the future only what the step that is going on already shows is known.
    options.known_ahead = !spec.future.empty() ? spec.ahead + spec.back_test.to_step
                          : columns.time_kind == TimeKind::integer ? 0
                                                                   : 1;
    options.metric = spec.back_test.metric;
    options.rounds = spec.back_test.rounds;
    options.stride = spec.back_test.stride;
    options.from_step = spec.back_test.from_step;
    options.to_step = spec.back_test.to_step;
    if (spec.back_test.first_origin)
        options.first_origin = panel.step_of(*spec.back_test.first_origin);
    options.threads = threads;
    options.booster.trees = number_or(spec.parameters, "trees", kTrees);
    options.booster.seed = static_cast<uint64_t>(number_or(spec.parameters, "seed", 1));
    options.rows_max = static_cast<uint64_t>(number_or(spec.parameters, "rows", kRows));
    for (const auto& [name, value] : spec.parameters)
        if (name != "trees" && name != "seed" && name != "rows")
            options.booster.parameters[name] = value;
    return options;
}

class ForecastStep final : public flows::Step {
 public:
    ForecastStep(ForecastSpec spec, Parts parts, std::vector<flows::TableRef> inputs,
                 std::string fingerprint)
        : spec_(std::move(spec)),
          parts_(std::move(parts)),
          name_("models." + spec_.name.table),
          model_(spec_.name.full_name()),
          fingerprint_(std::move(fingerprint)),
          inputs_(std::move(inputs)) {}

    const std::string& name() const override { return name_; }
    const std::string& fingerprint() const override { return fingerprint_; }
    const std::vector<flows::TableRef>& inputs() const override { return inputs_; }
    std::optional<flows::TableRef> output() const override { return spec_.name; }
    const flows::Refresh& refresh() const override { return refresh_; }
    bool quiet() const override { return true; }
    /// Whether training is due, and whether another version was put into use by hand.
    std::chrono::seconds at_least_every() const override { return std::chrono::seconds(60); }
    void set_time_zone(const std::string& zone) override {
        const std::lock_guard lock(mutex_);
        zone_ = zone;
    }
    Result<flows::StepResult> run(flows::StepRun& run) override;

 private:
    /// Everything of one run.
    struct Work {
        flows::StepRun& run;
        query::Session& session;
        ForecastColumns columns;
        Newest newest;
        std::optional<VersionInfo> current;
        Predicted predicted;
        flows::StepResult result;
        bool trains = false;
        std::string zone;
        std::vector<tables::TableChange> changes;
        meta::Batch extra;
    };

    security::Caller caller(const flows::StepRun& run) const {
        security::Caller caller = parts_.system;
        caller.at = run.started();
        return caller;
    }
    std::string zone() const {
        const std::lock_guard lock(mutex_);
        return zone_;
    }
    Result<Predicted> load_predicted() const;
    Result<bool> training_due(const Work& work) const;
    Status make(Work& work);
    Result<VersionInfo> train(Work& work, const ForecastData& data, const Forecaster& forecaster,
                              std::unique_ptr<Model>* model);
    void decide(VersionInfo& version) const;
    Status write_back_test(Work& work, const ForecastData& data, const BackTest& test);
    Status write_predictions(Work& work, const ForecastData& data,
                             const std::vector<Prediction>& predictions, uint64_t version);
    /// What came true of the forecasts made before.
    Status write_outcomes(Work& work, const ForecastData& data, const Forecaster& forecaster);

    const ForecastSpec spec_;
    const Parts parts_;
    const std::string name_, model_, fingerprint_;
    const std::vector<flows::TableRef> inputs_;
    const flows::Refresh
        refresh_;  // on change: whether anything is to do is found by a look at the newest time
    uint64_t offered_ =
        0;  // the version whose features predict_<model> takes; of the runs, one at a time
    mutable std::mutex mutex_;
    std::string zone_;
};

Result<Predicted> ForecastStep::load_predicted() const {
    TARN_TRY(record, parts_.catalog.store().get(predicted_key(model_)));
    Predicted predicted;
    if (!record) return predicted;
    const auto json = nlohmann::json::parse(record->value, nullptr, false);
    if (!json.is_object() || json.value("v", 0) != 1) return predicted;  // made anew
    predicted.time = json.value("time", int64_t{0});
    predicted.version = json.value("version", uint64_t{0});
    predicted.fingerprint = json.value("fingerprint", "");
    predicted.known = true;
    return predicted;
}

Result<bool> ForecastStep::training_due(const Work& work) const {
    TARN_TRY(versions, parts_.registry.versions(model_, 1));
    if (versions.empty() || versions.front().fingerprint != fingerprint_) return true;
    const VersionInfo& newest = versions.front();
    if (static_cast<double>(work.newest.rows) > kGrownBy * static_cast<double>(newest.rows))
        return true;
    if (spec_.retrain.kind == flows::Refresh::Kind::on_change) {
        const int64_t unit = work.columns.time_kind == TimeKind::micros ? 3'600'000'000 : 1;
        return *work.newest.time >= newest.trained_to_time + spec_.season * unit;
    }
    TARN_TRY(offset, utc_offset(work.session, work.run.started()));
    return is_due(spec_.retrain, newest.created, work.run.started(), offset);
}

Result<flows::StepResult> ForecastStep::run(flows::StepRun& run) {
    const flows::InputState& of = run.inputs().front();
    if (of.table == nullptr || !of.snapshot_now) {
        flows::StepResult result;
        result.warnings.push_back(spec_.of.full_name() + " has no rows yet: nothing to learn from");
        return result;
    }
    TARN_TRY(columns, ForecastColumns::find(spec_, of.table->schema()));
    TARN_TRY(session,
             flows::open_run_session(parts_.engine, caller(run), run, spec_.name.database, zone()));
    Work work{run, *session, std::move(columns), {}, {}, {}, {}, false, zone(), {}, {}};
    TARN_TRY(newest, read_newest(*session, spec_, work.columns));
    work.newest = newest;
    if (!newest.time) {
        work.result.warnings.push_back(spec_.of.full_name() + " has no complete step of time yet");
        return work.result;
    }
    TARN_TRY(current, parts_.registry.current(model_));
    if (current && current->fingerprint == fingerprint_) work.current = std::move(current);
    TARN_TRY(predicted, load_predicted());
    work.predicted = predicted;
    TARN_TRY(trains, training_due(work));
    work.trains = trains;
    const bool stale = !predicted.known || predicted.time != *newest.time ||
                       predicted.fingerprint != fingerprint_ ||
                       (work.current && predicted.version != work.current->number);
    if (trains || (stale && work.current)) TARN_CHECK_OK(make(work));
    if (work.current && offered_ != work.current->number) {
        TARN_CHECK_OK(
            offer_scoring(parts_.engine, parts_.registry, caller(run), spec_.name, *work.current));
        offered_ = work.current->number;
    }
    return work.result;
}

Status ForecastStep::make(Work& work) {
    TARN_TRY(data, read_forecast_data(work.session, spec_, work.columns, *work.newest.time,
                                      [&] { return work.run.cancelled(); }));
    work.result.rows_read = data.rows_read;
    work.result.warnings = data.warnings;
    const Forecaster forecaster(data.panel,
                                options_of(spec_, work.columns, data.panel, parts_.threads));
    std::unique_ptr<Model> model;
    if (work.trains) {
        auto version = train(work, data, forecaster, &model);
        if (!version.ok()) {
            if (version.error().code != Code::invalid_argument ||
                version.error().reason != "too_short")
                return std::move(version).error();
            work.result.warnings.push_back(version.error().message);
            return {};
        }
        if (version->promoted)
            work.current = *version;
        else
            model.reset();
    }
    TARN_CHECK_OK(write_outcomes(work, data, forecaster));
    if (work.current) {
        if (!model) {
            TARN_TRY(trees, parts_.registry.load_trees(*work.current));
            TARN_TRY(booster, Booster::load(trees));
            TARN_TRY(spread, Spread::from_json(work.current->details));
            model = std::make_unique<Model>(Model{std::move(booster), spread});
        }
        TARN_TRY(predictions, forecaster.predict(*model));
        TARN_CHECK_OK(write_predictions(work, data, predictions, work.current->number));
        work.extra.put(predicted_key(model_), nlohmann::json{{"v", 1},
                                                             {"time", *work.newest.time},
                                                             {"version", work.current->number},
                                                             {"fingerprint", fingerprint_}}
                                                  .dump());
    } else
        work.result.warnings.push_back(
            "no version is good enough to be used; `promote_if: always` or promoting one by hand "
            "changes that");
    return work.run.commit(std::move(work.changes), std::move(work.extra));
}

Result<VersionInfo> ForecastStep::train(Work& work, const ForecastData& data,
                                        const Forecaster& forecaster,
                                        std::unique_ptr<Model>* model) {
    const auto began = parts_.clock.steady();
    const Progress progress = [&](const std::string& what, uint64_t done, uint64_t total) {
        work.run.progress(what, done, total);
        return !work.run.cancelled();
    };
    auto test = forecaster.back_test(progress);
    if (!test.ok()) {
        Error error = std::move(test).error();
        if (error.code == Code::invalid_argument && error.reason.empty())
            error.reason = "too_short";
        return error;
    }
    TARN_TRY(trained, forecaster.train(test->residuals, progress));
    *model = std::make_unique<Model>(std::move(trained));
    VersionInfo version;
    version.model = model_;
    TARN_TRY(number, parts_.registry.next_number(model_));
    version.number = number;
    version.created = work.run.started();
    version.fingerprint = fingerprint_;
    for (const auto& input : work.run.inputs())
        if (input.snapshot_now)
            version.trained_on.push_back({input.name.full_name(), *input.snapshot_now});
    version.trained_to_time = *work.newest.time;
    version.trained_to = time_text(work.columns.time_kind, *work.newest.time);
    version.series = data.panel.series();
    version.rows = static_cast<uint64_t>(work.newest.rows);
    version.parameters = spec_.parameters;
    version.features = forecaster.features().names();
    TARN_TRY(shares, (*model)->booster->importance(version.features.size()));
    for (size_t i = 0; i < shares.size(); ++i)
        if (shares[i] > 0) version.importance.emplace_back(version.features[i], shares[i]);
    std::stable_sort(version.importance.begin(), version.importance.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    version.back_test = test->table;
    for (auto& round : version.back_test.rounds)
        round.origin =
            time_text(work.columns.time_kind,
                      data.panel.time(test->origins[static_cast<size_t>(round.round) - 1]));
    version.details = (*model)->spread.to_json();
    decide(version);
    TARN_TRY(trees, (*model)->booster->save());
    version.seconds = std::chrono::duration<double>(parts_.clock.steady() - began).count();
    TARN_CHECK_OK(parts_.registry.stage(caller(work.run), version, trees, work.extra));
    TARN_CHECK_OK(write_back_test(work, data, *test));
    if (!version.promoted)
        work.result.warnings.push_back("version " + std::to_string(version.number) +
                                       " is not used: " + version.why);
    return version;
}

void ForecastStep::decide(VersionInfo& version) const {
    const bool mape = version.back_test.metric == "mape";
    const auto of = [&](const char* method) {
        const Score* score = version.back_test.find(method);
        return score == nullptr ? HUGE_VAL : mape ? score->mape : score->wape;
    };
    const auto text = [](double number) {
        char out[32];
        std::snprintf(out, sizeof out, "%.2f", number);
        return std::string(out);
    };
    const std::string own = version.back_test.metric + " " + text(of("model"));
    if (spec_.promote_if == ForecastSpec::Promote::always) {
        version.promoted = true;
        version.why = own + "; promoted always";
        return;
    }
    const char* rival =
        spec_.promote_if == ForecastSpec::Promote::beats_naive ? "naive" : "seasonal_naive";
    version.promoted = of("model") < of(rival);
    version.why =
        own + (version.promoted ? " beats " : " does not beat ") + rival + " " + text(of(rival));
}

Status ForecastStep::write_back_test(Work& work, const ForecastData& data, const BackTest& test) {
    std::vector<OutputColumn> columns = {{"round", tables::Type::of(TypeId::int32)},
                                         {"origin", work.columns.time.type}};
    for (const auto& key : work.columns.keys) columns.push_back(key);
    columns.push_back(work.columns.time);
    for (const char* name : {"actual", "forecast", "p10", "p50", "p90", "naive", "seasonal_naive"})
        columns.push_back({name, tables::Type::of(TypeId::float64)});
    query::Chunk chunk;
    for (const auto& column : columns) {
        TARN_TRY(type, query_type(column.type));
        chunk.columns.emplace_back(type);
    }
    for (const auto& row : test.rows) {
        size_t at = 0;
        chunk.columns[at++].append_number(row.round);
        chunk.columns[at++].append_number(data.panel.time(row.origin));
        for (const auto& value : data.key_values.at(data.panel.keys(row.series)))
            chunk.columns[at++].append(value);
        chunk.columns[at++].append_number(data.panel.time(row.target));
        for (const double number :
             {row.actual, row.forecast.mean, row.forecast.p10, row.forecast.p50, row.forecast.p90,
              row.naive, row.seasonal_naive})
            chunk.columns[at++].append_real(number);
    }
    const flows::TableRef name{spec_.name.database, spec_.name.table + "_backtest"};
    TARN_TRY(change, replace_rows(parts_, name,
                                  "What model " + model_ + " would have forecast, beside what came",
                                  columns, chunk, &work.result.bytes_written));
    work.result.rows_written += chunk.rows();
    work.changes.push_back(std::move(change));
    return {};
}

Status ForecastStep::write_predictions(Work& work, const ForecastData& data,
                                       const std::vector<Prediction>& predictions,
                                       uint64_t version) {
    const auto columns = forecast_columns(spec_, work.columns);
    query::Chunk chunk;
    for (const auto& column : columns) {
        TARN_TRY(type, query_type(column.type));
        chunk.columns.emplace_back(type);
    }
    for (const auto& prediction : predictions) {
        size_t at = 0;
        for (const auto& value : data.key_values.at(data.panel.keys(prediction.series)))
            chunk.columns[at++].append(value);
        chunk.columns[at++].append_number(data.panel.time(prediction.target));
        const Outlook& o = prediction.outlook;
        for (const double number : {o.mean, o.p10, o.p50, o.p90})
            chunk.columns[at++].append_real(number);
        chunk.columns[at++].append_number(static_cast<int64_t>(version));
        chunk.columns[at++].append_number(work.run.started().micros);
    }
    TARN_TRY(change, replace_rows(parts_, spec_.name,
                                  "Forecast of " + spec_.of.full_name() + "." + spec_.measure,
                                  columns, chunk, &work.result.bytes_written));
    // What they come to is judged from the states of the table that are kept.
    const int kept = forecasts_kept(spec_.ahead);
    if (change.table->metadata->property_number(kSnapshotsKept, 1) < kept)
        change.set_properties[kSnapshotsKept] = std::to_string(kept);
    work.result.rows_written += chunk.rows();
    work.changes.push_back(std::move(change));
    return {};
}

Status ForecastStep::write_outcomes(Work& work, const ForecastData& data,
                                    const Forecaster& forecaster) {
    const auto now = parts_.catalog.snapshot();
    const auto* state = work.run.state();
    const std::function<bool()> cancelled = [&] { return work.run.cancelled(); };
    TARN_TRY(change, outcome_change({parts_, spec_, work.session, state ? *state : now,
                                     work.columns, data, forecaster.features(), cancelled},
                                    work.result.warnings));
    if (change) work.changes.push_back(std::move(*change));
    return {};
}

std::string fingerprint_of(const ForecastSpec& spec) {
    nlohmann::json all = {kEngine,
                          spec.name.full_name(),
                          spec.of.full_name(),
                          spec.measure,
                          spec.per,
                          spec.time,
                          spec.ahead,
                          spec.features,
                          spec.calendar,
                          spec.future,
                          spec.lost_sales_table.full_name(),
                          spec.lost_sales_when,
                          static_cast<int>(spec.promote_if),
                          spec.season,
                          spec.back_test.rounds,
                          spec.back_test.stride,
                          spec.back_test.first_origin.value_or(INT64_MIN),
                          spec.back_test.from_step,
                          spec.back_test.to_step,
                          spec.back_test.metric,
                          spec.parameters};
    return codec::hex_encode(codec::sha256(all.dump()));
}

/// calendar(CO) among the features is the calendar.
ForecastSpec with_calendar(ForecastSpec spec) {
    for (const auto& feature : spec.features)
        if (spec.calendar.empty() && feature.rfind("calendar(", 0) == 0 && feature.back() == ')')
            spec.calendar = feature.substr(std::strlen("calendar("),
                                           feature.size() - std::strlen("calendar()"));
    return spec;
}

Error wrong(const ForecastSpec& spec, const std::string& what) {
    return Error(Code::invalid_argument, "model " + spec.name.table + ": " + what);
}

Status check(const ForecastSpec& spec) {
    if (spec.measure.empty())
        return wrong(spec, "`of` names a table and its column, as in daily_sales.units");
    if (spec.per.empty()) return wrong(spec, "`per` names at least one key column");
    if (spec.ahead < 1 || spec.ahead > 400) return wrong(spec, "`ahead` is 1 to 400 steps");
    if (spec.season < 2 || spec.season > 1000) return wrong(spec, "`season` is 2 to 1000 steps");
    const auto& test = spec.back_test;
    if (test.rounds < 1 || test.rounds > 100 || test.stride < 1 || test.from_step < 1 ||
        test.to_step < test.from_step)
        return wrong(spec,
                     "`back_test` has 1 to 100 rounds, a stride of at least 1 and steps from 1 up");
    if (test.metric != "wape" && test.metric != "mape")
        return wrong(spec, "`back_test.metric` is wape or mape, not " + test.metric);
    if (!spec.calendar.empty() && !knows_country(spec.calendar))
        return wrong(spec, "calendar(" + spec.calendar + ") is not known; CO is");
    if (number_or(spec.parameters, "trees", kTrees) < 1 ||
        number_or(spec.parameters, "trees", kTrees) > 10'000)
        return wrong(spec, "`parameters.trees` is 1 to 10000");
    return {};
}

}  // namespace

std::string forecast_fingerprint(const ForecastSpec& spec) {
    return fingerprint_of(with_calendar(spec));
}

Result<std::unique_ptr<flows::Step>> make_forecast_step(ForecastSpec spec, Parts parts) {
    spec = with_calendar(std::move(spec));
    TARN_CHECK_OK(check(spec));
    std::vector<flows::TableRef> inputs = {spec.of};
    if (!spec.lost_sales_when.empty() && spec.lost_sales_table != spec.of)
        inputs.push_back(spec.lost_sales_table);
    if (!spec.future.empty()) {
        auto named = query::named_tables(spec.future, spec.name.database);
        if (!named.ok()) return wrong(spec, "`future` is one SELECT: " + named.error().message);
        for (const auto& [database, table] : *named)
            if (std::find(inputs.begin(), inputs.end(), flows::TableRef{database, table}) ==
                inputs.end())
                inputs.push_back({database, table});
    }
    std::string fingerprint = fingerprint_of(spec);
    return std::unique_ptr<flows::Step>(std::make_unique<ForecastStep>(
        std::move(spec), std::move(parts), std::move(inputs), std::move(fingerprint)));
}

}  // namespace tarn::models

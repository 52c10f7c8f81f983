#include "models/forecaster.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <thread>

namespace tarn::models {

namespace {

constexpr int kOriginMin = 3;  // steps of history that a training row needs at least

/// A number that depends on its arguments only: which rows are drawn must not hang on the order of
/// looking.
uint64_t scramble(uint64_t seed, uint64_t a, uint64_t b, uint64_t c) {
    uint64_t x = seed * 0x9e3779b97f4a7c15ull + a * 0xbf58476d1ce4e5b9ull +
                 b * 0x94d049bb133111ebull + c * 0xd6e8feb86659fd93ull;
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ull;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

FeatureOptions feature_options(const ForecasterOptions& options) {
    return {options.season, options.country, options.known_ahead};
}

double pinball(double actual, double forecast, double share) {
    return actual >= forecast ? share * (actual - forecast) : (1 - share) * (forecast - actual);
}

}  // namespace

Forecaster::Forecaster(const Panel& panel, ForecasterOptions options)
    : panel_(panel), options_(std::move(options)), features_(panel, feature_options(options_)) {}

Forecaster::Rows Forecaster::collect(int last_target, int from_step, int to_step) const {
    Rows rows;
    uint64_t candidates = 0;
    for (size_t s = 0; s < panel_.series(); ++s)
        for (int t = kOriginMin + from_step; t <= last_target; ++t)
            if (!std::isnan(panel_.value(s, t)))
                candidates += static_cast<uint64_t>(to_step - from_step + 1);
    const double share =
        candidates == 0 ? 1
                        : static_cast<double>(options_.rows_max) / static_cast<double>(candidates);
    const uint64_t below = share >= 1 ? UINT64_MAX : static_cast<uint64_t>(share * 0x1p64);
    for (int t = kOriginMin + from_step; t <= last_target; ++t)
        for (size_t s = 0; s < panel_.series(); ++s) {
            if (std::isnan(panel_.value(s, t))) continue;
            for (int h = from_step; h <= to_step && t - h >= kOriginMin; ++h)
                if (scramble(options_.booster.seed, s, static_cast<uint64_t>(t),
                             static_cast<uint64_t>(h)) <= below)
                    rows.places.push_back({s, t - h, t});
        }
    rows.features = matrix_of(rows.places);
    rows.labels.reserve(rows.places.size());
    for (const auto& place : rows.places)
        rows.labels.push_back(features_.logged(place.series, place.target));
    return rows;
}

Matrix Forecaster::matrix_of(const std::vector<Place>& places) const {
    Matrix matrix;
    matrix.columns = features_.names().size();
    matrix.cells.resize(places.size() * matrix.columns);
    for (size_t i = 0; i < places.size(); ++i)
        features_.fill(places[i].series, places[i].origin, places[i].target,
                       &matrix.cells[i * matrix.columns]);
    return matrix;
}

/// On the rows whose target is no later than `last_target`: they are sorted, so these are the first
/// ones.
Result<std::unique_ptr<Booster>> Forecaster::train_on(const Rows& rows, int last_target,
                                                      const std::function<bool()>& go_on) const {
    const auto end =
        std::upper_bound(rows.places.begin(), rows.places.end(), last_target,
                         [](int target, const Place& place) { return target < place.target; });
    const auto count = static_cast<size_t>(end - rows.places.begin());
    Matrix part;
    part.columns = rows.features.columns;
    part.cells.assign(
        rows.features.cells.begin(),
        rows.features.cells.begin() + static_cast<std::ptrdiff_t>(count * part.columns));
    const std::vector<float> labels(rows.labels.begin(),
                                    rows.labels.begin() + static_cast<std::ptrdiff_t>(count));
    return Booster::train(part, labels, options_.booster, [&](int) { return go_on(); });
}

Result<std::vector<std::unique_ptr<Booster>>> Forecaster::train_all(
    const Rows& rows, const std::vector<int>& last_targets, const Progress& progress) const {
    std::vector<std::unique_ptr<Booster>> made(last_targets.size());
    const auto total = static_cast<uint64_t>(options_.booster.trees) * last_targets.size();
    std::mutex mutex;  // of everything below
    size_t next = 0;
    uint64_t trees = 0;
    bool stopped = false;
    std::optional<Error> error;
    const auto go_on = [&] {
        const std::lock_guard lock(mutex);
        ++trees;
        stopped = stopped || (progress && !progress("back-test", trees, total));
        return !stopped;
    };
    const auto work = [&] {
        for (;;) {
            size_t mine = 0;
            {
                const std::lock_guard lock(mutex);
                if (stopped || next == last_targets.size()) return;
                mine = next++;
            }
            auto booster = train_on(rows, last_targets[mine], go_on);
            const std::lock_guard lock(mutex);
            if (booster.ok()) {
                made[mine] = std::move(booster).value();
                continue;
            }
            if (!error) error = std::move(booster).error();
            stopped = true;
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < options_.threads; ++i) others.emplace_back(work);
    work();
    for (auto& thread : others) thread.join();
    if (error) return *error;
    if (stopped) return Error(Code::cancelled, "training was stopped");
    return made;
}

Result<std::vector<int>> Forecaster::origins() const {
    int first = options_.first_origin;
    if (first < 0)
        first = panel_.steps() - 1 - options_.to_step - (options_.rounds - 1) * options_.stride;
    if (first < kOriginMin + options_.to_step + 1)
        return Error(Code::invalid_argument, "the history has " + std::to_string(panel_.steps()) +
                                                 " steps: too short for a back-test of " +
                                                 std::to_string(options_.rounds) + " rounds " +
                                                 std::to_string(options_.stride) + " steps apart");
    std::vector<int> all;
    for (int r = 0; r < options_.rounds; ++r) {
        const int origin = first + r * options_.stride;
        if (origin + options_.from_step >= panel_.steps())
            return Error(Code::invalid_argument,
                         "back-test round " + std::to_string(r + 1) +
                             " has nothing to be judged on: the history ends before");
        all.push_back(origin);
    }
    return all;
}

Status Forecaster::judge(const Booster& booster, int round, int origin, BackTest& to) const {
    std::vector<Place> places;
    for (size_t s = 0; s < panel_.series(); ++s)
        for (int h = options_.from_step; h <= options_.to_step; ++h)
            if (origin + h < panel_.steps() && !std::isnan(panel_.value(s, origin + h)))
                places.push_back({s, origin, origin + h});
    TARN_TRY(predicted, booster.predict(matrix_of(places)));
    const Spread spread = Spread::fit(to.residuals, aim());  // of the rounds before this one
    for (size_t i = 0; i < places.size(); ++i) {
        const Place& place = places[i];
        const int steps_ahead = place.target - origin;
        to.residuals.push_back(
            {steps_ahead, predicted[i], features_.logged(place.series, place.target)});
        if (round == 0) continue;
        BackTestRow row{round,
                        place.series,
                        origin,
                        place.target,
                        static_cast<double>(panel_.value(place.series, place.target)),
                        spread.at(steps_ahead, predicted[i]),
                        0,
                        0};
        const float naive = features_.naive(place.series, origin);
        row.naive = std::isnan(naive) ? 0 : static_cast<double>(naive);
        const float seasonal = features_.seasonal_naive(place.series, origin, place.target);
        row.seasonal_naive = std::isnan(seasonal) ? 0 : static_cast<double>(seasonal);
        to.rows.push_back(row);
    }
    return {};
}

Result<BackTest> Forecaster::back_test(const Progress& progress) const {
    const auto began = std::chrono::steady_clock::now();
    TARN_TRY(all, origins());
    BackTest made;
    made.origins = all;
    made.table.metric = options_.metric;
    const Rows rows = collect(all.back(), options_.from_step, options_.to_step);
    // A round before the first one, whose actuals are part of round 1's training: its errors tell
    // round 1 how sure to be, and nothing later is looked at. With too little history for it, round
    // 1 goes without.
    const int before = std::min(all.front() - options_.to_step, all.front() - options_.stride);
    std::vector<int> last_targets = all;
    const bool has_before = before > kOriginMin + options_.to_step;
    if (has_before) last_targets.insert(last_targets.begin(), before);
    TARN_TRY(boosters, train_all(rows, last_targets, progress));
    // In order: what a round's errors say is only known to the rounds after it.
    for (size_t i = 0; i < boosters.size(); ++i)
        TARN_CHECK_OK(
            judge(*boosters[i], static_cast<int>(i) + (has_before ? 0 : 1), last_targets[i], made));
    made.table.total = score_rows(made.rows);
    for (int r = 1; r <= options_.rounds; ++r) {
        std::vector<BackTestRow> of_round;
        for (const auto& row : made.rows)
            if (row.round == r) of_round.push_back(row);
        made.table.rounds.push_back({r, {}, score_rows(of_round)});
    }
    made.table.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return made;
}

Result<Model> Forecaster::train(const std::vector<Residual>& residuals,
                                const Progress& progress) const {
    const Rows rows = collect(panel_.steps() - 1, 1, options_.ahead);
    uint64_t trees = 0;
    const auto total = static_cast<uint64_t>(options_.booster.trees);
    TARN_TRY(booster, train_on(rows, panel_.steps() - 1,
                               [&] { return !progress || progress("training", ++trees, total); }));
    return Model{std::move(booster), Spread::fit(residuals, aim())};
}

Result<std::vector<Prediction>> Forecaster::predict(const Model& model,
                                                    int silent_steps_max) const {
    const int origin = panel_.steps() - 1;
    std::vector<Place> places;
    for (size_t s = 0; s < panel_.series(); ++s) {
        bool alive = false;
        for (int t = origin; t >= 0 && t > origin - silent_steps_max && !alive; --t)
            alive = !std::isnan(panel_.value(s, t));
        for (int h = 1; alive && h <= options_.ahead; ++h)
            places.push_back({s, origin, origin + h});
    }
    TARN_TRY(predicted, model.booster->predict(matrix_of(places)));
    std::vector<Prediction> all;
    all.reserve(places.size());
    for (size_t i = 0; i < places.size(); ++i)
        all.push_back({places[i].series, places[i].target,
                       model.spread.at(places[i].target - origin, predicted[i])});
    return all;
}

std::vector<Score> score_rows(const std::vector<BackTestRow>& rows) {
    struct Sums {
        double relative = 0, absolute = 0, error = 0;
    };
    Sums model, naive, seasonal;
    double actuals = 0, loss = 0;
    uint64_t nonzero = 0, covered = 0;
    const auto add = [](Sums& to, double forecast, double actual) {
        to.absolute += std::fabs(forecast - actual);
        to.error += forecast - actual;
        if (actual > 0) to.relative += std::fabs(forecast - actual) / actual;
    };
    for (const auto& row : rows) {
        actuals += row.actual;
        nonzero += row.actual > 0 ? 1 : 0;
        covered += row.forecast.p10 <= row.actual && row.actual <= row.forecast.p90 ? 1 : 0;
        loss += (pinball(row.actual, row.forecast.p10, 0.1) +
                 pinball(row.actual, row.forecast.p50, 0.5) +
                 pinball(row.actual, row.forecast.p90, 0.9)) /
                3;
        add(model, row.forecast.mean, row.actual);
        add(naive, row.naive, row.actual);
        add(seasonal, row.seasonal_naive, row.actual);
    }
    const auto score = [&](const char* method, const Sums& sums) {
        Score made;
        made.method = method;
        made.forecasts = rows.size();
        made.mape = nonzero == 0 ? 0 : 100 * sums.relative / static_cast<double>(nonzero);
        made.wape = actuals <= 0 ? 0 : 100 * sums.absolute / actuals;
        made.bias = actuals <= 0 ? 0 : 100 * sums.error / actuals;
        return made;
    };
    std::vector<Score> all = {score("model", model), score("naive", naive),
                              score("seasonal_naive", seasonal)};
    if (!rows.empty()) {
        all[0].pinball = loss / static_cast<double>(rows.size());
        all[0].coverage = 100 * static_cast<double>(covered) / static_cast<double>(rows.size());
    }
    return all;
}

}  // namespace tarn::models

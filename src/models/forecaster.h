// Trains one model for all series and all steps ahead (direct forecasts: how far ahead is a
// feature), judges it by a rolling origin, and predicts. Generic over what is forecast: it knows a
// Panel and nothing of tables.
//
// Deterministic: the same panel, options and seed give the same model. Lane: any but a loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/booster.h"
#include "models/features.h"
#include "models/panel.h"
#include "models/registry.h"
#include "models/spread.h"

namespace tarn::models {

struct ForecasterOptions {
    int ahead = 14;
    int season = 7;
    std::string country;
    int known_ahead = 1000;       // FeatureOptions
    std::string metric = "wape";  // or "mape"
    int rounds = 4, stride = 7;
    int first_origin = -1;  // step of the panel; -1: so that the last round ends with the history
    int from_step = 1, to_step = 7;  // judged
    BoosterOptions booster;
    int threads = 2;              // trainings of the back-test at once
    uint64_t rows_max = 300'000;  // of one training; drawn from all there are
};

/// Asked after each tree, by one thread at a time; false ends the work with `cancelled`.
using Progress = std::function<bool(const std::string& what, uint64_t done, uint64_t total)>;

/// One judged forecast.
struct BackTestRow {
    int round = 0;
    size_t series = 0;
    int origin = 0, target = 0;
    double actual = 0;
    Outlook forecast;
    double naive = 0, seasonal_naive = 0;
};

struct BackTest {
    BackTestTable table;  // RoundScore::origin is empty here: the caller knows how times print
    std::vector<BackTestRow> rows;
    std::vector<int> origins;
    std::vector<Residual> residuals;  // of all rounds, the one before the first too
};

/// A model that predicts: trees and spread.
struct Model {
    std::unique_ptr<Booster> booster;
    Spread spread;
};

struct Prediction {
    size_t series = 0;
    int target = 0;
    Outlook outlook;
};

class Forecaster {
 public:
    /// The panel outlives it.
    Forecaster(const Panel& panel, ForecasterOptions options);

    /// invalid_argument: the history is too short for the rounds.
    Result<BackTest> back_test(const Progress& progress) const;
    /// On all there is. `residuals`: of a back-test.
    Result<Model> train(const std::vector<Residual>& residuals, const Progress& progress) const;
    /// From the newest step, `ahead` steps. Series without a value in the last `silent_steps_max`
    /// steps are left out.
    Result<std::vector<Prediction>> predict(const Model& model, int silent_steps_max = 400) const;

    const Features& features() const { return features_; }

 private:
    struct Place {
        size_t series;
        int origin, target;
    };
    struct Rows {
        std::vector<Place> places;  // by target
        Matrix features;
        std::vector<float> labels;
    };
    Rows collect(int last_target, int from_step, int to_step) const;
    Matrix matrix_of(const std::vector<Place>& places) const;
    Result<std::unique_ptr<Booster>> train_on(const Rows& rows, int last_target,
                                              const std::function<bool()>& go_on) const;
    /// One for each of `last_targets`, several at once.
    Result<std::vector<std::unique_ptr<Booster>>> train_all(const Rows& rows,
                                                            const std::vector<int>& last_targets,
                                                            const Progress& progress) const;
    Result<std::vector<int>> origins() const;
    Status judge(const Booster& booster, int round, int origin, BackTest& to) const;
    Spread::Aim aim() const {
        return options_.metric == "mape" ? Spread::Aim::least_mape : Spread::Aim::unbiased;
    }

    const Panel& panel_;
    const ForecasterOptions options_;
    const Features features_;
};

/// Scores of the model, the naive and the seasonal naive over rows.
std::vector<Score> score_rows(const std::vector<BackTestRow>& rows);

}  // namespace tarn::models

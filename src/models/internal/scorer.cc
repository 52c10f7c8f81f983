#include "models/internal/scorer.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "models/booster.h"
#include "models/spread.h"
#include "query/scalar_functions.h"

namespace tarn::models {

namespace {

/// Trees in memory, changed when another version is in use.
class Scorer {
 public:
    Scorer(Registry& registry, std::string model) : registry_(registry), model_(std::move(model)) {}

    Result<std::vector<double>> score(const std::vector<std::vector<double>>& columns) {
        TARN_TRY(loaded, current());
        if (loaded->features != columns.size())
            return Error(
                Code::invalid_argument,
                "model " + model_ + " has other features since a moment ago: run it again");
        Matrix matrix;
        matrix.columns = columns.size();
        const size_t rows = columns.empty() ? 0 : columns.front().size();
        matrix.cells.resize(rows * columns.size());
        for (size_t c = 0; c < columns.size(); ++c)
            for (size_t row = 0; row < rows; ++row)
                matrix.cells[row * columns.size() + c] = static_cast<float>(columns[c][row]);
        TARN_TRY(predicted, loaded->booster->predict(matrix));
        std::vector<double> means(rows);
        for (size_t row = 0; row < rows; ++row) {
            const double ahead = columns[loaded->steps_ahead][row];
            means[row] =
                loaded->spread
                    .at(std::isnan(ahead) ? 1 : static_cast<int>(std::clamp(ahead, 1.0, 1000.0)),
                        predicted[row])
                    .mean;
        }
        return means;
    }

 private:
    struct Loaded {
        uint64_t number = 0;
        size_t features = 0, steps_ahead = 0;
        std::unique_ptr<Booster> booster;
        Spread spread;
    };

    Result<std::shared_ptr<const Loaded>> current() {
        TARN_TRY(version, registry_.current(model_));
        if (!version) return Error(Code::not_found, "model " + model_ + " has no version in use");
        const std::lock_guard lock(mutex_);
        if (loaded_ && loaded_->number == version->number) return loaded_;
        TARN_TRY(trees, registry_.load_trees(*version));
        auto fresh = std::make_shared<Loaded>();
        TARN_TRY(booster, Booster::load(trees));
        TARN_TRY(spread, Spread::from_json(version->details));
        fresh->number = version->number;
        fresh->features = version->features.size();
        const auto ahead =
            std::find(version->features.begin(), version->features.end(), "steps_ahead");
        fresh->steps_ahead = static_cast<size_t>(ahead - version->features.begin());
        if (ahead == version->features.end())
            return Error(Code::corrupted, "model " + model_ + " has no feature steps_ahead");
        fresh->booster = std::move(booster);
        fresh->spread = spread;
        loaded_ = fresh;
        return loaded_;
    }

    Registry& registry_;
    const std::string model_;
    std::mutex mutex_;  // held while trees are read: others wait for them anyway
    std::shared_ptr<const Loaded> loaded_;
};

}  // namespace

Status offer_scoring(query::Engine& engine, Registry& registry, const security::Caller& system,
                     const flows::TableRef& name, const VersionInfo& version) {
    const auto scorer = std::make_shared<Scorer>(registry, name.full_name());
    query::NumberFunction function;
    function.name =
        "predict_" + (name.database == "main" ? name.table : name.database + "_" + name.table);
    function.database = name.database;
    function.table = name.table;
    function.arguments = version.features;
    function.compute = [scorer](const std::vector<std::vector<double>>& columns) {
        return scorer->score(columns);
    };
    TARN_TRY(session, engine.connect(system));
    return query::register_function(*session, std::move(function));
}

}  // namespace tarn::models

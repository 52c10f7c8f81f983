// The versions of the lake's models: what each was trained on, how it did against the naive
// forecasts, whether it is in use and why. A version's numbers are one record
// (docs/formats/models.md), its trees an object of the lake bucket under models/<model>/. Records
// are staged into the batch that makes the version's forecasts visible, so that no forecast names a
// version that is not there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "objects/store.h"
#include "security/caller.h"

namespace tarn::models {

/// How one way of forecasting did in the back-test.
struct Score {
    std::string method;  // "model", "naive", "seasonal_naive"
    uint64_t forecasts = 0;
    double mape = 0;  // percent, of actuals that are not zero
    double wape = 0;  // percent: sum of errors by sum of actuals
    double bias = 0;  // percent: (forecasts - actuals) by actuals
    std::optional<double>
        pinball;  // mean over p10, p50, p90, in the measure's unit; the model only
    std::optional<double> coverage;  // percent of actuals in p10..p90; 80 is right; the model only
};

struct RoundScore {
    int round = 0;
    std::string origin;  // the last time step trained on, as the time column prints
    std::vector<Score> scores;
};

struct BackTestTable {
    std::string metric;  // "wape" or "mape": what promotion looks at
    std::vector<Score> total;
    std::vector<RoundScore> rounds;
    double seconds = 0;
    /// Null: there is none.
    const Score* find(const std::string& method) const {
        for (const auto& score : total)
            if (score.method == method) return &score;
        return nullptr;
    }
};

struct TrainedOn {
    std::string table;  // "main.daily_sales"
    int64_t snapshot_id = 0;
};

struct VersionInfo {
    std::string model;  // "main.demand"
    uint64_t number = 0;
    Timestamp created;
    std::string fingerprint;  // of the spec it was made by
    std::vector<TrainedOn> trained_on;
    std::string trained_to;       // the newest time step seen, as the time column prints
    int64_t trained_to_time = 0;  // the same as the column has it
    uint64_t series = 0, rows = 0;
    double seconds = 0;
    std::map<std::string, std::string> parameters;
    std::vector<std::string> features;
    std::vector<std::pair<std::string, double>>
        importance;  // share of the gain, largest first; sums to 1
    BackTestTable back_test;
    bool promoted = false;            // judged good enough when it was made
    std::string why;                  // "wape 18.2 beats seasonal_naive 24.9"
    std::string object_key, details;  // of the trees in the lake bucket; JSON of the engine's own
    bool current = false;             // in use; filled in by reads
};

/// Owned by wiring. Lane: any but a loop; several threads at once.
class Registry {
 public:
    /// Both outlive it.
    Registry(meta::Store& store, objects::ObjectStore& objects);

    Result<std::vector<std::string>> models() const;
    /// Newest first.
    Result<std::vector<VersionInfo>> versions(const std::string& model, size_t count = 100) const;
    /// not_found.
    Result<VersionInfo> version(const std::string& model, uint64_t number) const;
    /// The one in use; nullopt: none yet.
    Result<std::optional<VersionInfo>> current(const std::string& model) const;
    /// not_found, corrupted.
    Result<std::string> load_trees(const VersionInfo& version) const;

    /// Puts a version into use by hand: promotion of one that was not good enough, or going back.
    /// The forecast step makes its predictions anew with it at its next run. `with`: what belongs
    /// to the change (its audit record). not_found.
    Status use(const security::Caller& caller, const std::string& model, uint64_t number,
               meta::Batch with = {});

    /// The number the next version of the model gets.
    Result<uint64_t> next_number(const std::string& model) const;
    /// Writes the trees now and stages the record (and, when promoted, that it is in use) into
    /// `batch`. `conflict` (reason version_exists) when another one was quicker.
    Status stage(const security::Caller& caller, VersionInfo& version, const std::string& trees,
                 meta::Batch& batch);

 private:
    meta::Store& store_;
    objects::ObjectStore& objects_;
};

/// JSON for the doors: a version with its back-test.
std::string version_json(const VersionInfo& version);

}  // namespace tarn::models

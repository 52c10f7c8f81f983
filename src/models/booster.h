// Gradient boosted trees: XGBoost 1.7 behind its C interface, which only booster.cc includes.
// Lane: any but a loop; training takes as long as it takes and asks `go_on` after each tree.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::models {

/// Rows of features, row after row; NaN is "not known".
struct Matrix {
    size_t columns = 0;
    std::vector<float> cells;

    size_t rows() const { return columns == 0 ? 0 : cells.size() / columns; }
};

struct BoosterOptions {
    int trees = 300;
    uint64_t seed = 1;
    std::map<std::string, std::string> parameters;  // XGBoost's own names, over the defaults
};

/// On the calling thread alone: the library's own threads wait for each other in busy loops,
/// several hundred times a tree, which on a machine with other work costs more than they bring. Who
/// wants more cores trains several models at once. Predicting may happen on several threads at
/// once.
class Booster {
 public:
    /// Squared error on `labels`, starting from their mean: the library's own start of 0.5 costs
    /// dozens of trees. `go_on` false after a tree: `cancelled`. invalid_argument: a parameter that
    /// the library refuses.
    static Result<std::unique_ptr<Booster>> train(const Matrix& features,
                                                  const std::vector<float>& labels,
                                                  const BoosterOptions& options,
                                                  const std::function<bool(int tree)>& go_on);
    static Result<std::unique_ptr<Booster>> load(const std::string& bytes);
    ~Booster();
    Booster(const Booster&) = delete;
    Booster& operator=(const Booster&) = delete;

    Result<std::vector<float>> predict(const Matrix& features) const;
    /// The library's own binary form (UBJSON).
    Result<std::string> save() const;
    /// Share of the total gain by column; sums to 1 unless there are no splits.
    Result<std::vector<double>> importance(size_t columns) const;

 private:
    Booster();
    struct Handle;
    std::unique_ptr<Handle> handle_;
};

}  // namespace tarn::models

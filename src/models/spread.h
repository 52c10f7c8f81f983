// From a prediction in log space to a mean and quantiles: what the errors of earlier rounds say
// about the next one. Errors are grouped by predicted level (small numbers are relatively less
// certain) and scaled by how far ahead they were. Nothing of the round that is judged goes in.
// Lane: any.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::models {

/// What was predicted and what came, both as log(1 + value).
struct Residual {
    int steps_ahead = 1;
    float predicted = 0;
    float actual = 0;
};

struct Outlook {
    double mean = 0, p10 = 0, p50 = 0, p90 = 0;
};

class Spread {
 public:
    enum class Aim : uint8_t {
        unbiased,    // the mean: forecasts and actuals sum to the same ("wape")
        least_mape,  // the point with the least relative error, which lies below the mean ("mape")
    };

    /// Without residuals: the prediction itself, and wide quantiles.
    static Spread fit(const std::vector<Residual>& residuals, Aim aim);
    /// Never negative; p10 <= p50 <= p90.
    Outlook at(int steps_ahead, float predicted) const;

    std::string to_json() const;
    static Result<Spread> from_json(const std::string& text);

 private:
    struct Level {
        double below = 0;                       // predictions less than this
        double factor = 1;                      // point = factor * (exp(predicted) - 1)
        double p10 = -0.6, p50 = 0, p90 = 0.6;  // of the error in log space, scaled
    };
    std::vector<Level> levels_{Level{}};
    std::vector<double> scales_{1.0};  // by steps ahead, from 1
};

}  // namespace tarn::models

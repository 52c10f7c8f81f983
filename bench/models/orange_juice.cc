// The published orange-juice benchmark, by the lake's own forecast engine:
// `tarn_models_orange_juice SALES.csv` (uncompressed: store, brand, week, logmove, constant,
// price1..price11, deal, feat, profit). 12 rounds; round r trains on weeks up to 135 + 2(r-1) and
// forecasts two and three weeks ahead; MAPE over all forecasts whose actual exists.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "models/forecaster.h"

namespace {

using namespace tarn::models;

std::vector<PanelRow> read_sales(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::vector<PanelRow> rows;
    while (std::getline(file, line)) {
        std::vector<std::string> cells;
        std::stringstream split(line);
        for (std::string cell; std::getline(split, cell, ',');) cells.push_back(cell);
        if (cells.size() != 19) continue;
        const auto number = [&](size_t at) { return std::strtof(cells[at].c_str(), nullptr); };
        float sum = 0, least = 1e9f;
        for (size_t b = 0; b < 11; ++b) {
            sum += number(5 + b);
            least = std::min(least, number(5 + b));
        }
        const float price = number(5 + static_cast<size_t>(std::atoi(cells[1].c_str())) - 1);
        rows.push_back({{cells[0], cells[1]},
                        std::atoll(cells[2].c_str()),
                        std::round(std::exp(number(3))),
                        {price, price / (sum / 11), price / least, number(16), number(17)}});
    }
    return rows;
}

void print(const Score& score) {
    std::printf("  %-15s MAPE %7.2f  WAPE %6.2f  bias %+6.2f  n %llu", score.method.c_str(),
                score.mape, score.wape, score.bias,
                static_cast<unsigned long long>(score.forecasts));
    if (score.pinball)
        std::printf("  pinball %.1f  in p10..p90 %.1f %%", *score.pinball, *score.coverage);
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: tarn_models_orange_juice SALES.csv [name=value ...]\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const auto rows = read_sales(argv[1]);
    auto panel = Panel::make(rows, 2, {"price", "price_to_mean", "price_to_least", "deal", "feat"},
                             TimeKind::integer, 3);
    if (!panel.ok()) return std::fprintf(stderr, "%s\n", panel.error().message.c_str()), 1;
    panel->carry_features_forward();
    ForecasterOptions options;
    options.ahead = 3;
    options.season = 52;
    options.metric = "mape";
    options.rounds = 12;
    options.stride = 2;
    options.first_origin = panel->step_of(135);
    options.from_step = 2;
    options.to_step = 3;
    options.booster.trees = 150;
    options.rows_max = 100'000;
    for (int i = 2; i < argc; ++i) {
        const std::string argument = argv[i];
        const auto equals = argument.find('=');
        const std::string name = argument.substr(0, equals), value = argument.substr(equals + 1);
        if (name == "trees")
            options.booster.trees = std::atoi(value.c_str());
        else if (name == "threads")
            options.threads = std::atoi(value.c_str());
        else if (name == "rounds")
            options.rounds = std::atoi(value.c_str());
        else if (name == "rows")
            options.rows_max = static_cast<uint64_t>(std::atoll(value.c_str()));
        else
            options.booster.parameters[name] = value;
    }
    const auto began = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    const Forecaster forecaster(*panel, options);
    std::printf("%zu rows, %zu series, %d weeks, %zu features\n", rows.size(), panel->series(),
                panel->steps(), forecaster.features().names().size());
    std::printf("features ready after %.1f s\n", seconds());
    auto test = forecaster.back_test({});
    if (!test.ok()) return std::fprintf(stderr, "%s\n", test.error().message.c_str()), 1;
    for (const auto& score : test->table.total) print(score);
    for (const auto& round : test->table.rounds)
        std::printf("  round %2d: %.2f\n", round.round, round.scores[0].mape);
    std::printf("%.1f s\n", seconds());
    return 0;
}

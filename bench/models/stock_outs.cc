// Is the alert worth having? Replays a simulated company hour by hour and asks the lake's own risk
// arithmetic, with forecasts made each day from the days before only; beside it a rule that shops
// know: "tell me when less than x days of ordinary sales are left". Both are tuned to the same
// number of false alarms per store and week.
//
// A stock-out is caught when an alarm was up at some moment of the `kWarnMax` hours before the
// shelf was empty and it was raised before; an alarm is false when the shelf does not run empty
// within kWarnMax hours of it going up.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "examples/beverages/simulator/world.h"
#include "models/forecaster.h"
#include "models/stock_out.h"

namespace {

using namespace tarn::models;

struct Settings {
    int days = 420, stores = 12, judged_days = 60, seed = 1, trees = 200;
};

constexpr int kAhead = 3;
constexpr double kWarnMax =
    24;  // hours: earlier than this an alarm is no warning of this stock-out

struct DayOfShelf {
    int sold = 0, demand = 0;
    bool promotion = false;
    int empty_hours = 0;  // hours at whose end the scale showed nothing
};
struct Moment {  // one shelf at the end of one hour of the judged days
    int64_t at = 0;
    int units = 0, sold_today = 0;
    bool open_delivery = false;
    int64_t due = 0;
};

/// What the company records, and what only the simulator knows.
struct History {
    std::vector<std::vector<DayOfShelf>> days;     // [shelf][day]
    std::vector<std::vector<Moment>> moments;      // [shelf][hour of the judged days]
    std::vector<beverages::StockOut> stock_outs;   // true ones
    std::vector<std::pair<int64_t, double>> late;  // when it was delivered, hours after due
    std::vector<std::array<double, 24>> hourly;    // [day]: units sold by local hour, all shelves
    int64_t first_day = 0;
};

History simulate(const Settings& settings, beverages::World& world) {
    using namespace beverages;
    History history;
    const int64_t begin_local = world.now() + kUtcOffset;
    history.first_day = begin_local / kDay;
    const auto shelves = world.shelves().size();
    history.days.assign(shelves, std::vector<DayOfShelf>(static_cast<size_t>(settings.days)));
    history.hourly.assign(static_cast<size_t>(settings.days), {});
    history.moments.resize(shelves);
    std::map<int, Delivery> open;
    std::vector<int> sold_now(shelves, 0), sold_today(shelves, 0), units(shelves, 0);
    Listener listener;
    listener.sale = [&](const Sale& sale) {
        sold_now[static_cast<size_t>(sale.shelf)] += sale.units;
    };
    listener.ordered = [&](const Delivery& d) { open[d.shelf] = d; };
    listener.delivered = [&](const Delivery& d) {
        open.erase(d.shelf);
        history.late.emplace_back(d.delivered_at,
                                  static_cast<double>(d.delivered_at - d.due_at) / 3600);
    };
    listener.stock_out = [&](const StockOut& out) { history.stock_outs.push_back(out); };
    listener.reading = [&](const Reading& reading) {
        const Shelf& shelf = world.shelves()[static_cast<size_t>(reading.shelf)];
        const Product& product = world.products()[static_cast<size_t>(shelf.product)];
        units[static_cast<size_t>(reading.shelf)] = std::max(
            0,
            static_cast<int>(std::lround((reading.grams - shelf.tare_grams) / product.unit_grams)));
    };
    const int64_t judged_from = settings.days - settings.judged_days;
    for (int day = 0; day < settings.days; ++day)
        for (int hour = 0; hour < 24; ++hour) {
            std::fill(sold_now.begin(), sold_now.end(), 0);
            if (hour == 0) std::fill(sold_today.begin(), sold_today.end(), 0);
            listener.day_end = [&](int shelf, int64_t, int demand, int sold) {
                auto& d = history.days[static_cast<size_t>(shelf)][static_cast<size_t>(day)];
                d.demand = demand;
                d.sold = sold;
            };
            world.step(listener);
            for (size_t s = 0; s < shelves; ++s) {
                auto& d = history.days[s][static_cast<size_t>(day)];
                const Shelf& shelf = world.shelves()[s];
                d.promotion =
                    world.on_promotion(shelf.store, shelf.product, history.first_day + day);
                sold_today[s] += sold_now[s];
                history.hourly[static_cast<size_t>(day)][static_cast<size_t>(hour)] += sold_now[s];
                if (units[s] == 0) ++d.empty_hours;
                if (day < judged_from) continue;
                Moment moment{world.now() - 1, units[s], sold_today[s], false, 0};
                if (const auto found = open.find(static_cast<int>(s)); found != open.end()) {
                    moment.open_delivery = true;
                    moment.due = found->second.due_at;
                }
                history.moments[s].push_back(moment);
            }
        }
    return history;
}

std::vector<PanelRow> rows_until(const History& history, const beverages::World& world, int days,
                                 bool mask) {
    std::vector<PanelRow> rows;
    for (size_t s = 0; s < history.days.size(); ++s) {
        const auto& shelf = world.shelves()[s];
        for (int day = 0; day < days + kAhead && day < static_cast<int>(history.days[s].size());
             ++day) {
            const auto& d = history.days[s][static_cast<size_t>(day)];
            const bool known = day < days && !(mask && d.empty_hours > 0);
            rows.push_back({{std::to_string(shelf.store), std::to_string(shelf.product)},
                            history.first_day + day,
                            known ? static_cast<float>(d.sold) : kUnknown,
                            {d.promotion ? 1.0f : 0.0f}});
        }
    }
    return rows;
}

ForecasterOptions options_of(const Settings& settings) {
    ForecasterOptions options;
    options.ahead = kAhead;
    options.season = 7;
    options.country = "CO";
    options.from_step = 1;
    options.to_step = kAhead;
    options.rounds = 4;
    options.stride = 7;
    options.rows_max = 120'000;
    options.booster.trees = settings.trees;
    options.booster.parameters = {{"max_depth", "6"}};
    return options;
}

using Forecasts =
    std::map<std::pair<int, size_t>, std::vector<DayDemand>>;  // (day made for, shelf)

/// Each morning's forecast of the next days; trained anew each week.
Forecasts forecast_all(const Settings& settings, const History& history,
                       const beverages::World& world) {
    Forecasts all;
    Model model;
    std::vector<Residual> residuals;
    double wanted = 0, expected = 0;
    for (int day = settings.days - settings.judged_days; day < settings.days; ++day) {
        auto panel = Panel::make(rows_until(history, world, day, true), 2, {"promotion"},
                                 TimeKind::days, kAhead);
        panel->carry_features_forward();
        const Forecaster forecaster(*panel, options_of(settings));
        if (!model.booster || (day - settings.days + settings.judged_days) % 14 == 0) {
            if (residuals.empty()) {
                auto test = forecaster.back_test({});
                if (!test.ok())
                    std::fprintf(stderr, "%s\n", test.error().message.c_str()), std::exit(1);
                residuals = test->residuals;
                for (const auto& score : test->table.total)
                    std::printf("  back-test %-15s WAPE %5.2f  bias %+5.2f  in p10..p90 %.1f %%\n",
                                score.method.c_str(), score.wape, score.bias,
                                score.coverage.value_or(0));
            }
            auto trained = forecaster.train(residuals, {});
            if (!trained.ok())
                std::fprintf(stderr, "%s\n", trained.error().message.c_str()), std::exit(1);
            model = std::move(trained).value();
        }
        auto predictions = forecaster.predict(model);
        for (const auto& p : *predictions) {
            const auto& keys = panel->keys(p.series);
            size_t shelf = 0;
            while (std::to_string(world.shelves()[shelf].store) != keys[0] ||
                   std::to_string(world.shelves()[shelf].product) != keys[1])
                ++shelf;
            const int64_t target = panel->time(p.target);
            all[{day, shelf}].push_back(
                DayDemand::of_outlook(target, p.outlook.mean, p.outlook.p10, p.outlook.p90));
            if (target == history.first_day + day) {
                expected += p.outlook.mean;
                wanted += history.days[shelf][static_cast<size_t>(day)].demand;
            }
        }
    }
    std::printf(
        "  forecasts of the next day against true demand (lost sales included): bias %+.2f %%\n",
        100 * (expected - wanted) / wanted);
    return all;
}

/// Scores of every shelf at every hour: larger is more alarming. kNothing: no alarm can be.
struct Scores {
    std::vector<std::vector<double>> by_model_hours, by_model_chance, by_rule;
};

Scores score_all(const Settings& settings, const History& history, const Forecasts& forecasts) {
    Scores scores;
    const size_t shelves = history.moments.size();
    scores.by_model_hours.resize(shelves);
    scores.by_model_chance.resize(shelves);
    scores.by_rule.resize(shelves);
    RiskOptions options;
    options.utc_offset = beverages::kUtcOffset;
    const int judged_from = settings.days - settings.judged_days;
    for (int day = judged_from; day < settings.days; ++day) {
        std::array<double, 24> counts{};
        for (int before = day - 28; before < day; ++before)
            for (size_t h = 0; h < 24; ++h)
                counts[h] += history.hourly[static_cast<size_t>(before)][h];
        const DayProfile profile = DayProfile::of_counts(counts);
        std::vector<double> late;
        const int64_t midnight =
            (history.first_day + day) * beverages::kDay - beverages::kUtcOffset;
        for (const auto& [delivered, hours] : history.late)
            if (delivered < midnight) late.push_back(hours);
        const Lateness lateness = Lateness::of_past(late);
        for (size_t s = 0; s < shelves; ++s) {
            double usual = 0;
            for (int before = day - 28; before < day; ++before)
                usual += history.days[s][static_cast<size_t>(before)].sold / 28.0;
            for (int hour = 0; hour < 24; ++hour) {
                const Moment& moment =
                    history.moments[s][static_cast<size_t>((day - judged_from) * 24 + hour)];
                PlaceStock place;
                place.units = moment.units;
                place.read_at = {moment.at * 1'000'000};
                place.sold_today = moment.sold_today;
                place.demand = forecasts.at({day, s});
                if (moment.open_delivery) place.incoming.push_back({{moment.due * 1'000'000}, 1});
                const Risk risk = assess(place, profile, lateness, place.read_at, options);
                scores.by_model_hours[s].push_back(risk.hours_to_empty.value_or(1e9));
                scores.by_model_chance[s].push_back(risk.p_empty.value_or(0));
                scores.by_rule[s].push_back(moment.units / std::max(0.1, usual));
            }
        }
    }
    return scores;
}

struct Verdict {
    double caught = 0, warning_median = 0, false_a_week = 0, at_four_hours = 0;
    size_t stock_outs = 0, alarms = 0;
};

/// `up(shelf, hour)`: is the condition true. An alarm goes up when it becomes true and stays up
/// until it is false.
template <typename Up>
Verdict judge(const Settings& settings, const History& history, Up up) {
    Verdict verdict;
    const int64_t from = history.moments[0].front().at + 1;
    const size_t hours = history.moments[0].size();
    std::vector<double> warnings;
    std::vector<std::vector<std::pair<size_t, bool>>> raised(
        history.moments.size());  // hour, was it right
    for (size_t s = 0; s < raised.size(); ++s)
        for (size_t h = 1; h < hours; ++h)
            if (history.moments[s][h].units > 0 && up(s, h) &&
                !(history.moments[s][h - 1].units > 0 && up(s, h - 1)))
                raised[s].emplace_back(h, false);
    for (const auto& out : history.stock_outs) {
        const auto s = static_cast<size_t>(out.shelf);
        const double empty_at =
            static_cast<double>(out.from - from) / 3600;  // in hours of the judged days
        if (empty_at < kWarnMax) continue;
        ++verdict.stock_outs;
        double warning = -1;
        for (auto& [hour, right] : raised[s]) {
            const double before = empty_at - static_cast<double>(hour);
            if (before <= 0 || before > kWarnMax) continue;
            right = true;
            // The alarm counts when it was still up an hour before, i.e. nobody was told that all
            // is well again.
            const auto last = static_cast<size_t>(std::max(0.0, empty_at - 1));
            bool still = true;
            for (size_t h = hour; h <= std::min(last, hours - 1); ++h)
                if (history.moments[s][h].units > 0 && !up(s, h)) still = false;
            if (still) warning = std::max(warning, before);
        }
        if (warning > 0) warnings.push_back(warning);
        if (warning >= 4) verdict.at_four_hours += 1;
    }
    size_t wrong = 0;
    for (const auto& of_shelf : raised)
        for (const auto& [hour, right] : of_shelf) {
            if (static_cast<double>(hours - hour) < kWarnMax) continue;  // nobody knows yet
            ++verdict.alarms;
            wrong += right ? 0 : 1;
        }
    std::sort(warnings.begin(), warnings.end());
    const auto count = static_cast<double>(std::max<size_t>(1, verdict.stock_outs));
    verdict.caught = 100 * static_cast<double>(warnings.size()) / count;
    verdict.at_four_hours *= 100 / count;
    verdict.warning_median = warnings.empty() ? 0 : warnings[warnings.size() / 2];
    verdict.false_a_week =
        static_cast<double>(wrong) / settings.stores / (settings.judged_days / 7.0);
    return verdict;
}

void print(const char* name, const Verdict& v) {
    std::printf(
        "  %-38s caught %5.1f %%  4 h ahead %5.1f %%  median warning %4.1f h  false a store and "
        "week %.2f  (%zu stock-outs, %zu alarms)\n",
        name, v.caught, v.at_four_hours, v.warning_median, v.false_a_week, v.stock_outs, v.alarms);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const int value = std::atoi(argv[i + 1]);
        (name == "--days"     ? settings.days
         : name == "--stores" ? settings.stores
         : name == "--seed"   ? settings.seed
         : name == "--trees"  ? settings.trees
                              : settings.judged_days) = value;
    }
    beverages::WorldOptions world_options;
    world_options.seed = static_cast<uint64_t>(settings.seed);
    world_options.stores = settings.stores;
    world_options.begin = 1'760'000'000 / beverages::kDay * beverages::kDay -
                          beverages::kUtcOffset - int64_t{settings.days} * beverages::kDay;
    beverages::World world(world_options);
    const History history = simulate(settings, world);
    std::printf("%d days, %d stores, %zu shelves, %zu stock-outs; the last %d days are judged\n",
                settings.days, settings.stores, history.days.size(), history.stock_outs.size(),
                settings.judged_days);
    const Forecasts forecasts = forecast_all(settings, history, world);
    const auto began = std::chrono::steady_clock::now();
    const Scores scores = score_all(settings, history, forecasts);
    std::printf("  one score: %.1f us\n",
                std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began)
                        .count() /
                    static_cast<double>(history.moments.size() * history.moments[0].size()));
    const auto rule = [&](double least) {
        return judge(settings, history,
                     [&](size_t s, size_t h) { return scores.by_rule[s][h] < least; });
    };
    // The first is what examples/beverages declares.
    for (const auto& [chance, hours] :
         {std::pair(0.8, 8.0), std::pair(0.5, 6.0), std::pair(0.5, 8.0), std::pair(0.5, 12.0),
          std::pair(0.3, 18.0)}) {
        const Verdict ours = judge(settings, history, [&](size_t s, size_t h) {
            return scores.by_model_chance[s][h] > chance && scores.by_model_hours[s][h] < hours;
        });
        char name[80];
        std::snprintf(name, sizeof name, "p_empty > %.1f and hours_to_empty < %.0f", chance, hours);
        print(name, ours);
        // The rule with as many false alarms, or just more: what is between goes to its favour.
        double least = 0.005;
        Verdict best = rule(least);
        while (best.false_a_week < ours.false_a_week && least < 1.5) best = rule(least += 0.005);
        std::snprintf(name, sizeof name, "  minimum stock: %.3f days of sales", least);
        print(name, best);
    }
    return 0;
}

#include "models/stock_out.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tarn::models {

namespace {

constexpr double kHoursMax = 14 * 24;
constexpr int64_t kDaySeconds = 86'400;

struct Demand {
    double mean = 0, variance = 0;
};

/// What is wanted of one place from now on.
class Outflow {
 public:
    Outflow(const PlaceStock& place, const DayProfile& profile, int64_t local_now)
        : place_(place), profile_(profile) {
        today_ = local_now / kDaySeconds;
        hour_ = static_cast<double>(local_now % kDaySeconds) / 3600.0;
        // What was sold today moves today's luck (gamma prior, Poisson counts): mean 1 and spread_
        // before.
        const DayDemand& today = of_day(today_);
        luck_spread_ = spread_of(today);
        const double expected = today.mean * profile.before(hour_);
        if (luck_spread_ > 1e-9 && expected > 0) {
            const double prior = 1 / luck_spread_;
            luck_ = (prior + place.sold_today) / (prior + expected);
            luck_spread_ = 1 / (prior + place.sold_today);
        }
    }

    /// Of the next `hours`.
    Demand within(double hours) const {
        Demand sum;
        double from = hour_, left = hours;
        for (int64_t day = today_; left > 1e-9; ++day, from = 0) {
            const double until = std::min(24.0, from + left);
            const DayDemand& demand = of_day(day);
            const double share = profile_.before(until) - profile_.before(from);
            const double mean = demand.mean * share * (day == today_ ? luck_ : 1);
            const double spread = day == today_ ? luck_spread_ : spread_of(demand);
            sum.mean += mean;
            sum.variance += mean + mean * mean * spread;
            left -= until - from;
        }
        return sum;
    }

    /// Hours until that many are expected to be gone; kHoursMax when it takes longer.
    double hours_until(double units) const {
        double gone = 0, hours = 0;
        for (int64_t day = today_; hours < kHoursMax; ++day) {
            const double begin = day == today_ ? hour_ : 0;
            const double rate = of_day(day).mean * (day == today_ ? luck_ : 1);
            for (double hour = begin; hour < 24 - 1e-9;) {
                const double next = std::floor(hour + 1 + 1e-9);
                const double flow = rate * (profile_.before(next) - profile_.before(hour));
                if (gone + flow >= units && flow > 0)
                    return std::min(kHoursMax, hours + (next - hour) * (units - gone) / flow);
                gone += flow;
                hours += next - hour;
                hour = next;
            }
        }
        return kHoursMax;
    }

    double today_so_far() const { return of_day(today_).mean * profile_.before(hour_); }
    double luck() const { return luck_; }

 private:
    /// Of the day's luck alone: squared, relative to the mean.
    static double spread_of(const DayDemand& day) {
        return day.mean <= 0 ? 0 : std::max(0.0, day.variance - day.mean) / (day.mean * day.mean);
    }
    const DayDemand& of_day(int64_t day) const {
        const auto at =
            std::lower_bound(place_.demand.begin(), place_.demand.end(), day,
                             [](const DayDemand& d, int64_t wanted) { return d.day < wanted; });
        return at == place_.demand.end() ? place_.demand.back() : *at;
    }

    const PlaceStock& place_;
    const DayProfile& profile_;
    int64_t today_ = 0;
    double hour_ = 0, luck_ = 1, luck_spread_ = 0;
};

double hours_between(Timestamp from, Timestamp to) {
    return static_cast<double>((to.micros - from.micros) / 1'000'000) / 3600.0;
}

/// When the delivery comes, seen from now, given that it has not come yet: (hours from now, share).
std::vector<std::pair<double, double>> arrivals(const Incoming& next, const Lateness& lateness,
                                                Timestamp now) {
    const double due = hours_between(now, next.due);
    std::vector<std::pair<double, double>> all;
    double sum = 0;
    for (const auto& [late, share] : lateness.hours)
        if (due + late > 0) {
            all.emplace_back(due + late, share);
            sum += share;
        }
    if (lateness.hours.empty() && due > 0) return {{due, 1.0}};
    if (sum <= 0) return {{24.0, 1.0}};  // later than any before: nobody knows; a day
    for (auto& [hours, share] : all) share /= sum;
    return all;
}

void append(std::string& reasons, const char* format, double a = 0, double b = 0) {
    char text[160];
    std::snprintf(text, sizeof text, format, a, b);
    if (!reasons.empty()) reasons += "; ";
    reasons += text;
}

const Incoming* next_of(const PlaceStock& place) {
    const Incoming* next = nullptr;
    for (const auto& each : place.incoming)
        if (next == nullptr || each.due < next->due) next = &each;
    return next;
}

}  // namespace

const char* to_string(Risk::State state) {
    switch (state) {
        case Risk::State::ok:
            return "ok";
        case Risk::State::at_risk:
            return "at_risk";
        case Risk::State::empty:
            return "empty";
        case Risk::State::silent:
            return "silent";
        case Risk::State::unknown:
            return "unknown";
    }
    return "unknown";
}

DayProfile DayProfile::uniform() {
    DayProfile profile;
    profile.share.fill(1.0 / 24);
    return profile;
}

DayProfile DayProfile::of_counts(const std::array<double, 24>& counts, double least) {
    double sum = 0;
    for (const double count : counts) sum += count;
    if (sum < least) return uniform();
    DayProfile profile;
    for (size_t hour = 0; hour < 24; ++hour) profile.share[hour] = counts[hour] / sum;
    return profile;
}

double DayProfile::before(double hour) const {
    double sum = 0;
    const auto whole = static_cast<size_t>(std::clamp(hour, 0.0, 24.0));
    for (size_t i = 0; i < whole; ++i) sum += share[i];
    if (whole < 24) sum += share[whole] * (hour - static_cast<double>(whole));
    return sum;
}

Lateness Lateness::of_past(std::vector<double> late_hours) {
    Lateness made;
    if (late_hours.empty()) return made;
    for (double& late : late_hours) late = std::max(0.0, late);
    std::sort(late_hours.begin(), late_hours.end());
    // Equal shares, each at its upper end; those that are close fall together.
    constexpr size_t kPoints = 50;
    const size_t count = late_hours.size();
    for (size_t i = 0; i < std::min(kPoints, count); ++i) {
        const size_t points = std::min(kPoints, count);
        const double late = late_hours[(i + 1) * count / points - 1];
        if (!made.hours.empty() && late - made.hours.back().first < 0.5)
            made.hours.back().second += 1.0 / static_cast<double>(points);
        else
            made.hours.emplace_back(late, 1.0 / static_cast<double>(points));
    }
    return made;
}

DayDemand DayDemand::of_outlook(int64_t day, double mean, double p10, double p90) {
    const double deviation = std::max(0.0, p90 - p10) / 2.563;  // as a normal number's
    return {day, std::max(0.0, mean), std::max(mean, deviation * deviation)};
}

double chance_of_at_least(double count, double mean, double variance) {
    if (count <= 0) return 1;
    if (mean <= 0) return 0;
    const double over = std::max(variance - mean, 1e-9 * mean);
    if (mean > 400) {  // its normal neighbour
        const double z = (count - 0.5 - mean) / std::sqrt(mean + over);
        return 0.5 * std::erfc(z / std::sqrt(2.0));
    }
    const double size = mean * mean / over;
    const double ratio = mean / (mean + size);
    // log P(0) = -size log(1 + mean/size); the terms follow from each other.
    double term = std::exp(-size * std::log1p(mean / size));
    double below = 0;
    const auto stop = static_cast<int64_t>(std::ceil(count));
    for (int64_t k = 0; k < stop; ++k) {
        below += term;
        term *= (size + static_cast<double>(k)) / static_cast<double>(k + 1) * ratio;
    }
    return std::clamp(1 - below, 0.0, 1.0);
}

Risk assess(const PlaceStock& place, const DayProfile& profile, const Lateness& lateness,
            Timestamp now, const RiskOptions& options) {
    Risk risk;
    const Incoming* next = next_of(place);
    if (next != nullptr) risk.next_delivery = next->due;
    const double age = hours_between(place.read_at, now);
    if (now.since(place.read_at) > options.silent_after) {
        risk.state = Risk::State::silent;
        append(risk.reasons, "no reading for %.1f h; then %.0f were there", age, place.units);
        return risk;
    }
    if (next != nullptr && next->due < now)
        append(risk.reasons, "delivery is %.0f h overdue", hours_between(next->due, now));
    if (place.units <= 0) {
        risk.state = Risk::State::empty;
        risk.hours_to_empty = 0;
        risk.p_empty = 1;
        append(risk.reasons, "nothing left");
        return risk;
    }
    if (place.demand.empty()) {
        append(risk.reasons, "no forecast of demand");
        return risk;
    }
    const Outflow outflow(place, profile, now.seconds() + options.utc_offset);
    const double horizon = static_cast<double>(options.horizon.count()) / 3600.0;
    risk.hours_to_empty = outflow.hours_until(place.units);
    std::vector<std::pair<double, double>> ends = {{horizon, 1.0}};
    if (next != nullptr) ends = arrivals(*next, lateness, now);
    double chance = 0, wanted = 0, until = 0;
    for (const auto& [hours, share] : ends) {
        const double end = std::min(hours, horizon);
        const Demand demand = outflow.within(end);
        chance += share * chance_of_at_least(place.units, demand.mean, demand.variance);
        wanted += share * demand.mean;
        until += share * end;
    }
    risk.p_empty = std::clamp(chance, 0.0, 1.0);
    risk.state = *risk.p_empty >= options.at_risk ? Risk::State::at_risk : Risk::State::ok;
    append(risk.reasons, "%.0f left", place.units);
    append(risk.reasons,
           next != nullptr ? "%.1f wanted in the %.0f h to the next delivery"
                           : "%.1f wanted in the next %.0f h, no delivery known",
           wanted, until);
    if (outflow.luck() > 1.25)
        append(risk.reasons, "sells %.0f %% faster than forecast today",
               100 * (outflow.luck() - 1));
    return risk;
}

}  // namespace tarn::models

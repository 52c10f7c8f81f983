#include "weather.h"

#include <cmath>

#include "base/time.h"

namespace beverages {
namespace {

constexpr Holiday kHolidays[] = {
    {1, 1, "Año Nuevo"},         {1, 6, "Reyes"},       {5, 1, "Día del Trabajo"},
    {7, 20, "Independencia"},    {8, 7, "Boyacá"},      {10, 12, "Día de la Raza"},
    {11, 1, "Todos los Santos"}, {12, 8, "Inmaculada"}, {12, 24, "Nochebuena"},
    {12, 25, "Navidad"},         {12, 31, "Fin de Año"}};

}  // namespace

Weather::Weather(uint64_t seed) {
    const double means[] = {19, 31, 27}, swings[] = {2, 3, 3};
    for (size_t i = 0; i < regions().size(); ++i) {
        Region region;
        region.mean = means[i];
        region.swing = swings[i];
        region.random.seed(seed * 977 + i);
        regions_.emplace(regions()[i], std::move(region));
    }
}

const DayWeather& Weather::at(const std::string& name, int64_t local_day) {
    Region& region = regions_.at(name);
    if (!region.begun) {
        region.begun = true;
        region.next_day = local_day;
    }
    std::normal_distribution<double> shock(0, 1.4);
    std::uniform_real_distribution<double> chance(0, 1);
    while (region.next_day <= local_day) {
        region.persistence_state = 0.75 * region.persistence_state + shock(region.random);
        const double season =
            std::cos(2 * M_PI * (static_cast<double>(region.next_day % 365) - 45) / 365);
        const double wet = 0.35 - 0.1 * season;
        const double rain =
            chance(region.random) < wet ? -8 * std::log(1 - chance(region.random)) : 0;
        const double celsius =
            region.mean + region.swing * season + region.persistence_state - 0.05 * rain;
        region.days[region.next_day++] = {celsius, rain};
    }
    return region.days.at(local_day);
}

std::string holiday_name(int64_t local_day) {
    const auto date = tarn::civil({local_day * 86'400'000'000});
    for (const auto& holiday : kHolidays)
        if (holiday.month == date.month && holiday.day == date.day) return holiday.name;
    return "";
}

}  // namespace beverages

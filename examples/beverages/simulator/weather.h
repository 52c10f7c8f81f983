// Weather and holidays of the company's regions.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace beverages {

inline const std::vector<std::string>& regions() {
    static const std::vector<std::string> all = {"andes", "coast", "valley"};
    return all;
}

struct DayWeather {
    double celsius;  // the afternoon's
    double rain_mm;
};

/// Made day by day as it is asked for, in order; days are local, counted from 1970-01-01.
class Weather {
 public:
    explicit Weather(uint64_t seed);
    const DayWeather& at(const std::string& region, int64_t local_day);

 private:
    struct Region {
        double mean, swing, persistence_state = 0;
        int64_t next_day = 0;
        bool begun = false;
        std::map<int64_t, DayWeather> days;
        std::mt19937_64 random;
    };
    std::map<std::string, Region> regions_;
};

struct Holiday {
    int month, day;
    const char* name;
};
/// Fixed dates; empty name: an ordinary day.
std::string holiday_name(int64_t local_day);

}  // namespace beverages

// The company's records as files: what goes into its database, what the partner drops, what the
// sensors say, and - apart from all that - the truth, which only the judges see.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "world.h"

namespace beverages {

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

/// Dies with a message when the file can't be made: the simulator is a tool for one run.
File open_file(const std::string& path);

/// "2026-11-20 17:00:00+00", "2026-11-20T17:00:00Z", "2026-11-20" of seconds since 1970.
std::string pg_time(int64_t at);
std::string iso_time(int64_t at);
std::string local_date(int64_t local_day);

/// One reading as its MQTT topic and payload.
std::string topic_of(const World& world, const Reading& reading);
std::string payload_of(const Reading& reading);

/// Writes OUT/pg/*.csv while the world goes on.
class Records {
 public:
    Records(const World& world, const std::string& out, int64_t readings_from);
    Listener listener();
    /// Master data, and deliveries that are still under way.
    void finish();

 private:
    void write_stores();
    void write_products();
    void write_customers();
    void write_shelves();

    const World& world_;
    const std::string out_;
    const int64_t readings_from_;
    File sales_, deliveries_, readings_, demand_, stock_outs_;
    std::map<int64_t, Delivery> open_;
};

/// OUT/drop/weather/weather_<month>.csv: semicolons, decimal commas, Latin-1, some lines that are
/// no weather at all.
void write_weather(World& world, const std::string& out, int64_t from_day, int64_t to_day);
/// OUT/drop/holidays/holidays.jsonl.
void write_holidays(const std::string& out, int64_t from_day, int64_t to_day);

}  // namespace beverages

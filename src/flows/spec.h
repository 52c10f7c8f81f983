// What a lakefile says of a computed table, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tarn::flows {

struct TableRef {
    std::string database, table;

    auto operator<=>(const TableRef&) const = default;
    std::string full_name() const { return database + "." + table; }
};

/// When a step runs. Times of day and weekdays are of the lake's time zone.
struct Refresh {
    enum class Kind : uint8_t { on_change, every, daily, weekly, manual };

    Kind kind = Kind::on_change;
    std::chrono::seconds every{0};  // Kind::every
    int minute_of_day = 0;          // daily, weekly
    int weekday = 1;                // weekly: 1 is Monday, 7 is Sunday
    /// Only rows whose first date or timestamp column of the key is younger than this are computed
    /// again; the rest stays.
    std::optional<std::chrono::seconds> window;

    bool operator==(const Refresh&) const = default;
};

enum class Consequence : uint8_t { stop, set_aside, warn };

/// "units between 0 and 500" (of each row), "unique(key)", "newest(read_at) within 10m",
/// "sum(revenue) = (select ...)".
struct Check {
    std::string expression;
    Consequence consequence = Consequence::stop;

    bool operator==(const Check&) const = default;
};

struct TableSpec {
    TableRef name;
    std::string sql;  // one SELECT
    std::vector<std::string> key;
    Refresh refresh;
    std::string partition;  // "month(day)", "day", "bucket(16, store_id)"; empty: none
    std::vector<Check> checks;
    std::string description;

    bool operator==(const TableSpec&) const = default;
};

}  // namespace tarn::flows

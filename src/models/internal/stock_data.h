// What the stock-out step keeps in memory, and how it is brought up to date: each part only when
// its input changed. One thread at a time.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flows/step.h"
#include "models/internal/table_io.h"
#include "models/spec.h"
#include "models/stock_out.h"

namespace tarn::models {

/// The columns that are meant, as the tables have them.
struct StockColumns {
    OutputColumn place, read_at;
    std::string units;
    std::vector<OutputColumn>
        keys;  // shared by name with the demand table, without the place; may be empty
    bool place_is_key = false;  // the place itself is a key column of demand
    std::string demand_day, demand_mean;
    std::string due, delivered;  // of incoming; empty: there is none

    /// invalid_argument: says what is missing.
    static Result<StockColumns> find(const StockOutSpec& spec, const tables::Schema& on_hand,
                                     const tables::Schema* demand, const tables::Schema* incoming);
};

/// A place as it was read last.
struct PlaceNow {
    std::vector<query::Value> values;  // place, then the keys
    std::string demand_key;
    double units = 0;
    Timestamp read_at;
    int64_t local_day = 0;
    double day_units = 0;  // what sold_today is counted from
    double sold_today = 0;

    /// A reading newer than read_at. Counts what went out; what came in is not negative demand.
    void take(double now_units, Timestamp at, int64_t day);
};

class StockData {
 public:
    explicit StockData(StockOutSpec spec) : spec_(std::move(spec)) {}

    /// Reads what changed since the last time.
    Result<uint64_t> refresh(query::Session& session, const StockColumns& columns,
                             const flows::InputState& on_hand, const flows::InputState* demand,
                             const flows::InputState* incoming, int64_t utc_offset);
    void forget();

    const std::map<std::string, PlaceNow>& places() const { return places_; }
    Timestamp newest() const { return newest_; }
    PlaceStock stock_of(const std::string& place, const PlaceNow& now) const;
    const DayProfile& profile() const { return profile_; }
    const Lateness& lateness() const { return lateness_; }

 private:
    Result<uint64_t> read_places(query::Session& session, const StockColumns& columns,
                                 int64_t utc_offset);
    Result<uint64_t> read_demand(query::Session& session, const StockColumns& columns);
    Result<uint64_t> read_incoming(query::Session& session, const StockColumns& columns);
    Result<uint64_t> learn_profile(query::Session& session, const StockColumns& columns,
                                   int64_t utc_offset);
    Status take_places(const query::Chunk& chunk, const StockColumns& columns, int64_t utc_offset);

    const StockOutSpec spec_;
    bool known_ = false;
    std::string uuid_;
    std::optional<int64_t> on_hand_snapshot_, demand_snapshot_, incoming_snapshot_;
    std::map<std::string, PlaceNow> places_;
    std::map<std::string, std::vector<DayDemand>> demand_;
    std::map<std::string, std::vector<Incoming>> incoming_;
    Timestamp newest_;
    DayProfile profile_ = DayProfile::uniform();
    int64_t profile_day_ = INT64_MIN;
    bool profile_learnt_ = false;
    Lateness lateness_;
};

}  // namespace tarn::models

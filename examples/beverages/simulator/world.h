// A soft-drink company, simulated hour by hour: what people want, what the shelf lets them buy,
// what is delivered. True demand and true stock-outs are known here, and nowhere in what the
// company records.
//
// Everything follows from the seed and the calendar: the same seed and the same span give the same
// world.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "weather.h"

namespace beverages {

inline constexpr int kHour = 3600;
inline constexpr int kDay = 24 * kHour;
inline constexpr int kUtcOffset = -5 * kHour;  // the company's clock: no daylight saving there

struct Store {
    int id;
    std::string name, region, city;
    double latitude, longitude;
    double size;  // 0.5 a kiosk, 2.0 a supermarket
};

struct Product {
    int id;
    std::string name, category;
    int price;             // pesos a unit
    double hourly_demand;  // units an open hour in a store of size 1 on an ordinary day
    double warmth;         // how demand follows the temperature
    double weekend;        // factor on Saturday and Sunday
    int unit_grams;
};

struct Customer {
    int id;
    std::string name, email, phone, region;
};

/// The place of one product in one store, with the scale under it.
struct Shelf {
    int id;
    int store, product;           // indexes
    int capacity, reorder_below;  // units
    int tare_grams;
    int on_hand;
    int64_t sequence = 0;  // of its sensor's readings
    std::optional<int64_t> empty_since;
};

struct Delivery {
    int64_t id;
    int shelf;
    int64_t ordered_at, due_at, delivered_at;  // seconds since 1970, UTC
    int units;
};

struct Sale {
    int64_t id;
    int64_t at;  // the hour that it belongs to
    int shelf;
    int units;
    int price;  // pesos a unit
    bool promotion;
};

struct Reading {
    int64_t at;
    int shelf;
    int64_t sequence;
    double grams, celsius;
};

/// A time for which a shelf was empty, to the hour.
struct StockOut {
    int shelf;
    int64_t from, to;
};

/// Called as the hours go by; any may be empty.
struct Listener {
    std::function<void(const Sale&)> sale;
    std::function<void(const Delivery&)> ordered;
    std::function<void(const Delivery&)> delivered;
    std::function<void(const Reading&)> reading;
    std::function<void(const StockOut&)> stock_out;
    std::function<void(int shelf, int64_t day, int demand, int sold)> day_end;
};

struct WorldOptions {
    uint64_t seed = 1;
    int stores = 40;
    int64_t begin = 0;  // first hour, seconds since 1970
    int readings_an_hour = 1;
};

class World {
 public:
    explicit World(WorldOptions options);

    /// One hour goes by.
    void step(const Listener& listener);
    int64_t now() const { return now_; }

    const std::vector<Store>& stores() const { return stores_; }
    const std::vector<Product>& products() const { return products_; }
    const std::vector<Customer>& customers() const { return customers_; }
    const std::vector<Shelf>& shelves() const { return shelves_; }
    Weather& weather() { return weather_; }

    /// Is the product on promotion in that store on that local day?
    bool on_promotion(int store, int product, int64_t local_day) const;

 private:
    void make_stores();
    void make_products();
    void make_customers();
    void make_shelves();
    void begin_day(int64_t local_day);
    double day_rate(const Shelf& shelf, int64_t local_day);
    int draw(double mean);
    void receive(const Listener& listener);
    void order(Shelf& shelf, const Listener& listener);
    void sell(Shelf& shelf, const Listener& listener);
    void read_sensors(const Listener& listener);
    void end_day(const Listener& listener);

    const WorldOptions options_;
    std::mt19937_64 random_;
    Weather weather_;
    int64_t now_;
    int64_t next_sale_ = 1, next_delivery_ = 1;
    std::vector<Store> stores_;
    std::vector<Product> products_;
    std::vector<Customer> customers_;
    std::vector<Shelf> shelves_;
    std::vector<double> day_rates_;  // a shelf's expected units of an average open hour today
    int64_t day_ = -1;               // that they are for
    std::vector<int> day_demand_, day_sold_;
    std::vector<Delivery> under_way_;
};

}  // namespace beverages

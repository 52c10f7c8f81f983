#include "world.h"

#include <algorithm>
#include <cmath>

#include "base/time.h"

namespace beverages {
namespace {

constexpr int kOpens = 7, kCloses = 22;  // local hours
constexpr int kOrdersAt = 18;
/// Share of a day's demand by open hour: a small morning, a lunch, a long evening.
constexpr std::array<double, kCloses - kOpens> kHours = {0.5, 0.7, 0.8, 0.9, 1.1, 1.4, 1.4, 1.1,
                                                         0.9, 1.0, 1.2, 1.4, 1.3, 0.8, 0.5};

int64_t local_day_of(int64_t at) {
    return (at + kUtcOffset) / kDay;
}
int local_hour_of(int64_t at) {
    return static_cast<int>((at + kUtcOffset) % kDay / kHour);
}

/// A number that depends on its arguments only: promotions must not depend on the order of asking.
uint64_t scramble(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t x = a * 0x9e3779b97f4a7c15ull ^ b * 0xc2b2ae3d27d4eb4full ^ c * 0x165667b19e3779f9ull;
    x ^= x >> 31;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ (x >> 32);
}

}  // namespace

World::World(WorldOptions options)
    : options_(options), random_(options.seed), weather_(options.seed), now_(options.begin) {
    make_products();
    make_stores();
    make_customers();
    make_shelves();
    day_rates_.assign(shelves_.size(), 0.0);
    day_demand_.assign(shelves_.size(), 0);
    day_sold_.assign(shelves_.size(), 0);
}

void World::make_stores() {
    struct City {
        const char *name, *region;
        double latitude, longitude;
    };
    static const City cities[] = {
        {"Bogotá", "andes", 4.65, -74.08},     {"Tunja", "andes", 5.54, -73.36},
        {"Manizales", "andes", 5.07, -75.52},  {"Barranquilla", "coast", 10.97, -74.80},
        {"Cartagena", "coast", 10.40, -75.50}, {"Santa Marta", "coast", 11.24, -74.20},
        {"Cali", "valley", 3.44, -76.52},      {"Palmira", "valley", 3.53, -76.30},
        {"Buga", "valley", 3.90, -76.30}};
    std::lognormal_distribution<double> size(0.0, 0.35);
    std::normal_distribution<double> spread(0, 0.03);
    for (int i = 0; i < options_.stores; ++i) {
        const City& city = cities[static_cast<size_t>(i) % std::size(cities)];
        const double s = std::clamp(size(random_), 0.5, 2.2);
        stores_.push_back({i + 1, std::string(city.name) + " " + std::to_string(i / 9 + 1),
                           city.region, city.name, city.latitude + spread(random_),
                           city.longitude + spread(random_), s});
    }
}

void World::make_products() {
    products_ = {{1, "Cola 400 ml", "cola", 2800, 3.2, 0.020, 1.25, 430},
                 {2, "Cola sin azúcar 400 ml", "cola", 2800, 1.6, 0.018, 1.15, 428},
                 {3, "Naranja 400 ml", "fruit", 2600, 1.9, 0.028, 1.20, 432},
                 {4, "Manzana 400 ml", "fruit", 2600, 1.7, 0.026, 1.20, 432},
                 {5, "Agua 600 ml", "water", 1900, 3.6, 0.045, 1.00, 625},
                 {6, "Agua con gas 600 ml", "water", 2100, 1.1, 0.032, 1.00, 627},
                 {7, "Té limón 500 ml", "tea", 3000, 1.2, 0.034, 1.05, 525},
                 {8, "Té durazno 500 ml", "tea", 3000, 0.9, 0.034, 1.05, 525},
                 {9, "Energética 250 ml", "energy", 4900, 0.8, 0.006, 1.35, 268},
                 {10, "Malta 330 ml", "malt", 2700, 1.3, 0.010, 1.30, 352},
                 {11, "Tónica 300 ml", "mixer", 3100, 0.5, 0.008, 1.60, 322},
                 {12, "Jugo mora 300 ml", "fruit", 3300, 0.7, 0.016, 1.10, 325}};
}

void World::make_customers() {
    static const char* first[] = {"Ana",    "Luis",      "Sofía",  "Juan",  "María",
                                  "Carlos", "Valentina", "Andrés", "Laura", "Diego"};
    static const char* last[] = {"Rojas",  "Gómez", "Peña",   "Muñoz", "Ibáñez",
                                 "Torres", "Vélez", "Castro", "Núñez", "Ríos"};
    for (int i = 0; i < 2000; ++i) {
        const auto pick = random_();
        const std::string given = first[pick % 10], family = last[pick / 10 % 10];
        customers_.push_back({i + 1, given + " " + family,
                              "customer" + std::to_string(i + 1) + "@example.com",
                              "+57 3" + std::to_string(100'000'000 + pick / 100 % 99'999'999),
                              regions()[pick / 7 % 3]});
    }
}

void World::make_shelves() {
    std::uniform_int_distribution<int> tare(900, 1600);
    for (size_t s = 0; s < stores_.size(); ++s)
        for (size_t p = 0; p < products_.size(); ++p) {
            const double daily = products_[p].hourly_demand * stores_[s].size * 15;
            const int capacity = std::max(12, static_cast<int>(daily * 3.4));
            shelves_.push_back({static_cast<int>(shelves_.size()) + 1, static_cast<int>(s),
                                static_cast<int>(p), capacity, static_cast<int>(daily * 1.75),
                                tare(random_), capacity, 0, std::nullopt});
        }
}

bool World::on_promotion(int store, int product, int64_t local_day) const {
    const auto week = static_cast<uint64_t>((local_day + 3) / 7);
    return scramble(options_.seed + week, static_cast<uint64_t>(store),
                    static_cast<uint64_t>(product)) %
               7 ==
           0;
}

double World::day_rate(const Shelf& shelf, int64_t local_day) {
    const Product& product = products_[static_cast<size_t>(shelf.product)];
    const Store& store = stores_[static_cast<size_t>(shelf.store)];
    const int weekday = static_cast<int>((local_day + 4) % 7);  // 0 = Sunday
    const DayWeather& weather = weather_.at(store.region, local_day);
    double rate = product.hourly_demand * store.size;
    rate *= 1 + product.warmth * (weather.celsius - 24);
    rate *= weather.rain_mm > 5 ? 0.88 : 1;
    rate *= weekday == 0 || weekday == 6 ? product.weekend : weekday == 5 ? 1.1 : 1;
    rate *= 1 + 0.12 * std::cos(2 * M_PI * (static_cast<double>(local_day % 365) - 350) / 365);
    if (!holiday_name(local_day).empty()) rate *= 1.35;
    if (on_promotion(shelf.store, shelf.product, local_day)) rate *= 1.7;
    return std::max(0.02, rate);
}

/// What the day will be like: the rates, each with the shelf's own luck.
void World::begin_day(int64_t local_day) {
    std::lognormal_distribution<double> luck(-0.02, 0.2);
    day_ = local_day;
    for (auto& shelf : shelves_)
        day_rates_[static_cast<size_t>(shelf.id - 1)] = day_rate(shelf, local_day) * luck(random_);
}

/// A Poisson number: by inversion while that is quick, else by its normal neighbour.
int World::draw(double mean) {
    if (mean > 40) {
        std::normal_distribution<double> near(mean, std::sqrt(mean));
        return std::max(0, static_cast<int>(std::lround(near(random_))));
    }
    const double stop = std::exp(-mean);
    double product = 1;
    int count = -1;
    do {
        product *= static_cast<double>(random_() >> 11) * 0x1.0p-53;
        ++count;
    } while (product > stop);
    return count;
}

void World::step(const Listener& listener) {
    const int hour = local_hour_of(now_);
    receive(listener);
    if (day_ != local_day_of(now_)) begin_day(local_day_of(now_));
    for (auto& shelf : shelves_) {
        if (hour >= kOpens && hour < kCloses) sell(shelf, listener);
        if (hour == kOrdersAt) order(shelf, listener);
    }
    read_sensors(listener);
    if (hour == 23) end_day(listener);
    now_ += kHour;
}

void World::receive(const Listener& listener) {
    for (auto& delivery : under_way_) {
        if (delivery.delivered_at > now_) continue;
        Shelf& shelf = shelves_[static_cast<size_t>(delivery.shelf)];
        shelf.on_hand = std::min(shelf.capacity, shelf.on_hand + delivery.units);
        if (shelf.empty_since && shelf.on_hand > 0) {
            if (listener.stock_out) listener.stock_out({delivery.shelf, *shelf.empty_since, now_});
            shelf.empty_since.reset();
        }
        if (listener.delivered) listener.delivered(delivery);
    }
    std::erase_if(under_way_,
                  [&](const Delivery& delivery) { return delivery.delivered_at <= now_; });
}

/// Orders up to capacity when little is left; the truck comes next morning, or is a day or two
/// late.
void World::order(Shelf& shelf, const Listener& listener) {
    const int index = shelf.id - 1;
    const bool coming = std::any_of(under_way_.begin(), under_way_.end(),
                                    [&](const Delivery& d) { return d.shelf == index; });
    if (coming || shelf.on_hand > shelf.reorder_below) return;
    const auto dice = random_() % 100;
    const int late_days = dice < 86 ? 0 : dice < 96 ? 1 : 2;
    const int64_t due = now_ + (24 - kOrdersAt + 6) * kHour;  // 6 in the morning
    Delivery delivery{
        next_delivery_++, index, now_, due, due + late_days * kDay, shelf.capacity - shelf.on_hand};
    if (listener.ordered) listener.ordered(delivery);
    under_way_.push_back(delivery);
}

void World::sell(Shelf& shelf, const Listener& listener) {
    const auto index = static_cast<size_t>(shelf.id - 1);
    const int64_t day = local_day_of(now_);
    const int demand =
        draw(day_rates_[index] * kHours[static_cast<size_t>(local_hour_of(now_) - kOpens)]);
    const int sold = std::min(demand, shelf.on_hand);
    shelf.on_hand -= sold;
    day_demand_[index] += demand;
    day_sold_[index] += sold;
    if (shelf.on_hand == 0 && !shelf.empty_since) shelf.empty_since = now_ + kHour;
    if (sold == 0 || !listener.sale) return;
    const bool promotion = on_promotion(shelf.store, shelf.product, day);
    const int list_price = products_[static_cast<size_t>(shelf.product)].price;
    const int price = promotion ? list_price * 4 / 5 : list_price;
    listener.sale({next_sale_++, now_, static_cast<int>(index), sold, price, promotion});
}

/// A scale is never exact; the thermometer of the cooler follows the street a little.
void World::read_sensors(const Listener& listener) {
    if (!listener.reading) {
        for (auto& shelf : shelves_) shelf.sequence += options_.readings_an_hour;
        return;
    }
    std::normal_distribution<double> scale_noise(0, 18), cooler_noise(0, 0.4);
    for (int i = 0; i < options_.readings_an_hour; ++i)
        for (auto& shelf : shelves_) {
            const Product& product = products_[static_cast<size_t>(shelf.product)];
            const auto& weather =
                weather_.at(stores_[static_cast<size_t>(shelf.store)].region, local_day_of(now_));
            const double grams = shelf.tare_grams +
                                 static_cast<double>(shelf.on_hand) * product.unit_grams +
                                 scale_noise(random_);
            const double celsius = 4.5 + 0.05 * (weather.celsius - 24) + cooler_noise(random_);
            const int64_t at = now_ + kHour * (i + 1) / options_.readings_an_hour - 1;
            listener.reading({at, shelf.id - 1, ++shelf.sequence, std::round(grams * 10) / 10,
                              std::round(celsius * 100) / 100});
        }
}

void World::end_day(const Listener& listener) {
    const int64_t day = local_day_of(now_);
    for (size_t i = 0; i < shelves_.size(); ++i) {
        if (listener.day_end)
            listener.day_end(static_cast<int>(i), day, day_demand_[i], day_sold_[i]);
        day_demand_[i] = day_sold_[i] = 0;
    }
}

}  // namespace beverages

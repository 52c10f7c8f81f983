// beverages_simulator --out DIR [--seed N] [--days N] [--stores N] [--end YYYY-MM-DDTHH:MM:SSZ]
// [--readings-days N] [--readings-an-hour N] [--live SPEED] [--skip-hours N]
//
// Writes the history of a company that ends at --end (default: now, to the hour). With --live it
// then goes on, SPEED times faster than the clock until it has caught up with it, and prints what
// happens, a line each: "hour <time>", "reading <topic> <payload>", "sale <csv>", "order <csv>",
// "delivery <id> <time>". --skip-hours passes over hours that an earlier run has told.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

#include "base/time.h"
#include "world.h"
#include "writer.h"

namespace {

using namespace beverages;

struct Options {
    std::string out;
    uint64_t seed = 1;
    int days = 730, stores = 40, readings_days = 14, readings_an_hour = 1;
    int64_t end = 0;
    double live = 0;
    int64_t skip_hours = 0;
};

[[noreturn]] void usage(const std::string& why) {
    std::fprintf(
        stderr,
        "beverages_simulator: %s\nusage: beverages_simulator --out DIR [--seed N] [--days "
        "N] [--stores N] [--end TIME]\n"
        "       [--readings-days N] [--readings-an-hour N] [--live SPEED] [--skip-hours N]\n",
        why.c_str());
    std::exit(2);
}

Options parse(int argc, char** argv) {
    Options options;
    options.end = std::time(nullptr) / kHour * kHour;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) usage(name + " needs a value");
        const std::string value = argv[i + 1];
        if (name == "--out")
            options.out = value;
        else if (name == "--seed")
            options.seed = std::strtoull(value.c_str(), nullptr, 10);
        else if (name == "--days")
            options.days = std::atoi(value.c_str());
        else if (name == "--stores")
            options.stores = std::atoi(value.c_str());
        else if (name == "--readings-days")
            options.readings_days = std::atoi(value.c_str());
        else if (name == "--readings-an-hour")
            options.readings_an_hour = std::atoi(value.c_str());
        else if (name == "--live")
            options.live = std::atof(value.c_str());
        else if (name == "--skip-hours")
            options.skip_hours = std::atoll(value.c_str());
        else if (name == "--end") {
            const auto at = tarn::parse_time(value);
            if (!at.ok()) usage(at.error().message);
            options.end = at->seconds() / kHour * kHour;
        } else
            usage("no option " + name);
    }
    if (options.out.empty()) usage("--out says where to write");
    if (options.days < 1 || options.days > 3650 || options.stores < 1 || options.stores > 1000 ||
        options.readings_an_hour < 1 || options.readings_an_hour > 60)
        usage("1 to 3650 days, 1 to 1000 stores, 1 to 60 readings an hour");
    return options;
}

/// What the live world does, as lines for whoever feeds database and broker.
Listener announce(const World& world) {
    Listener to;
    to.reading = [&](const Reading& reading) {
        std::printf("reading\t%s\t%s\n", topic_of(world, reading).c_str(),
                    payload_of(reading).c_str());
    };
    to.sale = [&](const Sale& sale) {
        const Shelf& shelf = world.shelves()[static_cast<size_t>(sale.shelf)];
        std::printf("sale\t%lld,%s,%d,%d,%d,%d,%d,%c\n", static_cast<long long>(sale.id),
                    pg_time(sale.at).c_str(), world.stores()[static_cast<size_t>(shelf.store)].id,
                    world.products()[static_cast<size_t>(shelf.product)].id, sale.units, sale.price,
                    sale.price * sale.units, sale.promotion ? 't' : 'f');
    };
    to.ordered = [](const Delivery& delivery) {
        std::printf("order\t%lld,%d,%s,%s,%d\n", static_cast<long long>(delivery.id),
                    delivery.shelf + 1, pg_time(delivery.ordered_at).c_str(),
                    pg_time(delivery.due_at).c_str(), delivery.units);
    };
    to.delivered = [](const Delivery& delivery) {
        std::printf("delivery\t%lld,%s\n", static_cast<long long>(delivery.id),
                    pg_time(delivery.delivered_at).c_str());
    };
    return to;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    WorldOptions world_options;
    world_options.seed = options.seed;
    world_options.stores = options.stores;
    world_options.begin = options.end - static_cast<int64_t>(options.days) * kDay;
    world_options.readings_an_hour = options.readings_an_hour;
    World world(world_options);
    Records records(world, options.out,
                    options.end - static_cast<int64_t>(options.readings_days) * kDay);
    const Listener writing = records.listener();
    Listener without_readings = writing;
    without_readings.reading = nullptr;
    while (world.now() < options.end) {
        const bool wanted =
            world.now() + kHour > options.end - static_cast<int64_t>(options.readings_days) * kDay;
        world.step(wanted ? writing : without_readings);
    }
    records.finish();
    const int64_t last_day = (options.end + kUtcOffset) / kDay;
    write_weather(world, options.out, last_day - options.days, last_day + 14);
    write_holidays(options.out, last_day - options.days, last_day + 60);
    if (options.live <= 0) return 0;
    const Listener silent{[](const Sale&) {},     [](const Delivery&) {},
                          [](const Delivery&) {}, [](const Reading&) {},
                          [](const StockOut&) {}, [](int, int64_t, int, int) {}};
    for (int64_t hour = 0; hour < options.skip_hours; ++hour) world.step(silent);
    const Listener live = announce(world);
    while (!std::ferror(stdout)) {
        // The world's hour is over when the clock's is: it never runs ahead.
        const int64_t left = world.now() + kHour - std::time(nullptr);
        std::this_thread::sleep_for(left > 0
                                        ? std::chrono::duration<double>(static_cast<double>(left))
                                        : std::chrono::duration<double>(kHour / options.live));
        world.step(live);
        std::printf("hour\t%s\n", pg_time(world.now()).c_str());  // it is over
        std::fflush(stdout);
    }
    return 0;
}

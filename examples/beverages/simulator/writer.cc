#include "writer.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/time.h"

namespace beverages {
namespace {

tarn::CivilTime civil_of(int64_t seconds) {
    return tarn::civil({seconds * 1'000'000});
}

std::string formatted(const char* format, int64_t at) {
    const auto t = civil_of(at);
    char out[64];
    std::snprintf(out, sizeof out, format, t.year, t.month, t.day, t.hour, t.minute, t.second);
    return out;
}

/// Every code point of the texts here is in Latin-1.
std::string latin1(const std::string& utf8) {
    std::string out;
    for (size_t i = 0; i < utf8.size(); ++i) {
        const auto byte = static_cast<unsigned char>(utf8[i]);
        if (byte < 0x80)
            out.push_back(utf8[i]);
        else if (i + 1 < utf8.size())
            out.push_back(static_cast<char>((byte & 3) << 6 |
                                            (static_cast<unsigned char>(utf8[++i]) & 0x3f)));
    }
    return out;
}

std::string decimal_comma(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%.1f", value);
    for (char& c : out)
        if (c == '.') c = ',';
    return out;
}

}  // namespace

File open_file(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    File file(std::fopen(path.c_str(), "w"));
    if (!file) {
        std::perror(path.c_str());
        std::exit(1);
    }
    return file;
}

std::string pg_time(int64_t at) {
    return formatted("%04d-%02d-%02d %02d:%02d:%02d+00", at);
}
std::string iso_time(int64_t at) {
    return formatted("%04d-%02d-%02dT%02d:%02d:%02dZ", at);
}
std::string local_date(int64_t local_day) {
    return formatted("%04d-%02d-%02d", local_day * kDay);
}

std::string topic_of(const World& world, const Reading& reading) {
    const Shelf& shelf = world.shelves()[static_cast<size_t>(reading.shelf)];
    return "stores/" + std::to_string(world.stores()[static_cast<size_t>(shelf.store)].id) +
           "/shelves/" + std::to_string(shelf.id);
}

std::string payload_of(const Reading& reading) {
    return fmt::format(R"({{"seq":{},"read_at":"{}","grams":{:.1f},"celsius":{:.2f}}})",
                       reading.sequence, iso_time(reading.at), reading.grams, reading.celsius);
}

Records::Records(const World& world, const std::string& out, int64_t readings_from)
    : world_(world),
      out_(out),
      readings_from_(readings_from),
      sales_(open_file(out + "/pg/sales.csv")),
      deliveries_(open_file(out + "/pg/deliveries.csv")),
      readings_(open_file(out + "/readings.tsv")),
      demand_(open_file(out + "/truth/demand.csv")),
      stock_outs_(open_file(out + "/truth/stock_outs.csv")) {
    std::fputs("shelf_id,day,demand,sold\n", demand_.get());
    std::fputs("shelf_id,empty_from,empty_to\n", stock_outs_.get());
}

Listener Records::listener() {
    Listener to;
    // Millions of lines: the hour's text is made once, and fmt writes numbers several times faster
    // than printf.
    to.sale = [this, hour = int64_t{-1}, hour_text = std::string(),
               line = std::string()](const Sale& sale) mutable {
        const Shelf& shelf = world_.shelves()[static_cast<size_t>(sale.shelf)];
        if (hour != sale.at) hour_text = pg_time(hour = sale.at);
        line.clear();
        fmt::format_to(std::back_inserter(line), "{},{},{},{},{},{},{},{},{}\n", sale.id, hour_text,
                       world_.stores()[static_cast<size_t>(shelf.store)].id,
                       world_.products()[static_cast<size_t>(shelf.product)].id, sale.units,
                       sale.price, sale.price * sale.units, sale.promotion ? 't' : 'f', hour_text);
        std::fwrite(line.data(), 1, line.size(), sales_.get());
    };
    to.ordered = [this](const Delivery& delivery) { open_[delivery.id] = delivery; };
    to.delivered = [this](const Delivery& delivery) {
        open_.erase(delivery.id);
        std::fprintf(deliveries_.get(), "%lld,%d,%s,%s,%s,%d\n",
                     static_cast<long long>(delivery.id), delivery.shelf + 1,
                     pg_time(delivery.ordered_at).c_str(), pg_time(delivery.due_at).c_str(),
                     pg_time(delivery.delivered_at).c_str(), delivery.units);
    };
    to.reading = [this](const Reading& reading) {
        if (reading.at < readings_from_) return;
        std::fprintf(readings_.get(), "%s\t%s\n", topic_of(world_, reading).c_str(),
                     payload_of(reading).c_str());
    };
    to.stock_out = [this](const StockOut& out) {
        std::fprintf(stock_outs_.get(), "%d,%s,%s\n", out.shelf + 1, iso_time(out.from).c_str(),
                     iso_time(out.to).c_str());
    };
    to.day_end = [this](int shelf, int64_t day, int demand, int sold) {
        std::fprintf(demand_.get(), "%d,%s,%d,%d\n", shelf + 1, local_date(day).c_str(), demand,
                     sold);
    };
    return to;
}

void Records::finish() {
    write_stores();
    write_products();
    write_customers();
    write_shelves();
    for (const auto& [id, delivery] : open_)
        std::fprintf(deliveries_.get(), "%lld,%d,%s,%s,,%d\n", static_cast<long long>(id),
                     delivery.shelf + 1, pg_time(delivery.ordered_at).c_str(),
                     pg_time(delivery.due_at).c_str(), delivery.units);
    for (auto* file : {&sales_, &deliveries_, &readings_, &demand_, &stock_outs_}) file->reset();
}

void Records::write_stores() {
    const File file = open_file(out_ + "/pg/stores.csv");
    for (const auto& store : world_.stores())
        std::fprintf(file.get(), "%d,%s,%s,%s,%.4f,%.4f,%.2f\n", store.id, store.name.c_str(),
                     store.region.c_str(), store.city.c_str(), store.latitude, store.longitude,
                     store.size);
}

void Records::write_products() {
    const File file = open_file(out_ + "/pg/products.csv");
    for (const auto& product : world_.products())
        std::fprintf(file.get(), "%d,%s,%s,%d,%d\n", product.id, product.name.c_str(),
                     product.category.c_str(), product.price, product.unit_grams);
}

void Records::write_customers() {
    const File file = open_file(out_ + "/pg/customers.csv");
    for (const auto& customer : world_.customers())
        std::fprintf(file.get(), "%d,%s,%s,%s,%s\n", customer.id, customer.name.c_str(),
                     customer.email.c_str(), customer.phone.c_str(), customer.region.c_str());
}

void Records::write_shelves() {
    const File file = open_file(out_ + "/pg/shelf_map.csv");
    for (const auto& shelf : world_.shelves())
        std::fprintf(file.get(), "%d,%d,%d,%d,%d,%d\n", shelf.id,
                     world_.stores()[static_cast<size_t>(shelf.store)].id,
                     world_.products()[static_cast<size_t>(shelf.product)].id, shelf.capacity,
                     shelf.tare_grams,
                     world_.products()[static_cast<size_t>(shelf.product)].unit_grams);
}

void write_weather(World& world, const std::string& out, int64_t from_day, int64_t to_day) {
    File file;
    std::string month;
    int line = 0;
    for (int64_t day = from_day; day <= to_day; ++day) {
        const std::string date = local_date(day);
        if (date.substr(0, 7) != month) {
            month = date.substr(0, 7);
            file = open_file(out + "/drop/weather/weather_" + month + ".csv");
            std::fputs(latin1("day;region;estación;temp_c;rain_mm\n").c_str(), file.get());
        }
        for (const auto& region : regions()) {
            const DayWeather& weather = world.weather().at(region, day);
            const std::string station = latin1(region == "andes"   ? "Páramo"
                                               : region == "coast" ? "Malecón"
                                                                   : "Río Cauca");
            ++line;
            if (line % 401 == 0)
                std::fprintf(file.get(), "%s;%s;%s;sin dato;--\n", date.c_str(), region.c_str(),
                             station.c_str());
            if (line % 701 == 0) std::fprintf(file.get(), "%s;%s\n", date.c_str(), region.c_str());
            std::fprintf(file.get(), "%s;%s;%s;%s;%s\n", date.c_str(), region.c_str(),
                         station.c_str(), decimal_comma(weather.celsius).c_str(),
                         decimal_comma(weather.rain_mm).c_str());
        }
    }
}

void write_holidays(const std::string& out, int64_t from_day, int64_t to_day) {
    const File file = open_file(out + "/drop/holidays/holidays.jsonl");
    for (int64_t day = from_day; day <= to_day; ++day) {
        const std::string name = holiday_name(day);
        if (!name.empty())
            std::fprintf(file.get(), "{\"day\":\"%s\",\"name\":\"%s\"}\n", local_date(day).c_str(),
                         name.c_str());
    }
}

}  // namespace beverages

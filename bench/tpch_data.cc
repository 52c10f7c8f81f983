// Rows of the eight tables of TPC-H, made after the rules of its specification's clause 4.2.3:
// numbers of rows, ranges, dependencies between columns, the texts' grammar. The random numbers are
// our own, so rows differ from those of other generators, and the texts are pieces of a pool of 4
// MB. A row depends on the seed, the table and its number only.
//
//   tpch_data TABLE SCALE [SEED]     to standard output, columns parted by '|', as COPY ... (format
//   csv, delimiter '|') reads them
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Words = std::vector<std::string_view>;

const Words kColours = {
    "almond",   "antique",   "aquamarine", "azure",      "beige",     "bisque",    "black",
    "blanched", "blue",      "blush",      "brown",      "burlywood", "burnished", "chartreuse",
    "chiffon",  "chocolate", "coral",      "cornflower", "cornsilk",  "cream",     "cyan",
    "dark",     "deep",      "dim",        "dodger",     "drab",      "firebrick", "floral",
    "forest",   "frosted",   "gainsboro",  "ghost",      "goldenrod", "green",     "grey",
    "honeydew", "hot",       "indian",     "ivory",      "khaki",     "lace",      "lavender",
    "lawn",     "lemon",     "light",      "lime",       "linen",     "magenta",   "maroon",
    "medium",   "metallic",  "midnight",   "mint",       "misty",     "moccasin",  "navajo",
    "navy",     "olive",     "orange",     "orchid",     "pale",      "papaya",    "peach",
    "peru",     "pink",      "plum",       "powder",     "puff",      "purple",    "red",
    "rose",     "rosy",      "royal",      "saddle",     "salmon",    "sandy",     "seashell",
    "sienna",   "sky",       "slate",      "smoke",      "snow",      "spring",    "steel",
    "tan",      "thistle",   "tomato",     "turquoise",  "violet",    "wheat",     "white",
    "yellow"};
const Words kNouns = {
    "foxes",     "ideas",     "theodolites", "pinto beans", "instructions",   "dependencies",
    "excuses",   "platelets", "asymptotes",  "courts",      "dolphins",       "multipliers",
    "sauternes", "warthogs",  "frets",       "dinos",       "attainments",    "somas",
    "Tiresias'", "patterns",  "forges",      "braids",      "hockey players", "frays",
    "warhorses", "dugouts",   "notornis",    "epitaphs",    "pearls",         "tithes",
    "waters",    "orbits",    "gifts",       "sheaves",     "depths",         "sentiments",
    "decoys",    "realms",    "pains",       "grouches",    "escapades",      "packages",
    "requests",  "accounts",  "deposits"};
const Words kVerbs = {"sleep",  "wake",    "are",    "cajole",    "haggle",   "nag",     "use",
                      "boost",  "affix",   "detect", "integrate", "maintain", "nod",     "was",
                      "lose",   "sublate", "solve",  "thrash",    "promise",  "engage",  "hinder",
                      "print",  "x-ray",   "breach", "eat",       "grow",     "impress", "mold",
                      "poach",  "serve",   "run",    "dazzle",    "snooze",   "doze",    "unwind",
                      "kindle", "play",    "hang",   "believe",   "doubt"};
const Words kAdjectives = {"furious", "sly",     "careful",  "blithe",    "quick",    "fluffy",
                           "slow",    "quiet",   "ruthless", "thin",      "close",    "dogged",
                           "daring",  "brave",   "stealthy", "permanent", "enticing", "idle",
                           "busy",    "regular", "final",    "ironic",    "even",     "bold",
                           "silent",  "special", "pending",  "unusual",   "express"};
const Words kAdverbs = {
    "sometimes", "always",    "never",   "furiously",  "slyly",       "carefully",  "blithely",
    "quickly",   "fluffily",  "slowly",  "quietly",    "ruthlessly",  "thinly",     "closely",
    "doggedly",  "daringly",  "bravely", "stealthily", "permanently", "enticingly", "idly",
    "busily",    "regularly", "finally", "ironically", "evenly",      "boldly",     "silently"};
const Words kPrepositions = {
    "about",        "above",   "according to", "across",  "after",       "against", "along",
    "alongside of", "among",   "around",       "at",      "atop",        "before",  "behind",
    "beneath",      "beside",  "besides",      "between", "beyond",      "by",      "despite",
    "during",       "except",  "for",          "from",    "in place of", "inside",  "instead of",
    "into",         "near",    "of",           "on",      "outside",     "over",    "past",
    "since",        "through", "throughout",   "to",      "toward",      "under",   "until",
    "up",           "upon",    "without",      "with",    "within"};
const Words kAuxiliaries = {
    "do",           "may",          "might",         "shall",         "will",
    "would",        "can",          "could",         "should",        "ought to",
    "must",         "will have to", "shall have to", "could have to", "should have to",
    "must have to", "need to",      "try to"};
const Words kEnds = {".", ";", ":", "?", "!", "--"};

const Words kSegments = {"AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"};
const Words kPriorities = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
const Words kInstructions = {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"};
const Words kModes = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
const Words kTypes1 = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
const Words kTypes2 = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
const Words kTypes3 = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
const Words kContainers1 = {"SM", "LG", "MED", "JUMBO", "WRAP"};
const Words kContainers2 = {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"};
const Words kRegions = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};

struct Nation {
    std::string_view name;
    int region;
};
constexpr std::array<Nation, 25> kNations = {
    {{"ALGERIA", 0},      {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
     {"EGYPT", 4},        {"ETHIOPIA", 0},  {"FRANCE", 3}, {"GERMANY", 3},
     {"INDIA", 2},        {"INDONESIA", 2}, {"IRAN", 4},   {"IRAQ", 4},
     {"JAPAN", 2},        {"JORDAN", 4},    {"KENYA", 0},  {"MOROCCO", 0},
     {"MOZAMBIQUE", 0},   {"PERU", 1},      {"CHINA", 2},  {"ROMANIA", 3},
     {"SAUDI ARABIA", 4}, {"VIETNAM", 2},   {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
     {"UNITED STATES", 1}}};

enum class Table : uint64_t { region, nation, supplier, part, partsupp, customer, orders, texts };

/// Numbers of one row (splitmix64).
class Dice {
 public:
    Dice(uint64_t seed, Table table, int64_t row)
        : state_(mixed(seed * 31 + static_cast<uint64_t>(table)) ^
                 mixed(static_cast<uint64_t>(row) + 0x5bd1e995)) {}

    int64_t between(int64_t low, int64_t high) {
        state_ += 0x9e3779b97f4a7c15;
        return low + static_cast<int64_t>(mixed(state_) % static_cast<uint64_t>(high - low + 1));
    }
    std::string_view one_of(const Words& words) {
        return words[static_cast<size_t>(between(0, std::ssize(words) - 1))];
    }

 private:
    static uint64_t mixed(uint64_t x) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
    uint64_t state_;
};

/// The sentences that all comments are cut from.
class Texts {
 public:
    explicit Texts(uint64_t seed) : dice_(seed, Table::texts, 0) {
        pool_.reserve(kBytes + 256);
        while (pool_.size() < kBytes) sentence();
    }
    std::string_view cut(Dice& dice, int64_t shortest, int64_t longest) const {
        const auto size = static_cast<size_t>(dice.between(shortest, longest));
        return std::string_view(pool_).substr(
            static_cast<size_t>(dice.between(0, static_cast<int64_t>(pool_.size() - size))), size);
    }

 private:
    static constexpr size_t kBytes = 4u << 20;

    void word(std::string_view text) { (pool_ += text) += ' '; }
    void noun_phrase() {
        const auto kind = dice_.between(0, 3);
        if (kind == 3) word(dice_.one_of(kAdverbs));
        if (kind == 2) (pool_ += dice_.one_of(kAdjectives)) += ", ";
        if (kind >= 1) word(dice_.one_of(kAdjectives));
        word(dice_.one_of(kNouns));
    }
    void verb_phrase() {
        const auto kind = dice_.between(0, 3);
        if (kind % 2 == 1) word(dice_.one_of(kAuxiliaries));
        word(dice_.one_of(kVerbs));
        if (kind >= 2) word(dice_.one_of(kAdverbs));
    }
    void prepositional_phrase() {
        word(dice_.one_of(kPrepositions));
        word("the");
        noun_phrase();
    }
    void sentence() {
        const auto kind = dice_.between(0, 4);
        noun_phrase();
        if (kind >= 3) prepositional_phrase();
        verb_phrase();
        if (kind == 1 || kind == 4) prepositional_phrase();
        if (kind == 2 || kind == 3) noun_phrase();
        pool_.pop_back();
        word(dice_.one_of(kEnds));
    }

    Dice dice_;
    std::string pool_;
};

/// One row after the other; written in large pieces.
class Rows {
 public:
    ~Rows() { flush(); }

    Rows& text(std::string_view value) {
        (out_ += value) += '|';
        return *this;
    }
    Rows& number(int64_t value) { return text(std::to_string(value)); }
    /// Hundredths.
    Rows& money(int64_t value) {
        if (value < 0) out_ += '-';
        const auto cents = std::abs(value) % 100;
        out_ += std::to_string(std::abs(value) / 100);
        out_ += cents < 10 ? ".0" : ".";
        return number(cents);
    }
    Rows& date(int64_t day) {
        const std::chrono::year_month_day d{std::chrono::sys_days(std::chrono::days(day))};
        std::array<char, 16> buffer{};
        std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", static_cast<int>(d.year()),
                      static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
        return text(buffer.data());
    }
    Rows& named(std::string_view kind, int64_t number) {
        const auto digits = std::to_string(number);
        (out_ += kind) += '#';
        out_.append(digits.size() < 9 ? 9 - digits.size() : 0, '0');
        return text(digits);
    }
    void end() {
        out_.back() = '\n';
        if (out_.size() > (1u << 20)) flush();
    }

 private:
    void flush() {
        if (std::fwrite(out_.data(), 1, out_.size(), stdout) != out_.size())
            std::exit(1);  // the reader has gone
        out_.clear();
    }
    std::string out_;
};

int64_t day(int year, unsigned month, unsigned day_of_month) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                                 std::chrono::day(day_of_month))
        .time_since_epoch()
        .count();
}
const int64_t kStart = day(1992, 1, 1), kEnd = day(1998, 12, 31), kToday = day(1995, 6, 17);

struct Line {
    int64_t part, supplier, quantity, price, discount, tax, shipped, committed, received;
};
struct Order {
    int64_t key, customer, ordered, total = 0;
    size_t open = 0;  // lines not shipped yet
    std::vector<Line> lines;
};

class Maker {
 public:
    Maker(double scale, uint64_t seed) : scale_(scale), seed_(seed), texts_(seed) {}

    bool make(std::string_view table) {
        if (table == "region")
            region();
        else if (table == "nation")
            nation();
        else if (table == "supplier")
            supplier();
        else if (table == "part")
            part();
        else if (table == "partsupp")
            partsupp();
        else if (table == "customer")
            customer();
        else if (table == "orders")
            orders();
        else if (table == "lineitem")
            lineitem();
        else
            return false;
        return true;
    }

 private:
    int64_t scaled(int64_t rows) const {
        return std::max<int64_t>(1, std::llround(static_cast<double>(rows) * scale_));
    }
    int64_t suppliers() const { return scaled(10'000); }
    int64_t parts() const { return scaled(200'000); }
    int64_t customers() const { return scaled(150'000); }

    static int64_t retail_price(int64_t part) {
        return 90'000 + (part / 10) % 20'001 + 100 * (part % 1'000);
    }
    /// The i-th of the four suppliers of a part.
    int64_t supplier_of(int64_t part, int64_t i) const {
        return (part + i * (suppliers() / 4 + (part - 1) / suppliers())) % suppliers() + 1;
    }
    static std::string address(Dice& dice) {
        static constexpr std::string_view kLetters =
            "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
        std::string out;
        for (auto left = dice.between(10, 40); left > 0; --left)
            out += kLetters[static_cast<size_t>(dice.between(0, std::ssize(kLetters) - 1))];
        return out;
    }
    static std::string phone(Dice& dice, int64_t nation) {
        std::string out = std::to_string(nation + 10);
        for (const auto& [low, high] :
             {std::pair(100, 999), std::pair(100, 999), std::pair(1000, 9999)})
            (out += '-') += std::to_string(dice.between(low, high));
        return out;
    }

    void region() {
        for (int64_t i = 0; i < std::ssize(kRegions); ++i) {
            Dice dice(seed_, Table::region, i);
            rows_.number(i)
                .text(kRegions[static_cast<size_t>(i)])
                .text(texts_.cut(dice, 31, 115))
                .end();
        }
    }
    void nation() {
        for (int64_t i = 0; i < std::ssize(kNations); ++i) {
            Dice dice(seed_, Table::nation, i);
            const auto& known = kNations[static_cast<size_t>(i)];
            rows_.number(i)
                .text(known.name)
                .number(known.region)
                .text(texts_.cut(dice, 31, 114))
                .end();
        }
    }
    /// Five of 10,000 suppliers are complained of and five recommended.
    std::string supplier_comment(Dice& dice, int64_t key) const {
        constexpr int64_t kOneOf = 2'000;
        std::string comment(texts_.cut(dice, 25, 100));
        Dice block(seed_ + 1, Table::supplier, key / kOneOf);
        const auto bad = block.between(0, kOneOf - 1),
                   good = (bad + block.between(1, kOneOf - 1)) % kOneOf;
        if (key % kOneOf == bad) comment.replace(2, 20, "Customer  Complaints");
        if (key % kOneOf == good) comment.replace(2, 20, "Customer  Recommends");
        return comment;
    }
    void supplier() {
        for (int64_t key = 1; key <= suppliers(); ++key) {
            Dice dice(seed_, Table::supplier, key);
            const auto nation = dice.between(0, 24);
            rows_.number(key)
                .named("Supplier", key)
                .text(address(dice))
                .number(nation)
                .text(phone(dice, nation));
            rows_.money(dice.between(-99'999, 999'999)).text(supplier_comment(dice, key)).end();
        }
    }
    void part() {
        for (int64_t key = 1; key <= parts(); ++key) {
            Dice dice(seed_, Table::part, key);
            Words chosen;  // five different ones
            std::string name;
            while (chosen.size() < 5) {
                const auto colour = dice.one_of(kColours);
                if (std::find(chosen.begin(), chosen.end(), colour) != chosen.end()) continue;
                name.append(chosen.empty() ? "" : " ").append(colour);
                chosen.push_back(colour);
            }
            const auto maker = std::to_string(dice.between(1, 5));
            const auto brand = maker + std::to_string(dice.between(1, 5));
            rows_.number(key).text(name).text("Manufacturer#" + maker).text("Brand#" + brand);
            rows_.text(phrase(dice, {&kTypes1, &kTypes2, &kTypes3})).number(dice.between(1, 50));
            rows_.text(phrase(dice, {&kContainers1, &kContainers2}))
                .money(retail_price(key))
                .text(texts_.cut(dice, 5, 22))
                .end();
        }
    }
    static std::string phrase(Dice& dice, std::initializer_list<const Words*> lists) {
        std::string out;
        for (const auto* words : lists)
            out.append(out.empty() ? "" : " ").append(dice.one_of(*words));
        return out;
    }
    void partsupp() {
        for (int64_t key = 1; key <= parts(); ++key) {
            Dice dice(seed_, Table::partsupp, key);
            for (int64_t i = 0; i < 4; ++i) {
                rows_.number(key)
                    .number(supplier_of(key, i))
                    .number(dice.between(1, 9'999))
                    .money(dice.between(100, 100'000));
                rows_.text(texts_.cut(dice, 49, 198)).end();
            }
        }
    }
    void customer() {
        for (int64_t key = 1; key <= customers(); ++key) {
            Dice dice(seed_, Table::customer, key);
            const auto nation = dice.between(0, 24);
            rows_.number(key)
                .named("Customer", key)
                .text(address(dice))
                .number(nation)
                .text(phone(dice, nation));
            rows_.money(dice.between(-99'999, 999'999))
                .text(dice.one_of(kSegments))
                .text(texts_.cut(dice, 29, 116))
                .end();
        }
    }

    /// Of each 32 keys the first eight are used; a third of the customers never orders.
    Order order(Dice& dice, int64_t row) const {
        Order out{.key = row / 8 * 32 + row % 8 + 1,
                  .customer = 0,
                  .ordered = dice.between(kStart, kEnd - 151),
                  .lines = {}};
        do out.customer = dice.between(1, customers());
        while (out.customer % 3 == 0 && customers() > 2);
        out.lines.resize(static_cast<size_t>(dice.between(1, 7)));
        for (auto& line : out.lines) {
            line.part = dice.between(1, parts());
            line.supplier = supplier_of(line.part, dice.between(0, 3));
            line.quantity = dice.between(1, 50);
            line.price = line.quantity * retail_price(line.part);
            line.discount = dice.between(0, 10);
            line.tax = dice.between(0, 8);
            line.shipped = out.ordered + dice.between(1, 121);
            line.committed = out.ordered + dice.between(30, 90);
            line.received = line.shipped + dice.between(1, 30);
            out.total += line.price * (100 + line.tax) * (100 - line.discount) / 10'000;
            if (line.shipped > kToday) ++out.open;
        }
        return out;
    }
    void orders() {
        for (int64_t row = 0; row < 10 * customers(); ++row) {
            Dice dice(seed_, Table::orders, row);
            const auto one = order(dice, row);
            rows_.number(one.key)
                .number(one.customer)
                .text(one.open == 0                  ? "F"
                      : one.open == one.lines.size() ? "O"
                                                     : "P");
            rows_.money(one.total)
                .date(one.ordered)
                .text(dice.one_of(kPriorities))
                .named("Clerk", dice.between(1, scaled(1'000)));
            rows_.number(0).text(texts_.cut(dice, 19, 78)).end();
        }
    }
    void lineitem() {
        for (int64_t row = 0; row < 10 * customers(); ++row) {
            Dice dice(seed_, Table::orders, row);
            const auto one = order(dice, row);
            int64_t number = 0;
            for (const auto& line : one.lines) {
                rows_.number(one.key)
                    .number(line.part)
                    .number(line.supplier)
                    .number(++number)
                    .number(line.quantity);
                rows_.money(line.price).money(line.discount).money(line.tax);
                rows_.text(line.received > kToday    ? "N"
                           : dice.between(0, 1) == 0 ? "R"
                                                     : "A")
                    .text(line.shipped > kToday ? "O" : "F");
                rows_.date(line.shipped).date(line.committed).date(line.received);
                rows_.text(dice.one_of(kInstructions))
                    .text(dice.one_of(kModes))
                    .text(texts_.cut(dice, 10, 43))
                    .end();
            }
        }
    }

    const double scale_;
    const uint64_t seed_;
    const Texts texts_;
    Rows rows_;
};

}  // namespace

int main(int argc, char** argv) {
    const double scale = argc > 2 ? std::strtod(argv[2], nullptr) : 0;
    if (argc < 3 || argc > 4 || scale <= 0 || scale > 1'000 ||
        !Maker(scale, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1).make(argv[1])) {
        std::fprintf(stderr, "usage: tpch_data TABLE SCALE [SEED]\n");
        return 2;
    }
    return 0;
}

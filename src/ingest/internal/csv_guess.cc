#include "ingest/internal/csv_guess.h"

#include <algorithm>
#include <map>
#include <set>

namespace tarn::ingest {
namespace {

constexpr size_t kSampleRecords = 1000;

struct DateForm {
    const char* format;
    const char* other_order;  // the same text read with day and month swapped; null: there is none
};
constexpr DateForm kDates[] = {
    {"%d/%m/%Y", "%m/%d/%Y"}, {"%m/%d/%Y", "%d/%m/%Y"}, {"%d.%m.%Y", nullptr},
    {"%d-%m-%Y", "%m-%d-%Y"}, {"%m-%d-%Y", "%d-%m-%Y"}, {"%Y/%m/%d", nullptr},
    {"%Y.%m.%d", nullptr},    {"%d/%m/%y", "%m/%d/%y"}, {"%m/%d/%y", "%d/%m/%y"},
    {"%d.%m.%y", nullptr},    {"%d-%b-%Y", nullptr},    {"%d %b %Y", nullptr},
    {"%d-%b-%y", nullptr},    {"%b %d, %Y", nullptr},
};
constexpr const char* kTimes[] = {"", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p"};
constexpr size_t kTimeCount = std::size(kTimes);
constexpr size_t kFormatCount = std::size(kDates) * kTimeCount;

const std::vector<TimeFormat>& formats() {
    static const std::vector<TimeFormat> all = [] {
        std::vector<TimeFormat> made;
        for (const auto& date : kDates)
            for (const char* time : kTimes)
                made.push_back(TimeFormat::compile(std::string(date.format) + time).value());
        return made;
    }();
    return all;
}

/// The number of the format with day and month swapped, or kFormatCount.
size_t other_order(size_t format) {
    const char* wanted = kDates[format / kTimeCount].other_order;
    if (wanted == nullptr) return kFormatCount;
    for (size_t i = 0; i < std::size(kDates); ++i)
        if (std::string_view(kDates[i].format) == wanted)
            return i * kTimeCount + format % kTimeCount;
    return kFormatCount;
}

struct Sample {
    std::vector<std::vector<std::string>> records;
    size_t broken = 0;
};

Sample read_sample(std::string_view head, bool whole, CsvSyntax syntax) {
    Sample sample;
    CsvReader reader(syntax);
    reader.push(head);
    if (whole) reader.finish();
    CsvRecord record;
    while (sample.records.size() + sample.broken < kSampleRecords && reader.next(record)) {
        if (record.problem != nullptr) {
            ++sample.broken;
            continue;
        }
        auto& fields = sample.records.emplace_back();
        for (const auto& field : *record.fields) fields.emplace_back(field.text);
    }
    if (sample.records.empty() && !whole) {
        // One line longer than the sample.
        return read_sample(head, true, syntax);
    }
    return sample;
}

/// How well the sample falls into rows of one width: the share of records that have the commonest
/// width above one.
double score_of(const Sample& sample, size_t& width) {
    std::map<size_t, size_t> widths;
    for (const auto& record : sample.records) ++widths[record.size()];
    size_t most = 0;
    for (const auto& [fields, count] : widths)
        if (fields > 1 && count >= most) {
            most = count;
            width = fields;
        }
    const double share =
        static_cast<double>(most) / static_cast<double>(sample.records.size() + sample.broken + 1);
    // The first line has the same width where the delimiter is the right one: with decimal commas
    // others look even too.
    return !sample.records.empty() && sample.records.front().size() == width ? share : share * 0.5;
}

bool is_data(const std::string& text) {
    NumberShape shape;
    bool truth = false;
    const auto value = trim(text);
    if (read_number_shape(value, '.', shape) || read_number_shape(value, ',', shape)) return true;
    int64_t number = 0;
    bool zone = false;
    if (parse_iso_date(value, number) || parse_iso_timestamp(value, number, zone)) return true;
    for (const auto& format : formats())
        if (format.parse(value, number)) return true;
    return value.size() > 1 && parse_boolean(value, truth);
}

bool guess_header(const Sample& sample) {
    if (sample.records.empty()) return true;
    std::set<std::string> seen;
    size_t empty = 0;
    for (const auto& field : sample.records.front()) {
        if (trim(field).empty()) {
            ++empty;
            continue;
        }
        if (is_data(field) || !seen.insert(field).second) return false;
    }
    return empty <= 1 || empty * 2 < sample.records.front().size();
}

/// ' is the quote when fields begin and end with it and " does neither.
char guess_quote(std::string_view head, bool whole, char delimiter) {
    if (head.find('\'') == std::string_view::npos) return '"';
    size_t single = 0, other = 0, ordinary = 0;
    for (const auto& record : read_sample(head, whole, {delimiter, 0}).records)
        for (const auto& field : record) {
            if (field.size() >= 2 && field.front() == '\'' && field.back() == '\'')
                ++single;
            else if (!field.empty() && (field.front() == '\'' || field.back() == '\''))
                ++other;
            if (!field.empty() && field.front() == '"') ++ordinary;
        }
    const bool likely = single > 0 && ordinary == 0 && other <= single;
    return likely && read_sample(head, whole, {delimiter, '\''}).broken == 0 ? '\'' : '"';
}

}  // namespace

CsvLayout guess_layout(std::string_view head, bool whole, const CsvDialect& given) {
    CsvLayout layout;
    if (given.delimiter) {
        layout.syntax.delimiter = *given.delimiter;
    } else {
        double best = 0;
        size_t best_width = 0;
        for (const char delimiter : {',', ';', '\t', '|'}) {
            size_t width = 0;
            const double score =
                score_of(read_sample(head, whole, {delimiter, given.quote.value_or('"')}), width);
            if (score > best + 0.02 || (score > best - 0.02 && score > 0 && width > best_width)) {
                best = std::max(score, best);
                best_width = width;
                layout.syntax.delimiter = delimiter;
            }
        }
    }
    layout.syntax.quote =
        given.quote ? *given.quote : guess_quote(head, whole, layout.syntax.delimiter);
    layout.header =
        given.header ? *given.header : guess_header(read_sample(head, whole, layout.syntax));
    return layout;
}

void ColumnTally::observe(std::string_view raw) {
    const std::string_view text = trim(raw);
    if (text.empty()) return;
    ++values_;
    if (unfit_ > kHopeless) return;
    const char first = text.front();
    if ((first >= '0' && first <= '9') || first == '-' || first == '.' || first == ',') {
        // What looks like a date is none of the numbers.
        const bool dated = text.size() >= 10 && text[4] == '-';
        NumberShape shape;
        if (!dated && read_number_shape(text, '.', shape))
            return observe_number(text, shape, false);
        if (!dated && read_number_shape(text, ',', shape)) return observe_number(text, shape, true);
        if (!observe_time(text)) ++unfit_;
        return;
    }
    bool truth = false;
    if (text.size() <= 5 && parse_boolean(text, truth))
        ++booleans_;
    else if (!observe_time(text))
        ++unfit_;
}

void ColumnTally::observe_string(std::string_view raw) {
    const std::string_view text = trim(raw);
    if (text.empty()) return;
    ++values_;
    const char first = text.front();
    NumberShape shape;
    if (first >= '0' && first <= '9' && !read_number_shape(text, '.', shape)) observe_time(text);
}

void ColumnTally::observe_other() {
    ++values_;
}

void ColumnTally::observe_number(std::string_view text, const NumberShape& shape, bool comma) {
    leading_zero_ = leading_zero_ || shape.leading_zero;
    exponent_ = exponent_ || shape.exponent;
    integer_digits_max_ = std::max(integer_digits_max_, shape.integer_digits);
    if (shape.integer) {
        int64_t number = 0;
        if (shape.integer_digits <= 18 || parse_integer(text, number)) ++integers_;
        return;
    }
    ++reals_[comma ? 1 : 0];
    auto& most = decimals_max_[comma ? 1 : 0];
    most = std::max(most, shape.decimals);
}

bool ColumnTally::observe_time(std::string_view text) {
    if (text.size() < 6 || text.size() > 40) return false;
    int64_t number = 0;
    bool zone = false;
    if (parse_iso_date(text, number)) return ++dates_, true;
    if (parse_iso_timestamp(text, number, zone)) return ++(zone ? zoned_ : timestamps_), true;
    const auto& all = formats();
    bool any = false;
    for (size_t i = 0; i < all.size(); ++i) {
        if (misses_[i] > 8 + values_ / 500) continue;
        if (all[i].parse(text, number)) {
            ++hits_[i];
            any = true;
        } else {
            ++misses_[i];
        }
    }
    return any;
}

/// Of fewer values nothing is sure.
constexpr uint64_t kSureValues = 1000;

/// Decides one column; what a file says as a whole is given.
class TypeDecider {
 public:
    TypeDecider(const ColumnTally& column, char decimal)
        : column_(column), comma_(decimal == ',' ? 1 : 0) {}

    static uint64_t reals(const ColumnTally& column, bool comma) {
        return column.reals_[comma ? 1 : 0];
    }

    GuessedType decide(const std::set<size_t>& orders) const {
        GuessedType guess = decide_type(orders);
        guess.sure = is_sure(guess);
        return guess;
    }

    /// Formats whose order of day and month is proved by a value above 12.
    void collect_orders(std::set<size_t>& orders) const {
        const size_t format = best_format();
        if (format == kFormatCount) return;
        const size_t other = other_order(format);
        if (other == kFormatCount || column_.hits_[other] == column_.hits_[format]) return;
        // The order holds for all the forms of a date with the same separator, with and without a
        // time.
        const std::string order = formats()[format].text().substr(0, 5);
        for (size_t i = 0; i < kFormatCount; ++i)
            if (formats()[i].text().substr(0, 5) == order) orders.insert(i);
    }

 private:
    GuessedType decide_type(const std::set<size_t>& orders) const {
        const ColumnTally& c = column_;
        GuessedType guess;
        if (c.values_ == 0) return guess;
        if (fits(c.booleans_)) return guess.type = query::Kind::boolean, guess;
        if (c.leading_zero_) return guess;
        if (fits(c.integers_)) return guess.type = query::Kind::int64, guess;
        if (roughly(c.integers_ + c.reals_[comma_]) && c.reals_[comma_] > 0)
            return guess.type = number(), guess;
        if (roughly(c.dates_)) return guess.type = query::Kind::date, guess;
        if (roughly(c.timestamps_)) return guess.type = query::Kind::timestamp, guess;
        if (roughly(c.zoned_)) return guess.type = query::Kind::timestamptz, guess;
        const size_t format = best_format();
        if (format == kFormatCount) return guess;
        const size_t other = other_order(format);
        if (other != kFormatCount && c.hits_[other] == c.hits_[format] &&
            orders.count(format) == orders.count(other)) {
            guess.note =
                "day and month cannot be told apart in this file: say date_format, such as \"" +
                formats()[format].text().substr(0, 8) + "\"";
            return guess;
        }
        const size_t chosen =
            other != kFormatCount && c.hits_[other] == c.hits_[format] && orders.count(other)
                ? other
                : format;
        guess.format = formats()[chosen].text();
        guess.type = formats()[chosen].has_time() ? query::Kind::timestamp : query::Kind::date;
        return guess;
    }

    bool is_sure(const GuessedType& guess) const {
        const ColumnTally& c = column_;
        if (c.values_ < kSureValues || !guess.note.empty()) return false;
        if (!guess.format.empty()) {
            const auto& all = formats();
            for (size_t i = 0; i < kFormatCount; ++i)
                if (all[i].text() == guess.format) return c.hits_[i] == c.values_;
            return false;
        }
        switch (guess.type.kind) {
            case query::Kind::boolean:
                return c.booleans_ == c.values_;
            case query::Kind::int64:
                return c.integers_ == c.values_;
            case query::Kind::decimal:
            case query::Kind::float64:
                return c.integers_ + c.reals_[comma_] == c.values_;
            case query::Kind::date:
                return c.dates_ == c.values_;
            case query::Kind::timestamp:
                return c.timestamps_ == c.values_;
            case query::Kind::timestamptz:
                return c.zoned_ == c.values_;
            default:
                return c.leading_zero_ || c.unfit_ > ColumnTally::kHopeless;
        }
    }

    bool fits(uint64_t count) const { return (column_.values_ - count) * 1000 <= column_.values_; }
    bool roughly(uint64_t count) const {
        return count > 0 &&
               (fits(count) || (column_.values_ >= 50 && column_.values_ - count <= 1));
    }

    query::Type number() const {
        const uint32_t decimals = column_.decimals_max_[comma_];
        if (column_.exponent_ || decimals > 4 || column_.integer_digits_max_ > 14)
            return query::Kind::float64;
        return query::Type::decimal(18, decimals <= 2 ? 2 : 4);
    }

    size_t best_format() const {
        size_t best = kFormatCount;
        for (size_t i = 0; i < kFormatCount; ++i)
            if (roughly(column_.hits_[i]) &&
                (best == kFormatCount || column_.hits_[i] > column_.hits_[best]))
                best = i;
        return best;
    }

    const ColumnTally& column_;
    const size_t comma_;
};

GuessedTypes decide_types(const std::vector<ColumnTally>& columns, std::optional<char> decimal) {
    GuessedTypes guessed;
    uint64_t points = 0, commas = 0;
    for (const auto& column : columns) {
        points += TypeDecider::reals(column, false);
        commas += TypeDecider::reals(column, true);
    }
    guessed.decimal = decimal.value_or(commas > points ? ',' : '.');
    std::set<size_t> orders;
    for (const auto& column : columns) TypeDecider(column, guessed.decimal).collect_orders(orders);
    for (const auto& column : columns)
        guessed.columns.push_back(TypeDecider(column, guessed.decimal).decide(orders));
    return guessed;
}

namespace {

/// The letter without its accent for U+00C0 to U+017F; 0: none.
constexpr char kPlain[] =
    "aaaaaaaceeeeiiiidnooooo_ouuuuytsaaaaaaaceeeeiiiidnooooo_ouuuuyty"   // U+00C0 .. U+00FF
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"   // U+0100 .. U+013F
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";  // U+0140 .. U+017F

void append_letter(std::string_view& rest, std::string& out) {
    const auto lead = static_cast<unsigned char>(rest[0]);
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    length = std::min(length, rest.size());
    char letter = rest[0] >= 'A' && rest[0] <= 'Z' ? static_cast<char>(rest[0] | 0x20) : rest[0];
    if (length == 2) {
        const unsigned point = (lead & 0x1Fu) << 6 | (static_cast<unsigned char>(rest[1]) & 0x3Fu);
        letter = point >= 0xC0 && point - 0xC0 < sizeof(kPlain) - 1 ? kPlain[point - 0xC0] : '_';
    }
    const bool fine =
        length <= 2 && ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'));
    if (fine)
        out.push_back(letter);
    else if (!out.empty() && out.back() != '_')
        out.push_back('_');
    rest.remove_prefix(length);
}

}  // namespace

std::vector<std::string> column_names(const std::vector<std::string>& outside) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const auto& raw : outside) {
        std::string name;
        const bool private_name = raw.starts_with('_');
        for (std::string_view rest = trim(raw); !rest.empty();) append_letter(rest, name);
        while (!name.empty() && name.back() == '_' && !raw.ends_with('_')) name.pop_back();
        if (name.empty()) name = "column" + std::to_string(names.size() + 1);
        if (private_name || (name[0] >= '0' && name[0] <= '9')) name.insert(name.begin(), '_');
        name.resize(std::min<size_t>(name.size(), 58));
        std::string unique = name;
        for (int i = 2; !seen.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
        names.push_back(unique);
    }
    return names;
}

}  // namespace tarn::ingest

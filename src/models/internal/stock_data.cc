#include "models/internal/stock_data.h"

#include <algorithm>
#include <cmath>

namespace tarn::models {

namespace {

using tables::TypeId;

Error wrong(const StockOutSpec& spec, const std::string& what) {
    return Error(Code::invalid_argument, "model " + spec.name.table + ": " + what);
}

bool is_instant(TypeId id) {
    return id == TypeId::timestamptz || id == TypeId::timestamp;
}

/// The only column of a time type whose name has the word in it.
std::string named_like(const tables::Schema& schema, const std::string& word) {
    for (const auto& field : schema.fields)
        if (is_instant(field.type.id) && field.name.find(word) != std::string::npos)
            return field.name;
    return {};
}

std::string at(int64_t micros) {
    return "make_timestamptz(" + std::to_string(micros) + ")";
}

std::string text_of(const query::Column& column, size_t row) {
    std::string text;
    if (!column.is_null(row)) column.append_pg_text(row, text);
    return text;
}

int64_t local_day(Timestamp at, int64_t utc_offset) {
    return (at.seconds() + utc_offset) / 86'400;
}

Status find_demand(const StockOutSpec& spec, const tables::Schema& on_hand,
                   const tables::Schema& demand, StockColumns& to) {
    size_t p10 = demand.fields.size();
    for (size_t i = 0; i < demand.fields.size(); ++i) {
        const auto& field = demand.fields[i];
        if (field.name == "p10") p10 = i;
        if (field.type.id == TypeId::date && to.demand_day.empty()) to.demand_day = field.name;
    }
    if (to.demand_day.empty() || p10 == demand.fields.size() || p10 == 0)
        return wrong(spec, spec.demand.full_name() +
                               " is no forecast by day: it needs a date column, the forecast "
                               "measure and p10, p50, p90");
    to.demand_mean = demand.fields[p10 - 1].name;
    for (size_t i = 0; i + 1 < p10; ++i) {
        const auto& field = demand.fields[i];
        if (field.name == to.demand_day) continue;
        const auto* same = on_hand.find(std::string_view(field.name));
        if (same == nullptr)
            return wrong(spec, spec.on_hand.full_name() + " has no column " + field.name +
                                   ", by which " + spec.demand.full_name() + " forecasts");
        if (field.name == to.place.name)
            to.place_is_key = true;
        else
            to.keys.push_back({same->name, same->type});
    }
    return {};
}

}  // namespace

Result<StockColumns> StockColumns::find(const StockOutSpec& spec, const tables::Schema& on_hand,
                                        const tables::Schema* demand,
                                        const tables::Schema* incoming) {
    StockColumns columns;
    const auto* units = on_hand.find(std::string_view(spec.on_hand_column));
    if (units == nullptr)
        return wrong(spec, spec.on_hand.full_name() + " has no column " + spec.on_hand_column);
    columns.units = units->name;
    const tables::Field* read_at = nullptr;
    for (const auto& field : on_hand.fields)
        if (spec.read_at.empty() ? field.type.id == TypeId::timestamptz && read_at == nullptr
                                 : field.name == spec.read_at)
            read_at = &field;
    if (read_at == nullptr || !is_instant(read_at->type.id))
        return wrong(spec, spec.on_hand.full_name() +
                               " needs a timestamptz column that says when the level was read; "
                               "name it with `read_at`");
    columns.read_at = {read_at->name, tables::Type::of(TypeId::timestamptz)};
    const tables::Field* place = nullptr;
    if (!spec.place.empty())
        place = on_hand.find(std::string_view(spec.place));
    else if (!on_hand.identifier_field_ids.empty())
        place = on_hand.find(on_hand.identifier_field_ids.front());
    else
        place = &on_hand.fields.front();
    if (place == nullptr)
        return wrong(spec, spec.on_hand.full_name() + " has no column " + spec.place);
    columns.place = {place->name, place->type};
    if (demand != nullptr) TARN_CHECK_OK(find_demand(spec, on_hand, *demand, columns));
    if (incoming != nullptr) {
        if (incoming->find(std::string_view(columns.place.name)) == nullptr)
            return wrong(spec, spec.incoming.full_name() + " has no column " + columns.place.name +
                                   ": it must name the place");
        columns.due = named_like(*incoming, "due");
        columns.delivered = named_like(*incoming, "delivered");
        if (columns.due.empty() || columns.delivered.empty())
            return wrong(
                spec, spec.incoming.full_name() +
                          " needs two timestamps whose names have `due` and `delivered` in them");
    }
    return columns;
}

void PlaceNow::take(double now_units, Timestamp time, int64_t day) {
    if (day != local_day) {
        local_day = day;
        day_units = units;  // the last of the day before
        sold_today = 0;
        if (read_at.micros == 0) day_units = now_units;
    }
    // A scale flickers by a unit; more than that is a delivery.
    if (now_units > units + std::max(2.0, 0.05 * units) && read_at.micros != 0)
        day_units += now_units - units;
    sold_today = std::max(sold_today, day_units - now_units);
    units = now_units;
    read_at = time;
}

void StockData::forget() {
    known_ = false;
    places_.clear();
    demand_.clear();
    incoming_.clear();
    on_hand_snapshot_ = demand_snapshot_ = incoming_snapshot_ = std::nullopt;
    newest_ = {};
    profile_day_ = INT64_MIN;
}

Result<uint64_t> StockData::refresh(query::Session& session, const StockColumns& columns,
                                    const flows::InputState& on_hand,
                                    const flows::InputState* demand,
                                    const flows::InputState* incoming, int64_t utc_offset) {
    uint64_t rows = 0;
    if (uuid_ != on_hand.table->info.uuid) forget();
    uuid_ = on_hand.table->info.uuid;
    if (!known_ || on_hand_snapshot_ != on_hand.snapshot_now) {
        TARN_TRY(read, read_places(session, columns, utc_offset));
        rows += read;
        on_hand_snapshot_ = on_hand.snapshot_now;
    }
    if (demand != nullptr && demand->table != nullptr &&
        (!known_ || demand_snapshot_ != demand->snapshot_now)) {
        TARN_TRY(read, read_demand(session, columns));
        rows += read;
        demand_snapshot_ = demand->snapshot_now;
    }
    if (incoming != nullptr && incoming->table != nullptr &&
        (!known_ || incoming_snapshot_ != incoming->snapshot_now)) {
        TARN_TRY(read, read_incoming(session, columns));
        rows += read;
        incoming_snapshot_ = incoming->snapshot_now;
    }
    // The hours of a day change slowly: learnt anew each week of event time, each day until there
    // is enough.
    const int64_t today = local_day(newest_, utc_offset);
    if (today >= profile_day_ + (profile_learnt_ ? 7 : 1) || profile_day_ == INT64_MIN) {
        TARN_TRY(read, learn_profile(session, columns, utc_offset));
        rows += read;
        profile_day_ = today;
    }
    known_ = true;
    return rows;
}

Status StockData::take_places(const query::Chunk& chunk, const StockColumns& columns,
                              int64_t utc_offset) {
    const size_t keys = columns.keys.size();
    for (size_t row = 0; row < chunk.rows(); ++row) {
        if (chunk.columns[0].is_null(row) || chunk.columns[keys + 1].is_null(row) ||
            chunk.columns[keys + 2].is_null(row))
            continue;
        PlaceNow& place = places_[text_of(chunk.columns[0], row)];
        const Timestamp read_at{chunk.columns[keys + 1].number(row)};
        if (read_at <= place.read_at) continue;
        place.values.clear();
        place.demand_key.clear();
        if (columns.place_is_key) place.demand_key = text_of(chunk.columns[0], row) + '\x1f';
        for (size_t k = 0; k <= keys; ++k) {
            place.values.push_back(chunk.columns[k].value(row));
            if (k > 0) place.demand_key += text_of(chunk.columns[k], row) + '\x1f';
        }
        place.take(std::max(0.0, number_of(chunk.columns[keys + 2], row)), read_at,
                   local_day(read_at, utc_offset));
        newest_ = std::max(newest_, read_at);
    }
    return {};
}

Result<uint64_t> StockData::read_places(query::Session& session, const StockColumns& columns,
                                        int64_t utc_offset) {
    std::string list = quoted(columns.place.name);
    for (const auto& key : columns.keys) list += ", " + quoted(key.name);
    const std::string time = quoted(columns.read_at.name) + "::timestamptz";
    const std::string rest = ", " + time + " as read_at_, (" + quoted(columns.units) +
                             ")::double as units_ from " + quoted(spec_.on_hand);
    const auto take = [&](const query::Chunk& chunk) {
        return take_places(chunk, columns, utc_offset);
    };
    uint64_t rows = 0;
    Timestamp from;
    if (!known_) {
        // All there is once: the newest row of each place before today, then today in order.
        TARN_TRY(newest, session.query("select max(" + time + ") from " + quoted(spec_.on_hand)));
        if (newest.columns[0].is_null(0)) return uint64_t{0};
        const int64_t today = local_day({newest.columns[0].number(0)}, utc_offset);
        from = {(today * 86'400 - utc_offset) * 1'000'000};
        TARN_TRY(read, read_all(session,
                                "select * from (select " + list + rest + " where " +
                                    quoted(columns.read_at.name) + " < " + at(from.micros) +
                                    ") qualify row_number() over (partition by " +
                                    quoted(columns.place.name) + " order by read_at_ desc) = 1",
                                take));
        rows += read;
    } else {
        // A place that was not heard of for longer is silent anyway until it is heard of again.
        from = newest_.plus(-spec_.silent_after - std::chrono::hours(1));
    }
    TARN_TRY(read, read_all(session,
                            "select " + list + rest + " where " + quoted(columns.read_at.name) +
                                " >= " + at(from.micros) + " order by read_at_",
                            take));
    return rows + read;
}

Result<uint64_t> StockData::read_demand(query::Session& session, const StockColumns& columns) {
    demand_.clear();
    std::string list;
    if (columns.place_is_key) list += quoted(columns.place.name) + ", ";
    for (const auto& key : columns.keys) list += quoted(key.name) + ", ";
    const size_t keys = columns.keys.size() + (columns.place_is_key ? 1 : 0);
    return read_all(
        session,
        "select " + list + quoted(columns.demand_day) + ", " + quoted(columns.demand_mean) +
            "::double, p10, p90 from " + quoted(spec_.demand) + " order by " +
            quoted(columns.demand_day),
        [&](const query::Chunk& chunk) {
            for (size_t row = 0; row < chunk.rows(); ++row) {
                std::string key;
                for (size_t k = 0; k < keys; ++k) key += text_of(chunk.columns[k], row) + '\x1f';
                demand_[key].push_back(DayDemand::of_outlook(
                    chunk.columns[keys].number(row), number_of(chunk.columns[keys + 1], row),
                    number_of(chunk.columns[keys + 2], row),
                    number_of(chunk.columns[keys + 3], row)));
            }
            return Status();
        });
}

Result<uint64_t> StockData::read_incoming(query::Session& session, const StockColumns& columns) {
    incoming_.clear();
    const std::string table = quoted(spec_.incoming), due = quoted(columns.due),
                      delivered = quoted(columns.delivered);
    // What should have come two weeks ago is forgotten, not under way.
    TARN_TRY(open,
             read_all(session,
                      "select " + quoted(columns.place.name) + ", " + due + "::timestamptz from " +
                          table + " where " + delivered + " is null and " + due + " > " +
                          at(newest_.micros) + " - interval 14 days",
                      [&](const query::Chunk& chunk) {
                          for (size_t row = 0; row < chunk.rows(); ++row)
                              if (!chunk.columns[0].is_null(row) && !chunk.columns[1].is_null(row))
                                  incoming_[text_of(chunk.columns[0], row)].push_back(
                                      {{chunk.columns[1].number(row)}, 0});
                          return Status();
                      }));
    std::vector<double> late;
    TARN_TRY(past, read_all(session,
                            "select epoch(" + delivered + "::timestamptz) - epoch(" + due +
                                "::timestamptz) from " + table + " where " + delivered +
                                " is not null order by " + delivered + " desc limit 5000",
                            [&](const query::Chunk& chunk) {
                                for (size_t row = 0; row < chunk.rows(); ++row)
                                    if (!chunk.columns[0].is_null(row))
                                        late.push_back(number_of(chunk.columns[0], row) / 3600);
                                return Status();
                            }));
    lateness_ = Lateness::of_past(std::move(late));
    return open + past;
}

/// From what levels went down by, put to the middle between two readings; longer gaps tell no hour.
Result<uint64_t> StockData::learn_profile(query::Session& session, const StockColumns& columns,
                                          int64_t utc_offset) {
    const std::string time = quoted(columns.read_at.name), units = quoted(columns.units);
    const std::string window =
        " over (partition by " + quoted(columns.place.name) + " order by " + time + ")";
    const std::string sql =
        "select ((((now_ + before_) / 2)::bigint + " + std::to_string(utc_offset) +
        ") % 86400) // 3600, sum(gone_)::double from (select epoch(" + time +
        "::timestamptz) as now_, lag(epoch(" + time + "::timestamptz))" + window +
        " as before_, lag(" + units + ")" + window + " - " + units + " as gone_ from " +
        quoted(spec_.on_hand) + " where " + time + " > " + at(newest_.micros) +
        " - interval 28 days) where gone_ > 0 and now_ - before_ <= 7200 group by 1";
    std::array<double, 24> counts{};
    TARN_TRY(rows, read_all(session, sql, [&](const query::Chunk& chunk) {
                 for (size_t row = 0; row < chunk.rows(); ++row) {
                     if (chunk.columns[0].is_null(row)) continue;
                     const auto hour = static_cast<size_t>(number_of(chunk.columns[0], row));
                     if (hour < 24) counts[hour] += number_of(chunk.columns[1], row);
                 }
                 return Status();
             }));
    double sum = 0;
    for (const double count : counts) sum += count;
    profile_learnt_ = sum >= 2000;
    profile_ = DayProfile::of_counts(counts);
    return rows;
}

PlaceStock StockData::stock_of(const std::string& place, const PlaceNow& now) const {
    PlaceStock stock;
    stock.units = now.units;
    stock.read_at = now.read_at;
    stock.sold_today = now.sold_today;
    if (const auto found = demand_.find(now.demand_key); found != demand_.end())
        stock.demand = found->second;
    if (const auto found = incoming_.find(place); found != incoming_.end())
        stock.incoming = found->second;
    return stock;
}

}  // namespace tarn::models

#include "ingest/internal/postgres_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tarn::ingest {

namespace {

using query::Kind;

/// Tables up to this size may be read in full each round, when they have no column that grows.
constexpr uint64_t kWholeRowsMax = 100'000;
constexpr int64_t kOverlapSeconds = 600, kOverlapNumbers = 10'000;

bool is_time(const query::Type& type) {
    return type.kind == Kind::date || type.kind == Kind::timestamp ||
           type.kind == Kind::timestamptz;
}

bool grows(const query::Type& type) {
    return is_time(type) || type.kind == Kind::int32 || type.kind == Kind::int64 ||
           type.kind == Kind::decimal;
}

/// The type to which a position's text is cast, so that an index on the column can be used.
std::string_view cast_of(const query::Type& type) {
    switch (type.kind) {
        case Kind::date:
            return "date";
        case Kind::timestamp:
            return "timestamp";
        case Kind::timestamptz:
            return "timestamptz";
        case Kind::decimal:
            return "numeric";
        default:
            return "bigint";
    }
}

std::string outside_of(const PostgresTable& table, const std::string& column) {
    const auto* found = table.find(column);
    return quote_name(found ? found->outside : column);
}

}  // namespace

std::string PostgresPosition::encode() const {
    nlohmann::ordered_json json;
    json["by"] = by;
    if (high) json["high"] = *high;
    if (overlap != 0) json["overlap"] = overlap;
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<PostgresPosition> PostgresPosition::decode(std::string_view bytes) {
    const auto json = nlohmann::json::parse(bytes, nullptr, false);
    PostgresPosition out;
    const auto text = [&](const char* name) {
        return json.contains(name) && json[name].is_string();
    };
    if (!json.is_object() || !text("by"))
        return Error(Code::corrupted, "the position of a source's table cannot be read");
    out.by = json["by"].get<std::string>();
    if (text("high")) out.high = json["high"].get<std::string>();
    if (json.contains("overlap") && json["overlap"].is_number_integer())
        out.overlap = json["overlap"].get<int64_t>();
    return out;
}

std::string PostgresPosition::shown() const {
    if (by.empty()) return "read in full";
    return high ? by + " " + *high : by + " (no rows yet)";
}

bool FollowPlan::by_time() const {
    return is_time(type);
}

int64_t FollowPlan::overlap_min() const {
    return by_time() ? kOverlapSeconds : kOverlapNumbers;
}

Result<FollowPlan> follow_plan(const PostgresTable& table, const PostgresSource& source) {
    FollowPlan plan;
    plan.upsert = !table.key.empty();
    std::string by = source.by.empty() ? "" : lake_name(source.by);
    if (by.empty() && table.key.size() == 1) by = table.key.front();
    const PostgresColumn* column = by.empty() ? nullptr : table.find(by);
    if (column && grows(column->type)) {
        plan.by = by;
        plan.type = column->type;
        return plan;
    }
    if (plan.upsert && table.rows_estimated <= kWholeRowsMax) return plan;
    const std::string why =
        column ? fmt::format("its column {} is {}, which is no number or time", by, column->spelled)
        : table.key.empty() && by.empty() ? std::string("it has no primary key")
        : by.empty()                      ? std::string("its primary key is not one number or time")
                                          : fmt::format("it has no column {}", by);
    return Error(Code::invalid_argument,
                 fmt::format("table {} cannot be followed: {}; name a column that grows with every "
                             "change (by: updated_at), or put the table into a source that is read "
                             "once. Tables with a primary key and up to {} rows need none",
                             table.full_name(), why, kWholeRowsMax));
}

std::string follow_select(const PostgresTable& table, const FollowPlan& plan,
                          const PostgresPosition& position) {
    const std::string all = fmt::format("SELECT {} FROM {}", table.select_list(), table.quoted());
    if (plan.by.empty()) return all;
    const std::string by = outside_of(table, plan.by);
    std::string where = fmt::format("{} IS NOT NULL", by);
    if (position.high) {
        const std::string high =
            fmt::format("{}::{}", quote_text(*position.high), cast_of(plan.type));
        if (!plan.upsert)
            where = fmt::format("{} > {}", by, high);  // nothing may come twice
        else if (plan.by_time())
            where = fmt::format("{} >= {} - interval '{} seconds'", by, high, position.overlap);
        else
            where = fmt::format("{} >= {} - {}", by, high, position.overlap);
    }
    if (!plan.upsert && plan.by_time()) where += fmt::format(" AND isfinite({})", by);
    return fmt::format("{} WHERE {} ORDER BY {}", all, where, by);
}

std::string high_select(const PostgresTable& table, const FollowPlan& plan,
                        const PostgresPosition& position) {
    const std::string by = outside_of(table, plan.by);
    std::string where = "TRUE";
    if (plan.by_time()) where = fmt::format("isfinite({})", by);
    if (plan.by_time() && plan.upsert)
        where += fmt::format(" AND {} <= now() + interval '1 day'", by);
    else if (plan.type.kind == Kind::decimal)
        where = fmt::format("{} <> 'NaN'", by);
    std::string high = fmt::format("max({})", by);
    if (position.high && position.by == plan.by)
        high = fmt::format("greatest({}, {}::{})", high, quote_text(*position.high),
                           cast_of(plan.type));
    return fmt::format("SELECT ({})::text FROM {} WHERE {}", high, table.quoted(), where);
}

}  // namespace tarn::ingest

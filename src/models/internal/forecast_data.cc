#include "models/internal/forecast_data.h"

#include <cmath>
#include <cstdio>

#include "query/types.h"

namespace tarn::models {

namespace {

using tables::TypeId;

bool is_time(TypeId id) {
    return id == TypeId::date || id == TypeId::timestamp || id == TypeId::timestamptz;
}

std::string column_names(const tables::Schema& schema) {
    std::string all;
    for (const auto& field : schema.fields) all += (all.empty() ? "" : ", ") + field.name;
    return all;
}

Result<const tables::Field*> need(const ForecastSpec& spec, const tables::Schema& schema,
                                  const std::string& name) {
    if (const auto* field = schema.find(std::string_view(name))) return field;
    return Error(Code::invalid_argument, "model " + spec.name.table + ": " + spec.of.full_name() +
                                             " has no column " + name + "; it has " +
                                             column_names(schema));
}

Result<const tables::Field*> find_time(const ForecastSpec& spec, const tables::Schema& schema) {
    if (!spec.time.empty()) return need(spec, schema, spec.time);
    const tables::Field* found = nullptr;
    for (const auto& field : schema.fields) {
        if (!is_time(field.type.id)) continue;
        if (found != nullptr)
            return Error(Code::invalid_argument,
                         "model " + spec.name.table + ": " + spec.of.full_name() +
                             " has several time columns (" + found->name + ", " + field.name +
                             "); say which with `time`");
        found = &field;
    }
    if (found == nullptr)
        return Error(
            Code::invalid_argument,
            "model " + spec.name.table + ": " + spec.of.full_name() +
                " has no date or timestamp column; say which number counts the steps with `time`");
    return found;
}

std::string key_list(const ForecastColumns& columns) {
    std::string list;
    for (const auto& key : columns.keys) list += quoted(key.name) + ", ";
    return list;
}

std::string number_list(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += ", (" + quoted(name) + ")::double";
    return list;
}

/// Keys, time, measure or nothing, features: rows of a panel from a chunk.
struct RowReader {
    const ForecastColumns& columns;
    bool measured;
    int64_t newest;
    std::vector<PanelRow>* rows;
    std::map<std::vector<std::string>, std::vector<query::Value>>* key_values;

    void take(const query::Chunk& chunk) const {
        const size_t keys = columns.keys.size();
        for (size_t i = 0; i < chunk.rows(); ++i) {
            PanelRow row;
            bool complete = !chunk.columns[keys].is_null(i);
            for (size_t k = 0; k < keys && complete; ++k) {
                complete = !chunk.columns[k].is_null(i);
                if (!complete) break;
                row.keys.emplace_back();
                chunk.columns[k].append_pg_text(i, row.keys.back());
            }
            if (!complete) continue;  // without a key or a time it belongs nowhere
            row.time = chunk.columns[keys].number(i);
            if (measured && row.time <= newest)
                row.value = static_cast<float>(number_of(chunk.columns[keys + 1], i));
            for (size_t f = keys + (measured ? 2 : 1); f < chunk.columns.size(); ++f)
                row.features.push_back(static_cast<float>(number_of(chunk.columns[f], i)));
            auto& values = (*key_values)[row.keys];
            if (values.empty())
                for (size_t k = 0; k < keys; ++k) values.push_back(chunk.columns[k].value(i));
            rows->push_back(std::move(row));
        }
    }
};

/// Keys and times at which nothing could be sold. The table must have the keys by name and a time
/// column.
Result<uint64_t> mask_lost_sales(query::Session& session, const ForecastSpec& spec,
                                 const ForecastColumns& columns, ForecastData& data) {
    const std::string table = quoted(spec.lost_sales_table);
    std::string time;
    TARN_TRY(described, session.prepare("select * from " + table, {}));
    for (const auto& column : described->columns()) {
        if (column.name == columns.time.name) {
            time = column.name;
            break;
        }
        const auto kind = column.type.kind;
        if (time.empty() && (kind == query::Kind::date || kind == query::Kind::timestamp ||
                             kind == query::Kind::timestamptz))
            time = column.name;
    }
    if (time.empty())
        return Error(Code::invalid_argument,
                     "lost_sales: " + spec.lost_sales_table.full_name() + " has no time column");
    const std::string cast = columns.time_kind == TimeKind::days ? "::date" : "";
    const std::string sql = "select distinct " + key_list(columns) + quoted(time) + cast +
                            " from " + table + " as " + quoted(spec.lost_sales_table.table) +
                            " where " + spec.lost_sales_when;
    return read_all(session, sql, [&](const query::Chunk& chunk) {
        const size_t keys = columns.keys.size();
        for (size_t i = 0; i < chunk.rows(); ++i) {
            std::vector<std::string> key(keys);
            for (size_t k = 0; k < keys; ++k)
                if (!chunk.columns[k].is_null(i)) chunk.columns[k].append_pg_text(i, key[k]);
            const int series = data.panel.find(key);
            if (series >= 0 && !chunk.columns[keys].is_null(i))
                data.panel.mask(static_cast<size_t>(series), chunk.columns[keys].number(i));
        }
        return Status();
    });
}

}  // namespace

Result<ForecastColumns> ForecastColumns::find(const ForecastSpec& spec,
                                              const tables::Schema& schema) {
    ForecastColumns columns;
    for (const auto& name : spec.per) {
        TARN_TRY(field, need(spec, schema, name));
        TARN_CHECK_OK(query_type(field->type));
        columns.keys.push_back({field->name, field->type});
    }
    TARN_TRY(time, find_time(spec, schema));
    columns.time = {time->name, time->type};
    if (time->type.id == TypeId::int32 || time->type.id == TypeId::int64)
        columns.time_kind = TimeKind::integer;
    else if (time->type.id == TypeId::timestamp || time->type.id == TypeId::timestamptz)
        columns.time_kind = TimeKind::micros;
    else if (time->type.id != TypeId::date)
        return Error(Code::invalid_argument, "model " + spec.name.table + ": time column " +
                                                 time->name + " is " +
                                                 tables::type_name(time->type) +
                                                 "; a date, timestamp or integer can be forecast");
    TARN_CHECK_OK(need(spec, schema, spec.measure));
    for (const auto& feature : spec.features) {
        if (feature.rfind("calendar(", 0) == 0) continue;
        TARN_TRY(field, need(spec, schema, feature));
        if (field->type.id > TypeId::decimal)
            return Error(Code::invalid_argument,
                         "model " + spec.name.table + ": feature " + feature + " is " +
                             tables::type_name(field->type) + "; make it a number");
        columns.features.push_back(field->name);
    }
    return columns;
}

std::vector<OutputColumn> forecast_columns(const ForecastSpec& spec,
                                           const ForecastColumns& columns) {
    std::vector<OutputColumn> all = columns.keys;
    all.push_back(columns.time);
    for (const std::string& name :
         {spec.measure, std::string("p10"), std::string("p50"), std::string("p90")})
        all.push_back({name, tables::Type::of(TypeId::float64)});
    all.push_back({"version", tables::Type::of(TypeId::int64)});
    all.push_back({"made_at", tables::Type::of(TypeId::timestamptz)});
    return all;
}

Result<Newest> read_newest(query::Session& session, const ForecastSpec& spec,
                           const ForecastColumns& columns) {
    const std::string time = quoted(columns.time.name);
    const std::string from =
        " from " + quoted(spec.of) + " where " + quoted(spec.measure) + " is not null";
    // Of a time that goes on only what lies before the newest step is complete.
    const std::string complete = columns.time_kind == TimeKind::integer
                                     ? "max(" + time + ")"
                                     : "(select max(" + time + ")" + from + " and " + time +
                                           " < (select max(" + time + ")" + from + "))";
    TARN_TRY(rows, session.query("select count(*)::bigint, " + complete + from));
    Newest newest;
    newest.rows = rows.columns[0].number(0);
    if (!rows.columns[1].is_null(0)) newest.time = rows.columns[1].number(0);
    return newest;
}

Result<ForecastData> read_forecast_data(query::Session& session, const ForecastSpec& spec,
                                        const ForecastColumns& columns, int64_t newest,
                                        const std::function<bool()>& cancelled) {
    ForecastData data;
    std::vector<PanelRow> rows;
    RowReader reader{columns, true, newest, &rows, &data.key_values};
    const auto take = [&](const query::Chunk& chunk) -> Status {
        if (cancelled()) return Error(Code::cancelled, "the run was cancelled");
        reader.take(chunk);
        return {};
    };
    const std::string time = quoted(columns.time.name);
    TARN_TRY(read,
             read_all(session,
                      "select " + key_list(columns) + time + ", (" + quoted(spec.measure) +
                          ")::double" + number_list(columns.features) + " from " + quoted(spec.of),
                      take));
    data.rows_read = read;
    if (!spec.future.empty()) {
        reader.measured = false;
        TARN_TRY(ahead,
                 read_all(session,
                          "select " + key_list(columns) + time + number_list(columns.features) +
                              " from (" + spec.future + ") as future",
                          take));
        data.rows_read += ahead;
    }
    TARN_TRY(panel, Panel::make(rows, columns.keys.size(), columns.features, columns.time_kind,
                                spec.ahead));
    data.panel = std::move(panel);
    data.panel.carry_features_forward();
    if (!spec.lost_sales_when.empty()) {
        auto masked = mask_lost_sales(session, spec, columns, data);
        if (!masked.ok()) {
            // Before the first reading came there is no such table: nothing is known to be lost
            // then.
            if (masked.error().reason != "42P01")
                return std::move(masked).error().within("lost_sales");
            data.warnings.push_back("lost_sales: " + spec.lost_sales_table.full_name() +
                                    " is not there yet");
        } else
            data.rows_read += *masked;
    }
    return data;
}

std::string time_text(TimeKind kind, int64_t time) {
    if (kind == TimeKind::integer) return std::to_string(time);
    const Timestamp at{kind == TimeKind::days ? time * 86'400'000'000 : time};
    const std::string text = format_iso8601(at);
    return kind == TimeKind::days ? text.substr(0, 10) : text;
}

}  // namespace tarn::models

// What a source declares, before anything runs.
#include <fmt/format.h>

#include <algorithm>

#include "ingest/internal/mqtt_decode.h"
#include "ingest/internal/target.h"

namespace tarn::ingest {
namespace {

using query::Kind;

Error wrong(const SourceSpec& spec, const std::string& what) {
    return {Code::invalid_argument, fmt::format("source {}: {}", spec.name, what)};
}

bool readable(Kind kind) {
    switch (kind) {
        case Kind::boolean:
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::float32:
        case Kind::float64:
        case Kind::decimal:
        case Kind::text:
        case Kind::date:
        case Kind::time:
        case Kind::timestamp:
        case Kind::timestamptz:
        case Kind::uuid:
        case Kind::json:
        case Kind::jsonb:
            return true;
        case Kind::null:
        case Kind::binary:
        case Kind::interval:
        case Kind::oid:
        case Kind::character:
        case Kind::list:
        case Kind::structure:
        case Kind::map:
            return false;
    }
    return false;
}

Result<size_t> find_column(const SourceSpec& spec, const std::vector<MqttShape::Column>& columns,
                           const std::string& name, std::string_view what) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.name == name; });
    if (found == columns.end())
        return wrong(spec, fmt::format("{} \"{}\" is neither a column nor a level of the topic",
                                       what, name));
    return static_cast<size_t>(found - columns.begin());
}

/// Captures that have no column of their own, then the columns.
Status add_columns(const SourceSpec& spec, const MqttSource& from, MqttShape& shape) {
    const auto& captures = shape.topic.captures();
    for (size_t i = 0; i < captures.size(); ++i) {
        const bool listed =
            std::any_of(from.columns.begin(), from.columns.end(),
                        [&](const ColumnSpec& column) { return column.name == captures[i]; });
        if (!listed)
            shape.columns.push_back({captures[i], query::Type(Kind::text), Kind::text, i, false});
    }
    for (const auto& column : from.columns) {
        if (!readable(column.type.kind))
            return wrong(spec, fmt::format("column {}: a reading cannot be {}; declare it text, "
                                           "and it gets the member's JSON",
                                           column.name, query::sql_name(column.type)));
        const bool twice =
            std::any_of(shape.columns.begin(), shape.columns.end(),
                        [&](const auto& other) { return other.name == column.name; });
        if (twice) return wrong(spec, fmt::format("column {} is there twice", column.name));
        MqttShape::Column made{column.name, stored_type(column.type), column.type.kind, {}, false};
        const auto capture = std::find(captures.begin(), captures.end(), column.name);
        if (capture != captures.end())
            made.capture = static_cast<size_t>(capture - captures.begin());
        shape.columns.push_back(std::move(made));
    }
    if (shape.columns.empty())
        return wrong(spec, "it has no columns: list them, or name levels of the topic");
    return ok_status();
}

Status find_event_time(const SourceSpec& spec, const MqttSource& from, MqttShape& shape) {
    const auto is_time = [&](size_t i) {
        const Kind kind = shape.columns[i].reading;
        return kind == Kind::timestamptz || kind == Kind::timestamp;
    };
    if (!from.event_time.empty()) {
        TARN_TRY(at, find_column(spec, shape.columns, from.event_time, "event_time"));
        if (!is_time(at))
            return wrong(spec, fmt::format("event_time \"{}\" is no timestamptz", from.event_time));
        shape.event_time = at;
        return ok_status();
    }
    size_t count = 0;
    for (size_t i = 0; i < shape.columns.size(); ++i) {
        if (shape.columns[i].reading != Kind::timestamptz) continue;
        if (++count == 1) shape.event_time = i;
    }
    if (count > 1) shape.event_time.reset();
    if (from.late && !shape.event_time)
        return wrong(spec,
                     "late needs an event time: declare one timestamptz column, or say which "
                     "it is with event_time");
    return ok_status();
}

}  // namespace

Result<MqttShape> MqttShape::make(const SourceSpec& spec) {
    const auto& from = std::get<MqttSource>(spec.from);
    auto topic = TopicTemplate::parse(from.topic);
    if (!topic.ok()) return std::move(topic).error().within("source " + spec.name);
    MqttShape shape{std::move(topic).value(), {}, {}};
    TARN_CHECK_OK(add_columns(spec, from, shape));
    for (const auto& name : from.key) {
        TARN_TRY(at, find_column(spec, shape.columns, name, "key"));
        if (shape.columns[at].key)
            return wrong(spec, fmt::format("key \"{}\" is there twice", name));
        shape.columns[at].key = true;
    }
    TARN_CHECK_OK(find_event_time(spec, from, shape));
    using std::chrono::milliseconds;
    if (from.commit < milliseconds(10) || from.commit > std::chrono::hours(1))
        return wrong(spec, "commit is between 10ms and 1h");
    if (from.late && from.late->count() <= 0) return wrong(spec, "late is more than nothing");
    return shape;
}

}  // namespace tarn::ingest

#include "ingest/internal/mqtt_batch.h"

#include <charconv>

#include <fmt/format.h>

#include "ingest/internal/target.h"

namespace tarn::ingest {
namespace {

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc()) return false;
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
    return true;
}

std::string in_words(std::chrono::seconds span) {
    const auto count = span.count();
    if (count % 86'400 == 0) return fmt::format("{}d", count / 86'400);
    if (count % 3600 == 0) return fmt::format("{}h", count / 3600);
    if (count % 60 == 0) return fmt::format("{}m", count / 60);
    return fmt::format("{}s", count);
}

}  // namespace

Result<MqttPosition> MqttPosition::parse(const std::optional<std::string>& text) {
    MqttPosition made;
    if (!text) return made;
    std::string_view rest = *text;
    bool good = take_number(rest, made.next);
    if (good && rest.starts_with(' ')) {
        rest.remove_prefix(1);
        good = take_number(rest, made.newest_micros.emplace());
    }
    if (!good || !rest.empty())
        return Error(Code::corrupted, "the position \"" + *text + "\" is none of a stream");
    return made;
}

std::string MqttPosition::text() const {
    return newest_micros ? fmt::format("{} {}", next, *newest_micros) : fmt::format("{}", next);
}

MqttBatch::MqttBatch(const MqttShape& shape, std::optional<std::chrono::seconds> late,
                     MqttPosition from)
    : shape_(shape), late_(late), decoder_(shape), position_(from) {
    for (const auto& column : shape.columns) rows_.columns.emplace_back(column.type);
}

void MqttBatch::add(const streams::Record& record) {
    ++records_;
    bytes_ += record.key.size() + record.payload.size();
    position_.next = record.offset + 1;
    const Status taken = take(record);
    if (taken.ok()) return;
    rejected_.push_back({printable(record.key, kRejectedTextMax), record.offset + 1,
                         printable(record.payload, kRejectedTextMax),
                         printable(taken.error().message, 1024)});
}

Status MqttBatch::take(const streams::Record& record) {
    TARN_CHECK_OK(decoder_.decode(record.key, record.payload));
    TARN_CHECK_OK(check_time(record.at));
    auto& row = decoder_.row();
    for (size_t i = 0; i < row.size(); ++i) rows_.columns[i].append(std::move(row[i]));
    return ok_status();
}

Status MqttBatch::check_time(Timestamp taken) {
    if (!shape_.event_time) return ok_status();
    const auto& value = decoder_.row()[*shape_.event_time];
    if (value.is_null()) return ok_status();
    const int64_t event = std::get<int64_t>(value.of);
    auto& newest = position_.newest_micros;
    if (late_ && newest &&
        event < Timestamp{*newest}.plus(-std::chrono::microseconds(*late_)).micros)
        return Error(
            Code::invalid_argument,
            fmt::format("late: {} {} is more than {} before the newest, {}",
                        shape_.columns[*shape_.event_time].name, format_iso8601(Timestamp{event}),
                        in_words(*late_), format_iso8601(Timestamp{*newest})));
    const int64_t reached = std::min(event, taken.micros);
    if (!newest || reached > *newest) newest = reached;
    return ok_status();
}

}  // namespace tarn::ingest

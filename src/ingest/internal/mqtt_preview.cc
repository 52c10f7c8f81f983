// `tarn try` for readings: what has been published already, as the source would take it.
#include <fmt/format.h>

#include <algorithm>

#include "ingest/internal/mqtt_batch.h"
#include "ingest/internal/runner.h"
#include "ingest/routes.h"
#include "streams/streams.h"

namespace tarn::ingest {
namespace {

constexpr uint64_t kLookBack = 20'000;  // records of the default stream

/// The newest records of a stream whose topics match, at most `rows_max`, oldest first.
Result<std::vector<streams::Record>> newest_of(const streams::Streams& streams,
                                               const std::string& stream,
                                               const TopicTemplate& topic, size_t rows_max) {
    TARN_TRY(begin, streams.begin(stream));
    TARN_TRY(end, streams.end(stream));
    uint64_t at = end > begin + kLookBack ? end - kLookBack : begin;
    std::vector<streams::Record> found;
    while (at < end) {
        TARN_TRY(page, streams.read(stream, at, kPageBytes));
        if (page.records.empty()) break;
        for (auto& record : page.records)
            if (topic.matches(record.key)) found.push_back(std::move(record));
        if (found.size() > rows_max)
            found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(rows_max));
        at = page.next;
    }
    return found;
}

}  // namespace

Result<Preview> preview_mqtt(const SourceSpec& spec, const SourcesParts& parts, size_t rows_max) {
    TARN_TRY(shape, MqttShape::make(spec));
    const auto& from = std::get<MqttSource>(spec.from);
    // What was published before the source was declared lies in the default stream.
    TARN_TRY(records, newest_of(parts.streams, std::string(kDefaultStream), shape.topic, rows_max));
    TARN_TRY(own,
             newest_of(parts.streams, stream_of_source(spec.identity()), shape.topic, rows_max));
    records.insert(records.end(), std::make_move_iterator(own.begin()),
                   std::make_move_iterator(own.end()));
    if (records.size() > rows_max)
        records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(rows_max));
    MqttBatch batch(shape, from.late, {});
    for (const auto& record : records) batch.add(record);

    Preview out;
    PreviewTable table;
    table.database = spec.database;
    table.name = spec.name;
    for (const auto& column : shape.columns) table.columns.push_back({column.name, column.type});
    table.key = from.key;
    table.rows = batch.rows();
    table.rejected = batch.rejected();
    out.tables.push_back(std::move(table));
    out.notes.push_back(fmt::format("takes what is published on {}", shape.topic.filter()));
    if (records.empty())
        out.notes.push_back("nothing has been published there yet: publish a reading, try again");
    if (batch.members_ignored() > 0)
        out.notes.push_back(
            fmt::format("{} members that no column takes were left out", batch.members_ignored()));
    if (shape.event_time)
        out.notes.push_back("event time: " + shape.columns[*shape.event_time].name);
    return out;
}

}  // namespace tarn::ingest

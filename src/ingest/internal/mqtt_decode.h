// One published reading to one row: a JSON object's members by name, the topic's captures, typed as
// the source declares. What does not fit is refused with a reason, never bent. Lane: one thread.
//
// Members are matched without regard to ASCII case. A member that is missing or null is NULL, and
// refused in a key. Members that nobody declared are checked to be JSON, counted and left out; so
// is one that a capture of the topic already gives. By type of the column:
//   integers       a whole number within the range (17.0 and 1e3 are whole)
//   real, double   any number that stays finite
//   decimal        a number or its text, digit by digit; more places than the scale are rounded
//   boolean        true, false
//   date, time, timestamp, timestamptz, uuid    text; without a zone a timestamptz is UTC
//   text, json     a text as it is; anything else as its JSON
// A capture is read from its text by the same types; an empty level is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/mqtt_topic.h"
#include "ingest/spec.h"
#include "query/types.h"

namespace tarn::ingest {

/// What a source declares, checked and complete: captures first where they are not listed as
/// columns, then the columns.
struct MqttShape {
    struct Column {
        std::string name;
        query::Type type;     // as the table stores it and values have it
        query::Kind reading;  // as declared: smallint's range is checked though it is stored as int
        std::optional<size_t> capture;  // of the topic
        bool key = false;
    };
    TopicTemplate topic;
    std::vector<Column> columns;
    std::optional<size_t> event_time;  // a column of kind timestamp or timestamptz

    /// invalid_argument: names what cannot be. Precondition: spec.from is an MqttSource.
    static Result<MqttShape> make(const SourceSpec& spec);
};

class MqttDecoder {
 public:
    /// `shape` outlives it.
    explicit MqttDecoder(const MqttShape& shape);
    ~MqttDecoder();
    MqttDecoder(MqttDecoder&&) noexcept;
    MqttDecoder(const MqttDecoder&) = delete;
    MqttDecoder& operator=(const MqttDecoder&) = delete;

    /// On success row() holds one value per column. Errors (invalid_argument, out_of_range): the
    /// message is the reason that the rejected row gets.
    Status decode(std::string_view topic, std::string_view payload);
    std::vector<query::Value>& row() { return row_; }
    /// Members that no column takes, of all that was decoded.
    uint64_t members_ignored() const { return members_ignored_; }

 private:
    struct Parser;
    Status take_captures(std::string_view topic);
    Status take_members(std::string_view payload);

    const MqttShape& shape_;
    std::unique_ptr<Parser> parser_;
    std::vector<std::string_view> captured_;
    std::vector<query::Value> row_;
    std::vector<uint8_t> seen_;  // per column: a member gave it
    uint64_t members_ignored_ = 0;
};

/// Text that a table may hold: bytes that are no UTF-8, and zero bytes, become "\xNN"; what is
/// longer than `bytes_max` is cut at a character and ends in "...".
std::string printable(std::string_view bytes, size_t bytes_max);

}  // namespace tarn::ingest

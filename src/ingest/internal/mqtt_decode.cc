#include "ingest/internal/mqtt_decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/ascii.h"

namespace tarn::ingest {
namespace {

namespace ondemand = simdjson::ondemand;
using query::Kind;
using query::Value;

constexpr int kDepthMax = 32;

Error refuse(std::string reason) {
    return {Code::invalid_argument, std::move(reason)};
}

Error not_json(simdjson::error_code problem) {
    if (problem == simdjson::UTF8_ERROR) return refuse("the payload is not UTF-8");
    return refuse(fmt::format("the payload is not JSON: {}", simdjson::error_message(problem)));
}

/// RFC 8259 section 6.
bool is_json_number(std::string_view text) {
    size_t at = 0;
    const auto digits = [&] {
        const size_t begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - begin;
    };
    if (at < text.size() && text[at] == '-') ++at;
    const bool zero = at < text.size() && text[at] == '0';
    const size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

/// For reasons: at most 40 bytes of what was there.
std::string shown_value(std::string_view text) {
    return printable(text, 40);
}

Status check_value(ondemand::value value, int depth);

/// Walks all members or elements: nothing is JSON until it has been looked at.
template <typename Container, typename Check>
Status check_children(Container& container, Check check) {
    for (auto child : container) {
        const Status fine = check(child);
        if (!fine.ok()) return fine;
    }
    return ok_status();
}

Status check_number(ondemand::value& value) {
    const auto text = trim(value.raw_json_token(), " \t\n\r");
    if (!is_json_number(text)) return refuse("the payload is not JSON: " + shown_value(text));
    return ok_status();
}

Status check_nested(ondemand::value& value, ondemand::json_type type, int depth) {
    if (depth >= kDepthMax)
        return refuse(fmt::format("nested more than {} levels deep", kDepthMax));
    if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (const auto bad = value.get_array().get(array)) return not_json(bad);
        return check_children(array, [&](auto child) -> Status {
            ondemand::value element;
            if (const auto bad = std::move(child).get(element)) return not_json(bad);
            return check_value(element, depth + 1);
        });
    }
    ondemand::object object;
    if (const auto bad = value.get_object().get(object)) return not_json(bad);
    return check_children(object, [&](auto child) -> Status {
        ondemand::field field;
        if (const auto bad = std::move(child).get(field)) return not_json(bad);
        std::string_view key;
        if (const auto bad = field.unescaped_key().get(key)) return not_json(bad);
        return check_value(field.value(), depth + 1);
    });
}

Status check_value(ondemand::value value, int depth) {
    ondemand::json_type type;
    if (const auto bad = value.type().get(type)) return not_json(bad);
    switch (type) {
        case ondemand::json_type::array:
        case ondemand::json_type::object:
            return check_nested(value, type, depth);
        case ondemand::json_type::string: {
            std::string_view text;
            if (const auto bad = value.get_string().get(text)) return not_json(bad);
            return ok_status();
        }
        case ondemand::json_type::number:
            return check_number(value);
        case ondemand::json_type::boolean: {
            bool truth = false;
            if (const auto bad = value.get_bool().get(truth)) return not_json(bad);
            return ok_status();
        }
        case ondemand::json_type::null: {
            bool null = false;
            if (const auto bad = value.is_null().get(null)) return not_json(bad);
            return null ? ok_status() : refuse("the payload is not JSON");
        }
    }
    return refuse("the payload is not JSON");
}

std::string_view type_word(ondemand::json_type type) {
    switch (type) {
        case ondemand::json_type::array:
            return "an array";
        case ondemand::json_type::object:
            return "an object";
        case ondemand::json_type::string:
            return "a text";
        case ondemand::json_type::number:
            return "a number";
        case ondemand::json_type::boolean:
            return "a boolean";
        case ondemand::json_type::null:
            return "null";
    }
    return "nothing known";
}

Error unfit(const MqttShape::Column& column, std::string_view what) {
    return refuse(fmt::format("{}: {} is no {}", column.name, what, query::pg_name(column.type)));
}

Error beyond(const MqttShape::Column& column, std::string_view what) {
    return refuse(
        fmt::format("{}: {} is out of range for {}", column.name, what,
                    column.reading == Kind::int16 ? "smallint" : query::pg_name(column.type)));
}

/// A number's text, of JSON or of a topic.
Result<Value> to_integer(const MqttShape::Column& column, std::string_view text) {
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc::result_out_of_range && read.ptr == end)
        return beyond(column, shown_value(text));
    if (read.ec != std::errc() || read.ptr != end) {
        // 17.0, 1e3: whole, and exact in a double.
        double real = 0;
        const auto again = std::from_chars(text.data(), end, real);
        if (again.ec != std::errc() || again.ptr != end || std::trunc(real) != real)
            return refuse(fmt::format("{}: {} is no whole number", column.name, shown_value(text)));
        if (std::abs(real) > 9007199254740992.0) return beyond(column, shown_value(text));
        number = static_cast<int64_t>(real);
    }
    const bool fits = column.reading == Kind::int16 ? number >= -32'768 && number <= 32'767
                      : column.reading == Kind::int32
                          ? number >= std::numeric_limits<int32_t>::min() &&
                                number <= std::numeric_limits<int32_t>::max()
                          : true;
    if (!fits) return beyond(column, shown_value(text));
    return Value(number);
}

Result<Value> to_real(const MqttShape::Column& column, std::string_view text) {
    double real = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, real);
    // Too small for a double reads as out of range too; zero is what is nearest then.
    if (read.ec == std::errc::result_out_of_range && read.ptr == end)
        real = std::strtod(std::string(text).c_str(), nullptr);
    else if (read.ec != std::errc() || read.ptr != end)
        return unfit(column, shown_value(text));
    if (column.reading == Kind::float32) real = static_cast<double>(static_cast<float>(real));
    if (!std::isfinite(real)) return beyond(column, shown_value(text));
    return Value(real);
}

/// Dates, times, uuids, decimals: PostgreSQL's text, ISO 8601 included.
Result<Value> to_parsed(const MqttShape::Column& column, std::string_view text) {
    if (text.find("infinity") != std::string_view::npos) return unfit(column, shown_value(text));
    auto value = query::parse_pg_text(column.type, text);
    if (value.ok()) return value;
    if (value.error().code == Code::out_of_range) return beyond(column, shown_value(text));
    return unfit(column, '"' + shown_value(text) + '"');
}

Result<Value> to_text(const MqttShape::Column& column, std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        return refuse(column.name + ": a text with a zero byte");
    return Value(std::string(text));
}

bool is_text(const MqttShape::Column& column) {
    return column.reading == Kind::text || column.reading == Kind::json ||
           column.reading == Kind::jsonb;
}

Result<Value> from_string(const MqttShape::Column& column, std::string_view text) {
    switch (column.reading) {
        case Kind::text:
        case Kind::json:
        case Kind::jsonb:
            return to_text(column, text);
        case Kind::decimal:
        case Kind::date:
        case Kind::time:
        case Kind::timestamp:
        case Kind::timestamptz:
        case Kind::uuid:
            return to_parsed(column, text);
        default:
            return unfit(column, "the text \"" + shown_value(text) + "\"");
    }
}

Result<Value> from_number(const MqttShape::Column& column, std::string_view text) {
    switch (column.reading) {
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
            return to_integer(column, text);
        case Kind::float32:
        case Kind::float64:
            return to_real(column, text);
        case Kind::decimal:
            return to_parsed(column, text);
        case Kind::text:
        case Kind::json:
        case Kind::jsonb:
            return Value(std::string(text));
        default:
            return unfit(column, "the number " + shown_value(text));
    }
}

Result<Value> from_capture(const MqttShape::Column& column, std::string_view text) {
    if (text.empty()) return refuse(column.name + ": its level of the topic is empty");
    switch (column.reading) {
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::float32:
        case Kind::float64:
            if (!is_json_number(text)) return unfit(column, '"' + shown_value(text) + '"');
            return from_number(column, text);
        case Kind::boolean:
            if (text == "true" || text == "false") return Value(text == "true");
            return unfit(column, '"' + shown_value(text) + '"');
        default:
            return from_string(column, text);
    }
}

bool same_name(std::string_view member, std::string_view column) {
    if (member.size() != column.size()) return false;
    for (size_t i = 0; i < member.size(); ++i) {
        const char c = member[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != column[i]) return false;
    }
    return true;
}

/// What is left of a document: nothing, or something that does not belong there.
bool at_end(ondemand::document& document) {
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

}  // namespace

struct MqttDecoder::Parser {
    ondemand::parser parser;
    std::string padded;  // the payload and what simdjson wants behind it

    Result<Value> read(const MqttShape::Column& column, ondemand::value value) {
        ondemand::json_type type;
        if (const auto bad = value.type().get(type)) return not_json(bad);
        switch (type) {
            case ondemand::json_type::null:
                TARN_CHECK_OK(check_value(value, 1));
                return Value();
            case ondemand::json_type::string: {
                std::string_view text;
                if (const auto bad = value.get_string().get(text)) return not_json(bad);
                return from_string(column, text);
            }
            case ondemand::json_type::number:
                TARN_CHECK_OK(check_number(value));
                return from_number(column, trim(value.raw_json_token(), " \t\n\r"));
            case ondemand::json_type::boolean: {
                bool truth = false;
                if (const auto bad = value.get_bool().get(truth)) return not_json(bad);
                if (column.reading == Kind::boolean) return Value(truth);
                if (is_text(column))
                    return Value(truth ? "true" : "false");
                return unfit(column, truth ? "true" : "false");
            }
            case ondemand::json_type::array:
            case ondemand::json_type::object:
                return read_nested(column, value, type);
        }
        return refuse("the payload is not JSON");
    }

    /// The text of the value, as it stands in the payload.
    Result<Value> read_nested(const MqttShape::Column& column, ondemand::value& value,
                              ondemand::json_type type) {
        const char* begin = value.raw_json_token().data();
        TARN_CHECK_OK(check_value(value, 1));
        if (!is_text(column))
            return unfit(column, type_word(type));
        const char* end = nullptr;
        if (const auto bad = value.current_location().get(end)) return not_json(bad);
        // The next token's place: between lie the value's last bracket and blanks.
        std::string_view text(begin, static_cast<size_t>(end - begin));
        return Value(std::string(trim(text, " \t\n\r")));
    }
};

MqttDecoder::MqttDecoder(const MqttShape& shape)
    : shape_(shape), parser_(std::make_unique<Parser>()) {}
MqttDecoder::~MqttDecoder() = default;
MqttDecoder::MqttDecoder(MqttDecoder&&) noexcept = default;

Status MqttDecoder::take_captures(std::string_view topic) {
    if (!shape_.topic.matches(topic, &captured_))
        return refuse(fmt::format("the topic does not match \"{}\"", shape_.topic.text()));
    for (size_t i = 0; i < shape_.columns.size(); ++i) {
        const auto& column = shape_.columns[i];
        if (!column.capture) continue;
        TARN_TRY(value, from_capture(column, captured_[*column.capture]));
        row_[i] = std::move(value);
    }
    return ok_status();
}

Status MqttDecoder::take_members(std::string_view payload) {
    auto& padded = parser_->padded;
    padded.assign(payload);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    ondemand::document document;
    if (const auto bad =
            parser_->parser
                .iterate(simdjson::padded_string_view(padded.data(), payload.size(), padded.size()))
                .get(document))
        return not_json(bad);
    ondemand::object object;
    if (const auto bad = document.get_object().get(object)) {
        if (bad == simdjson::INCORRECT_TYPE)
            return refuse("the payload is no JSON object: one reading is one object");
        return not_json(bad);
    }
    for (auto child : object) {
        ondemand::field field;
        if (const auto bad = std::move(child).get(field)) return not_json(bad);
        std::string_view name;
        if (const auto bad = field.unescaped_key().get(name)) return not_json(bad);
        size_t at = 0;
        while (at < shape_.columns.size() &&
               (shape_.columns[at].capture || !same_name(name, shape_.columns[at].name)))
            ++at;
        if (at == shape_.columns.size()) {
            ++members_ignored_;
            TARN_CHECK_OK(check_value(field.value(), 1));
            continue;
        }
        const auto& column = shape_.columns[at];
        if (seen_[at]) return refuse(column.name + " is there twice");
        seen_[at] = 1;
        TARN_TRY(value, parser_->read(column, field.value()));
        row_[at] = std::move(value);
    }
    if (!at_end(document)) return refuse("the payload goes on after its JSON object");
    return ok_status();
}

Status MqttDecoder::decode(std::string_view topic, std::string_view payload) {
    row_.assign(shape_.columns.size(), Value());
    seen_.assign(shape_.columns.size(), 0);
    if (trim(payload, " \t\n\r").empty()) return refuse("the payload is empty");
    TARN_CHECK_OK(take_captures(topic));
    TARN_CHECK_OK(take_members(payload));
    for (size_t i = 0; i < shape_.columns.size(); ++i)
        if (shape_.columns[i].key && row_[i].is_null())
            return refuse(shape_.columns[i].name + " is part of the key and missing");
    return ok_status();
}

}  // namespace tarn::ingest

#include "events/internal/rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/text.h"

namespace tarn::events {
namespace {

using query::Kind;

constexpr size_t kKeyBytesMax = 4096, kTextBytesMax = 1000, kRowBytesMax = 8192;

/// At most `max` bytes, whole characters.
std::string_view cut(std::string_view text, size_t max) {
    if (text.size() <= max) return text;
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xc0) == 0x80) --max;
    return text.substr(0, max);
}

void append_real(std::string& out, double real) {
    if (!std::isfinite(real)) {
        codec::append_json_string(out, std::isnan(real) ? "NaN"
                                       : real > 0       ? "Infinity"
                                                        : "-Infinity");
        return;
    }
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, real);
    out.append(text, end.ptr);
}

void append_nested(std::string& out, const query::Type& type, const query::Values& values) {
    const bool object = type.kind == Kind::structure;
    out.push_back(object ? '{' : '[');
    for (size_t i = 0; i < values.size(); ++i) {
        if (i > 0) out.push_back(',');
        // A list has one child type, a structure one per field, a map a key's and a value's in
        // turn.
        const auto& child = type.children.at(object ? i : i % type.children.size());
        if (object) {
            codec::append_json_string(out, child.first);
            out.push_back(':');
        }
        append_json_value(out, child.second, values[i]);
    }
    out.push_back(object ? '}' : ']');
}

}  // namespace

void append_json_value(std::string& out, const query::Type& type, const query::Value& value) {
    if (value.is_null()) {
        out += "null";
        return;
    }
    switch (type.kind) {
        case Kind::boolean:
            out += std::get<bool>(value.of) ? "true" : "false";
            return;
        case Kind::int16:
        case Kind::int32:
        case Kind::int64:
        case Kind::decimal:
            query::append_pg_text(type, value, out);
            return;
        case Kind::float32:
        case Kind::float64:
            append_real(out, std::get<double>(value.of));
            return;
        case Kind::timestamptz:
            codec::append_json_string(out, format_iso8601({std::get<int64_t>(value.of)}));
            return;
        case Kind::list:
        case Kind::structure:
        case Kind::map:
            append_nested(out, type, std::get<query::Values>(value.of));
            return;
        case Kind::json:
        case Kind::jsonb: {
            const auto& text = std::get<std::string>(value.of);
            if (text.size() <= kTextBytesMax && nlohmann::json::accept(text)) {
                out += text;
                return;
            }
            break;
        }
        default:
            break;
    }
    codec::append_json_string(out, query::pg_text(type, value));
}

Result<std::vector<size_t>> find_columns(const std::vector<query::ResultColumn>& columns,
                                         const std::vector<std::string>& names) {
    std::vector<size_t> out;
    for (const auto& name : names) {
        const auto found = std::find_if(columns.begin(), columns.end(),
                                        [&](const auto& column) { return column.name == name; });
        if (found == columns.end()) {
            std::string there;
            for (const auto& column : columns) there += (there.empty() ? "" : ", ") + column.name;
            return Error(Code::invalid_argument, "one_per names the column " + name +
                                                     ", which the SELECT does not give; it gives " +
                                                     there);
        }
        out.push_back(static_cast<size_t>(found - columns.begin()));
    }
    return out;
}

std::string key_json(const std::vector<query::ResultColumn>& columns, const query::Chunk& chunk,
                     const std::vector<size_t>& key, size_t row) {
    std::string out = "{";
    for (const size_t i : key) {
        if (out.size() > 1) out.push_back(',');
        codec::append_json_string(out, columns[i].name);
        out.push_back(':');
        append_json_value(out, columns[i].type, chunk.columns[i].value(row));
    }
    out.push_back('}');
    if (out.size() <= kKeyBytesMax) return out;
    codec::JsonWriter shorter;
    shorter.begin_object().member("_cut", cut(out, kTextBytesMax));
    shorter.member("_sha256", codec::hex_encode(codec::sha256(out))).end_object();
    return shorter.take();
}

std::string row_json(const std::vector<query::ResultColumn>& columns, const query::Chunk& chunk,
                     size_t row) {
    std::string out = "{";
    size_t left_out = 0;
    for (size_t i = 0; i < columns.size(); ++i) {
        std::string text;
        auto value = chunk.columns[i].value(row);
        if (auto* string = std::get_if<std::string>(&value.of);
            string && string->size() > kTextBytesMax)
            string->resize(cut(*string, kTextBytesMax).size());
        append_json_value(text, columns[i].type, value);
        if (out.size() + text.size() + columns[i].name.size() > kRowBytesMax) {
            ++left_out;
            continue;
        }
        if (out.size() > 1) out.push_back(',');
        codec::append_json_string(out, columns[i].name);
        out += ":" + text;
    }
    if (left_out > 0)
        out += std::string(out.size() > 1 ? "," : "") + "\"_left_out\":" + std::to_string(left_out);
    out.push_back('}');
    return out;
}

}  // namespace tarn::events

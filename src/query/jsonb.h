// Values of PostgreSQL's jsonb: what its operators and functions make of them, as PostgreSQL 15
// does (https://www.postgresql.org/docs/15/functions-json.html). Pure; a value is at most
// kJsonbDepthMax deep.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::query {

inline constexpr int kJsonbDepthMax = 1000;

struct Jsonb {
    enum class Kind : uint8_t { null, text, number, boolean, array, object };  // as they sort
    Kind kind = Kind::null;
    bool truth = false;
    /// A text's bytes; a number with all its digits and no exponent.
    std::string text;
    std::vector<Jsonb> elements;
    /// Sorted by length and bytes of the names, each name once.
    struct Field;
    std::vector<Field> fields;

    bool scalar() const { return kind != Kind::array && kind != Kind::object; }
    const Jsonb* field(std::string_view name) const;
};

struct Jsonb::Field {
    std::string first;
    Jsonb second;
};

/// Sorts the fields; of those with one name the last stays.
void settle_fields(std::vector<Jsonb::Field>& fields);

/// 22P02: no JSON; 22P05: \u0000; 54001: too deep; 54000: numbers whose digits are far more than
/// the text.
Result<Jsonb> parse_jsonb(std::string_view text);
/// As jsonb is shown: ", " and ": ", names in their order.
std::string format_jsonb(const Jsonb& value);
/// Over lines, four spaces deep. 54000: most of it would be spaces.
Result<std::string> format_jsonb_lines(const Jsonb& value);
/// Bytes that sort as jsonb does; the same for equal values (1 and 1.0), however they are written.
std::string jsonb_sort_key(const Jsonb& value);

/// 54000: too much to compare, which is elements by elements of arrays.
Result<bool> jsonb_contains(const Jsonb& whole, const Jsonb& part);
/// A name of an object, or a text in an array.
bool jsonb_exists(const Jsonb& value, std::string_view name);

using JsonbPath = std::vector<std::string>;
Jsonb jsonb_concat(Jsonb left, Jsonb right);
/// 22023: `from` is a scalar, or an object and `index` a number.
Result<Jsonb> jsonb_without(Jsonb from, const std::vector<std::string>& names);
Result<Jsonb> jsonb_without(Jsonb from, int64_t index);
/// 22P02: a step into an array is no number.
Result<Jsonb> jsonb_without_path(Jsonb from, const JsonbPath& path);
Result<Jsonb> jsonb_set(Jsonb target, const JsonbPath& path, Jsonb value, bool create);
/// 22023: the name is there.
Result<Jsonb> jsonb_insert(Jsonb target, const JsonbPath& path, Jsonb value, bool after);
Jsonb jsonb_without_nulls(Jsonb value);

/// What -> finds, as it stands in a text of JSON; nullopt: nothing. Of fields of one name the last.
std::optional<std::string_view> json_field(std::string_view json, std::string_view name);
/// From the end below 0.
std::optional<std::string_view> json_element(std::string_view json, int64_t index);
std::optional<std::string_view> json_at(std::string_view json, const JsonbPath& path);
/// As ->> gives it; nullopt: null.
std::optional<std::string> json_plain_text(std::string_view json);

}  // namespace tarn::query

#include "query/jsonb.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tarn::query {

namespace {

using Kind = Jsonb::Kind;
using Field = Jsonb::Field;

bool by_length(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void add_count(size_t count, std::string& key) {
    for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(count >> shift & 0xff);
}

/// The sign, how many digits stand before the point, the digits without zeros at their ends. Below
/// zero each byte is turned over.
void add_number(std::string_view number, std::string& key) {
    const bool negative = number.starts_with('-');
    if (negative) number.remove_prefix(1);
    const size_t point = std::min(number.find('.'), number.size());
    std::string digits(number.substr(0, point));
    if (point < number.size()) digits += number.substr(point + 1);
    const size_t first = digits.find_first_not_of('0');
    if (first == std::string::npos) {
        key += '\x80';
        return;
    }
    const size_t last = digits.find_last_not_of('0');
    std::string part;
    part += '\x81';
    add_count(0x80000000U + point - first, part);
    part += digits.substr(first, last + 1 - first);
    part += '\0';
    if (negative)
        for (char& byte : part) byte = static_cast<char>(~byte);
    key += part;
}

void add_key(const Jsonb& value, std::string& key) {
    key += static_cast<char>('0' + static_cast<int>(value.kind));
    switch (value.kind) {
        case Kind::null:
            return;
        case Kind::text:
            key += value.text;
            key += '\0';
            return;
        case Kind::number:
            return add_number(value.text, key);
        case Kind::boolean:
            key += value.truth ? '1' : '0';
            return;
        case Kind::array:
            add_count(value.elements.size(), key);
            for (const auto& element : value.elements) add_key(element, key);
            return;
        case Kind::object:
            add_count(value.fields.size(), key);
            for (const auto& [name, field] : value.fields) {
                key += name;
                key += '\0';
                add_key(field, key);
            }
            return;
    }
}

/// Of scalars; 1 and 1.0 are one number.
bool equal(const Jsonb& a, const Jsonb& b) {
    if (a.kind != b.kind) return false;
    if (a.kind == Kind::number && a.text != b.text) return jsonb_sort_key(a) == jsonb_sort_key(b);
    return a.text == b.text && a.truth == b.truth;
}

/// Each element of one array may have to be looked at for each of the other, and nothing stops a
/// call: so many steps, about a second, are the most.
class Containing {
 public:
    bool contains(const Jsonb& whole, const Jsonb& part) {
        if (!may_go_on() || whole.kind != part.kind) return false;
        if (whole.kind == Kind::object)
            return std::all_of(part.fields.begin(), part.fields.end(), [&](const Field& wanted) {
                const Jsonb* found = whole.field(wanted.first);
                return found && contains(*found, wanted.second);
            });
        if (whole.kind != Kind::array) return equal(whole, part);
        return std::all_of(part.elements.begin(), part.elements.end(), [&](const Jsonb& wanted) {
            return std::any_of(whole.elements.begin(), whole.elements.end(),
                               [&](const Jsonb& there) { return contains(there, wanted); });
        });
    }
    bool gave_up() const { return steps_ > kStepsMax; }

 private:
    static constexpr size_t kStepsMax = 20'000'000;
    bool may_go_on() { return ++steps_ <= kStepsMax; }

    size_t steps_ = 0;
};

std::optional<int64_t> index_of(std::string_view step) {
    while (!step.empty() && step[0] == ' ') step.remove_prefix(1);
    if (step.size() > 1 && step[0] == '+' && is_digit(step[1])) step.remove_prefix(1);
    int32_t index = 0;
    const auto [end, problem] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (step.empty() || problem != std::errc() || end != step.data() + step.size())
        return std::nullopt;
    return index;
}

enum class Change : uint8_t { remove, set, create, insert_before, insert_after };

/// What a change of what stands at a path does, step by step.
class PathChange {
 public:
    PathChange(const JsonbPath& path, Change change, const Jsonb& value)
        : path_(path), change_(change), value_(value) {}

    Status apply(Jsonb& target, size_t level) const {
        if (level == path_.size()) return {};
        if (target.kind == Kind::object) return apply_to_object(target, level);
        if (target.kind == Kind::array) return apply_to_array(target, level);
        return {};
    }

 private:
    bool inserts() const {
        return change_ == Change::insert_before || change_ == Change::insert_after;
    }
    bool last(size_t level) const { return level + 1 == path_.size(); }

    Status apply_to_object(Jsonb& target, size_t level) const {
        const std::string& name = path_[level];
        const auto found = std::find_if(target.fields.begin(), target.fields.end(),
                                        [&](const Field& field) { return field.first == name; });
        if (found == target.fields.end()) {
            if (last(level) && (inserts() || change_ == Change::create)) {
                target.fields.push_back({name, value_});
                settle_fields(target.fields);
            }
            return {};
        }
        if (!last(level)) return apply(found->second, level + 1);
        if (inserts())
            return Error{Code::invalid_argument,
                         "cannot replace existing key: try using the function jsonb_set to replace "
                         "key value",
                         "22023"};
        if (change_ == Change::remove)
            target.fields.erase(found);
        else
            found->second = value_;
        return {};
    }

    Status apply_to_array(Jsonb& target, size_t level) const {
        const auto given = index_of(path_[level]);
        if (!given)
            return Error{Code::invalid_argument,
                         "path element at position " + std::to_string(level + 1) +
                             " is not an integer: \"" + path_[level].substr(0, 100) + "\"",
                         "22P02"};
        auto& elements = target.elements;
        const auto count = static_cast<int64_t>(elements.size());
        const int64_t index = *given < 0 ? *given + count : *given;
        const bool there = index >= 0 && index < count;
        if (there && !last(level)) return apply(elements[static_cast<size_t>(index)], level + 1);
        if (!last(level)) return {};
        const auto place = elements.begin() + std::clamp<int64_t>(index, 0, count);
        if (!there) {
            if (inserts() || change_ == Change::create) elements.insert(place, value_);
            return {};
        }
        if (change_ == Change::remove)
            elements.erase(place);
        else if (inserts())
            elements.insert(place + (change_ == Change::insert_after ? 1 : 0), value_);
        else
            *place = value_;
        return {};
    }

    const JsonbPath& path_;
    const Change change_;
    const Jsonb& value_;
};

Result<Jsonb> changed(Jsonb target, const JsonbPath& path, Change change, const Jsonb& value) {
    if (target.scalar())
        return Error{
            Code::invalid_argument,
            change == Change::remove ? "cannot delete path in scalar" : "cannot set path in scalar",
            "22023"};
    TARN_CHECK_OK(PathChange(path, change, value).apply(target, 0));
    return target;
}

Error no_deleting(const char* from) {
    return {Code::invalid_argument, std::string("cannot delete from ") + from, "22023"};
}

}  // namespace

void settle_fields(std::vector<Jsonb::Field>& fields) {
    std::stable_sort(fields.begin(), fields.end(),
                     [](const Field& a, const Field& b) { return by_length(a.first, b.first); });
    size_t kept = 0;
    for (size_t i = 0; i < fields.size(); ++i) {
        if (i + 1 < fields.size() && fields[i].first == fields[i + 1].first) continue;
        if (kept != i) fields[kept] = std::move(fields[i]);
        ++kept;
    }
    fields.resize(kept);
}

const Jsonb* Jsonb::field(std::string_view name) const {
    const auto found = std::lower_bound(
        fields.begin(), fields.end(), name,
        [](const Field& field, std::string_view wanted) { return by_length(field.first, wanted); });
    return found != fields.end() && found->first == name ? &found->second : nullptr;
}

/// Within an array or object an array is above all scalars. Alone a scalar counts as an array of
/// one element that stands before others of one element.
std::string jsonb_sort_key(const Jsonb& value) {
    std::string key;
    if (value.kind == Kind::object) {
        add_key(value, key);
    } else {
        key += '4';
        add_count(value.scalar() ? 1 : value.elements.size(), key);
        key += value.scalar() ? '0' : '1';
        if (value.scalar()) add_key(value, key);
        for (const auto& element : value.elements) add_key(element, key);
    }
    return key;
}

Result<bool> jsonb_contains(const Jsonb& whole, const Jsonb& part) {
    // The one exception to "of the same kind": an array contains a scalar alone.
    if (whole.kind == Kind::array && part.scalar())
        return std::any_of(whole.elements.begin(), whole.elements.end(),
                           [&](const Jsonb& element) { return equal(element, part); });
    Containing containing;
    const bool found = containing.contains(whole, part);
    if (containing.gave_up())
        return Error{Code::out_of_range, "too many elements to compare", "54000"};
    return found;
}

bool jsonb_exists(const Jsonb& value, std::string_view name) {
    const auto is = [&](const Jsonb& one) { return one.kind == Kind::text && one.text == name; };
    if (value.kind == Kind::object) return value.field(name) != nullptr;
    return is(value) || std::any_of(value.elements.begin(), value.elements.end(), is);
}

Jsonb jsonb_concat(Jsonb left, Jsonb right) {
    if (left.kind == Kind::object && right.kind == Kind::object) {
        for (auto& field : right.fields) left.fields.push_back(std::move(field));
        settle_fields(left.fields);
        return left;
    }
    Jsonb joined;
    joined.kind = Kind::array;
    for (Jsonb* part : {&left, &right}) {
        if (part->kind != Kind::array) {
            joined.elements.push_back(std::move(*part));
            continue;
        }
        for (auto& element : part->elements) joined.elements.push_back(std::move(element));
    }
    return joined;
}

Result<Jsonb> jsonb_without(Jsonb from, const std::vector<std::string>& names) {
    if (from.scalar()) return no_deleting("scalar");
    const auto named = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    std::erase_if(from.fields, [&](const Field& field) { return named(field.first); });
    std::erase_if(from.elements, [&](const Jsonb& element) {
        return element.kind == Kind::text && named(element.text);
    });
    return from;
}

Result<Jsonb> jsonb_without(Jsonb from, int64_t index) {
    if (from.scalar()) return no_deleting("scalar");
    if (from.kind == Kind::object) return no_deleting("object using integer index");
    const auto count = static_cast<int64_t>(from.elements.size());
    if (index < 0) index += count;
    if (index >= 0 && index < count) from.elements.erase(from.elements.begin() + index);
    return from;
}

Result<Jsonb> jsonb_without_path(Jsonb from, const JsonbPath& path) {
    return changed(std::move(from), path, Change::remove, {});
}

Result<Jsonb> jsonb_set(Jsonb target, const JsonbPath& path, Jsonb value, bool create) {
    return changed(std::move(target), path, create ? Change::create : Change::set, value);
}

Result<Jsonb> jsonb_insert(Jsonb target, const JsonbPath& path, Jsonb value, bool after) {
    return changed(std::move(target), path, after ? Change::insert_after : Change::insert_before,
                   value);
}

Jsonb jsonb_without_nulls(Jsonb value) {
    std::erase_if(value.fields, [](const Field& field) { return field.second.kind == Kind::null; });
    for (auto& [name, field] : value.fields) field = jsonb_without_nulls(std::move(field));
    for (auto& element : value.elements) element = jsonb_without_nulls(std::move(element));
    return value;
}

}  // namespace tarn::query

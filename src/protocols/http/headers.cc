#include "protocols/http/headers.h"

#include "base/ascii.h"

namespace tarn::http {
namespace {

constexpr size_t kWireBytes = 512;  // what an answer's own fields mostly need

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

Headers::Field Headers::operator[](size_t at) const {
    const Place& place = places_[at];
    const std::string_view bytes = bytes_;
    return {bytes.substr(place.name_at, place.name_size),
            bytes.substr(place.value_at, place.value_size)};
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    for (size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].name_size != name.size()) continue;
        const Field field = (*this)[i];
        if (equal_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
}

size_t Headers::count(std::string_view name) const {
    size_t found = 0;
    for (size_t i = 0; i < places_.size(); ++i)
        if (places_[i].name_size == name.size() && equal_ignoring_case((*this)[i].name, name))
            ++found;
    return found;
}

std::string Headers::joined(std::string_view name) const {
    std::string values;
    bool first = true;
    for (size_t i = 0; i < places_.size(); ++i) {
        const Field field = (*this)[i];
        if (!equal_ignoring_case(field.name, name)) continue;
        if (!first) values += ", ";
        first = false;
        values += field.value;
    }
    return values;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    for (size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].name_size != name.size() || !equal_ignoring_case((*this)[i].name, name))
            continue;
        for (std::string_view rest = (*this)[i].value; !rest.empty();) {
            const size_t comma = rest.find(',');
            if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
            rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        }
    }
    return false;
}

void Headers::add(std::string_view name, std::string_view value) {
    const auto at = static_cast<uint32_t>(bytes_.size());
    bytes_ += name;
    bytes_ += value;
    places_.push_back({at, static_cast<uint32_t>(name.size()),
                       at + static_cast<uint32_t>(name.size()),
                       static_cast<uint32_t>(value.size())});
}

ResponseHeaders::ResponseHeaders(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    for (const auto& [name, value] : fields) add(name, value);
}

ResponseHeaders& ResponseHeaders::add(std::string_view name, std::string_view value) {
    if (wire_.empty()) wire_.reserve(kWireBytes);
    wire_ += name;
    wire_ += ": ";
    const size_t at = wire_.size();
    wire_ += value;
    for (size_t i = at; i < wire_.size(); ++i)
        if (wire_[i] == '\r' || wire_[i] == '\n' || wire_[i] == '\0') wire_[i] = ' ';
    wire_ += "\r\n";
    return *this;
}

}  // namespace tarn::http

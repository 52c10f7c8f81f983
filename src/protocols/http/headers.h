// Field lines of HTTP/1.1 messages (RFC 9110 section 5): those received, as views into the bytes
// that came, and those to send.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::http {

bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Field lines as received, in order, names as written. Names compare without case. Values have no
/// white space around them.
class Headers {
 public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    size_t size() const { return places_.size(); }
    Field operator[](size_t at) const;
    /// The first of that name.
    std::optional<std::string_view> find(std::string_view name) const;
    /// Empty when absent.
    std::string_view get(std::string_view name) const {
        return find(name).value_or(std::string_view());
    }
    bool has(std::string_view name) const { return find(name).has_value(); }
    size_t count(std::string_view name) const;
    /// All of that name, in order, joined by ", " (RFC 9110 5.3).
    std::string joined(std::string_view name) const;
    /// True when a comma separated list of that name holds the token, without case (Connection,
    /// Transfer-Encoding).
    bool has_token(std::string_view name, std::string_view token) const;

    void add(std::string_view name, std::string_view value);

 private:
    friend class HeadParser;
    struct Place {
        uint32_t name_at, name_size, value_at, value_size;
    };

    std::string bytes_;
    std::vector<Place> places_;
};

/// Field lines to send, kept in wire form. Connection, Content-Length, Transfer-Encoding and Date
/// belong to the Responder: adding them is a bug. A value's CR, LF and NUL become spaces, so that
/// no value can start a line of its own.
class ResponseHeaders {
 public:
    ResponseHeaders() = default;
    ResponseHeaders(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

    ResponseHeaders& add(std::string_view name, std::string_view value);
    const std::string& wire() const { return wire_; }

 private:
    std::string wire_;
};

}  // namespace tarn::http

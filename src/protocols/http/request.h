// A request as a handler sees it: the head complete, the body pulled piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocols/http/headers.h"

namespace tarn::http {

/// The head, decoded no further than framing needs. A value.
struct RequestHead {
    std::string method;  // as sent: methods are case sensitive
    std::string
        target;  // byte for byte (signatures are over it): origin, absolute, authority or "*" form
    Headers headers;
    int minor_version = 1;                   // HTTP/1.<minor>
    std::optional<uint64_t> content_length;  // absent: chunked, or no body
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
    /// Still encoded, without query: "/a%20b"; "*" for the asterisk form, "" for the authority
    /// form.
    std::string_view path() const;
    /// Still encoded, behind the first '?', without it.
    std::string_view query() const;
    bool has_query() const;
    /// The absolute form's authority, else the Host field.
    std::string_view host() const;
};

/// One piece of a query, split at '&' and the first '='; '+' in the decoded forms stays '+' unless
/// form_decode is used.
struct QueryParameter {
    std::string_view raw_name;
    std::string_view raw_value;
    bool has_value = false;  // "acl" has none, "acl=" an empty one
    std::string name;        // percent-decoded
    std::string value;
};

/// "%41" -> "A"; with plus_is_space as in forms. invalid_argument for a '%' without two hexadecimal
/// digits.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// In order, empty pieces dropped.
Result<std::vector<QueryParameter>> parse_query(std::string_view raw_query,
                                                bool plus_is_space = false);

/// Where a body comes from: the connection, or a test's text. Lane: the handler's.
class BodySource {
 public:
    virtual ~BodySource() = default;
    /// At least one byte and at most `max`; empty at the end. Blocks.
    virtual Result<std::string> read(size_t max) = 0;
    /// Complete once read has returned the end; empty without a trailer section.
    virtual const Headers& trailers() const = 0;
};

struct Peer {
    std::string address;
    uint16_t port = 0;
    uint16_t local_port = 0;
    bool secure = false;  // arrived by TLS
};

/// Owned by the server for the time of the handler's call. Lane: the handler's.
class Request {
 public:
    Request(RequestHead head, Peer peer, BodySource* body)
        : head_(std::move(head)), peer_(std::move(peer)), body_(body) {}
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    const RequestHead& head() const { return head_; }
    const std::string& method() const { return head_.method; }
    const std::string& target() const { return head_.target; }
    std::string_view path() const { return head_.path(); }
    std::string_view query() const { return head_.query(); }
    const Headers& headers() const { return head_.headers; }
    std::string_view header(std::string_view name) const { return head_.headers.get(name); }
    std::string_view host() const { return head_.host(); }
    const Peer& peer() const { return peer_; }
    std::optional<uint64_t> content_length() const { return head_.content_length; }

    /// Parsed at the first call; pieces that do not decode keep their raw text.
    const std::vector<QueryParameter>& query_parameters();
    /// Decoded value of the first parameter of that (decoded) name; empty when it has no value.
    std::optional<std::string> query_value(std::string_view name);
    bool has_query_parameter(std::string_view name);

    /// Pulls up to `max` body bytes; empty = the end. The first call answers Expect: 100-continue.
    /// Blocks. Errors: cancelled (the peer has gone), timed_out (it sent nothing for too long),
    /// invalid_argument (broken chunk).
    Result<std::string> read(size_t max) { return body_->read(max); }
    /// The whole body; exhausted when it is larger than `max`.
    Result<std::string> read_all(size_t max);
    const Headers& trailers() const { return body_->trailers(); }

 private:
    RequestHead head_;
    Peer peer_;
    BodySource* body_;
    std::optional<std::vector<QueryParameter>> query_parameters_;
};

}  // namespace tarn::http

#include "protocols/http/internal/head_parser.h"

#include <algorithm>
#include <charconv>

#include "protocols/http/internal/field_line.h"

namespace tarn::http {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kHeadBytesMax = kRequestLineBytesMax + kFieldBytesMax + kHeadEnd.size();
constexpr size_t kEmptyLinesMax = 4;  // before a request line; RFC 9112 2.2 asks for at least one

bool has_bare_line_feed(std::string_view bytes, size_t from) {
    for (size_t at = bytes.find('\n', from); at != std::string_view::npos;
         at = bytes.find('\n', at + 1))
        if (at == 0 || bytes[at - 1] != '\r') return true;
    return false;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
}

bool starts_with_scheme(std::string_view target) {
    return (target.size() > 7 && equal_ignoring_case(target.substr(0, 7), "http://")) ||
           (target.size() > 8 && equal_ignoring_case(target.substr(0, 8), "https://"));
}

}  // namespace

bool HeadParser::fail(int status, std::string_view message) {
    failure_ = {status, message};
    return false;
}

HeadParser::Step HeadParser::feed(std::string_view& input) {
    if (!skip_empty_lines(input)) return Step::failed;
    if (input.empty()) return Step::need_more;
    if (partial_.empty()) {
        const size_t end = input.substr(0, kHeadBytesMax).find(kHeadEnd);
        if (end != std::string_view::npos) {
            std::string head(input.substr(0, end + 2));
            input.remove_prefix(end + kHeadEnd.size());
            return parse(std::move(head));
        }
    }
    return grow(input);
}

bool HeadParser::skip_empty_lines(std::string_view& input) {
    if (partial_ == "\r" && input.substr(0, 1) == "\n") {
        partial_.clear();
        input.remove_prefix(1);
        ++empty_lines_;
    }
    while (partial_.empty() && input.substr(0, 2) == "\r\n") {
        input.remove_prefix(2);
        ++empty_lines_;
    }
    return empty_lines_ <= kEmptyLinesMax || fail(400, "too many empty lines before a request");
}

HeadParser::Step HeadParser::grow(std::string_view& input) {
    const size_t before = partial_.size();
    const size_t taken = std::min(input.size(), kHeadBytesMax - before);
    partial_ += input.substr(0, taken);
    const size_t end = partial_.find(kHeadEnd, before < 3 ? 0 : before - 3);
    const size_t looked_at = std::min(end, partial_.size());
    if (has_bare_line_feed(std::string_view(partial_).substr(0, looked_at), before)) {
        fail(400, "a line ends by LF without CR");
        return Step::failed;
    }
    if (end != std::string::npos) {
        input.remove_prefix(end + kHeadEnd.size() - before);
        partial_.resize(end + 2);
        return parse(std::move(partial_));
    }
    input.remove_prefix(taken);
    if (partial_.find("\r\n") == std::string::npos && partial_.size() > kRequestLineBytesMax + 1) {
        fail(414, "the request line is too long");
        return Step::failed;
    }
    if (partial_.size() >= kHeadBytesMax) {
        fail(431, "the header fields are too large");
        return Step::failed;
    }
    return Step::need_more;
}

RequestHead HeadParser::take() {
    partial_.clear();
    empty_lines_ = 0;
    return std::exchange(head_, RequestHead());
}

// `head` holds whole lines, each with its CRLF.
HeadParser::Step HeadParser::parse(std::string head) {
    partial_.clear();
    head_ = RequestHead();
    const size_t line_size = head.find("\r\n");
    if (line_size > kRequestLineBytesMax) {
        fail(414, "the request line is too long");
        return Step::failed;
    }
    if (head.size() - line_size > kFieldBytesMax + 2) {
        fail(431, "the header fields are too large");
        return Step::failed;
    }
    if (!parse_request_line(std::string_view(head).substr(0, line_size))) return Step::failed;
    head_.headers.bytes_ = std::move(head);
    head_.headers.places_.reserve(16);
    if (!parse_fields(head_.headers.bytes_, line_size + 2) || !check_host() || !decide_framing() ||
        !decide_connection())
        return Step::failed;
    return Step::complete;
}

bool HeadParser::parse_request_line(std::string_view line) {
    const size_t method_size = line.find(' ');
    const size_t target_end = line.rfind(' ');
    if (method_size == std::string_view::npos || method_size == target_end)
        return fail(400, "the request line is not: method, target, version");
    const auto method = line.substr(0, method_size);
    const auto target = line.substr(method_size + 1, target_end - method_size - 1);
    const auto version = line.substr(target_end + 1);
    if (target.empty()) return fail(400, "the target is empty");
    if (!is_token(method) || method.size() > 32) return fail(400, "the method is malformed");
    if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.' ||
        version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9')
        return fail(400, "the version is malformed");
    if (version[5] != '1') return fail(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    for (const char c : target)
        if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7f)
            return fail(400, "the target holds white space or a control character");
    head_.method = method;
    head_.target = target;
    head_.minor_version = version[7] - '0';
    return parse_target();
}

bool HeadParser::parse_target() {
    const std::string& target = head_.target;
    if (head_.method == "CONNECT") return fail(501, "CONNECT is not implemented");
    if (target.front() == '/') return true;
    if (target == "*")
        return head_.method == "OPTIONS" || fail(400, "the target * is for OPTIONS only");
    if (!starts_with_scheme(target))
        return fail(400, "the target is neither a path nor an http URL");
    const auto authority = head_.host();
    if (authority.empty() || !std::all_of(authority.begin(), authority.end(), is_host_character))
        return fail(400, "the target's authority is malformed");
    return true;
}

bool HeadParser::parse_fields(std::string_view lines, size_t at) {
    Headers& headers = head_.headers;
    while (at < lines.size()) {
        const size_t end = lines.find("\r\n", at);
        const auto line = lines.substr(at, end - at);
        if (line.front() == ' ' || line.front() == '\t')
            return fail(400, "a folded header field (obsolete line folding)");
        const auto field = parse_field_line(line);
        if (!field) return fail(400, "a header field is malformed");
        if (headers.places_.size() == kFieldsMax) return fail(431, "too many header fields");
        headers.places_.push_back({static_cast<uint32_t>(at),
                                   static_cast<uint32_t>(field->name.size()),
                                   static_cast<uint32_t>(field->value.data() - lines.data()),
                                   static_cast<uint32_t>(field->value.size())});
        at = end + 2;
    }
    return true;
}

bool HeadParser::check_host() {
    const size_t hosts = head_.headers.count("host");
    if (hosts > 1) return fail(400, "several Host fields");
    if (hosts == 0) return head_.minor_version == 0 || fail(400, "the Host field is missing");
    const auto host = head_.headers.get("host");
    return std::all_of(host.begin(), host.end(), is_host_character) ||
           fail(400, "the Host field is malformed");
}

bool HeadParser::decide_framing() {
    const Headers& headers = head_.headers;
    const size_t lengths = headers.count("content-length");
    const size_t codings = headers.count("transfer-encoding");
    if (lengths > 0 && codings > 0) return fail(400, "both Content-Length and Transfer-Encoding");
    if (lengths > 1) return fail(400, "several Content-Length fields");
    if (lengths == 1) {
        const auto text = headers.get("content-length");
        uint64_t length = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
        if (error != std::errc() || end != text.data() + text.size() || length > INT64_MAX)
            return fail(400, "Content-Length is not a number");
        head_.content_length = length;
    }
    if (codings == 0) return true;
    if (head_.minor_version == 0) return fail(400, "Transfer-Encoding in HTTP/1.0");
    const auto coding = headers.get("transfer-encoding");
    if (codings == 1 && equal_ignoring_case(coding, "chunked")) return head_.chunked = true;
    if (headers.has_token("transfer-encoding", "chunked") || coding.empty())
        return fail(400, "Transfer-Encoding is not exactly: chunked");
    return fail(501, "only the transfer coding chunked is implemented");
}

bool HeadParser::decide_connection() {
    const Headers& headers = head_.headers;
    head_.keep_alive = head_.minor_version > 0 ? !headers.has_token("connection", "close")
                                               : headers.has_token("connection", "keep-alive");
    const auto expectation = headers.find("expect");
    // An empty list asks for nothing.
    if (!expectation || expectation->empty() || head_.minor_version == 0) return true;
    if (!equal_ignoring_case(*expectation, "100-continue"))
        return fail(417, "only the expectation 100-continue is known");
    head_.expects_continue = true;
    return true;
}

}  // namespace tarn::http

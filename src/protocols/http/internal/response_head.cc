#include "protocols/http/internal/response_head.h"

#include <charconv>

namespace tarn::http {
namespace {

template <typename Int>
void append_number(std::string& out, Int value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

/// Formatted once a second per thread.
const std::string& date_line(Timestamp now) {
    thread_local int64_t second = INT64_MIN;
    thread_local std::string line;
    if (now.seconds() != second) {
        second = now.seconds();
        line = "Date: " + format_http_date(now) + "\r\n";
    }
    return line;
}

}  // namespace

std::string format_response_head(int status, const ResponseHeaders& headers,
                                 const ResponseFraming& framing, Timestamp now,
                                 size_t room_behind) {
    std::string head;
    head.reserve(192 + headers.wire().size() + room_behind);
    head += "HTTP/1.1 ";
    append_number(head, status);
    head += ' ';
    head += reason_phrase(status);
    head += "\r\n";
    head += date_line(now);
    head += headers.wire();
    if (framing.content_length) {
        head += "Content-Length: ";
        append_number(head, *framing.content_length);
        head += "\r\n";
    } else if (framing.chunked) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    if (framing.connection == ConnectionField::close) head += "Connection: close\r\n";
    if (framing.connection == ConnectionField::keep_alive) head += "Connection: keep-alive\r\n";
    head += "\r\n";
    return head;
}

bool status_has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 203:
            return "Non-Authoritative Information";
        case 204:
            return "No Content";
        case 205:
            return "Reset Content";
        case 206:
            return "Partial Content";
        case 300:
            return "Multiple Choices";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "";
    }
}

}  // namespace tarn::http

#include "protocols/http/internal/body_parser.h"

#include <algorithm>
#include <charconv>

#include "protocols/http/internal/field_line.h"
#include "protocols/http/request.h"

namespace tarn::http {
namespace {

constexpr size_t kChunkHeadBytesMax = 1024;
constexpr size_t kTrailerBytesMax = 16 * 1024;
constexpr size_t kTrailersMax = 64;

}  // namespace

BodyParser::BodyParser(const RequestHead& head)
    : state_(head.chunked                          ? State::chunk_head
             : head.content_length.value_or(0) > 0 ? State::counted
                                                   : State::done),
      left_(head.content_length.value_or(0)) {}

void BodyParser::fail(std::string_view message) {
    failure_ = message;
    state_ = State::failed;
}

BodyParser::Step BodyParser::next(std::string_view& input, std::string_view& data) {
    for (;;) {
        switch (state_) {
            case State::counted:
            case State::chunk_data: {
                if (input.empty()) return Step::need_more;
                const auto size = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
                data = input.substr(0, size);
                input.remove_prefix(size);
                left_ -= size;
                if (left_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_end;
                return Step::data;
            }
            case State::chunk_head:
                if (!take_line(input, kChunkHeadBytesMax)) break;
                if (!parse_chunk_head()) fail("a chunk's size is malformed");
                continue;
            case State::chunk_end:
                if (!take_line(input, 0)) break;
                state_ = State::chunk_head;
                continue;
            case State::trailer:
                if (!take_line(input, kTrailerBytesMax - trailer_bytes_)) break;
                if (!parse_trailer()) fail("a trailer field is malformed");
                continue;
            case State::done:
                return Step::complete;
            case State::failed:
                return Step::failed;
        }
        if (state_ != State::failed) return Step::need_more;
    }
}

/// True when line_ holds a whole line without its CRLF. A line is used up by the next call.
bool BodyParser::take_line(std::string_view& input, size_t size_max) {
    const size_t feed = input.find('\n');
    const auto part = input.substr(0, feed);
    if (line_.size() + part.size() > size_max + 1) {  // + 1: the CR
        fail(size_max == 0 ? "a chunk is longer than its size"
                           : "a line of the chunked coding is too long");
        return false;
    }
    line_ += part;
    if (feed == std::string_view::npos) {
        input = {};
        return false;
    }
    input.remove_prefix(feed + 1);
    if (line_.empty() || line_.back() != '\r') {
        fail("a line of the chunked coding ends by LF without CR");
        return false;
    }
    line_.pop_back();
    if (size_max == 0 && !line_.empty()) {
        fail("a chunk is longer than its size");
        return false;
    }
    return true;
}

bool BodyParser::parse_chunk_head() {
    const char* begin = line_.data();
    const char* end = begin + line_.size();
    uint64_t size = 0;
    const auto [after, error] = std::from_chars(begin, end, size, 16);
    if (error != std::errc() || after == begin || after - begin > 16 || size > INT64_MAX)
        return false;
    std::string_view extension(after, static_cast<size_t>(end - after));
    const size_t semicolon = extension.find_first_not_of(" \t");
    if (!extension.empty() && (semicolon == std::string_view::npos || extension[semicolon] != ';'))
        return false;
    for (const char c : extension)
        if ((static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
    line_.clear();
    left_ = size;
    state_ = size == 0 ? State::trailer : State::chunk_data;
    return true;
}

bool BodyParser::parse_trailer() {
    const std::string line = std::exchange(line_, {});
    if (line.empty()) {
        state_ = State::done;
        return true;
    }
    const auto field = parse_field_line(line);
    if (!field || trailers_.size() == kTrailersMax) return false;
    trailer_bytes_ += line.size() + 2;
    if (trailer_bytes_ >= kTrailerBytesMax) return false;
    trailers_.add(field->name, field->value);
    return true;
}

}  // namespace tarn::http

// Bytes to body data: a length counted down, or the chunked coding with its trailers (RFC 9112
// sections 6 and 7.1). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/http/headers.h"

namespace tarn::http {

struct RequestHead;

class BodyParser {
 public:
    enum class Step { need_more, data, complete, failed };

    /// For the body behind that head; complete at once when it has none.
    explicit BodyParser(const RequestHead& head);

    /// Takes bytes from the front of `input`; with `data`, `data` is a piece of the body inside
    /// `input`. Call until it is not `data`. Takes none behind the body's end.
    Step next(std::string_view& input, std::string_view& data);
    bool complete() const { return state_ == State::done; }
    Headers& trailers() { return trailers_; }
    std::string_view failure() const { return failure_; }  // a literal

 private:
    enum class State { counted, chunk_head, chunk_data, chunk_end, trailer, done, failed };

    bool take_line(std::string_view& input, size_t size_max);
    bool parse_chunk_head();
    bool parse_trailer();
    void fail(std::string_view message);

    State state_;
    uint64_t left_ = 0;
    std::string line_;  // a line that is not complete yet; complete, without CRLF, after take_line
    size_t trailer_bytes_ = 0;
    Headers trailers_;
    std::string_view failure_;
};

}  // namespace tarn::http

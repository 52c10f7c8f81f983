// Bytes to RequestHead: a pure state machine (RFC 9112 sections 2 to 6). What two readers could
// understand differently is refused.
#pragma once

#include <string>
#include <string_view>

#include "protocols/http/request.h"

namespace tarn::http {

inline constexpr size_t kRequestLineBytesMax = 16 * 1024;
inline constexpr size_t kFieldBytesMax = 64 * 1024;
inline constexpr size_t kFieldsMax = 200;

struct ParseFailure {
    int status = 400;
    std::string_view message;  // a literal
};

class HeadParser {
 public:
    enum class Step { need_more, complete, failed };

    /// Takes bytes from the front of `input`, none behind the head's end. After `failed` the
    /// connection is of no more use.
    Step feed(std::string_view& input);
    /// After `complete`: the head; the parser starts anew.
    RequestHead take();
    /// True between a head's first byte and its end.
    bool started() const { return !partial_.empty(); }
    const ParseFailure& failure() const { return failure_; }

 private:
    bool skip_empty_lines(std::string_view& input);
    Step grow(std::string_view& input);
    Step parse(std::string head);
    bool parse_request_line(std::string_view line);
    bool parse_target();
    bool parse_fields(std::string_view lines, size_t at);
    bool check_host();
    bool decide_framing();
    bool decide_connection();
    bool fail(int status, std::string_view message);

    std::string partial_;
    size_t empty_lines_ = 0;
    RequestHead head_;
    ParseFailure failure_;
};

}  // namespace tarn::http

// What a frontend sends: bytes <-> structs, pure. "Message Formats" of the protocol's chapter.
// Views point into the bytes given. Every error is invalid_argument with reason 08P01.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tarn::postgres {

inline constexpr size_t kStartupBytesMax = 10 * 1024;
inline constexpr size_t kSignInBytesMax = 8 * 1024;
inline constexpr size_t kSmallBytesMax = 16 * 1024;

struct Message {
    char type = 0;  // 0: the startup packet
    std::string body;
};

/// Cuts a stream into messages: a length is checked against the type's bound before a byte of the
/// body is kept, and memory grows with what has arrived, not with what was announced.
class MessageReader {
 public:
    enum class Step { need_more, message, failed };

    explicit MessageReader(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

    /// The next packet has no type byte (SSLRequest, startup). The state at the beginning.
    void expect_startup() { phase_ = Phase::startup; }
    /// Only what signing in needs is taken.
    void expect_sign_in() { phase_ = Phase::sign_in; }
    void expect_any() { phase_ = Phase::any; }

    /// Takes bytes from the front of `input`. After `failed` the stream is of no more use.
    Step next(std::string_view& input);
    /// After `message`.
    Message take();
    /// After `failed`.
    const std::string& failure() const { return failure_; }
    /// Inside a message.
    bool started() const { return !head_.empty(); }

 private:
    enum class Phase { startup, sign_in, any };

    bool check_head();
    Step fail(std::string why);

    const size_t message_bytes_max_;
    Phase phase_ = Phase::startup;
    std::string head_;  // the type and the length, as far as they came
    std::string body_;
    size_t body_bytes_ = 0;
    bool head_checked_ = false;
    std::string failure_;
};

struct StartupPacket {
    enum class Kind { startup, ssl_request, gss_request, cancel_request };
    Kind kind = Kind::startup;
    uint16_t major = 3;
    uint16_t minor = 0;
    std::vector<std::pair<std::string, std::string>> parameters;
    int32_t process_id = 0;  // cancel_request
    std::string key;         // cancel_request: 4 bytes

    /// Empty when absent.
    std::string_view parameter(std::string_view name) const;
};
Result<StartupPacket> parse_startup(std::string_view body);
/// "-c name=value --other=value" of the parameter `options`; backslash escapes a blank.
Result<std::vector<std::pair<std::string, std::string>>> parse_startup_options(
    std::string_view text);

struct SaslInitial {
    std::string_view mechanism;
    std::string_view response;
};
Result<SaslInitial> parse_sasl_initial(std::string_view body);

/// Query, CopyFail: one string.
Result<std::string_view> parse_text(std::string_view body);

struct ParseMessage {
    std::string_view name;
    std::string_view sql;
    std::vector<uint32_t> types;
};
Result<ParseMessage> parse_parse(std::string_view body);

struct BindMessage {
    std::string_view portal;
    std::string_view statement;
    std::vector<int16_t> parameter_formats;
    std::vector<std::optional<std::string_view>> parameters;
    std::vector<int16_t> result_formats;
};
Result<BindMessage> parse_bind(std::string_view body);

/// Describe and Close.
struct TargetMessage {
    char kind = 'S';  // 'S' a statement, 'P' a portal
    std::string_view name;
};
Result<TargetMessage> parse_target(std::string_view body);

struct ExecuteMessage {
    std::string_view portal;
    int32_t rows_max = 0;  // 0: all
};
Result<ExecuteMessage> parse_execute(std::string_view body);

/// RFC 3629: no surrogates, nothing overlong. Texts of a client are checked before the engine sees
/// them.
bool is_utf8(std::string_view text);

}  // namespace tarn::postgres

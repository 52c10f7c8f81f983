#include "protocols/postgres/internal/messages.h"

#include <algorithm>

#include "base/bytes.h"

namespace tarn::postgres {
namespace {

constexpr uint32_t kRequestMajor = 1234;
constexpr uint32_t kCancelMinor = 5678;
constexpr uint32_t kSslMinor = 5679;
constexpr uint32_t kGssMinor = 5680;

Error malformed(const char* what) {
    return Error(Code::invalid_argument, std::string("malformed message: ") + what, "08P01");
}

std::optional<std::string_view> take_text(ByteReader& reader) {
    const size_t end = reader.rest().find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = reader.take(end);
    (void)reader.take(1);
    return text;
}

/// A count and so many 16-bit numbers.
bool take_formats(ByteReader& reader, std::vector<int16_t>& formats) {
    const auto count = reader.take_be<int16_t>();
    if (!count || *count < 0 || reader.left() < static_cast<size_t>(*count) * 2) return false;
    for (int i = 0; i < *count; ++i) formats.push_back(*reader.take_be<int16_t>());
    return std::all_of(formats.begin(), formats.end(), [](int16_t f) { return f == 0 || f == 1; });
}

/// What PostgreSQL calls a small message ends at kSmallBytesMax; nullopt: there is no such type.
std::optional<size_t> bytes_max_of(char type, size_t large) {
    switch (type) {
        case 'Q':
        case 'P':
        case 'B':
        case 'F':
        case 'd':
            return large;
        case 'C':
        case 'D':
        case 'E':
        case 'H':
        case 'S':
        case 'X':
        case 'c':
        case 'f':
        case 'p':
            return kSmallBytesMax;
        default:
            return std::nullopt;
    }
}

}  // namespace

MessageReader::Step MessageReader::fail(std::string why) {
    failure_ = std::move(why);
    return Step::failed;
}

bool MessageReader::check_head() {
    const bool typed = phase_ != Phase::startup;
    const uint32_t length = load_be<uint32_t>(head_.data() + (typed ? 1 : 0));
    size_t bytes_max = kStartupBytesMax;
    if (typed) {
        const char type = head_[0];
        const auto bound = bytes_max_of(type, message_bytes_max_);
        if (!bound || (phase_ == Phase::sign_in && type != 'p' && type != 'X')) {
            failure_ =
                "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type));
            return false;
        }
        bytes_max = phase_ == Phase::sign_in ? kSignInBytesMax : *bound;
    }
    if (length < (typed ? 4u : 8u) || length > bytes_max) {
        failure_ = typed ? "invalid message length" : "invalid length of startup packet";
        return false;
    }
    body_bytes_ = length - 4;
    return head_checked_ = true;
}

MessageReader::Step MessageReader::next(std::string_view& input) {
    const size_t head_bytes = phase_ == Phase::startup ? 4 : 5;
    if (!head_checked_) {
        const size_t wanted = std::min(head_bytes - head_.size(), input.size());
        head_ += input.substr(0, wanted);
        input.remove_prefix(wanted);
        if (head_.size() < head_bytes) return Step::need_more;
        if (!check_head()) return fail(std::move(failure_));
    }
    const size_t wanted = std::min(body_bytes_ - body_.size(), input.size());
    body_ += input.substr(0, wanted);
    input.remove_prefix(wanted);
    return body_.size() == body_bytes_ ? Step::message : Step::need_more;
}

Message MessageReader::take() {
    Message message{phase_ == Phase::startup ? '\0' : head_[0], std::move(body_)};
    head_.clear();
    body_ = std::string();
    head_checked_ = false;
    return message;
}

std::string_view StartupPacket::parameter(std::string_view name) const {
    for (const auto& [key_name, value] : parameters)
        if (key_name == name) return value;
    return {};
}

Result<StartupPacket> parse_startup(std::string_view body) {
    ByteReader reader(body);
    const auto version = reader.take_be<uint32_t>();
    if (!version) return malformed("no protocol version");
    StartupPacket packet;
    packet.major = static_cast<uint16_t>(*version >> 16);
    packet.minor = static_cast<uint16_t>(*version & 0xffff);
    if (packet.major == kRequestMajor) {
        if (packet.minor == kCancelMinor) {
            const auto process = reader.take_be<int32_t>();
            const auto key = reader.take(4);
            if (!process || !key || !reader.empty()) return malformed("a cancel request");
            packet.kind = StartupPacket::Kind::cancel_request;
            packet.process_id = *process;
            packet.key = *key;
            return packet;
        }
        if (!reader.empty()) return malformed("bytes behind an encryption request");
        if (packet.minor == kSslMinor)
            packet.kind = StartupPacket::Kind::ssl_request;
        else if (packet.minor == kGssMinor)
            packet.kind = StartupPacket::Kind::gss_request;
        return packet;
    }
    if (packet.major != 3) return packet;  // what follows is of a form that we do not know
    for (;;) {
        const auto name = take_text(reader);
        if (!name) return malformed("the startup packet has no end");
        if (name->empty()) break;
        const auto value = take_text(reader);
        if (!value) return malformed("a startup parameter has no value");
        if (!is_utf8(*name) || !is_utf8(*value))
            return malformed("a startup parameter is no UTF-8");
        packet.parameters.emplace_back(*name, *value);
    }
    if (!reader.empty()) return malformed("bytes behind the startup packet's end");
    return packet;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_startup_options(
    std::string_view text) {
    std::vector<std::string> words;
    bool inside = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool blank = text[i] == ' ' || text[i] == '\t' || text[i] == '\n';
        if (!blank && !inside) words.emplace_back();
        inside = !blank;
        if (blank) continue;
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        words.back().push_back(text[i]);
    }
    std::vector<std::pair<std::string, std::string>> settings;
    for (size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (word == "-c" && i + 1 < words.size())
            word = words[++i];
        else if (word.starts_with("-c") || word.starts_with("--"))
            word.remove_prefix(2);
        else
            return Error(Code::invalid_argument,
                         "invalid command-line argument for server process: " + words[i], "42601");
        const size_t equals = word.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return Error(Code::invalid_argument, "-c " + std::string(word) + " requires a value",
                         "42601");
        std::string name(word.substr(0, equals));
        std::replace(name.begin(), name.end(), '-', '_');
        settings.emplace_back(std::move(name), word.substr(equals + 1));
    }
    return settings;
}

Result<SaslInitial> parse_sasl_initial(std::string_view body) {
    ByteReader reader(body);
    const auto mechanism = take_text(reader);
    const auto size = reader.take_be<int32_t>();
    if (!mechanism || !size) return malformed("SASLInitialResponse");
    if (*size < 0 || static_cast<size_t>(*size) != reader.left())
        return malformed("SASLInitialResponse without a response");
    return SaslInitial{*mechanism, reader.rest()};
}

Result<std::string_view> parse_text(std::string_view body) {
    ByteReader reader(body);
    const auto text = take_text(reader);
    if (!text || !reader.empty()) return malformed("not one string");
    return *text;
}

Result<ParseMessage> parse_parse(std::string_view body) {
    ByteReader reader(body);
    const auto name = take_text(reader);
    const auto sql = name ? take_text(reader) : std::nullopt;
    const auto count = sql ? reader.take_be<int16_t>() : std::nullopt;
    if (!count || *count < 0 || reader.left() != static_cast<size_t>(*count) * 4)
        return malformed("Parse");
    ParseMessage message{*name, *sql, {}};
    for (int i = 0; i < *count; ++i) message.types.push_back(*reader.take_be<uint32_t>());
    return message;
}

Result<BindMessage> parse_bind(std::string_view body) {
    ByteReader reader(body);
    BindMessage message;
    const auto portal = take_text(reader);
    const auto statement = portal ? take_text(reader) : std::nullopt;
    if (!statement || !take_formats(reader, message.parameter_formats)) return malformed("Bind");
    message.portal = *portal;
    message.statement = *statement;
    const auto count = reader.take_be<int16_t>();
    if (!count || *count < 0) return malformed("Bind without parameters");
    for (int i = 0; i < *count; ++i) {
        const auto size = reader.take_be<int32_t>();
        if (!size || *size < -1) return malformed("a parameter's length in Bind");
        if (*size == -1) {
            message.parameters.emplace_back();
            continue;
        }
        const auto value = reader.take(static_cast<size_t>(*size));
        if (!value) return malformed("a parameter of Bind is cut off");
        message.parameters.emplace_back(*value);
    }
    if (!take_formats(reader, message.result_formats) || !reader.empty())
        return malformed("the result formats of Bind");
    return message;
}

Result<TargetMessage> parse_target(std::string_view body) {
    ByteReader reader(body);
    const auto kind = reader.take_be<char>();
    const auto name = kind ? take_text(reader) : std::nullopt;
    if (!name || !reader.empty() || (*kind != 'S' && *kind != 'P'))
        return malformed("Describe or Close");
    return TargetMessage{*kind, *name};
}

Result<ExecuteMessage> parse_execute(std::string_view body) {
    ByteReader reader(body);
    const auto portal = take_text(reader);
    const auto rows = portal ? reader.take_be<int32_t>() : std::nullopt;
    if (!rows || !reader.empty()) return malformed("Execute");
    return ExecuteMessage{*portal, std::max(*rows, 0)};
}

bool is_utf8(std::string_view text) {
    size_t at = 0;
    while (at < text.size()) {
        const auto first = static_cast<unsigned char>(text[at]);
        if (first < 0x80) {
            ++at;
            continue;
        }
        const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || text.size() - at < size) return false;
        uint32_t point = first & (0xffu >> (size + 1));
        for (size_t i = 1; i < size; ++i) {
            const auto next = static_cast<unsigned char>(text[at + i]);
            if ((next & 0xc0) != 0x80) return false;
            point = point << 6 | (next & 0x3fu);
        }
        const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
        if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
        at += size;
    }
    return true;
}

}  // namespace tarn::postgres

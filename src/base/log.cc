#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/time.h"

namespace tarn {
namespace {

std::atomic<LogFormat> format_in_use{LogFormat::plain};

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "tarn", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->flush_on(spdlog::level::info);
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "error";
}

// Control bytes would let a value forge a line of its own.
void append_escaped(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte == 0x7f) {
            out.append("\\u00");
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        } else {
            out.push_back(c);
        }
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    append_escaped(out, text);
    out.push_back('"');
}

std::string as_json(LogLevel level, std::string_view area, std::string_view message,
                    std::initializer_list<LogField> fields) {
    std::string line = R"({"time":")" + format_iso8601(SystemClock().now()) + R"(","level":")";
    line.append(name_of(level)).append(R"(","area":)");
    append_quoted(line, area);
    line.append(R"(,"message":)");
    append_quoted(line, message);
    for (const auto& field : fields) {
        line.push_back(',');
        append_quoted(line, field.name);
        line.push_back(':');
        append_quoted(line, field.value);
    }
    line.push_back('}');
    return line;
}

std::string as_plain(LogLevel level, std::string_view area, std::string_view message,
                     std::initializer_list<LogField> fields) {
    std::string line = format_iso8601(SystemClock().now());
    line.append(" ").append(name_of(level)).append(" ").append(area).append(": ");
    append_escaped(line, message);
    for (const auto& field : fields) {
        line.append(" ").append(field.name).append("=");
        if (field.value.find(' ') == std::string::npos && !field.value.empty())
            append_escaped(line, field.value);
        else
            append_quoted(line, field.value);
    }
    return line;
}

}  // namespace

void configure_log(LogLevel least, LogFormat format) {
    logger().set_level(to_spdlog(least));
    format_in_use = format;
}

void log_write(LogLevel level, std::string_view area, std::string_view message,
               std::initializer_list<LogField> fields) {
    auto& out = logger();
    const auto at = to_spdlog(level);
    if (!out.should_log(at)) return;
    out.log(at, format_in_use == LogFormat::json ? as_json(level, area, message, fields)
                                                 : as_plain(level, area, message, fields));
}

}  // namespace tarn

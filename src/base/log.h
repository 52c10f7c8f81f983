// What the program says about itself: plain lines or one JSON object a line. A message holds no
// secret and no row of a user's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tarn {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { plain, json };

struct LogField {
    std::string_view name;
    std::string value;

    LogField(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
    LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
    LogField(std::string_view n, const char* v) : name(n), value(v) {}
    LogField(std::string_view n, int64_t v) : name(n), value(std::to_string(v)) {}
    LogField(std::string_view n, uint64_t v) : name(n), value(std::to_string(v)) {}
    LogField(std::string_view n, int v) : name(n), value(std::to_string(v)) {}
};

/// Call once, before other threads start. Lines go to standard error.
void configure_log(LogLevel least, LogFormat format);

void log_write(LogLevel level, std::string_view area, std::string_view message,
               std::initializer_list<LogField> fields);

inline void log_debug(std::string_view area, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
    log_write(LogLevel::debug, area, message, fields);
}
inline void log_info(std::string_view area, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
    log_write(LogLevel::info, area, message, fields);
}
inline void log_warning(std::string_view area, std::string_view message,
                        std::initializer_list<LogField> fields = {}) {
    log_write(LogLevel::warning, area, message, fields);
}
inline void log_error(std::string_view area, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
    log_write(LogLevel::error, area, message, fields);
}

}  // namespace tarn

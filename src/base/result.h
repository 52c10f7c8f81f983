// Errors are values here: Result<T> and Status, one list of sixteen codes for the whole house. Each
// protocol maps the codes to its own wire words in one errors.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace tarn {

enum class Code {
    not_found,
    already_exists,
    invalid_argument,
    unauthenticated,
    permission_denied,
    conflict,
    precondition_failed,
    out_of_range,
    exhausted,
    unavailable,
    timed_out,
    cancelled,
    corrupted,
    io,
    unimplemented,
    internal,
};

std::string_view to_string(Code code);

/// What went wrong. `message` tells a user what was wrong, where, and what to do; it holds no
/// secret. `reason` is empty or a stable word that a protocol may key on where one code means
/// several things on its wire
/// ("no_such_bucket", "no_such_key").
struct [[nodiscard]] Error {
    Code code = Code::internal;
    std::string message;
    std::string reason;

    Error() = default;
    Error(Code c, std::string m, std::string r = {})
        : code(c), message(std::move(m)), reason(std::move(r)) {}
    /// The same error with where it happened put in front: "landing weather.csv: <message>".
    Error within(std::string_view where) &&;
};

/// Success, or an Error.
class [[nodiscard]] Status {
 public:
    Status() = default;
    Status(Error error) : failed_(true), error_(std::move(error)) {}

    bool ok() const { return !failed_; }
    const Error& error() const& {
        TARN_ASSERT(failed_);
        return error_;
    }
    Error&& error() && {
        TARN_ASSERT(failed_);
        return std::move(error_);
    }

 private:
    bool failed_ = false;
    Error error_;
};

/// A value, or an Error. Reading the value of a failed Result is a bug of ours and asserts.
template <typename T>
class [[nodiscard]] Result {
 public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    const T& value() const& {
        TARN_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    T& value() & {
        TARN_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        TARN_ASSERT(ok());
        return std::move(*std::get_if<0>(&state_));
    }
    const Error& error() const& {
        TARN_ASSERT(!ok());
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        TARN_ASSERT(!ok());
        return std::move(*std::get_if<1>(&state_));
    }
    const T* operator->() const { return &value(); }
    T* operator->() { return &value(); }
    const T& operator*() const& { return value(); }
    T& operator*() & { return value(); }

 private:
    std::variant<T, Error> state_;
};

inline Status ok_status() {
    return {};
}

}  // namespace tarn

#define TARN_CONCAT_INNER(a, b) a##b
#define TARN_CONCAT(a, b) TARN_CONCAT_INNER(a, b)

/// TARN_TRY(name, expression): declares `name` from a Result, or returns its error.
#define TARN_TRY(name, expression)                                \
    auto TARN_CONCAT(result_, __LINE__) = (expression);           \
    if (!TARN_CONCAT(result_, __LINE__).ok())                     \
        return std::move(TARN_CONCAT(result_, __LINE__)).error(); \
    auto name = std::move(TARN_CONCAT(result_, __LINE__)).value()

/// TARN_CHECK_OK(expression): returns the error of a Status or Result that failed.
#define TARN_CHECK_OK(expression)                               \
    do {                                                        \
        auto checked_ = (expression);                           \
        if (!checked_.ok()) return std::move(checked_).error(); \
    } while (false)

// TARN_ASSERT guards against our own bugs, in every build. Input and disk bytes are never asserted
// on: those are invalid_argument and corrupted.
#pragma once

namespace tarn {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define TARN_ASSERT(condition)                           \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : ::tarn::assertion_failed(#condition, __FILE__, __LINE__))

// Slows down who guesses at the sign-in: an address has a handful of tries at once and one more
// every few seconds; a sign-in that succeeds costs none. Requests that bring their secret each time
// (SigV4, Basic) are not held up: secrets are 40 random characters, and a client with a wrong one
// must not shut out the others behind its address.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/time.h"

namespace tarn::security {

struct SignInLimitOptions {
    int tries_at_once = 20;
    std::chrono::seconds one_more_every{3};
    size_t addresses_max =
        10'000;  // remembered; beyond it the one that is free soonest is forgotten
};

/// Thread safe.
class SignInLimit {
 public:
    explicit SignInLimit(const Clock& clock, SignInLimitOptions options = {})
        : clock_(clock), options_(options) {}

    /// Takes a try. Not zero: there is none, until so much later. `address`: as text, without a
    /// port; those of one IPv6 network (/64) are one.
    std::chrono::seconds take(std::string_view address);
    /// The try was no guess.
    void give_back(std::string_view address);

 private:
    using Time = std::chrono::steady_clock::time_point;

    const Clock& clock_;
    const SignInLimitOptions options_;
    Mutex mutex_;
    std::map<std::string, Time> paid_until_
        TARN_GUARDED_BY(mutex_);  // when all tries are there again
};

}  // namespace tarn::security

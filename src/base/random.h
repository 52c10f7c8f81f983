// Randomness is a parameter where it decides behaviour (Random); secrets come from the kernel
// (random_bytes).
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace tarn {

/// From the kernel's generator; never fails after boot.
std::string random_bytes(size_t size);
/// `size` random bytes as lower-case hexadecimal: 2 * size characters.
std::string random_hex(size_t size);
/// RFC 9562 version 4: 8-4-4-4-12 lower-case hexadecimal.
std::string random_uuid();

/// Seeded: the same seed gives the same run. Not for secrets.
class Random {
 public:
    explicit Random(uint64_t seed) : engine_(seed) {}
    /// Uniform in [0, below). Precondition: below > 0.
    uint64_t below(uint64_t below) { return engine_() % below; }
    bool one_in(uint64_t n) { return below(n) == 0; }
    std::string bytes(size_t size);

 private:
    std::mt19937_64 engine_;
};

}  // namespace tarn

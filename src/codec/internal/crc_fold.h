// Crc::advance with carry-less multiplication: four times sixteen bytes at a time are moved
// forward by a multiple of the polynomial, which leaves sixteen bytes that stand for all before
// them. (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", 2009.)
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include "codec/internal/crc.h"

namespace tarn::codec {

inline constexpr size_t kFoldBytesMin = 128;  // below it the tables are as fast

/// A register's lowest bit is its highest power, so a product is one power too low in it: a
/// constant that moves by `bits` is x^(bits - 1).
template <typename Word, Word polynomial>
constexpr uint64_t fold_constant(uint64_t bits) {
    constexpr int kShift = 64 - 8 * static_cast<int>(sizeof(Word));
    return static_cast<uint64_t>(Crc<Word, polynomial>::power_of_x(bits - 1)) << kShift;
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i value, __m128i by) {
    return _mm_xor_si128(_mm_clmulepi64_si128(value, by, 0x00),
                         _mm_clmulepi64_si128(value, by, 0x11));
}

/// Preconditions: `bytes` has kFoldBytesMin; the processor has PCLMULQDQ.
template <typename Word, Word polynomial>
__attribute__((target("pclmul,sse4.1"))) Word advance_folding(Word state, std::string_view bytes) {
    constexpr auto kConstant = fold_constant<Word, polynomial>;
    static constexpr uint64_t kBy64Bytes[2] = {kConstant(512 + 64), kConstant(512)};
    static constexpr uint64_t kBy16Bytes[2] = {kConstant(128 + 64), kConstant(128)};
    const char* at = bytes.data();
    size_t left = bytes.size();
    const auto load = [](const void* from) {
        return _mm_loadu_si128(static_cast<const __m128i*>(from));
    };
    __m128i parts[4];
    for (int i = 0; i < 4; ++i) parts[i] = load(at + 16 * i);
    parts[0] = _mm_xor_si128(parts[0], _mm_cvtsi64_si128(static_cast<int64_t>(uint64_t{state})));
    at += 64, left -= 64;
    const __m128i by64 = load(kBy64Bytes);
    for (; left >= 64; at += 64, left -= 64)
        for (int i = 0; i < 4; ++i)
            parts[i] = _mm_xor_si128(fold(parts[i], by64), load(at + 16 * i));
    const __m128i by16 = load(kBy16Bytes);
    __m128i rest = parts[0];
    for (int i = 1; i < 4; ++i) rest = _mm_xor_si128(fold(rest, by16), parts[i]);
    for (; left >= 16; at += 16, left -= 16) rest = _mm_xor_si128(fold(rest, by16), load(at));
    char last[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last), rest);
    state = Crc<Word, polynomial>::advance(0, {last, sizeof last});
    return Crc<Word, polynomial>::advance(state, {at, left});
}

}  // namespace tarn::codec
#endif

// Crc::advance with carry-less multiplication: four times sixteen bytes at a time are moved
// forward by a multiple of the polynomial, which leaves sixteen bytes that stand for all before
// them. (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", 2009.)
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include "codec/internal/crc.h"

namespace tarn::codec {

inline constexpr size_t kFoldBytesMin = 128;      // below it the tables are as fast
inline constexpr size_t kFoldWideBytesMin = 512;  // below it the narrow one is as fast

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

/// From sixteen bytes that stand for all before them, and the rest. `by16`: moves by sixteen bytes.
template <typename Word, Word polynomial>
__attribute__((target("pclmul,sse4.1"))) Word finish_folding(__m128i rest, __m128i by16,
                                                             std::string_view bytes) {
    const char* at = bytes.data();
    size_t left = bytes.size();
    for (; left >= 16; at += 16, left -= 16)
        rest =
            _mm_xor_si128(fold(rest, by16), _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    char last[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last), rest);
    const Word state = Crc<Word, polynomial>::advance(0, {last, sizeof last});
    return Crc<Word, polynomial>::advance(state, {at, left});
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
    return finish_folding<Word, polynomial>(rest, by16, {at, left});
}

__attribute__((target("avx512f,vpclmulqdq"))) inline __m512i fold(__m512i value, __m512i by) {
    return _mm512_xor_si512(_mm512_clmulepi64_epi128(value, by, 0x00),
                            _mm512_clmulepi64_epi128(value, by, 0x11));
}

/// The same, four times 64 bytes at a time. Preconditions: `bytes` has kFoldWideBytesMin; the
/// processor has AVX-512F and VPCLMULQDQ.
template <typename Word, Word polynomial>
__attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.1"))) Word advance_folding_wide(
    Word state, std::string_view bytes) {
    constexpr auto kConstant = fold_constant<Word, polynomial>;
    static constexpr uint64_t kBy256Bytes[2] = {kConstant(2048 + 64), kConstant(2048)};
    static constexpr uint64_t kBy64Bytes[2] = {kConstant(512 + 64), kConstant(512)};
    static constexpr uint64_t kBy16Bytes[2] = {kConstant(128 + 64), kConstant(128)};
    const char* at = bytes.data();
    size_t left = bytes.size();
    const auto narrow = [](const uint64_t* from) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    };
    __m512i parts[4];
    for (int i = 0; i < 4; ++i) parts[i] = _mm512_loadu_si512(at + 64 * i);
    const __m512i begun =
        _mm512_zextsi128_si512(_mm_cvtsi64_si128(static_cast<int64_t>(uint64_t{state})));
    parts[0] = _mm512_xor_si512(parts[0], begun);
    at += 256, left -= 256;
    const __m512i by256 = _mm512_broadcast_i32x4(narrow(kBy256Bytes));
    for (; left >= 256; at += 256, left -= 256)
        for (int i = 0; i < 4; ++i)
            parts[i] = _mm512_xor_si512(fold(parts[i], by256), _mm512_loadu_si512(at + 64 * i));
    const __m512i by64 = _mm512_broadcast_i32x4(narrow(kBy64Bytes));
    __m512i wide = parts[0];
    for (int i = 1; i < 4; ++i) wide = _mm512_xor_si512(fold(wide, by64), parts[i]);
    for (; left >= 64; at += 64, left -= 64)
        wide = _mm512_xor_si512(fold(wide, by64), _mm512_loadu_si512(at));
    const __m128i by16 = narrow(kBy16Bytes);
    __m128i rest = _mm512_extracti32x4_epi32(wide, 0);
    rest = _mm_xor_si128(fold(rest, by16), _mm512_extracti32x4_epi32(wide, 1));
    rest = _mm_xor_si128(fold(rest, by16), _mm512_extracti32x4_epi32(wide, 2));
    rest = _mm_xor_si128(fold(rest, by16), _mm512_extracti32x4_epi32(wide, 3));
    return finish_folding<Word, polynomial>(rest, by16, {at, left});
}

inline bool can_fold_wide() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
}

}  // namespace tarn::codec
#endif

#include "codec/checksum.h"

#include <cstring>

#include "codec/internal/crc.h"
#include "codec/internal/crc_fold.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tarn::codec {
namespace {

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t advance_crc32c_sse42(uint32_t state,
                                                                std::string_view bytes) {
    const char* at = bytes.data();
    size_t left = bytes.size();
    uint64_t wide = state;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t chunk;
        std::memcpy(&chunk, at, 8);
        wide = _mm_crc32_u64(wide, chunk);
    }
    state = static_cast<uint32_t>(wide);
    for (; left > 0; ++at, --left) state = _mm_crc32_u8(state, static_cast<uint8_t>(*at));
    return state;
}

uint32_t advance_crc32c(uint32_t state, std::string_view bytes) {
    if (bytes.size() >= kFoldWideBytesMin && can_fold_wide())
        return advance_folding_wide<uint32_t, kCrc32cPolynomial>(state, bytes);
    return __builtin_cpu_supports("sse4.2") ? advance_crc32c_sse42(state, bytes)
                                            : Crc32c::advance(state, bytes);
}
#else
uint32_t advance_crc32c(uint32_t state, std::string_view bytes) {
    return Crc32c::advance(state, bytes);
}
#endif

template <typename Word, Word polynomial>
Word advance(Word state, std::string_view bytes) {
#if defined(__x86_64__)
    if (bytes.size() >= kFoldWideBytesMin && can_fold_wide())
        return advance_folding_wide<Word, polynomial>(state, bytes);
    if (bytes.size() >= kFoldBytesMin && __builtin_cpu_supports("pclmul"))
        return advance_folding<Word, polynomial>(state, bytes);
#endif
    return Crc<Word, polynomial>::advance(state, bytes);
}

}  // namespace

uint32_t crc32(std::string_view bytes, uint32_t previous) {
    return ~advance<uint32_t, kCrc32Polynomial>(~previous, bytes);
}
uint32_t crc32c(std::string_view bytes, uint32_t previous) {
    return ~advance_crc32c(~previous, bytes);
}
uint64_t crc64nvme(std::string_view bytes, uint64_t previous) {
    return ~advance<uint64_t, kCrc64NvmePolynomial>(~previous, bytes);
}

uint32_t crc32_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) {
    return Crc32::combine(crc_a, crc_b, length_b);
}
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) {
    return Crc32c::combine(crc_a, crc_b, length_b);
}
uint64_t crc64nvme_combine(uint64_t crc_a, uint64_t crc_b, uint64_t length_b) {
    return Crc64Nvme::combine(crc_a, crc_b, length_b);
}

}  // namespace tarn::codec

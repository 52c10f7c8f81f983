// The arithmetic behind codec/checksum.h: reflected CRCs with all bits set at the start and
// inverted at the end, for any polynomial of 32 or 64 bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tarn::codec {

/// Polynomials in reflected form: the lowest bit is the highest power.
inline constexpr uint32_t kCrc32Polynomial = 0xedb88320;
inline constexpr uint32_t kCrc32cPolynomial = 0x82f63b78;
inline constexpr uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5;

template <typename Word, Word polynomial>
class Crc {
 public:
    /// Continues a raw register (before the final inversion) over `bytes`, eight bytes a step.
    static Word advance(Word state, std::string_view bytes) {
        const char* at = bytes.data();
        size_t left = bytes.size();
        for (; left >= 8; at += 8, left -= 8) {
            uint64_t chunk;
            std::memcpy(&chunk, at, 8);
            chunk ^= state;
            state = 0;
            for (size_t i = 0; i < 8; ++i) state ^= kTables[7 - i][chunk >> (8 * i) & 0xff];
        }
        for (; left > 0; ++at, --left)
            state = kTables[0][(state ^ static_cast<uint8_t>(*at)) & 0xff] ^ (state >> 8);
        return state;
    }

    /// The product of two polynomials modulo ours.
    static constexpr Word multiply(Word a, Word b) {
        Word product = 0;
        for (Word bit = kOne; bit != 0; bit >>= 1) {
            if (a & bit) product ^= b;
            b = b & 1 ? (b >> 1) ^ polynomial : b >> 1;
        }
        return product;
    }

    /// x to the power of `exponent`, modulo our polynomial.
    static constexpr Word power_of_x(uint64_t exponent) {
        Word result = kOne;
        for (Word square = kOne >> 1; exponent != 0; exponent >>= 1) {
            if (exponent & 1) result = multiply(result, square);
            square = multiply(square, square);
        }
        return result;
    }

    static constexpr Word combine(Word crc_a, Word crc_b, uint64_t length_b) {
        return multiply(power_of_bytes(length_b), crc_a) ^ crc_b;
    }

 private:
    static constexpr Word kOne = static_cast<Word>(Word{1} << (sizeof(Word) * 8 - 1));

    /// x to the power of 8 * bytes; the number of bits itself could overflow.
    static constexpr Word power_of_bytes(uint64_t bytes) {
        Word result = kOne;
        for (Word square = power_of_x(8); bytes != 0; bytes >>= 1) {
            if (bytes & 1) result = multiply(result, square);
            square = multiply(square, square);
        }
        return result;
    }

    using Tables = std::array<std::array<Word, 256>, 8>;
    static constexpr Tables make_tables() {
        Tables tables{};
        for (size_t byte = 0; byte < 256; ++byte) {
            Word value = static_cast<Word>(byte);
            for (int bit = 0; bit < 8; ++bit)
                value = value & 1 ? (value >> 1) ^ polynomial : value >> 1;
            tables[0][byte] = value;
        }
        for (size_t table = 1; table < 8; ++table) {
            for (size_t byte = 0; byte < 256; ++byte) {
                const Word before = tables[table - 1][byte];
                tables[table][byte] = tables[0][before & 0xff] ^ (before >> 8);
            }
        }
        return tables;
    }
    static constexpr Tables kTables = make_tables();
};

using Crc32 = Crc<uint32_t, kCrc32Polynomial>;
using Crc32c = Crc<uint32_t, kCrc32cPolynomial>;
using Crc64Nvme = Crc<uint64_t, kCrc64NvmePolynomial>;

}  // namespace tarn::codec

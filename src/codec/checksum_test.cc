#include "codec/checksum.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/internal/crc.h"
#include "codec/internal/crc_fold.h"

namespace tarn::codec {
namespace {

// The check values of the CRC catalogue: of the nine digits.
TEST(Checksum, KnownValues) {
    EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
    EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
    EXPECT_EQ(crc64nvme("123456789"), 0xae8b14860a799888u);
    EXPECT_EQ(crc32(""), 0u);
    EXPECT_EQ(crc32c(""), 0u);
    EXPECT_EQ(crc64nvme(""), 0u);
    // RFC 3720 B.4: 32 bytes of zeros and of ones.
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Checksum, InPiecesAndCombinedIsTheSame) {
    Random random(7);
    for (int round = 0; round < 200; ++round) {
        const std::string all = random.bytes(random.below(3000));
        const size_t cut = random.below(all.size() + 1);
        const std::string a = all.substr(0, cut), b = all.substr(cut);
        EXPECT_EQ(crc32(b, crc32(a)), crc32(all));
        EXPECT_EQ(crc32c(b, crc32c(a)), crc32c(all));
        EXPECT_EQ(crc64nvme(b, crc64nvme(a)), crc64nvme(all));
        EXPECT_EQ(crc32_combine(crc32(a), crc32(b), b.size()), crc32(all));
        EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(all));
        EXPECT_EQ(crc64nvme_combine(crc64nvme(a), crc64nvme(b), b.size()), crc64nvme(all));
    }
}

TEST(Checksum, TheHardwarePathAgreesWithTheTables) {
    Random random(8);
    for (size_t size = 0; size < 1300; ++size) {
        const std::string bytes = random.bytes(size);
        EXPECT_EQ(crc32(bytes), static_cast<uint32_t>(~Crc32::advance(~0u, bytes))) << size;
        EXPECT_EQ(crc32c(bytes), static_cast<uint32_t>(~Crc32c::advance(~0u, bytes))) << size;
        EXPECT_EQ(crc64nvme(bytes), ~Crc64Nvme::advance(~0ull, bytes)) << size;
#if defined(__x86_64__)
        // What a processor without the wide registers takes.
        if (size < kFoldBytesMin || !__builtin_cpu_supports("pclmul")) continue;
        EXPECT_EQ((advance_folding<uint64_t, kCrc64NvmePolynomial>(7, bytes)),
                  Crc64Nvme::advance(7, bytes))
            << size;
        EXPECT_EQ((advance_folding<uint32_t, kCrc32cPolynomial>(7, bytes)),
                  Crc32c::advance(7, bytes))
            << size;
#endif
    }
}

}  // namespace
}  // namespace tarn::codec

// Cyclic checksums: CRC-32 (ISO-HDLC: zlib, gzip, S3's CRC32), CRC-32C (Castagnoli: iSCSI, our
// log), CRC-64/NVME (S3). They find accidents, not attackers; codec/hash.h has what attackers
// cannot forge.
//
// Streaming: pass the value so far as `previous`. 0 is the checksum of nothing. Lane: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace tarn::codec {

/// Of `bytes` appended to what gave `previous`.
uint32_t crc32(std::string_view bytes, uint32_t previous = 0);
uint32_t crc32c(std::string_view bytes, uint32_t previous = 0);
uint64_t crc64nvme(std::string_view bytes, uint64_t previous = 0);

/// The checksum of A followed by B, from those of A and B and the length of B in bytes. Costs O(log
/// length_b).
uint32_t crc32_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);
uint64_t crc64nvme_combine(uint64_t crc_a, uint64_t crc_b, uint64_t length_b);

}  // namespace tarn::codec

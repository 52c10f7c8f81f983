// MD5 and the checksums of a stream, computed while it passes; combining those of parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/hash.h"
#include "objects/types.h"

namespace tarn::objects::internal {

size_t checksum_bytes(ChecksumAlgorithm algorithm);
std::string_view checksum_name(ChecksumAlgorithm algorithm);

class Digests {
 public:
    explicit Digests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5 = true);
    void update(std::string_view bytes);
    struct Values {
        std::string md5;  // raw; empty without
        std::vector<Checksum> checksums;
    };
    /// Once.
    Values finish();

 private:
    struct One {
        ChecksumAlgorithm algorithm;
        uint64_t crc = 0;
        std::optional<codec::Hasher> hash;
    };
    std::optional<codec::Hasher> md5_;
    std::vector<One> ones_;
};

/// BadDigest when a value differs, InvalidRequest when it was sent for an algorithm that was not
/// computed.
Status verify_checksums(const std::vector<Checksum>& expected,
                        const std::vector<Checksum>& computed);

/// What a whole has, from (checksum value, length) of its parts. full_object needs a CRC, else
/// InvalidRequest.
Result<Checksum> combine(ChecksumAlgorithm algorithm, ChecksumType type,
                         const std::vector<std::pair<std::string, uint64_t>>& parts);

}  // namespace tarn::objects::internal

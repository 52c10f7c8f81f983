#include "objects/internal/digests.h"

#include <algorithm>

#include "base/bytes.h"
#include "codec/checksum.h"

namespace tarn::objects::internal {
namespace {

std::string be(uint64_t value, size_t size) {
    std::string out;
    if (size == 8)
        append_be<uint64_t>(out, value);
    else
        append_be<uint32_t>(out, static_cast<uint32_t>(value));
    return out;
}

uint64_t from_be(const std::string& value) {
    return value.size() == 8 ? load_be<uint64_t>(value.data()) : load_be<uint32_t>(value.data());
}

uint64_t extend_crc(ChecksumAlgorithm algorithm, std::string_view bytes, uint64_t previous) {
    switch (algorithm) {
        case ChecksumAlgorithm::crc32:
            return codec::crc32(bytes, static_cast<uint32_t>(previous));
        case ChecksumAlgorithm::crc32c:
            return codec::crc32c(bytes, static_cast<uint32_t>(previous));
        case ChecksumAlgorithm::crc64nvme:
            return codec::crc64nvme(bytes, previous);
        case ChecksumAlgorithm::sha1:
        case ChecksumAlgorithm::sha256:
            break;
    }
    return previous;
}

uint64_t combine_crc(ChecksumAlgorithm algorithm, uint64_t a, uint64_t b, uint64_t length_b) {
    switch (algorithm) {
        case ChecksumAlgorithm::crc32:
            return codec::crc32_combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b),
                                        length_b);
        case ChecksumAlgorithm::crc32c:
            return codec::crc32c_combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b),
                                         length_b);
        case ChecksumAlgorithm::crc64nvme:
            return codec::crc64nvme_combine(a, b, length_b);
        case ChecksumAlgorithm::sha1:
        case ChecksumAlgorithm::sha256:
            break;
    }
    return a;
}

bool is_hash(ChecksumAlgorithm algorithm) {
    return algorithm == ChecksumAlgorithm::sha1 || algorithm == ChecksumAlgorithm::sha256;
}

codec::HashKind hash_kind(ChecksumAlgorithm algorithm) {
    return algorithm == ChecksumAlgorithm::sha1 ? codec::HashKind::sha1 : codec::HashKind::sha256;
}

}  // namespace

size_t checksum_bytes(ChecksumAlgorithm algorithm) {
    switch (algorithm) {
        case ChecksumAlgorithm::crc32:
        case ChecksumAlgorithm::crc32c:
            return 4;
        case ChecksumAlgorithm::crc64nvme:
            return 8;
        case ChecksumAlgorithm::sha1:
            return 20;
        case ChecksumAlgorithm::sha256:
            return 32;
    }
    return 0;
}

std::string_view checksum_name(ChecksumAlgorithm algorithm) {
    switch (algorithm) {
        case ChecksumAlgorithm::crc32:
            return "CRC32";
        case ChecksumAlgorithm::crc32c:
            return "CRC32C";
        case ChecksumAlgorithm::crc64nvme:
            return "CRC64NVME";
        case ChecksumAlgorithm::sha1:
            return "SHA1";
        case ChecksumAlgorithm::sha256:
            return "SHA256";
    }
    return "";
}

Digests::Digests(const std::vector<ChecksumAlgorithm>& algorithms, bool with_md5) {
    if (with_md5) md5_.emplace(codec::HashKind::md5);
    for (auto algorithm : algorithms) {
        const bool known = std::any_of(ones_.begin(), ones_.end(),
                                       [&](const One& one) { return one.algorithm == algorithm; });
        if (known) continue;
        One one{algorithm, 0, std::nullopt};
        if (is_hash(algorithm)) one.hash.emplace(hash_kind(algorithm));
        ones_.push_back(std::move(one));
    }
}

void Digests::update(std::string_view bytes) {
    if (md5_) md5_->update(bytes);
    for (auto& one : ones_) {
        if (one.hash)
            one.hash->update(bytes);
        else
            one.crc = extend_crc(one.algorithm, bytes, one.crc);
    }
}

Digests::Values Digests::finish() {
    Values values;
    if (md5_) values.md5 = md5_->finish();
    for (auto& one : ones_)
        values.checksums.push_back(
            {one.algorithm, ChecksumType::full_object,
             one.hash ? one.hash->finish() : be(one.crc, checksum_bytes(one.algorithm))});
    return values;
}

Status verify_checksums(const std::vector<Checksum>& expected,
                        const std::vector<Checksum>& computed) {
    for (const auto& want : expected) {
        const auto found =
            std::find_if(computed.begin(), computed.end(),
                         [&](const Checksum& have) { return have.algorithm == want.algorithm; });
        const std::string name(checksum_name(want.algorithm));
        if (want.value.size() != checksum_bytes(want.algorithm))
            return Error(Code::invalid_argument, "The " + name + " value is not valid.",
                         "InvalidRequest");
        if (found == computed.end())
            return Error(Code::invalid_argument, "A " + name + " was sent that was not announced.",
                         "InvalidRequest");
        if (found->value != want.value)
            return Error(Code::invalid_argument,
                         "The " + name + " you specified did not match the calculated checksum.",
                         "BadDigest");
    }
    return {};
}

Result<Checksum> combine(ChecksumAlgorithm algorithm, ChecksumType type,
                         const std::vector<std::pair<std::string, uint64_t>>& parts) {
    if (type == ChecksumType::composite) {
        Digests whole({algorithm});
        for (const auto& part : parts) whole.update(part.first);
        auto checksum = whole.finish().checksums.front();
        checksum.type = ChecksumType::composite;
        return checksum;
    }
    if (is_hash(algorithm))
        return Error(Code::invalid_argument,
                     "A " + std::string(checksum_name(algorithm)) +
                         " of a multipart upload can only be of type COMPOSITE.",
                     "InvalidRequest");
    uint64_t crc = 0;
    for (const auto& [value, length] : parts)
        crc = combine_crc(algorithm, crc, from_be(value), length);
    return Checksum{algorithm, ChecksumType::full_object, be(crc, checksum_bytes(algorithm))};
}

}  // namespace tarn::objects::internal

// S3's flexible checksums on the wire: header and element names, base64 values, and what a request
// promises. Specification: Amazon S3 User Guide, "Checking object integrity".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/types.h"
#include "protocols/http/headers.h"
#include "protocols/http/request.h"
#include "protocols/s3/internal/xml_writer.h"

namespace tarn::s3 {

/// "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"; nullopt for others.
std::optional<objects::ChecksumAlgorithm> algorithm_of(std::string_view word);
std::string_view word_of(objects::ChecksumAlgorithm algorithm);
/// "x-amz-checksum-crc32" and its like, in any case.
std::optional<objects::ChecksumAlgorithm> algorithm_of_header(std::string_view name);
std::string header_of(objects::ChecksumAlgorithm algorithm);
/// "ChecksumCRC32" and its like.
std::optional<objects::ChecksumAlgorithm> algorithm_of_element(std::string_view name);

/// "COMPOSITE" or "FULL_OBJECT".
std::string_view type_word(objects::ChecksumType type);

/// Base64; for a composite of `parts` parts with "-<parts>" behind.
std::string checksum_text(const objects::Checksum& checksum, size_t parts);
/// Errors: invalid_argument "InvalidRequest" when the text is no value of that algorithm. A
/// "-<parts>" behind it makes it composite.
Result<objects::Checksum> parse_checksum(objects::ChecksumAlgorithm algorithm,
                                         std::string_view text);

/// What a request says about its body's checksum.
struct RequestChecksum {
    std::optional<objects::Checksum> expected;             // in a header
    std::optional<objects::ChecksumAlgorithm> in_trailer;  // its value comes after the body
    std::optional<std::string> content_md5;                // 16 bytes

    bool any() const { return expected || in_trailer || content_md5; }
};
/// Errors: invalid_argument "InvalidRequest", "InvalidDigest"; unimplemented for algorithms that we
/// don't have.
Result<RequestChecksum> request_checksum(const http::Request& request);

/// The value that a trailer brought; InvalidRequest when the promised one is missing or malformed.
Result<objects::Checksum> trailer_checksum(
    objects::ChecksumAlgorithm algorithm,
    const std::vector<std::pair<std::string, std::string>>& trailers);

/// x-amz-checksum-* and x-amz-checksum-type of what is stored.
void add_checksum_headers(http::ResponseHeaders& headers,
                          const std::vector<objects::Checksum>& checksums, size_t parts);
/// <ChecksumCRC32>..</ChecksumCRC32><ChecksumType>..</ChecksumType>
void add_checksum_elements(XmlWriter& xml, const std::vector<objects::Checksum>& checksums,
                           size_t parts, bool with_type = true);

/// Of bytes at hand, for small documents.
objects::Checksum compute_checksum(objects::ChecksumAlgorithm algorithm, std::string_view bytes);

}  // namespace tarn::s3

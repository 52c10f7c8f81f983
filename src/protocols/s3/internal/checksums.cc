#include "protocols/s3/internal/checksums.h"

#include "base/bytes.h"
#include "codec/checksum.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "protocols/s3/internal/range.h"

namespace tarn::s3 {

using objects::Checksum;
using objects::ChecksumAlgorithm;
using objects::ChecksumType;

namespace {

struct Names {
    ChecksumAlgorithm algorithm;
    std::string_view word;
    std::string_view header_end;  // behind x-amz-checksum-
    size_t bytes;
};

constexpr Names kNames[] = {
    {ChecksumAlgorithm::crc32, "CRC32", "crc32", 4},
    {ChecksumAlgorithm::crc32c, "CRC32C", "crc32c", 4},
    {ChecksumAlgorithm::crc64nvme, "CRC64NVME", "crc64nvme", 8},
    {ChecksumAlgorithm::sha1, "SHA1", "sha1", 20},
    {ChecksumAlgorithm::sha256, "SHA256", "sha256", 32},
};
constexpr std::string_view kHeaderStart = "x-amz-checksum-";
constexpr std::string_view kElementStart = "Checksum";

const Names& names_of(ChecksumAlgorithm algorithm) {
    for (const auto& names : kNames)
        if (names.algorithm == algorithm) return names;
    return kNames[0];
}

Error invalid_request(std::string message) {
    return Error(Code::invalid_argument, std::move(message), "InvalidRequest");
}

/// Headers that start alike and carry no value.
bool is_checksum_value_header(std::string_view name) {
    if (name.size() <= kHeaderStart.size() ||
        !http::equal_ignoring_case(name.substr(0, kHeaderStart.size()), kHeaderStart))
        return false;
    auto end = name.substr(kHeaderStart.size());
    return !http::equal_ignoring_case(end, "algorithm") &&
           !http::equal_ignoring_case(end, "type") && !http::equal_ignoring_case(end, "mode");
}

Error unknown_algorithm(std::string_view name) {
    return Error(Code::unimplemented,
                 "The checksum algorithm of " + std::string(name) +
                     " is not implemented; use CRC32, CRC32C, CRC64NVME, SHA1 or SHA256",
                 "NotImplemented");
}

}  // namespace

std::optional<ChecksumAlgorithm> algorithm_of(std::string_view word) {
    for (const auto& names : kNames)
        if (http::equal_ignoring_case(names.word, word)) return names.algorithm;
    return std::nullopt;
}

std::string_view word_of(ChecksumAlgorithm algorithm) {
    return names_of(algorithm).word;
}

std::optional<ChecksumAlgorithm> algorithm_of_header(std::string_view name) {
    if (!is_checksum_value_header(name)) return std::nullopt;
    return algorithm_of(name.substr(kHeaderStart.size()));
}

std::string header_of(ChecksumAlgorithm algorithm) {
    return std::string(kHeaderStart) + std::string(names_of(algorithm).header_end);
}

std::optional<ChecksumAlgorithm> algorithm_of_element(std::string_view name) {
    if (!name.starts_with(kElementStart)) return std::nullopt;
    return algorithm_of(name.substr(kElementStart.size()));
}

std::string_view type_word(ChecksumType type) {
    return type == ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::string checksum_text(const Checksum& checksum, size_t parts) {
    auto text = codec::base64_encode(checksum.value);
    if (checksum.type == ChecksumType::composite) text += "-" + std::to_string(parts);
    return text;
}

Result<Checksum> parse_checksum(ChecksumAlgorithm algorithm, std::string_view text) {
    Checksum checksum;
    checksum.algorithm = algorithm;
    if (auto dash = text.rfind('-');
        dash != std::string_view::npos && parse_number(text.substr(dash + 1))) {
        checksum.type = ChecksumType::composite;
        text = text.substr(0, dash);
    }
    auto value = codec::base64_decode(text);
    if (!value.ok() || value->size() != names_of(algorithm).bytes)
        return invalid_request("Value for " + header_of(algorithm) + " header is invalid.");
    checksum.value = std::move(value).value();
    return checksum;
}

Result<RequestChecksum> request_checksum(const http::Request& request) {
    RequestChecksum result;
    const auto& headers = request.headers();
    for (size_t i = 0; i < headers.size(); ++i) {
        if (!is_checksum_value_header(headers[i].name)) continue;
        auto algorithm = algorithm_of_header(headers[i].name);
        if (!algorithm) return unknown_algorithm(headers[i].name);
        if (result.expected)
            return invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                "allowed.");
        TARN_TRY(checksum, parse_checksum(*algorithm, headers[i].value));
        if (checksum.type != ChecksumType::full_object)
            return invalid_request("Value for " + header_of(*algorithm) + " header is invalid.");
        result.expected = std::move(checksum);
    }
    if (auto trailer = headers.get("x-amz-trailer"); !trailer.empty()) {
        result.in_trailer = algorithm_of_header(trailer);
        if (!result.in_trailer && is_checksum_value_header(trailer))
            return unknown_algorithm(trailer);
        if (!result.in_trailer)
            return invalid_request(
                "The value specified in the x-amz-trailer header is not supported");
        if (result.expected)
            return invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                "allowed.");
    }
    if (auto word = headers.get("x-amz-sdk-checksum-algorithm"); !word.empty()) {
        auto named = algorithm_of(word);
        if (!named) return unknown_algorithm(word);
        if (!result.expected && !result.in_trailer)
            return invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
                "x-amz-trailer "
                "headers were found.");
        if ((result.expected && result.expected->algorithm != *named) ||
            (result.in_trailer && *result.in_trailer != *named))
            return invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    if (auto md5 = headers.find("content-md5")) {
        auto value = codec::base64_decode(*md5);
        if (!value.ok() || value->size() != codec::hash_size(codec::HashKind::md5))
            return Error(Code::invalid_argument, "The Content-MD5 you specified is not valid.",
                         "InvalidDigest");
        result.content_md5 = std::move(value).value();
    }
    return result;
}

Result<Checksum> trailer_checksum(
    ChecksumAlgorithm algorithm, const std::vector<std::pair<std::string, std::string>>& trailers) {
    for (const auto& [name, value] : trailers)
        if (algorithm_of_header(name) == algorithm) return parse_checksum(algorithm, value);
    return Error(Code::invalid_argument,
                 "The trailer promised by x-amz-trailer did not come with the body.",
                 "MalformedTrailerError");
}

void add_checksum_headers(http::ResponseHeaders& headers, const std::vector<Checksum>& checksums,
                          size_t parts) {
    for (const auto& checksum : checksums)
        headers.add(header_of(checksum.algorithm), checksum_text(checksum, parts));
    if (!checksums.empty()) headers.add("x-amz-checksum-type", type_word(checksums.front().type));
}

void add_checksum_elements(XmlWriter& xml, const std::vector<Checksum>& checksums, size_t parts,
                           bool with_type) {
    for (const auto& checksum : checksums)
        xml.element("Checksum" + std::string(word_of(checksum.algorithm)),
                    checksum_text(checksum, parts));
    if (with_type && !checksums.empty())
        xml.element("ChecksumType", type_word(checksums.front().type));
}

Checksum compute_checksum(ChecksumAlgorithm algorithm, std::string_view bytes) {
    Checksum checksum;
    checksum.algorithm = algorithm;
    switch (algorithm) {
        case ChecksumAlgorithm::crc32:
            append_be(checksum.value, codec::crc32(bytes));
            break;
        case ChecksumAlgorithm::crc32c:
            append_be(checksum.value, codec::crc32c(bytes));
            break;
        case ChecksumAlgorithm::crc64nvme:
            append_be(checksum.value, codec::crc64nvme(bytes));
            break;
        case ChecksumAlgorithm::sha1:
            checksum.value = codec::sha1(bytes);
            break;
        case ChecksumAlgorithm::sha256:
            checksum.value = codec::sha256(bytes);
            break;
    }
    return checksum;
}

}  // namespace tarn::s3

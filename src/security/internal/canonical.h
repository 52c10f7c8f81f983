// SigV4's canonical forms: what both sides hash. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/result.h"
#include "security/sigv4.h"

namespace tarn::security {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Decoded names and values in the order in which they came.
using QueryPairs = std::vector<std::pair<std::string, std::string>>;
inline constexpr size_t kQueryPairsMax = 1000;

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~ (and '/' on request), with upper-case digits.
std::string percent_encode(std::string_view text, bool keep_slash);
/// invalid_argument, reason InvalidURI: '%' without two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// Splits at '&' and '=' and decodes; '+' is a space. invalid_argument (InvalidURI).
Result<QueryPairs> parse_query(std::string_view raw_query);
/// Encoded, sorted by encoded name and value; leaves X-Amz-Signature out.
std::string canonical_query(const QueryPairs& query);

bool is_s3(std::string_view service);
/// invalid_argument (InvalidURI).
Result<std::string> canonical_path(std::string_view raw_path, bool s3);

bool equal_ignoring_case(std::string_view a, std::string_view b);
/// The first value under a name; nullopt when absent.
std::optional<std::string_view> find_header(const HeaderViews& headers, std::string_view name);
size_t count_header(const HeaderViews& headers, std::string_view name);

/// "name:value\n" for each of `names` (lower case, sorted); the values of repeated headers joined
/// by ','; runs of spaces made one.
std::string canonical_headers(const HeaderViews& headers, const std::vector<std::string>& names);

struct CanonicalRequest {
    std::string_view method;
    std::string path;
    std::string query;
    std::string headers;
    std::string signed_names;  // joined by ';'
    std::string_view payload;
};
/// The hash of the canonical request inside the text that is signed.
std::string string_to_sign(const CanonicalRequest& request, std::string_view timestamp,
                           const CredentialScope& scope);
/// 64 lower-case hexadecimal characters.
std::string signature_of(std::string_view key, std::string_view text);

std::string join(const std::vector<std::string>& parts, char separator);
/// Keeps empty parts.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace tarn::security

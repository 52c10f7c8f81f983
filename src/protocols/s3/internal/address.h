// Which bucket and key a request speaks of: from the path, or from a host such as
// `bucket.localhost`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::s3 {

/// Both empty: the service itself. Only `key` empty: a bucket.
struct Address {
    std::string bucket;
    std::string key;
};

/// `host` as in the Host header, with or without a port; `raw_path` as in the request line,
/// percent-encoded, beginning with
/// '/'. A host that ends with one of `base_domains` names the bucket before it; any other host
/// means path style. Errors: invalid_argument "InvalidURI" for an escape that is none, a NUL, or a
/// key that is not UTF-8.
Result<Address> parse_address(std::string_view host, std::string_view raw_path,
                              const std::vector<std::string>& base_domains);

/// The value of x-amz-copy-source: `/bucket/key` or `bucket/key`, percent-encoded, with or without
/// `?versionId=`.
struct CopySource {
    Address address;
    std::string version_id;
};
Result<CopySource> parse_copy_source(std::string_view header);

/// nullopt-like: false when an escape is malformed. '+' stays '+', as in a path.
bool percent_decode(std::string_view text, std::string& out);
/// Keys in listings under encoding-type=url: letters, digits, `-._/*` stay, all else is %XX. A
/// space too (S3 writes '+'), which form decoders and URL decoders both read.
std::string listing_encode(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace tarn::s3

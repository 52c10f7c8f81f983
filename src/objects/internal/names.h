// What S3 allows as names and metadata. Each check answers invalid_argument with S3's word as the
// reason.
#pragma once

#include <string_view>

#include "base/result.h"
#include "objects/types.h"

namespace tarn::objects::internal {

inline constexpr size_t kKeyBytesMax = 1024;
inline constexpr size_t kUserMetadataBytesMax = 2048;

/// "Bucket naming rules" of the S3 user guide: 3 to 63 of a-z 0-9 . -, no address of four numbers,
/// no reserved pre- or suffix.
Status check_bucket_name(std::string_view bucket);
/// 1 to 1024 bytes of UTF-8 without NUL.
Status check_key(std::string_view key);
/// User metadata of at most 2 KiB, no line breaks or NUL in any header, tags within their limits.
Status check_metadata(const Metadata& metadata);
Status check_tags(const Tags& tags);
bool is_utf8(std::string_view text);

}  // namespace tarn::objects::internal

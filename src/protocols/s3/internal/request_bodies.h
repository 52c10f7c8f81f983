// The XML bodies that S3's requests carry, read strictly: bounded size and depth, no document type,
// no unknown element.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::s3 {

/// Bytes of the largest body each parser accepts; a door reads no more than this from the wire.
constexpr size_t kCreateBucketBodyMax = 64 << 10;
constexpr size_t kDeleteObjectsBodyMax = 8 << 20;
constexpr size_t kCompleteUploadBodyMax = 8 << 20;
constexpr size_t kTaggingBodyMax = 64 << 10;

struct CreateBucketBody {
    std::string location_constraint;  // empty: none given
};

struct DeleteObjectsBody {
    struct Object {
        std::string key;
        std::string version_id;           // empty: the current one
        std::optional<std::string> etag;  // delete only this entity
        std::optional<uint64_t> size;     // delete only at this size
        std::string modified;             // delete only at this last-modified time; empty: any
    };
    std::vector<Object> objects;  // 1 to 1000
    bool quiet = false;
};

struct CompleteUploadBody {
    struct Part {
        uint32_t number = 0;  // 1 to 10000
        std::string etag;     // without quotes
        /// As the client gave them: element name ("ChecksumCRC32") and base64 value.
        std::vector<std::pair<std::string, std::string>> checksums;
    };
    std::vector<Part> parts;  // at least one; order as given
};

/// All: invalid_argument "MalformedXML" for anything but a document of exactly this shape.
Result<CreateBucketBody> parse_create_bucket(std::string_view xml);
Result<DeleteObjectsBody> parse_delete_objects(std::string_view xml);
Result<CompleteUploadBody> parse_complete_upload(std::string_view xml);
/// "InvalidTag" when a key comes twice, or a key or value is too long.
Result<std::map<std::string, std::string>> parse_tagging(std::string_view xml);

}  // namespace tarn::s3

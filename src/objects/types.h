// What the object store hands in and out: plain values, no behaviour. Words are S3's (Amazon S3 API
// reference, 2006-03-01). ETags are without quotes; checksum values are raw bytes, big endian for
// the CRCs (a door encodes them as base64).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tarn::objects {

enum class ChecksumAlgorithm : uint8_t {
    crc32 = 1,
    crc32c = 2,
    crc64nvme = 3,
    sha1 = 4,
    sha256 = 5
};
enum class ChecksumType : uint8_t { full_object = 0, composite = 1 };

struct Checksum {
    ChecksumAlgorithm algorithm = ChecksumAlgorithm::crc64nvme;
    ChecksumType type = ChecksumType::full_object;
    std::string
        value;  // composite: of the parts' values; S3 writes it base64 + "-" + number of parts

    bool operator==(const Checksum&) const = default;
};

/// The headers that S3 keeps and gives back as they came. Empty: not set.
struct SystemHeaders {
    std::string content_type;
    std::string content_encoding;
    std::string content_disposition;
    std::string content_language;
    std::string cache_control;
    std::string expires;
    std::string website_redirect;

    bool operator==(const SystemHeaders&) const = default;
};

using Tags = std::map<std::string, std::string>;

/// What a writer says about an object.
struct Metadata {
    SystemHeaders headers;
    std::map<std::string, std::string>
        user;  // x-amz-meta-*, names lower case without the prefix; 2 KiB in all
    std::string storage_class = "STANDARD";
    Tags tags;  // at most 10
};

struct BucketInfo {
    std::string name;
    std::string region;
    Timestamp created;
    bool system = false;  // the lake's own: doors refuse writes by users where governance says so
    uint64_t objects = 0;
    uint64_t bytes = 0;
};

struct PartInfo {
    uint32_t number = 0;  // 1 to 10,000
    uint64_t size = 0;
    std::string etag;
    Timestamp modified;
    std::optional<Checksum> checksum;
};

struct ObjectInfo {
    std::string bucket;
    std::string key;
    uint64_t size = 0;
    std::string etag;
    Timestamp modified;
    Metadata metadata;
    std::vector<Checksum> checksums;
    std::vector<PartInfo>
        parts;  // of a multipart upload: number, size, checksum; etag and modified are empty

    /// Names these very bytes: equal tags of one (bucket, key) mean equal content. For caches.
    std::string version_tag() const { return etag + "-" + std::to_string(modified.micros); }
};

/// RFC 9110 section 13, as S3 applies it. ETags may hold "*".
struct ReadConditions {
    std::optional<std::string> if_match;
    std::optional<std::string> if_none_match;
    std::optional<Timestamp> if_modified_since;
    std::optional<Timestamp> if_unmodified_since;
};

struct WriteConditions {
    bool if_none_match_any = false;       // If-None-Match: *
    std::optional<std::string> if_match;  // "*": any that is there
};

struct PutOptions {
    Metadata metadata;
    WriteConditions conditions;
    std::optional<uint64_t> size;  // the announced length: fewer or more bytes give IncompleteBody
    std::optional<std::string> content_md5;  // 16 raw bytes; else InvalidDigest
    std::vector<ChecksumAlgorithm> compute;  // kept with the object besides those of `expected`
    std::vector<Checksum> expected;          // header values; trailer values go to Upload::finish
    /// Without, for bytes of the server's own: the ETag is made of the checksums (CRC64NVME, when there are no others) and ends in "-1",
    /// as that of an upload in one part. MD5 takes longer than all else that is done with a byte.
    bool etag_is_md5 = true;
};

struct ListOptions {
    std::string prefix;
    std::string delimiter;  // empty: none; may be several bytes
    std::string after;  // keys (and common prefixes) strictly after this one: start-after, marker,
                        // or ListPage::next of the page before
    size_t entries_max =
        1000;  // keys and common prefixes together; 0 gives an empty page; at most 1000
};

/// What a listing says of an object.
struct ListedObject {
    std::string key;
    uint64_t size = 0;
    std::string etag;
    Timestamp modified;
    std::string storage_class;
    std::vector<ChecksumAlgorithm> checksums;  // those that are kept with it
    ChecksumType checksum_type = ChecksumType::full_object;  // of them, if there are any
};

struct ListPage {
    std::vector<ListedObject> objects;
    std::vector<std::string> common_prefixes;
    bool truncated = false;
    std::string next;  // pass as `after` to go on: the last key or common prefix of this page
};

struct DeleteOutcome {
    std::string key;
    std::optional<std::string> error_reason;  // nullopt: gone (or never was)
    std::string error_message;
};

struct CopyOptions {
    ReadConditions source_conditions;  // any that fails is PreconditionFailed, also where a GET
                                       // says NotModified
    WriteConditions conditions;
    std::optional<Metadata> replace;  // REPLACE: this instead of the source's; tags are separate:
    std::optional<Tags> replace_tags;
    std::vector<ChecksumAlgorithm>
        compute;  // a checksum that the source lacks is computed by reading it
};

struct MultipartOptions {
    Metadata metadata;
    std::optional<ChecksumAlgorithm> algorithm;
    std::optional<ChecksumType>
        type;  // CRC64NVME: full_object only; SHA: composite only; else composite is usual
};

struct MultipartInfo {
    std::string bucket;
    std::string key;
    std::string upload_id;
    Timestamp initiated;
    Metadata metadata;
    std::optional<ChecksumAlgorithm> algorithm;
    ChecksumType type = ChecksumType::composite;
};

/// One line of CompleteMultipartUpload.
struct CompletedPart {
    uint32_t number = 0;
    std::string etag;
    std::optional<Checksum> checksum;
};

struct CompleteOptions {
    WriteConditions conditions;
    std::optional<Checksum> expected;  // of the whole object
    std::optional<uint64_t> size;      // x-amz-mp-object-size
};

struct PartPage {
    MultipartInfo upload;
    std::vector<PartInfo> parts;
    bool truncated = false;
    uint32_t next = 0;  // part number to list after
};

struct UploadPage {
    std::vector<MultipartInfo> uploads;  // by key, then by time of initiation
    std::vector<std::string> common_prefixes;
    bool truncated = false;
    std::string next_key;
    std::string next_upload_id;
};

struct ListUploadsOptions {
    std::string prefix;
    std::string delimiter;
    std::string after_key;
    std::string after_upload_id;  // with after_key: later uploads of that key too
    size_t entries_max = 1000;
};

}  // namespace tarn::objects

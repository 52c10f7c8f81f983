// The records of this module as bytes: docs/formats/objects.md. Decoding never trusts its input:
// `corrupted` for anything odd.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/bytes.h"
#include "objects/types.h"

namespace tarn::objects::internal {

/// [skip, skip + length) of an extent's data: a copied range shares the whole extent.
struct Piece {
    Extent extent;
    uint64_t skip = 0;
    uint64_t length = 0;

    bool operator==(const Piece&) const = default;
};

struct ObjectRecord {
    uint64_t size = 0;
    Timestamp modified;
    std::string etag;
    Metadata metadata;
    std::vector<Checksum> checksums;
    std::vector<PartInfo> parts;  // number, size, checksum
    std::string upload_id;  // of the multipart upload that made it: answers a repeated completion
    std::vector<Piece> pieces;  // empty: the body lies beside the record
};

struct UploadRecord {
    Timestamp initiated;
    Metadata metadata;
    std::optional<ChecksumAlgorithm> algorithm;
    ChecksumType type = ChecksumType::composite;
};

struct PartRecord {
    uint64_t size = 0;
    Timestamp modified;
    std::string etag;
    std::optional<Checksum> checksum;
    std::vector<Piece> pieces;
};

struct BucketRecord {
    Timestamp created;
    std::string region;
    bool system = false;
};

std::string encode(const ObjectRecord& record);
std::string encode(const UploadRecord& record);
std::string encode(const PartRecord& record);
std::string encode(const BucketRecord& record);
Result<ObjectRecord> decode_object(std::string_view bytes);
/// What a listing shows, without the key; what stands behind that is not looked at.
Result<ListedObject> decode_listed(std::string_view bytes);
Result<UploadRecord> decode_upload(std::string_view bytes);
Result<PartRecord> decode_part(std::string_view bytes);
Result<BucketRecord> decode_bucket(std::string_view bytes);

/// Adds `delta` for every extent that the pieces name.
void count_refs(ExtentRefs& refs, const std::vector<Piece>& pieces, int64_t delta);
/// The part [offset, offset + length) of what `pieces` make up.
std::vector<Piece> slice(const std::vector<Piece>& pieces, uint64_t offset, uint64_t length);

}  // namespace tarn::objects::internal

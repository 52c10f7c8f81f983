// Copies share extents; only small bodies and missing checksums are read.
#include <algorithm>

#include "codec/text.h"
#include "objects/internal/conditions.h"
#include "objects/internal/keys.h"
#include "objects/internal/names.h"
#include "objects/internal/objects.h"

namespace tarn::objects::internal {
namespace {

constexpr uint64_t kReadBytes = 1u << 20;

/// A source's condition that fails is PreconditionFailed, whatever a GET would say.
Status check_source(const ReadConditions& conditions, const ObjectRecord& source) {
    auto held = check_read(conditions, source.etag, source.modified);
    if (held.ok()) return held;
    return Error(Code::precondition_failed, held.error().message, "PreconditionFailed");
}

bool has_checksum(const std::vector<Checksum>& checksums, ChecksumAlgorithm algorithm) {
    return std::any_of(checksums.begin(), checksums.end(),
                       [&](const Checksum& have) { return have.algorithm == algorithm; });
}

/// Feeds [offset, offset + length) of an object to `sink`.
template <typename Sink>
Status pour(const ObjectReader& reader, uint64_t offset, uint64_t length, const Sink& sink) {
    while (length > 0) {
        TARN_TRY(bytes, reader.read(offset, std::min(length, kReadBytes)));
        if (bytes.empty()) return Error(Code::corrupted, "An object ends before its length.");
        TARN_CHECK_OK(sink(bytes));
        offset += bytes.size();
        length -= bytes.size();
    }
    return {};
}

/// Sharing a sliver would keep a large extent alive.
bool worth_sharing(const std::vector<Piece>& pieces) {
    return !pieces.empty() && std::all_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
        return piece.length >= piece.extent.length / 2;
    });
}

}  // namespace

Result<std::vector<Checksum>> Objects::missing_checksums(const std::string& bucket,
                                                         const std::string& key,
                                                         const CopyOptions& options,
                                                         meta::Version* version) {
    TARN_TRY(reader, open_found(bucket, key, {}, version));
    std::vector<ChecksumAlgorithm> missing;
    for (auto algorithm : options.compute)
        if (!has_checksum(reader->info().checksums, algorithm)) missing.push_back(algorithm);
    if (missing.empty()) return std::vector<Checksum>();
    Digests digests(missing);
    TARN_CHECK_OK(pour(*reader, 0, reader->info().size, [&](std::string_view bytes) -> Status {
        digests.update(bytes);
        return {};
    }));
    return digests.finish().checksums;
}

Status Objects::build_copy(Change& change, const std::string& from_bucket,
                           const std::string& from_key, const std::string& to_bucket,
                           const std::string& to_key, const CopyOptions& options,
                           ObjectRecord& next) {
    TARN_TRY(source, load_object(from_bucket, from_key));
    TARN_CHECK_OK(check_source(options.source_conditions, source.record));
    TARN_TRY(target, find_object(to_bucket, to_key));
    TARN_CHECK_OK(check_write(options.conditions, target ? &target->record.etag : nullptr));

    next = source.record;
    next.modified = clock_.now();
    next.upload_id.clear();
    if (options.replace) next.metadata = *options.replace;
    next.metadata.tags = options.replace_tags ? *options.replace_tags : source.record.metadata.tags;
    if (!options.compute.empty()) {
        meta::Version read_version = 0;
        TARN_TRY(computed, missing_checksums(from_bucket, from_key, options, &read_version));
        if (read_version != source.version) return changed_meanwhile();
        next.checksums.insert(next.checksums.end(), computed.begin(), computed.end());
    }

    const bool same = from_bucket == to_bucket && from_key == to_key;
    if (!same)
        change.batch.require_version(object_key(from_bucket, from_key), source.version,
                                     changed_meanwhile());
    std::string body;
    if (!same && source.record.pieces.empty() && source.record.size != 0) {
        if (!source.body) return Error(Code::corrupted, "The body of " + from_key + " is missing.");
        TARN_TRY(bytes, source.body->read(0, source.record.size));
        if (bytes.size() != source.record.size)
            return Error(Code::corrupted, "The body of " + from_key + " does not have its length.");
        body = std::move(bytes);
    }
    replace_object(change, to_bucket, to_key, target, next, same ? nullptr : &body);
    return {};
}

Result<ObjectInfo> Objects::copy(const security::Caller& caller, const std::string& from_bucket,
                                 const std::string& from_key, const std::string& to_bucket,
                                 const std::string& to_key, CopyOptions options) {
    TARN_CHECK_OK(check_key(to_key));
    if (options.replace) TARN_CHECK_OK(check_metadata(*options.replace));
    if (options.replace_tags) TARN_CHECK_OK(check_tags(*options.replace_tags));
    if (from_bucket == to_bucket && from_key == to_key && !options.replace)
        return Error(
            Code::invalid_argument,
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata.",
            "InvalidRequest");
    ObjectRecord next;
    TARN_CHECK_OK(commit(caller, 0, [&](Change& change) {
        return build_copy(change, from_bucket, from_key, to_bucket, to_key, options, next);
    }));
    return to_info(to_bucket, to_key, next);
}

Result<PartInfo> Objects::copy_part(const security::Caller& caller, const std::string& from_bucket,
                                    const std::string& from_key,
                                    const std::optional<std::pair<uint64_t, uint64_t>>& range,
                                    const ReadConditions& conditions, const std::string& bucket,
                                    const std::string& key, const std::string& upload_id,
                                    uint32_t number) {
    TARN_TRY(upload, load_upload(bucket, key, upload_id));
    TARN_TRY(source, load_object(from_bucket, from_key));
    TARN_CHECK_OK(check_source(conditions, source.record));
    // Held while its bytes are read and named anew, so that they can't go in between.
    meta::Version version = 0;
    TARN_TRY(reader, open_found(from_bucket, from_key, {}, &version));
    if (version != source.version) return changed_meanwhile();

    const uint64_t offset = range ? range->first : 0;
    const uint64_t length = range ? range->second : source.record.size;
    if (offset > source.record.size || length > source.record.size - offset ||
        (range && length == 0))
        return Error(Code::invalid_argument, "The range does not lie within the source object.",
                     "InvalidArgument");
    if (length > kPutBytesMax)
        return Error(Code::invalid_argument, "A part has at most 5 GiB.", "EntityTooLarge");

    PartRecord part;
    part.size = length;
    part.pieces = slice(source.record.pieces, offset, length);
    PutOptions put;
    if (upload.record.algorithm) put.compute = {*upload.record.algorithm};
    if (worth_sharing(part.pieces)) {
        Digests digests(put.compute);
        TARN_CHECK_OK(pour(*reader, offset, length, [&](std::string_view bytes) -> Status {
            digests.update(bytes);
            return {};
        }));
        auto values = digests.finish();
        part.etag = codec::hex_encode(values.md5);
        if (!values.checksums.empty()) part.checksum = values.checksums.front();
        return commit_part(caller, bucket, key, upload_id, number, std::move(part), nullptr,
                           Source{object_key(from_bucket, from_key), version});
    }
    auto options = intake_options(put);
    Intake intake(bytes_, std::move(options));
    TARN_CHECK_OK(pour(*reader, offset, length,
                       [&](std::string_view bytes) -> Status { return intake.write(bytes); }));
    TARN_CHECK_OK(intake.finish({}));
    part.etag = codec::hex_encode(intake.md5());
    part.pieces = intake.pieces();
    if (!intake.checksums().empty()) part.checksum = intake.checksums().front();
    return commit_part(caller, bucket, key, upload_id, number, std::move(part), &intake);
}

}  // namespace tarn::objects::internal

// Multipart uploads: parts are records with extents of their own; completing moves the names, not
// the bytes.
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/random.h"
#include "codec/text.h"
#include "objects/internal/conditions.h"
#include "objects/internal/keys.h"
#include "objects/internal/names.h"
#include "objects/internal/objects.h"
#include "objects/internal/uploads.h"

namespace tarn::objects::internal {
namespace {

MultipartInfo to_multipart(const std::string& bucket, const std::string& key,
                           const std::string& upload_id, const UploadRecord& record) {
    MultipartInfo info;
    info.bucket = bucket;
    info.key = key;
    info.upload_id = upload_id;
    info.initiated = record.initiated;
    info.metadata = record.metadata;
    info.algorithm = record.algorithm;
    info.type = record.type;
    return info;
}

PartInfo to_part(uint32_t number, const PartRecord& record) {
    PartInfo info;
    info.number = number;
    info.size = record.size;
    info.etag = record.etag;
    info.modified = record.modified;
    info.checksum = record.checksum;
    return info;
}

Status check_part_number(uint32_t number) {
    if (number >= 1 && number <= kPartsMax) return {};
    return Error(Code::invalid_argument,
                 "Part number must be an integer between 1 and 10000, inclusive.",
                 "InvalidArgument");
}

Result<ChecksumType> checksum_type(const MultipartOptions& options) {
    if (!options.algorithm) {
        if (options.type)
            return Error(Code::invalid_argument, "A checksum type needs a checksum algorithm.",
                         "InvalidRequest");
        return ChecksumType::composite;
    }
    const auto algorithm = *options.algorithm;
    const bool full_only = algorithm == ChecksumAlgorithm::crc64nvme;
    const bool composite_only =
        algorithm == ChecksumAlgorithm::sha1 || algorithm == ChecksumAlgorithm::sha256;
    const auto type =
        options.type.value_or(full_only ? ChecksumType::full_object : ChecksumType::composite);
    if ((full_only && type == ChecksumType::composite) ||
        (composite_only && type == ChecksumType::full_object))
        return Error(Code::invalid_argument,
                     "This checksum type cannot be used with the " +
                         std::string(checksum_name(algorithm)) + " checksum algorithm.",
                     "InvalidRequest");
    return type;
}

Error invalid_part() {
    return {Code::invalid_argument,
            "One or more of the specified parts could not be found. The part might not have been "
            "uploaded, or the specified entity tag might not match.",
            "InvalidPart"};
}

Status check_part_list(const std::vector<CompletedPart>& parts) {
    if (parts.empty() || parts.size() > kPartsMax)
        return Error(Code::invalid_argument, "You must specify 1 to 10,000 parts.", "MalformedXML");
    for (size_t i = 1; i < parts.size(); ++i)
        if (parts[i].number <= parts[i - 1].number)
            return Error(Code::invalid_argument, "The list of parts was not in ascending order.",
                         "InvalidPartOrder");
    return {};
}

bool is_that_part(const CompletedPart& wanted, const PartRecord& part) {
    if (wanted.etag != part.etag) return false;
    const bool comparable =
        wanted.checksum && part.checksum && wanted.checksum->algorithm == part.checksum->algorithm;
    return !comparable || wanted.checksum->value == part.checksum->value;
}

Status check_whole(const ObjectRecord& object, const CompleteOptions& options) {
    if (object.size > kObjectBytesMax)
        return Error(Code::invalid_argument, "The object would exceed the maximum size.",
                     "EntityTooLarge");
    if (options.size && *options.size != object.size)
        return Error(Code::invalid_argument, "The object's size does not match what was announced.",
                     "InvalidRequest");
    if (options.expected) return verify_checksums({*options.expected}, object.checksums);
    return {};
}

Result<PartRecord> decode_part_at(const meta::Iterator& walk) {
    TARN_TRY(record, walk.record());
    return decode_part(record.value);
}

Result<uint32_t> part_number(std::string_view key) {
    meta::KeyReader reader(key, "mp");
    const auto upload_id = reader.take_text();
    const auto number = reader.take_number();
    if (!upload_id || !number) return Error(Code::corrupted, "A key of a part can't be read.");
    return static_cast<uint32_t>(*number);
}

}  // namespace

Result<MultipartInfo> Objects::create_multipart(const security::Caller& caller,
                                                const std::string& bucket, const std::string& key,
                                                MultipartOptions options) {
    TARN_CHECK_OK(check_key(key));
    TARN_CHECK_OK(check_metadata(options.metadata));
    TARN_TRY(type, checksum_type(options));
    const UploadRecord record{clock_.now(), std::move(options.metadata), options.algorithm, type};
    // Time first, so that the uploads of a key lie in order of initiation.
    const std::string upload_id = fmt::format("{:016x}{}", record.initiated.micros, random_hex(16));
    TARN_CHECK_OK(commit(caller, 0, [&](Change& change) -> Status {
        change.batch.require_present(bucket_key(bucket), no_such_bucket(bucket));
        change.batch.put(upload_key(bucket, key, upload_id), encode(record));
        return {};
    }));
    return to_multipart(bucket, key, upload_id, record);
}

Result<Found<UploadRecord>> Objects::load_upload(const std::string& bucket, const std::string& key,
                                                 const std::string& upload_id) const {
    assert_may_block();
    TARN_TRY(record, store_.get(upload_key(bucket, key, upload_id)));
    if (!record) {
        TARN_CHECK_OK(require_bucket(bucket));
        return no_such_upload();
    }
    TARN_TRY(decoded, decode_upload(record->value));
    return Found<UploadRecord>{std::move(decoded), record->version, nullptr};
}

Result<MultipartInfo> Objects::head_multipart(const std::string& bucket, const std::string& key,
                                              const std::string& upload_id) const {
    TARN_TRY(upload, load_upload(bucket, key, upload_id));
    return to_multipart(bucket, key, upload_id, upload.record);
}

Result<std::unique_ptr<PartUpload>> Objects::begin_part(const security::Caller& caller,
                                                        const std::string& bucket,
                                                        const std::string& key,
                                                        const std::string& upload_id,
                                                        uint32_t number, PutOptions options) {
    TARN_CHECK_OK(check_part_number(number));
    auto intake = intake_options(options);
    TARN_CHECK_OK(check_intake(intake));
    TARN_TRY(upload, load_upload(bucket, key, upload_id));
    const auto algorithm = upload.record.algorithm;
    if (algorithm) {
        for (const auto& expected : options.expected)
            if (expected.algorithm != *algorithm)
                return Error(
                    Code::invalid_argument,
                    "Checksum Type mismatch occurred, expected checksum Type: " +
                        std::string(checksum_name(*algorithm)) +
                        ", actual checksum Type: " + std::string(checksum_name(expected.algorithm)),
                    "InvalidRequest");
        intake.compute.push_back(*algorithm);
    }
    auto body = std::make_unique<Intake>(bytes_, std::move(intake));
    return std::unique_ptr<PartUpload>(new MultipartPart(*this, caller, bucket, key, upload_id,
                                                         number, algorithm, std::move(body)));
}

Result<PartInfo> Objects::commit_part(const security::Caller& caller, const std::string& bucket,
                                      const std::string& key, const std::string& upload_id,
                                      uint32_t number, PartRecord record, Intake* intake,
                                      const std::optional<Source>& source) {
    TARN_CHECK_OK(check_part_number(number));
    TARN_CHECK_OK(commit(caller, record.size, [&](Change& change) -> Status {
        TARN_TRY(upload, load_upload(bucket, key, upload_id));
        TARN_TRY(old, store_.get(part_key(upload_id, number)));
        auto& batch = change.batch;
        record.modified = clock_.now();
        batch.require_present(upload_key(bucket, key, upload_id), no_such_upload());
        batch.require_version(part_key(upload_id, number), old ? old->version : 0,
                              changed_meanwhile());
        if (source)
            batch.require_version(
                source->key, source->version,
                Error(Code::conflict, "The source object changed while it was copied.",
                      "OperationAborted"));
        batch.put(part_key(upload_id, number), encode(record));
        // Whoever completes or aborts has read all parts: a new one gives the upload a new version.
        batch.put(upload_key(bucket, key, upload_id), encode(upload.record));
        count_refs(change.refs, record.pieces, 1);
        if (old) {
            TARN_TRY(replaced, decode_part(old->value));
            count_refs(change.refs, replaced.pieces, -1);
        }
        if (intake != nullptr) intake->stage(batch);
        return {};
    }));
    if (intake != nullptr) intake->kept();
    free_space();
    put_bytes_.add(static_cast<double>(record.size));
    return to_part(number, record);
}

Result<Objects::Parts> Objects::load_parts(const std::string& upload_id) const {
    Parts parts;
    const std::string prefix = parts_of(upload_id);
    auto walk = store_.scan({prefix, meta::prefix_end(prefix)});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(number, part_number(walk->key()));
        TARN_TRY(part, decode_part_at(*walk));
        parts.emplace_back(number, std::move(part));
    }
    TARN_CHECK_OK(walk->status());
    return parts;
}

Result<PartPage> Objects::list_parts(const std::string& bucket, const std::string& key,
                                     const std::string& upload_id, uint32_t after,
                                     size_t entries_max) const {
    TARN_TRY(upload, load_upload(bucket, key, upload_id));
    PartPage page;
    page.upload = to_multipart(bucket, key, upload_id, upload.record);
    const std::string prefix = parts_of(upload_id);
    auto walk = store_.scan({part_key(upload_id, after) + '\0', meta::prefix_end(prefix)});
    for (; walk->valid(); walk->next()) {
        if (page.parts.size() == std::min(entries_max, kEntriesMax)) {
            page.truncated = entries_max != 0;
            break;
        }
        TARN_TRY(number, part_number(walk->key()));
        TARN_TRY(part, decode_part_at(*walk));
        page.parts.push_back(to_part(number, part));
        page.next = number;
    }
    TARN_CHECK_OK(walk->status());
    return page;
}

Result<UploadPage> Objects::list_uploads(const std::string& bucket,
                                         const ListUploadsOptions& options) const {
    assert_may_block();
    TARN_CHECK_OK(require_bucket(bucket));
    UploadPage page;
    const size_t entries_max = std::min(options.entries_max, kEntriesMax);
    if (entries_max == 0) return page;
    // Keys hold no NUL, so the escaped form of a prefix is the prefix itself.
    const std::string base = uploads_of(bucket);
    const std::string first = base + options.prefix;
    auto walk = store_.scan({first, meta::prefix_end(first)});
    if (!options.after_key.empty()) {
        const std::string marker = upload_key(bucket, options.after_key, options.after_upload_id);
        const std::string from =
            options.after_upload_id.empty() ? meta::prefix_end(marker) : marker + '\0';
        if (from > first) walk->seek(from);
    }
    while (walk->valid()) {
        meta::KeyReader reader(walk->key(), "mu");
        reader.take_text();
        auto key = reader.take_text();
        if (!key) return Error(Code::corrupted, "A key of a multipart upload can't be read.");
        if (page.uploads.size() + page.common_prefixes.size() == entries_max) {
            page.truncated = true;
            break;
        }
        const size_t cut = options.delimiter.empty()
                               ? std::string::npos
                               : key->find(options.delimiter, options.prefix.size());
        if (cut != std::string::npos) {
            key->resize(cut + options.delimiter.size());
            if (*key > options.after_key || options.after_key.compare(0, key->size(), *key) != 0) {
                page.common_prefixes.push_back(*key);
                page.next_key = *key;
                page.next_upload_id.clear();
            }
            walk->seek(meta::prefix_end(base + *key));
            continue;
        }
        const std::string upload_id(reader.rest());
        TARN_TRY(record, walk->record());
        TARN_TRY(decoded, decode_upload(record.value));
        page.uploads.push_back(to_multipart(bucket, *key, upload_id, decoded));
        page.next_key = *key;
        page.next_upload_id = upload_id;
        walk->next();
    }
    TARN_CHECK_OK(walk->status());
    if (!page.truncated) page.next_key = page.next_upload_id = std::string();
    return page;
}

Result<ObjectRecord> Objects::assemble(const std::string& upload_id, const UploadRecord& upload,
                                       const Parts& stored, const std::vector<CompletedPart>& parts,
                                       const CompleteOptions& options) const {
    TARN_CHECK_OK(check_part_list(parts));
    std::unordered_map<uint32_t, const PartRecord*> by_number;
    for (const auto& [number, part] : stored) by_number[number] = &part;

    ObjectRecord next;
    next.metadata = upload.metadata;
    next.upload_id = upload_id;
    std::string md5s;
    std::vector<std::pair<std::string, uint64_t>> checksums;
    for (const auto& wanted : parts) {
        const auto found = by_number.find(wanted.number);
        if (found == by_number.end() || !is_that_part(wanted, *found->second))
            return invalid_part();
        const auto& part = *found->second;
        if (&wanted != &parts.back() && part.size < options_.part_bytes_min)
            return Error(Code::invalid_argument,
                         "Your proposed upload is smaller than the minimum allowed size.",
                         "EntityTooSmall");
        TARN_TRY(md5, codec::hex_decode(part.etag));
        md5s += md5;
        if (upload.algorithm) {
            if (!part.checksum) return invalid_part();
            checksums.emplace_back(part.checksum->value, part.size);
        }
        next.size += part.size;
        next.pieces.insert(next.pieces.end(), part.pieces.begin(), part.pieces.end());
        PartInfo info;
        info.number = wanted.number;
        info.size = part.size;
        info.checksum = part.checksum;
        next.parts.push_back(std::move(info));
    }
    next.etag = codec::hex_encode(codec::md5(md5s)) + "-" + std::to_string(parts.size());
    if (upload.algorithm) {
        TARN_TRY(whole, combine(*upload.algorithm, upload.type, checksums));
        next.checksums.push_back(std::move(whole));
    }
    TARN_CHECK_OK(check_whole(next, options));
    return next;
}

Result<ObjectInfo> Objects::complete(const security::Caller& caller, const std::string& bucket,
                                     const std::string& key, const std::string& upload_id,
                                     const std::vector<CompletedPart>& parts,
                                     const CompleteOptions& options) {
    ObjectRecord next;
    auto committed = commit(caller, 0, [&](Change& change) -> Status {
        auto upload = load_upload(bucket, key, upload_id);
        TARN_TRY(old, find_object(bucket, key));
        if (!upload.ok()) {
            // The answer to a completion that worked may have been lost: the object remembers which
            // upload made it.
            if (upload.error().reason != "NoSuchUpload" || !old ||
                old->record.upload_id != upload_id)
                return std::move(upload).error();
            next = std::move(old->record);
            return {};
        }
        TARN_TRY(stored, load_parts(upload_id));
        TARN_TRY(assembled, assemble(upload_id, upload->record, stored, parts, options));
        TARN_CHECK_OK(check_write(options.conditions, old ? &old->record.etag : nullptr));
        next = std::move(assembled);
        next.modified = clock_.now();
        auto& batch = change.batch;
        const std::string record_key = upload_key(bucket, key, upload_id);
        batch.require_version(record_key, upload->version, changed_meanwhile());
        batch.erase(record_key);
        batch.erase_range(parts_of(upload_id), meta::prefix_end(parts_of(upload_id)));
        for (const auto& part : stored) count_refs(change.refs, part.second.pieces, -1);
        const std::string no_body;
        replace_object(change, bucket, key, old, next, &no_body);
        return {};
    });
    TARN_CHECK_OK(committed);
    puts_.add();
    return to_info(bucket, key, next);
}

Status Objects::abort(const security::Caller& caller, const std::string& bucket,
                      const std::string& key, const std::string& upload_id) {
    return commit(caller, 0, [&](Change& change) -> Status {
        TARN_TRY(upload, load_upload(bucket, key, upload_id));
        TARN_TRY(stored, load_parts(upload_id));
        auto& batch = change.batch;
        const std::string record_key = upload_key(bucket, key, upload_id);
        batch.require_version(record_key, upload.version, changed_meanwhile());
        batch.erase(record_key);
        batch.erase_range(parts_of(upload_id), meta::prefix_end(parts_of(upload_id)));
        for (const auto& part : stored) count_refs(change.refs, part.second.pieces, -1);
        batch.frees_space();
        return {};
    });
}

}  // namespace tarn::objects::internal

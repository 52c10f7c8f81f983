// Decoding any bytes gives a record or an error; a record encodes to bytes that decode to it again.
#include "base/fuzz.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/record.h"

namespace {

template <typename Decode>
void try_one(std::string_view bytes, const Decode& decode) {
    const auto record = decode(bytes);
    if (!record.ok()) return;
    const auto again = encode(*record);
    TARN_ASSERT(decode(again).ok());
    TARN_ASSERT(encode(*decode(again)) == again);
}

/// What a listing reads is what the whole record says.
void compare_listed(std::string_view bytes) {
    using namespace tarn::objects::internal;
    const auto whole = decode_object(bytes);
    const auto listed = decode_listed(bytes);
    if (!whole.ok()) return;
    TARN_ASSERT(listed.ok());
    TARN_ASSERT(listed->size == whole->size && listed->etag == whole->etag &&
                listed->modified == whole->modified);
    TARN_ASSERT(listed->storage_class == whole->metadata.storage_class);
    TARN_ASSERT(listed->checksums.size() == whole->checksums.size());
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::objects::internal;
    using tarn::objects::Checksum;
    ObjectRecord object;
    object.size = 70'000;
    object.modified = {1'750'000'000'000'000};
    object.etag = "0123456789abcdef0123456789abcdef-2";
    object.metadata.headers.content_type = "text/plain";
    object.metadata.user = {{"a", "b"}};
    object.metadata.tags = {{"t", "u"}};
    object.checksums = {Checksum{}};
    object.parts = {{1, 70'000, "etag", {}, Checksum{}}};
    object.upload_id = "upload";
    object.pieces = {{{1, 4096, 70'000}, 5, 60'000}};
    UploadRecord upload;
    upload.algorithm = tarn::objects::ChecksumAlgorithm::sha256;
    PartRecord part;
    part.etag = "etag";
    part.checksum = Checksum{};
    part.pieces = object.pieces;
    return {encode(object), encode(upload), encode(part),
            encode(BucketRecord{{5}, "us-east-1", true}),
            encode_extent_header(1, "00112233445566778899aabbccddeeff")};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::objects::internal;
    const std::string_view bytes = tarn::fuzz_text(data, size);
    try_one(bytes, decode_object);
    compare_listed(bytes);
    try_one(bytes, decode_upload);
    try_one(bytes, decode_part);
    try_one(bytes, decode_bucket);
    (void)check_extent_header(bytes, 1, "00112233445566778899aabbccddeeff").ok();
    (void)parse_extent_file_name(bytes);
    return 0;
}

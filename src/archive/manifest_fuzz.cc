// Manifests, lists of ranges, names and listings as a hostile destination may give them.
#include <cstddef>
#include <cstdint>

#include "archive/internal/manifest.h"
#include "archive/internal/s3_destination.h"
#include "base/fuzz.h"
#include "codec/hash.h"

namespace {

constexpr size_t kHashBytes = 32;

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::archive;
    Manifest manifest;
    manifest.history = manifest.lake_id = std::string(32, 'a');
    manifest.point = make_point_id(false, {1'750'000'000'000'000});
    manifest.damage = {"extents"};
    manifest.files = {{"extents/00000000000000a1.extents", "token", {}, true, piece_id("list")},
                      {"state/lake-id", "", {{0, 33, piece_id("x"), 0, 0}}, false, {}}};
    auto bytes = encode_manifest(manifest);
    bytes.resize(bytes.size() - kHashBytes);  // the target puts the right one behind
    return {bytes, encode_list(manifest.files[1].ranges),
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a"
            "</NextContinuationToken><Contents><Key>a%20b</Key><Size>1</Size><LastModified>"
            "2026-11-21T22:45:00Z</LastModified></Contents></ListBucketResult>"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::archive;
    const std::string bytes(tarn::fuzz_text(data, size));
    // The checksum keeps accidents out, not whoever can write to the destination.
    const auto manifest = parse_manifest(bytes + tarn::codec::sha256(bytes));
    if (manifest.ok()) {
        TARN_ASSERT(encode_manifest(*manifest) == bytes + tarn::codec::sha256(bytes));
        for (const auto& file : manifest->files) {
            TARN_ASSERT(is_copied_path(file.path) && is_name(file.path));
            for (const auto& range : file.ranges)
                TARN_ASSERT(range.offset + range.length <= kFileBytesMax);
        }
    }
    const auto list = parse_list(bytes);
    if (list.ok()) TARN_ASSERT(encode_list(*list) == bytes);
    (void)parse_list_page(bytes).ok();
    TARN_ASSERT(!is_copied_path(bytes) || is_name(bytes));
    if (is_point_id(bytes)) (void)point_time(bytes);
    return 0;
}

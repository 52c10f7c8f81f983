// Header values as S3 reads them: tags, checksums, entity tags and dates, ranges of copies.
#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/s3/internal/checksums.h"
#include "protocols/s3/internal/conditions.h"
#include "protocols/s3/internal/object_headers.h"
#include "protocols/s3/internal/range.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"a=1&b=%20+c&d",
            "AAAAAA==",
            "AAAAAA==-3",
            "\"a\", W/\"b\", *",
            "Fri, 20 Nov 2026 17:30:00 GMT",
            "bytes=0-9",
            "18446744073709551615"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::s3;
    using tarn::objects::ChecksumAlgorithm;
    const auto text = tarn::fuzz_text(data, size);
    (void)parse_tag_header(text).ok();
    for (const auto algorithm :
         {ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc64nvme, ChecksumAlgorithm::sha256})
        if (const auto sum = parse_checksum(algorithm, text); sum.ok())
            TARN_ASSERT(text.starts_with(checksum_text(*sum, 0).substr(0, 6)));
    (void)etag_list_matches(text, "a");
    (void)if_range_holds(text, "a", {1'750'000'000'000'000});
    (void)check_conditions({text, text, text, text}, "a", {1'750'000'000'000'000});
    if (const auto range = parse_copy_range(text, 1000); range.ok())
        TARN_ASSERT(range->length > 0 && range->offset + range->length <= 1000);
    if (const auto number = parse_number(text))
        TARN_ASSERT(std::to_string(*number) ==
                    text.substr(std::min(text.find_first_not_of('0'), text.size() - 1)));
    return 0;
}

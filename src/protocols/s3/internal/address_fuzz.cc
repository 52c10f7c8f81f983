#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/fuzz.h"
#include "protocols/s3/internal/address.h"
#include "protocols/s3/internal/range.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"bucket.localhost:4566\n/a%20b/%E2%82%AC",
            "localhost\n/bucket/key?x",
            "h\nbytes=0-9",
            "h\nbytes=-5",
            "h\nbytes=990-",
            "h\n/bucket/key?versionId=null",
            "h\n/bucket/..%2f../%00"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view input = tarn::fuzz_text(data, size);
    auto cut = input.find('\n');
    auto host = input.substr(0, cut);
    auto path = cut == std::string_view::npos ? input : input.substr(cut + 1);
    auto address = tarn::s3::parse_address(host, path, {"localhost", "s3.localhost"});
    if (address.ok()) TARN_ASSERT(tarn::s3::is_utf8(address->key));
    (void)tarn::s3::parse_copy_source(path).ok();
    auto range = tarn::s3::parse_range(path, 1000);
    if (range.ok() && *range) TARN_ASSERT((*range)->offset + (*range)->length <= 1000);
    return 0;
}

// Any text as a time: what is taken prints, and reads back as the same.
#include "base/assert.h"
#include "base/fuzz.h"
#include "base/time.h"

std::vector<std::string> tarn::fuzz_seeds() {
    const Timestamp at{1'795'282'745'123'456};
    return {format_iso8601(at),          format_iso8601_basic(at),
            format_http_date(at),        "1969-12-31T23:59:59.999999+01:00",
            "2024-02-29T00:00:00-12:30", "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:60Z"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn;
    const auto at = parse_time(fuzz_text(data, size));
    if (!at.ok()) return 0;
    TARN_ASSERT(from_civil(civil(*at)) == *at);
    const auto again = parse_time(format_iso8601(*at));
    TARN_ASSERT(again.ok() && at->micros - again->micros >= 0 && at->micros - again->micros < 1000);
    const auto seconds = parse_time(format_http_date(*at));
    TARN_ASSERT(seconds.ok() && seconds->seconds() == at->seconds());
    return 0;
}

// The small texts of sources: a topic's template (first line) with a topic (the rest), numbers and
// times as files have them.
#include <charconv>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/csv_value.h"
#include "ingest/internal/folder_scan.h"
#include "ingest/internal/mqtt_topic.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"stores/{store}/shelves/{}/#\nstores/1/shelves/2/a/b",
            "+/a\n$SYS/a",
            "/srv/drop/a/*.csv\n",
            "%d.%m.%Y %H:%M:%S%z\n20.11.2026 17:30:05+0100",
            "%b %e, %y %I:%M %p\nNov 3, 26 05:30 PM",
            "%Y-%m-%dT%T.%fZ\n2026-11-20T17:30:05.123456Z",
            "%F\n2026-02-29",
            "-9223372036854775808\n",
            "-1.234,50\n",
            "1e-400\n",
            "2026-11-20T17:30:05.123Z\n",
            "2026-11-20 17:30 +01:00\n",
            "0001-01-01\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::ingest;
    const auto [first, second] = tarn::fuzz_line(tarn::fuzz_text(data, size));
    if (const auto topic = TopicTemplate::parse(first); topic.ok()) {
        std::vector<std::string_view> captured;
        if (topic->matches(second, &captured))
            TARN_ASSERT(captured.size() == topic->captures().size());
        TARN_ASSERT(topic->overlaps(*topic) && !topic->filter().empty());
    }
    if (const auto format = TimeFormat::compile(first); format.ok()) {
        int64_t micros = 0;
        (void)format->parse(second, micros);
    }
    (void)parse_drop_path(std::string(first)).ok();
    int64_t number = 0, expected = 0;
    if (parse_integer(first, number)) {
        const auto read = std::from_chars(first.data(), first.data() + first.size(), expected);
        TARN_ASSERT(read.ec == std::errc() && read.ptr == first.data() + first.size() &&
                    number == expected);
    }
    double real = 0;
    bool truth = false, zone = false;
    NumberShape shape;
    tarn::query::Int128 decimal = 0;
    for (const char sign : {'.', ','}) {
        (void)parse_real(first, sign, real);
        const bool shaped = read_number_shape(first, sign, shape);
        if (parse_decimal(first, sign, 38, 9, decimal) == DecimalFit::ok) TARN_ASSERT(shaped);
    }
    (void)parse_boolean(first, truth);
    (void)parse_iso_date(first, number);
    (void)parse_iso_timestamp(first, number, zone);
    return 0;
}

// A pattern in the first line, a number, a text or a time in the rest, through to_char and back.
#include "base/fuzz.h"
#include "query/pg_format.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {"YYYY-MM-DD HH24:MI:SS.US\n2024-03-05 14:07:09.5", "FM999,990.00PR\n-1234.5", "DD Mon YYYY HH12:MI am\n05 Mar 2024 02:07 pm",
            "S9G999D99th V99\n1e5", "IYYY\"W\"IW \\\\ TMMonth FMDDth J Q\n-62135596800000000"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const auto [pattern, value] = tarn::fuzz_line(tarn::fuzz_text(data, size));
    static_cast<void>(format_number(value, pattern));
    static_cast<void>(parse_time(value, pattern));
    int64_t micros = 0;
    for (const char c : value) micros = static_cast<int64_t>(static_cast<uint64_t>(micros) * 131 + static_cast<unsigned char>(c));
    constexpr int64_t kMost = 9'000'000'000'000'000'000;  // what a timestamp can be
    if (micros > -kMost && micros < kMost) format_time(micros, pattern);
    return 0;
}

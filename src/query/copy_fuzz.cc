// Any bytes as COPY data, in pieces, in each format.
#include "base/fuzz.h"
#include "query/internal/copy.h"

std::vector<std::string> tarn::fuzz_seeds() {
    std::string binary("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
    binary += std::string("\0\x03\0\0\0\x04\0\0\0\x05\xff\xff\xff\xff", 14);
    binary += std::string("\0\0\0\x03\x01{}\xff\xff", 9);
    return {"1\ta\\tb\\x41\\101\t{}\n\\N\t\\N\t\\N\n\\.\n", "1,\"a\"\"b\nc\",1\r\n,,\n2,\"\",[]\n",
            binary};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view bytes = tarn::fuzz_text(data, size);
    const std::vector<Type> types = {Kind::int32, Kind::text, Kind::jsonb};
    for (const CopyFormat format : {CopyFormat::text, CopyFormat::csv, CopyFormat::binary}) {
        CopySpec spec;
        spec.format = format;
        if (format == CopyFormat::csv) spec.delimiter = ',';
        CopyReader reader(spec, types);
        Chunk rows;
        for (const auto& type : types) rows.columns.emplace_back(type);
        bool fine = true;
        for (size_t at = 0; at < bytes.size() && fine; at += 7)
            fine = reader.push(bytes.substr(at, 7), rows).ok();
        if (fine) static_cast<void>(reader.finish(rows));
    }
    return 0;
}

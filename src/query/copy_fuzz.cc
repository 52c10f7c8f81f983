// Any bytes as COPY data, in pieces, in each format.
#include "query/internal/copy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::vector<Type> types = {Kind::int32, Kind::text};
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

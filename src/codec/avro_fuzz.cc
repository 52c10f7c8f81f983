#include "codec/avro.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::codec;
    auto reader =
        AvroFileReader::open({reinterpret_cast<const char*>(data), size}, {1u << 20, 1u << 20});
    if (!reader.ok()) return 0;
    AvroFileReader::Block block;
    while (true) {
        auto more = reader->next(&block);
        if (!more.ok() || !*more) return 0;
        AvroDecoder in(block.bytes);
        for (int64_t i = 0; i < block.records && in.ok(); ++i) in.skip(reader->schema());
    }
}

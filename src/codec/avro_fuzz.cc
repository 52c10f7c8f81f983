// Any bytes as a container file, and as a schema.
#include "base/fuzz.h"
#include "codec/avro.h"

namespace {

constexpr const char* kSchema =
    R"({"type":"record","name":"r","fields":[{"name":"a","field-id":1,"type":["null","long"]},)"
    R"({"name":"b","type":{"type":"array","items":"string"}},{"name":"c","type":{"type":"map","values":"bytes"}},)"
    R"({"name":"d","type":{"type":"fixed","name":"f","size":4}},{"name":"e","type":"f"},{"name":"g","type":"double"},)"
    R"({"name":"h","type":{"type":"enum","name":"n","symbols":["x","y"]}},{"name":"i","type":"boolean"}]})";

std::string one_record() {
    std::string out;
    tarn::codec::AvroEncoder(out)
        .integer(1)
        .integer(-70'000)
        .begin_block(2)
        .bytes("ab")
        .bytes("")
        .end_blocks()
        .begin_block(1)
        .bytes("key")
        .bytes("value")
        .end_blocks()
        .fixed("1234")
        .fixed("5678")
        .real64(0.5)
        .integer(1)
        .boolean(true);
    return out;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    std::string many;
    for (int i = 0; i < 300; ++i) many += one_record();  // enough to be deflated
    return {kSchema, codec::write_avro_file(kSchema, {{"k", "v"}}, 1, one_record()),
            codec::write_avro_file(kSchema, {}, 300, many),
            codec::write_avro_file(R"("null")", {}, 3, ""),
            R"({"type":"record","name":"a.b","namespace":"c","fields":[]})"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::codec;
    const auto bytes = tarn::fuzz_text(data, size);
    (void)parse_avro_schema(bytes).ok();
    auto reader = AvroFileReader::open(bytes, {1u << 20, 1u << 20});
    if (!reader.ok()) return 0;
    AvroFileReader::Block block;
    while (true) {
        auto more = reader->next(&block);
        if (!more.ok() || !*more) return 0;
        AvroDecoder in(block.bytes);
        for (int64_t i = 0; i < block.records && in.ok(); ++i) in.skip(reader->schema());
    }
}

#include "base/fuzz.h"
#include "ingest/internal/mqtt_decode.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {
        "7\n{\"i\":-5,\"s\":3,\"r\":0.5,\"d\":1e300,\"m\":12.345,\"b\":true,\"t\":"
        "\"a\\u00e9\\ud83d\\ude00\","
        "\"at\":\"2026-11-20T17:30:00.123Z\",\"day\":\"2026-11-20\",\"u\":\"9c12d441-03fe-4693-"
        "9a96-a0705ddf69c1\"}",
        "7/x/"
        "y\n{\"at\":1763660000,\"i\":\"12\",\"m\":\"-1.5\",\"t\":{\"nested\":[1,{}]},\"b\":null}",
        "x\n[1]", "7\n{\"i\":1,\"i\":2}"};
}

/// The first line is the topic, the rest the payload. Whatever comes in: a row that fits its types,
/// or a reason.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using tarn::query::Kind;
    static const auto shape = [] {
        tarn::ingest::MqttSource from;
        from.topic = "t/{shelf}/#";
        from.columns = {
            {"shelf", Kind::int32}, {"i", Kind::int64},   {"s", Kind::int16},
            {"r", Kind::float32},   {"d", Kind::float64}, {"m", tarn::query::Type::decimal(12, 3)},
            {"b", Kind::boolean},   {"t", Kind::text},    {"at", Kind::timestamptz},
            {"day", Kind::date},    {"u", Kind::uuid}};
        return tarn::ingest::MqttShape::make({"s", "main", from}).value();
    }();
    const std::string_view input = tarn::fuzz_text(data, size);
    const size_t line = std::min(input.find('\n'), input.size());
    tarn::ingest::MqttDecoder decoder(shape);
    const auto done =
        decoder.decode("t/" + std::string(input.substr(0, line)),
                       line < input.size() ? input.substr(line + 1) : std::string_view());
    if (!done.ok()) {
        if (done.error().message.empty()) __builtin_trap();
        return 0;
    }
    for (size_t i = 0; i < shape.columns.size(); ++i)
        if (!decoder.row()[i].is_null())
            tarn::query::pg_text(shape.columns[i].type, decoder.row()[i]);
    return 0;
}

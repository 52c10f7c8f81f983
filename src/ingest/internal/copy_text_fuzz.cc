// Any bytes as rows of COPY: a row that is taken adds one value to every column.
#include <cstdint>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/copy_text.h"

namespace {

using tarn::query::Kind;
using tarn::query::Type;

const std::vector<Type>& all_types() {
    static const std::vector<Type> types = {Kind::boolean,
                                            Kind::int16,
                                            Kind::int32,
                                            Kind::int64,
                                            Kind::float32,
                                            Kind::float64,
                                            Type::decimal(5, 2),
                                            Type::decimal(18, 9),
                                            Type::decimal(38, 9),
                                            Kind::text,
                                            Kind::binary,
                                            Kind::date,
                                            Kind::time,
                                            Kind::timestamp,
                                            Kind::timestamptz,
                                            Kind::uuid,
                                            Type::list(Kind::int64),
                                            Type::list(Kind::text),
                                            Type::list(Type::decimal(10, 2)),
                                            Type::list(Kind::timestamptz)};
    return types;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    std::vector<std::string> seeds;
    const char* values[] = {"t",
                            "-32768",
                            "2147483647",
                            "-9223372036854775808",
                            "1e38",
                            "NaN",
                            "123.45",
                            "0.000000001",
                            "1e10",
                            "a\\tb\\\\",
                            "\\\\x00ff",
                            "infinity",
                            "24:00:00",
                            "0044-03-15 00:00:00 BC",
                            "2026-11-20 17:30:00.123456+00",
                            "9c12d441-03fe-4693-9a96-a0705ddf69c1",
                            "{1,NULL}",
                            "{\"a,b\",NULL,c}",
                            "{1.25}",
                            "{\"2026-11-20 17:30:00+00\"}"};
    for (size_t i = 0; i < all_types().size(); ++i)
        seeds.push_back(std::string(1, '\0') + static_cast<char>(i) + values[i] + "\n\\N\n");
    return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    std::vector<tarn::ingest::ColumnSpec> columns;
    const size_t count = 1 + data[0] % 3;
    for (size_t i = 0; i < count; ++i)
        columns.push_back(
            {"c" + std::to_string(i), all_types()[(data[1] + i * 7) % all_types().size()]});
    tarn::ingest::CopyTextDecoder decoder(std::move(columns));
    decoder.trust_utf8(data[0] < 128);
    std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
    auto chunk = decoder.make_chunk(4);
    size_t rows = 0;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        const bool taken = decoder.decode(rest.substr(0, end), chunk).ok();
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!taken) {
            chunk = decoder.make_chunk(4);
            rows = 0;
            continue;
        }
        ++rows;
        for (const auto& column : chunk.columns) {
            TARN_ASSERT(column.rows() == rows);
            std::string text;
            if (!column.is_null(rows - 1)) column.append_pg_text(rows - 1, text);
        }
    }
    return 0;
}

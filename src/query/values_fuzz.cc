// Bytes as values of every type, in text and binary.
#include "base/fuzz.h"
#include "query/types.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::query;
    std::string list, decimal, interval;
    append_pg_binary(Type::list(Kind::int64), Value(Values{Value(1), Value()}), list);
    append_pg_binary(Type::decimal(38, 9), Value(static_cast<Int128>(-12'345)), decimal);
    append_pg_binary(Kind::interval, Value(Interval{1, 2, 3}), interval);
    return {"true",
            "-32768",
            "1e308",
            "NaN",
            "\\x00ff",
            "infinity",
            "2026-11-20",
            "24:00:00",
            "2026-11-20 17:30:00.123456+05:30",
            "0044-03-15 BC",
            "1 year 2 mons -3 days 04:05:06.7",
            "P1Y2M3DT4H5M6S",
            "9c12d441-03fe-4693-9a96-a0705ddf69c1",
            "{\"a\":[1,null]}",
            "{1,NULL,{2}}",
            "[0:1]={1,2}",
            "-1 days +02:03:00",
            "P1Y2M3DT4H5M6.5S",
            "@ 1-2 3 4:05 ago",
            "{\"a\\\"b\",c}",
            "-99999999999999999999999999999.999999999",
            list,
            decimal,
            interval};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view bytes = tarn::fuzz_text(data, size);
    for (const Kind kind :
         {Kind::boolean, Kind::int16, Kind::int64, Kind::float32, Kind::float64, Kind::binary,
          Kind::date, Kind::time, Kind::timestamp, Kind::timestamptz, Kind::interval, Kind::uuid,
          Kind::json, Kind::jsonb}) {
        for (const Type& type : {Type(kind), Type::list(kind)}) {
            if (const auto value = parse_pg_text(type, bytes); value.ok()) pg_text(type, *value);
            if (const auto value = parse_pg_binary(type, bytes); value.ok()) pg_text(type, *value);
        }
    }
    for (const Type& type : {Type::decimal(4, 2), Type::decimal(38, 9), Type::decimal(38, 38)}) {
        static_cast<void>(parse_pg_text(type, bytes));
        static_cast<void>(parse_pg_binary(type, bytes));
    }
    return 0;
}

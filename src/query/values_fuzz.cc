// Bytes as values of every type, in text and binary.
#include "query/types.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const Kind kind : {Kind::boolean, Kind::int16, Kind::int64, Kind::float32, Kind::float64,
                            Kind::binary, Kind::date, Kind::time, Kind::timestamp,
                            Kind::timestamptz, Kind::interval, Kind::uuid, Kind::json}) {
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

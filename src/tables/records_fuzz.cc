// The catalog's records, and the small texts of Iceberg: types, transforms, bounds, paths.
#include "base/assert.h"
#include "base/fuzz.h"
#include "tables/internal/records.h"
#include "tables/object_files.h"

namespace {

/// What decodes is written as what decodes to the same.
template <typename Decode>
void try_one(std::string_view bytes, const Decode& decode) {
    const auto record = decode(bytes);
    if (!record.ok()) return;
    const std::string again = tarn::tables::encode(*record);
    TARN_ASSERT(decode(again).ok());
    TARN_ASSERT(tarn::tables::encode(*decode(again)) == again);
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::tables;
    RelationInfo view;
    view.kind = RelationKind::view;
    view.name = "v";
    view.sql = "select 1";
    view.columns = {{"a", Type::list(0, Type::of(TypeId::int64), false), "comment"}};
    RelationInfo table;
    table.uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
    return {encode(DatabaseInfo{"d", 7, "c", "o", {{"k", "v"}}, {1}}),
            encode(view),
            encode(table),
            encode(Pointer{"s3://lake/m.json", "s3://lake/t"}),
            encode(Purge{{"s3://lake/a"}, "p/"}),
            "decimal(38, 9)",
            "fixed[16]",
            "timestamptz",
            "bucket[16]",
            "truncate[4]",
            "s3://lake/a/b",
            schema_json({0, {{1, "id", Type::of(TypeId::uuid), true, "doc"}}, {1}})};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::tables;
    const auto bytes = tarn::fuzz_text(data, size);
    try_one(bytes, decode_database);
    try_one(bytes, decode_relation);
    try_one(bytes, decode_pointer);
    try_one(bytes, decode_purge);
    if (const auto type = parse_primitive_type(bytes); type.ok())
        TARN_ASSERT(*parse_primitive_type(type_name(*type)) == *type);
    if (const auto transform = parse_transform(bytes); transform.ok())
        TARN_ASSERT(*parse_transform(transform_name(*transform)) == *transform);
    if (const auto schema = parse_schema_json(bytes); schema.ok())
        TARN_ASSERT(parse_schema_json(schema_json(*schema))->same_fields(*schema));
    (void)parse_object_path(bytes).ok();
    for (const TypeId id :
         {TypeId::boolean, TypeId::int32, TypeId::int64, TypeId::float64, TypeId::date,
          TypeId::timestamptz, TypeId::string, TypeId::uuid, TypeId::binary}) {
        const Type type = Type::of(id);
        const auto value = decode_bound(type, bytes);
        if (!value.ok()) continue;
        TARN_ASSERT(fits(type, *value));
        (void)truncate_upper_bound(type, truncate_lower_bound(type, encode_bound(type, *value)));
    }
    if (const auto value = decode_bound(Type::decimal(38, 9), bytes); value.ok())
        TARN_ASSERT(*decode_bound(Type::decimal(38, 9),
                                  encode_bound(Type::decimal(38, 9), *value)) == *value);
    return 0;
}

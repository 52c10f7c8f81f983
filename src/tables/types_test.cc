#include "tables/types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/time.h"
#include "codec/text.h"

namespace tarn::tables {
namespace {

Literal text(const char* value) {
    return Literal::text(value);
}

TEST(TypesTest, NamesRoundTrip) {
    for (const char* name :
         {"boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz",
          "string", "uuid", "binary", "decimal(38, 0)", "decimal(9, 2)", "fixed[16]"}) {
        auto type = parse_primitive_type(name);
        ASSERT_TRUE(type.ok()) << name;
        EXPECT_EQ(type_name(*type), name);
    }
    EXPECT_EQ(type_name(*parse_primitive_type("decimal(9,2)")), "decimal(9, 2)");
    for (const char* name : {"", "varchar", "decimal(39, 0)", "decimal(3, 4)", "decimal(3",
                             "fixed[]", "fixed[0]", "timestamp_ns", "decimal(1,2,3)"})
        EXPECT_FALSE(parse_primitive_type(name).ok()) << name;
}

TEST(TypesTest, Widening) {
    EXPECT_TRUE(can_widen(Type::of(TypeId::int32), Type::of(TypeId::int64)));
    EXPECT_TRUE(can_widen(Type::of(TypeId::float32), Type::of(TypeId::float64)));
    EXPECT_TRUE(can_widen(Type::decimal(9, 2), Type::decimal(12, 2)));
    EXPECT_FALSE(can_widen(Type::decimal(9, 2), Type::decimal(12, 3)));
    EXPECT_FALSE(can_widen(Type::decimal(9, 2), Type::decimal(8, 2)));
    EXPECT_FALSE(can_widen(Type::of(TypeId::int64), Type::of(TypeId::int32)));
    EXPECT_FALSE(can_widen(Type::of(TypeId::int32), Type::of(TypeId::string)));
}

TEST(TypesTest, SchemaJsonIsWhatJavaWrites) {
    Schema schema;
    schema.schema_id = 3;
    schema.identifier_field_ids = {1};
    schema.fields = {{1, "id", Type::of(TypeId::int64), true, "the \"key\""},
                     {2, "tags", Type::list(5, Type::of(TypeId::string), false), false, {}},
                     {3,
                      "scores",
                      Type::map(6, Type::of(TypeId::string), 7, Type::decimal(9, 2), true),
                      false,
                      {}},
                     {4,
                      "place",
                      Type::structure({{8, "lat", Type::of(TypeId::float64), true, {}}}),
                      false,
                      {}}};
    const std::string json = schema_json(schema);
    EXPECT_EQ(
        json,
        R"J({"type":"struct","schema-id":3,"identifier-field-ids":[1],"fields":[)J"
        R"J({"id":1,"name":"id","required":true,"type":"long","doc":"the \"key\""},)J"
        R"J({"id":2,"name":"tags","required":false,"type":{"type":"list","element-id":5,)J"
        R"J("element":"string","element-required":false}},)J"
        R"J({"id":3,"name":"scores","required":false,"type":{"type":"map","key-id":6,)J"
        R"J("key":"string","value-id":7,"value":"decimal(9, 2)","value-required":true}},)J"
        R"J({"id":4,"name":"place","required":false,"type":{"type":"struct","fields":[)J"
        R"J({"id":8,"name":"lat","required":true,"type":"double"}]}}]})J");
    auto parsed = parse_schema_json(json);
ASSERT_TRUE(parsed.ok());
EXPECT_TRUE(parsed->same_fields(schema));
EXPECT_EQ(parsed->schema_id, 3);
EXPECT_EQ(schema.highest_field_id(), 8);
EXPECT_EQ(schema.find(8)->name, "lat");
EXPECT_EQ(schema.find("ID")->id, 1);
EXPECT_TRUE(check_schema(schema).ok());
}

TEST(TypesTest, FreshIdsGoLevelByLevel) {
    Schema schema;
    schema.fields = {
        {0, "a", Type::list(0, Type::of(TypeId::int32), true), false, {}},
        {0, "b", Type::structure({{0, "c", Type::of(TypeId::int32), false, {}}}), false, {}}};
    int next = 1;
    const Schema fresh = assign_fresh_ids(schema, &next);
    EXPECT_EQ(fresh.fields[0].id, 1);
    EXPECT_EQ(fresh.fields[1].id, 2);
    EXPECT_EQ(fresh.fields[0].type.fields[0].id, 3);
    EXPECT_EQ(fresh.fields[1].type.fields[0].id, 4);
    EXPECT_EQ(next, 5);
}

TEST(TypesTest, BadSchemasAreRefused) {
    const auto refused = [](std::vector<Field> fields) {
        Schema schema;
        schema.fields = std::move(fields);
        return !check_schema(schema).ok();
    };
    const Type number = Type::of(TypeId::int32);
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused({{1, "", number, false, {}}}));
    EXPECT_TRUE(refused({{1, "a", number, false, {}}, {2, "A", number, false, {}}}));
    EXPECT_TRUE(refused({{1, "a", number, false, {}}, {1, "b", number, false, {}}}));
    EXPECT_TRUE(refused({{1, "a\n", number, false, {}}}));
    EXPECT_TRUE(refused({{1, "a", Type::decimal(40, 0), false, {}}}));
    EXPECT_TRUE(refused({{1, "a", Type::of(TypeId::list), false, {}}}));
    Type deep = number;
    for (int i = 0; i < 20; ++i) deep = Type::list(i + 2, deep, false);
    EXPECT_TRUE(refused({{1, "a", deep, false, {}}}));
    EXPECT_FALSE(parse_schema_json("{").ok());
    EXPECT_FALSE(parse_schema_json(R"({"type":"struct","fields":[{"id":"x"}]})").ok());
}

std::string hex_of(const Type& type, const Literal& literal) {
    return codec::hex_encode(encode_bound(type, literal));
}

TEST(LiteralTest, AppendixD) {
    EXPECT_EQ(hex_of(Type::of(TypeId::boolean), Literal::boolean(true)), "01");
    EXPECT_EQ(hex_of(Type::of(TypeId::int32), Literal::integer(34)), "22000000");
    EXPECT_EQ(hex_of(Type::of(TypeId::int64), Literal::integer(-2)), "feffffffffffffff");
    EXPECT_EQ(hex_of(Type::of(TypeId::float32), Literal::real(1.0)), "0000803f");
    EXPECT_EQ(hex_of(Type::of(TypeId::float64), Literal::real(1.0)), "000000000000f03f");
    EXPECT_EQ(hex_of(Type::of(TypeId::date), Literal::integer(17486)), "4e440000");
    EXPECT_EQ(hex_of(Type::decimal(9, 2), Literal::decimal(1420)), "058c");
    EXPECT_EQ(hex_of(Type::decimal(9, 2), Literal::decimal(-1)), "ff");
    EXPECT_EQ(hex_of(Type::decimal(9, 2), Literal::decimal(128)), "0080");
    EXPECT_EQ(hex_of(Type::decimal(9, 2), Literal::decimal(-128)), "80");
    EXPECT_EQ(hex_of(Type::decimal(9, 2), Literal::decimal(0)), "00");
    EXPECT_EQ(hex_of(Type::of(TypeId::string), text("iceberg")), "69636562657267");
}

TEST(LiteralTest, BoundsRoundTripAndOldOnesDecode) {
    Random random(7);
    for (int i = 0; i < 2000; ++i) {
        const auto number = static_cast<int64_t>(random.below(UINT64_MAX)) >> random.below(64);
        const auto unscaled =
            static_cast<Int128>(number) * static_cast<int64_t>(random.below(1'000'000'000));
        const Type decimal = Type::decimal(38, 3);
        EXPECT_EQ(*decode_bound(decimal, encode_bound(decimal, Literal::decimal(unscaled))),
                  Literal::decimal(unscaled));
        const Type big = Type::of(TypeId::int64);
        EXPECT_EQ(*decode_bound(big, encode_bound(big, Literal::integer(number))),
                  Literal::integer(number));
    }
    EXPECT_EQ(*decode_bound(Type::of(TypeId::int64),
                            encode_bound(Type::of(TypeId::int32), Literal::integer(-5))),
              Literal::integer(-5));
    EXPECT_EQ(*decode_bound(Type::of(TypeId::float64),
                            encode_bound(Type::of(TypeId::float32), Literal::real(0.5))),
              Literal::real(0.5));
    EXPECT_FALSE(decode_bound(Type::of(TypeId::int32), "abc").ok());
    EXPECT_FALSE(decode_bound(Type::decimal(9, 2), "").ok());
    EXPECT_FALSE(decode_bound(Type::decimal(9, 2), "s3:u").ok());  // ten digits
    EXPECT_FALSE(decode_bound(Type::fixed(4), "abc").ok());
}

TEST(LiteralTest, Order) {
    const Type real = Type::of(TypeId::float64);
    const auto less = [](const Type& type, const Literal& a, const Literal& b) {
        return compare(type, a, b) < 0;
    };
    EXPECT_TRUE(less(real, Literal::real(-0.0), Literal::real(0.0)));
    EXPECT_TRUE(less(real, Literal::real(INFINITY), Literal::real(NAN)));
    EXPECT_TRUE(less(Type::of(TypeId::string), text("a"), text("\xc3\xa4")));
    EXPECT_TRUE(less(Type::of(TypeId::binary), text("ab"), text("abc")));
    EXPECT_TRUE(less(Type::decimal(38, 0), Literal::decimal(-5), Literal::decimal(3)));
}

TEST(LiteralTest, BoundsAreCutToSixteen) {
    const Type string = Type::of(TypeId::string);
    EXPECT_EQ(truncate_lower_bound(string, "0123456789abcdefg"), "0123456789abcdef");
    EXPECT_EQ(truncate_upper_bound(string, "0123456789abcdefg"), "0123456789abcdeg");
    EXPECT_EQ(truncate_upper_bound(string, "0123456789abcdef"), "0123456789abcdef");
    std::string umlauts;
    for (int i = 0; i < 17; ++i) umlauts += "\xc3\xa4";
    EXPECT_EQ(truncate_lower_bound(string, umlauts).size(), 32u);
    EXPECT_EQ(truncate_upper_bound(string, umlauts)->substr(30), "\xc3\xa5");
    // U+7F is followed by two bytes, U+10FFFF by nothing: the character before is raised.
    EXPECT_EQ(truncate_upper_bound(string, "0123456789abcde\x7fz")->substr(15), "\xc2\x80");
    std::string highest = "0123456789abcd\x65";
    highest += "\xf4\x8f\xbf\xbf";
    EXPECT_EQ(truncate_upper_bound(string, highest + "z"), "0123456789abcdf");
    // Just below the surrogates.
    EXPECT_EQ(truncate_upper_bound(string, "0123456789abcde\xed\x9f\xbfz")->substr(15),
              "\xee\x80\x80");
    const Type binary = Type::of(TypeId::binary);
    EXPECT_EQ(truncate_upper_bound(binary, std::string(17, '\xff')), std::nullopt);
    EXPECT_EQ(truncate_upper_bound(binary, std::string(15, 'a') + "\xff\xff"),
              std::string(14, 'a') + "b");
}

int64_t bucket_hash(const Type& type, const Literal& literal) {
    // A width beyond every hash leaves the hash itself, without its sign.
    return std::get<int64_t>(
        apply_transform({Transform::Kind::bucket, INT32_MAX, {}}, type, literal).value);
}

TEST(TransformTest, AppendixBHashes) {
    const auto expect = [](const Type& type, const Literal& literal, int32_t hash) {
        EXPECT_EQ(bucket_hash(type, literal), (hash & 0x7fffffff) % INT32_MAX) << type_name(type);
    };
    expect(Type::of(TypeId::int32), Literal::integer(34), 2017239379);
    expect(Type::of(TypeId::int64), Literal::integer(34), 2017239379);
    expect(Type::decimal(9, 2), Literal::decimal(1420), -500754589);
    expect(Type::of(TypeId::date), Literal::integer(days_from_civil(2017, 11, 16)), -653330422);
    expect(Type::of(TypeId::time), Literal::integer(81068000000), -662762989);
    const int64_t stamp = from_civil({2017, 11, 16, 22, 31, 8, 0}).micros;
    expect(Type::of(TypeId::timestamp), Literal::integer(stamp), -2047944441);
    expect(Type::of(TypeId::timestamp), Literal::integer(stamp + 1), -1207196810);
    expect(Type::of(TypeId::timestamptz), Literal::integer(stamp), -2047944441);
    expect(Type::of(TypeId::string), text("iceberg"), 1210000089);
    expect(Type::of(TypeId::uuid),
           Literal::text(*codec::hex_decode("f79c3e09677c4bbda4793f349cb785e7")), 1488055340);
    expect(Type::fixed(4), Literal::text(std::string("\x00\x01\x02\x03", 4)), -188683207);
    expect(Type::of(TypeId::binary), Literal::text(std::string("\x00\x01\x02\x03", 4)), -188683207);
}

TEST(TransformTest, Truncate) {
    const auto cut = [](const Type& type, uint32_t width, const Literal& literal) {
        return apply_transform({Transform::Kind::truncate, width, {}}, type, literal);
    };
    EXPECT_EQ(cut(Type::of(TypeId::int32), 10, Literal::integer(1)), Literal::integer(0));
    EXPECT_EQ(cut(Type::of(TypeId::int32), 10, Literal::integer(-1)), Literal::integer(-10));
    EXPECT_EQ(cut(Type::of(TypeId::int64), 10, Literal::integer(INT64_MIN)),
              Literal::integer(INT64_MIN));
    EXPECT_EQ(cut(Type::decimal(9, 2), 50, Literal::decimal(1065)), Literal::decimal(1050));
    EXPECT_EQ(cut(Type::of(TypeId::string), 3, text("iceberg")), text("ice"));
    EXPECT_EQ(cut(Type::of(TypeId::string), 2, text("\xc3\xa4\xc3\xb6\xc3\xbc")),
              text("\xc3\xa4\xc3\xb6"));
    EXPECT_EQ(cut(Type::of(TypeId::binary), 3, text("abcdef")), text("abc"));
    EXPECT_TRUE(cut(Type::of(TypeId::string), 3, Literal::null()).is_null());
}

TEST(TransformTest, TimeParts) {
    const Type stamp = Type::of(TypeId::timestamp);
    const auto part = [&](Transform::Kind kind, const Type& type, int64_t value) {
        return std::get<int64_t>(
            apply_transform({kind, 0, {}}, type, Literal::integer(value)).value);
    };
    const int64_t at = from_civil({2017, 11, 16, 22, 31, 8, 0}).micros;
    EXPECT_EQ(part(Transform::Kind::year, stamp, at), 47);
    EXPECT_EQ(part(Transform::Kind::month, stamp, at), 574);
    EXPECT_EQ(part(Transform::Kind::day, stamp, at), 17486);
    EXPECT_EQ(part(Transform::Kind::hour, stamp, at), 419686);
    EXPECT_EQ(part(Transform::Kind::year, stamp, -1), -1);
    EXPECT_EQ(part(Transform::Kind::month, stamp, -1), -1);
    EXPECT_EQ(part(Transform::Kind::day, stamp, -1), -1);
    EXPECT_EQ(part(Transform::Kind::hour, stamp, -1), -1);
    EXPECT_EQ(part(Transform::Kind::year, Type::of(TypeId::date), 17486), 47);
    EXPECT_EQ(part(Transform::Kind::year, Type::of(TypeId::date), INT32_MAX), 5'879'610);
    for (int64_t day = -800'000; day < 800'000; day += 17) {
        const CivilTime expected = civil(Timestamp{day * 86'400'000'000});
        ASSERT_EQ(part(Transform::Kind::month, Type::of(TypeId::date), day),
                  (expected.year - 1970) * 12 + expected.month - 1);
    }
}

TEST(TransformTest, NamesAndResults) {
    for (const char* name : {"identity", "bucket[16]", "truncate[3]", "year", "month", "day",
                             "hour", "void", "zorder(3)"})
        EXPECT_EQ(transform_name(*parse_transform(name)), name);
    EXPECT_EQ(parse_transform("zorder(3)")->kind, Transform::Kind::unknown);
    EXPECT_FALSE(parse_transform("bucket[0]").ok());
    EXPECT_FALSE(parse_transform("bucket[x]").ok());
    EXPECT_FALSE(parse_transform("").ok());
    EXPECT_FALSE(transform_result(*parse_transform("hour"), Type::of(TypeId::date)).ok());
    EXPECT_FALSE(transform_result(*parse_transform("bucket[4]"), Type::of(TypeId::float64)).ok());
    EXPECT_EQ(transform_result(*parse_transform("day"), Type::of(TypeId::timestamp))->id,
              TypeId::date);
    PartitionSpec spec{0,
                       {{1, 1000, "d", *parse_transform("day")},
                        {2, 1001, "m", *parse_transform("month")},
                        {3, 1002, "price", *parse_transform("identity")}}};
    EXPECT_EQ(
        partition_text(spec, {Type::of(TypeId::date), Type::of(TypeId::int32), Type::decimal(5, 2)},
                       {Literal::integer(17486), Literal::integer(-1), Literal::decimal(-5)}),
        "d=2017-11-16/m=1969-12/price=-0.05");
}

}  // namespace
}  // namespace tarn::tables

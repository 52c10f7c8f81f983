#include "codec/avro.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tarn::codec {
namespace {

constexpr const char* kSchema =
    R"({"type":"record","name":"r","fields":[{"name":"id","type":"long","field-id":1},)"
    R"({"name":"text","type":["null","string"],"default":null,"field-id":2},)"
    R"({"name":"items","type":{"type":"array","items":{"type":"record","name":"pair","fields":[)"
    R"({"name":"key","type":"int","field-id":3},{"name":"value","type":"bytes","field-id":4}]},"logicalType":"map"}},)"
    R"({"name":"again","type":["null","pair"]},{"name":"f","type":{"type":"fixed","name":"f4","size":4}},)"
    R"({"name":"real","type":"double"},{"name":"small","type":"float"},{"name":"truth","type":"boolean"}]})";

void encode_record(AvroEncoder& out, int64_t id) {
    out.integer(id)
        .integer(1)
        .bytes("text")
        .begin_block(2)
        .integer(1)
        .bytes("one")
        .integer(2)
        .bytes("two")
        .end_blocks();
    out.integer(0).fixed("abcd").real64(2.5).real32(0.5f).boolean(true);
}

TEST(AvroTest, IntegersAreZigzag) {
    const auto encoded = [](int64_t v) {
        std::string out;
        AvroEncoder(out).integer(v);
        return out;
    };
    EXPECT_EQ(encoded(0), std::string(1, '\0'));
    EXPECT_EQ(encoded(-1), "\x01");
    EXPECT_EQ(encoded(1), "\x02");
    EXPECT_EQ(encoded(-64), "\x7f");
    EXPECT_EQ(encoded(64), "\x80\x01");
    for (const int64_t v : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-12345678901}}) {
        const std::string bytes = encoded(v);
        AvroDecoder in(bytes);
        EXPECT_EQ(in.take_integer(), v);
        EXPECT_TRUE(in.ok() && in.empty());
    }
    AvroDecoder endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11));
    endless.take_integer();
    EXPECT_FALSE(endless.ok());
}

TEST(AvroTest, FilesRoundTripPlainAndDeflated) {
    for (const int records : {0, 1, 1000}) {
        std::string encoded;
        AvroEncoder out(encoded);
        for (int i = 0; i < records; ++i) encode_record(out, i);
        const std::string file = write_avro_file(kSchema, {{"k", "v"}}, records, encoded);
        auto reader = AvroFileReader::open(file);
        ASSERT_TRUE(reader.ok()) << reader.error().message;
        EXPECT_EQ(reader->metadata().at("k"), "v");
        EXPECT_EQ(reader->metadata().at("avro.codec"), records > 100 ? "deflate" : "null");
        AvroFileReader::Block block;
        int64_t seen = 0;
        while (true) {
            auto more = reader->next(&block);
            ASSERT_TRUE(more.ok()) << more.error().message;
            if (!*more) break;
            AvroDecoder in(block.bytes), skipping(block.bytes);
            for (int64_t i = 0; i < block.records; ++i, ++seen) {
                EXPECT_EQ(in.take_integer(), seen);
                for (size_t f = 1; f < reader->schema().fields.size(); ++f)
                    in.skip(*reader->schema().fields[f].schema);
                skipping.skip(reader->schema());
            }
            EXPECT_TRUE(in.ok() && in.empty());
            EXPECT_TRUE(skipping.ok() && skipping.empty());
        }
        EXPECT_EQ(seen, records);
    }
}

TEST(AvroTest, Schemas) {
    auto schema = parse_avro_schema(kSchema);
    ASSERT_TRUE(schema.ok());
    EXPECT_EQ((*schema)->fields[1].field_id, 2);
    EXPECT_EQ((*schema)->fields[2].schema->logical_type, "map");
    EXPECT_EQ((*schema)->fields[3].schema->parts[1], (*schema)->fields[2].schema->parts[0]);
    EXPECT_EQ((*schema)->fields[4].schema->size, 4u);
    EXPECT_FALSE(parse_avro_schema("").ok());
    EXPECT_FALSE(parse_avro_schema("\"nothing\"").ok());
    EXPECT_FALSE(
        parse_avro_schema(R"({"type":"record","name":"r","fields":[{"name":"a","type":"r"}]})")
            .ok());
    EXPECT_FALSE(parse_avro_schema(R"({"type":"array"})").ok());
    EXPECT_FALSE(parse_avro_schema(R"({"type":"record","name":7,"fields":[]})").ok());
    std::string deep = "\"int\"";
    for (int i = 0; i < 100; ++i) deep = R"({"type":"array","items":)" + deep + "}";
    EXPECT_FALSE(parse_avro_schema(deep).ok());
}

TEST(AvroTest, HostileSchemasTakeNoTime) {
    // Records of records of nothing: 2^30 visits for no bytes, were there no bound.
    std::string type = "\"null\"";
    for (int i = 0; i < 15; ++i)
        type = R"({"type":"record","name":"r)" + std::to_string(i) +
               R"(","fields":[{"name":"a","type":)" + type + R"(},{"name":"b","type":)" +
               (i == 0 ? "\"null\"" : "\"r" + std::to_string(i - 1) + "\"") + "}]}";
    auto schema = parse_avro_schema(R"({"type":"array","items":)" + type + "}");
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    std::string encoded;
    AvroEncoder(encoded).integer(4000);
    AvroDecoder in(encoded);
    in.skip(**schema);
    EXPECT_FALSE(in.ok());
}

TEST(AvroTest, DamagedFilesAreErrors) {
    std::string encoded;
    AvroEncoder out(encoded);
    for (int i = 0; i < 300; ++i) encode_record(out, i);
    const std::string file = write_avro_file(kSchema, {}, 300, encoded);
    const auto read_all = [](const std::string& bytes) {
        auto reader = AvroFileReader::open(bytes);
        if (!reader.ok()) return false;
        AvroFileReader::Block block;
        while (true) {
            auto more = reader->next(&block);
            if (!more.ok()) return false;
            if (!*more) return true;
            AvroDecoder in(block.bytes);
            for (int64_t i = 0; i < block.records && in.ok(); ++i) in.skip(reader->schema());
            if (!in.ok()) return false;
        }
    };
    EXPECT_TRUE(read_all(file));
    Random random(3);
    for (int i = 0; i < 500; ++i) {
        std::string damaged = file;
        damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
        (void)read_all(damaged);
        EXPECT_FALSE(read_all(file.substr(0, file.size() - 1 - random.below(1000))));
    }
}

}  // namespace
}  // namespace tarn::codec

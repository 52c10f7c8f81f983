#include "tables/metadata.h"

#include <gtest/gtest.h>

#include "codec/avro.h"
#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

TableMetadata example() {
    TableMetadata metadata;
    metadata.table_uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
    metadata.location = "s3://lake/shop/orders-9c12d441";
    metadata.last_sequence_number = 34;
    metadata.last_updated_ms = 1602638573590;
    metadata.last_column_id = 3;
    Schema schema;
    schema.fields = testing::shop_columns();
    metadata.schemas = {schema};
    metadata.specs = {{0, {{1, 1000, "id_bucket", *parse_transform("bucket[4]")}}}};
    metadata.last_partition_id = 1000;
    metadata.sort_orders = {{0, {}}};
    metadata.properties = {{"comment", "a \"quoted\" one"}};
    metadata.current_snapshot_id = 3055729675574597004;
    metadata.refs["main"].snapshot_id = 3055729675574597004;
    Snapshot first{3051729675574597004,       {}, 0, 1515100955770, "s3://a/b/1.avro",
                   {{"operation", "append"}}, {}};
    Snapshot second{3055729675574597004,
                    3051729675574597004,
                    1,
                    1555100955770,
                    "s3://a/b/2.avro",
                    {{"added-records", "5"}, {"operation", "append"}},
                    0};
    metadata.snapshots = {std::make_shared<const Snapshot>(first),
                          std::make_shared<const Snapshot>(second)};
    metadata.snapshot_log = {{1515100955770, 3051729675574597004},
                             {1555100955770, 3055729675574597004}};
    metadata.metadata_log = {{1515100, "s3://a/b/v1.json"}};
    return metadata;
}

constexpr const char* kGolden =
    R"({"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"s3://lake/shop/orders-9c12d441",)"
    R"("last-sequence-number":34,"last-updated-ms":1602638573590,"last-column-id":3,"current-schema-id":0,"schemas":[{"type":"struct",)"
    R"("schema-id":0,"fields":[{"id":1,"name":"id","required":true,"type":"long"},{"id":2,"name":"name","required":false,"type":"string"},)"
    R"({"id":3,"name":"day","required":false,"type":"date"}]}],"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[)"
    R"({"name":"id_bucket","transform":"bucket[4]","source-id":1,"field-id":1000}]}],"last-partition-id":1000,)"
    R"("default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{"comment":"a \"quoted\" one"},)"
    R"("current-snapshot-id":3055729675574597004,"refs":{"main":{"snapshot-id":3055729675574597004,"type":"branch"}},)"
    R"("snapshots":[{"sequence-number":0,"snapshot-id":3051729675574597004,"timestamp-ms":1515100955770,)"
    R"("summary":{"operation":"append"},"manifest-list":"s3://a/b/1.avro"},{"sequence-number":1,)"
    R"("snapshot-id":3055729675574597004,"parent-snapshot-id":3051729675574597004,"timestamp-ms":1555100955770,)"
    R"("summary":{"operation":"append","added-records":"5"},"manifest-list":"s3://a/b/2.avro","schema-id":0}],)"
    R"("statistics":[],"partition-statistics":[],"snapshot-log":[{"timestamp-ms":1515100955770,)"
    R"("snapshot-id":3051729675574597004},{"timestamp-ms":1555100955770,"snapshot-id":3055729675574597004}],)"
    R"("metadata-log":[{"timestamp-ms":1515100,"metadata-file":"s3://a/b/v1.json"}]})";

TEST(MetadataTest, GoldenJson) {
    const TableMetadata metadata = example();
    EXPECT_EQ(metadata_json(metadata), kGolden);
    auto parsed = parse_metadata_json(kGolden);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(metadata_json(*parsed), kGolden);
    EXPECT_EQ(parsed->current_snapshot()->summary_number("added-records"), 5);
    EXPECT_EQ(parsed->snapshot_at(Timestamp{1555100955769'000})->sequence_number, 0);
    EXPECT_EQ(parsed->snapshot_at(Timestamp{1}), nullptr);
}

TEST(MetadataTest, VersionOneIsRead) {
    // As in the specification's first example: one schema, one spec, no sort orders, -1 for no
    // snapshot.
    auto parsed = parse_metadata_json(
        R"({"format-version":1,"table-uuid":"d2","location":"s3://b/t","last-updated-ms":1602638573874,"last-column-id":3,)"
        R"("schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,"type":"long"}]},)"
        R"("partition-spec":[{"name":"x","transform":"identity","source-id":1,"field-id":1000}],"properties":{},)"
        R"("current-snapshot-id":-1,"snapshots":[]})");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->spec().fields.size(), 1u);
    EXPECT_EQ(parsed->last_partition_id, 1000);
    EXPECT_FALSE(parsed->current_snapshot_id.has_value());
}

TEST(MetadataTest, DamagedJsonIsAnError) {
    const std::string golden = kGolden;
    for (size_t size = 0; size < golden.size(); size += 7)
        EXPECT_FALSE(parse_metadata_json(golden.substr(0, size)).ok());
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string json = golden;
        json.replace(json.find(from), from.size(), to);
        auto parsed = parse_metadata_json(json);
        return parsed.ok() ? std::string("ok") : std::string(to_string(parsed.error().code));
    };
    EXPECT_EQ(with(R"("format-version":2)", R"("format-version":3)"), "unimplemented");
    EXPECT_EQ(with(R"("current-schema-id":0)", R"("current-schema-id":7)"), "corrupted");
    EXPECT_EQ(with(R"("current-schema-id":0)", R"("current-schema-id":1.5e99)"), "corrupted");
    EXPECT_EQ(with(R"("last-column-id":3)", R"("last-column-id":4294967296)"), "corrupted");
    EXPECT_EQ(with(R"("default-spec-id":0)", R"("default-spec-id":7)"), "corrupted");
    EXPECT_EQ(with(R"("current-snapshot-id":3055)", R"("current-snapshot-id":9955)"), "corrupted");
    EXPECT_EQ(with(R"("location":"s3)", R"("location":7,"x":"s3)"), "corrupted");
}

DataFile full_file() {
    DataFile file;
    file.path = "s3://lake/shop/t/data/1.parquet";
    file.spec_id = 1;
    file.partition = {Literal::integer(7), Literal::null(), Literal::decimal(-1420),
                      Literal::text("x")};
    file.record_count = 10;
    file.file_size_bytes = 2048;
    file.column_sizes = {{1, 100}, {2, 200}};
    file.value_counts = {{1, 10}, {2, 10}};
    file.null_value_counts = {{1, 0}, {2, 3}};
    file.nan_value_counts = {{2, 1}};
    file.lower_bounds = {{1, "\x01"}};
    file.upper_bounds = {{1, "\x7f"}};
    file.split_offsets = {4, 1000};
    file.sort_order_id = 0;
    return file;
}

ManifestHeader header() {
    ManifestHeader header;
    header.schema.fields = {{1, "id", Type::of(TypeId::int64), true, {}},
                            {2, "at", Type::of(TypeId::timestamptz), false, {}},
                            {3, "price", Type::decimal(9, 2), false, {}},
                            {4, "shop.name", Type::of(TypeId::string), false, {}}};
    header.spec = {1,
                   {{1, 1000, "id_bucket", *parse_transform("bucket[8]")},
                    {2, 1001, "at_day", *parse_transform("day")},
                    {3, 1002, "price", *parse_transform("identity")},
                    {4, 1003, "shop.name", *parse_transform("identity")}}};
    return header;
}

TEST(ManifestTest, RoundTripWithInheritance) {
    const ManifestHeader head = header();
    const auto types = partition_types(head.spec, {head.schema});
    std::vector<ManifestEntry> entries = {{EntryStatus::added, 99, 12, 12, full_file()},
                                          {EntryStatus::existing, 55, 3, 4, full_file()},
                                          {EntryStatus::deleted, 99, 2, 2, full_file()}};
    ManifestFile info;
    const std::string bytes = write_manifest(head, types, entries, &info);
    info.path = "m";
    info.sequence_number = 12;
    info.added_snapshot_id = 99;
    EXPECT_EQ(info.length, static_cast<int64_t>(bytes.size()));
    EXPECT_EQ(info.added_files + info.existing_files + info.deleted_files, 3);
    EXPECT_EQ(info.existing_rows, 10);
    EXPECT_EQ(info.min_sequence_number, 3);
    ASSERT_EQ(info.partitions.size(), 4u);
    EXPECT_TRUE(info.partitions[1].contains_null);
    EXPECT_FALSE(info.partitions[0].contains_null);
    EXPECT_EQ(info.partitions[3].lower_bound, "x");

    info.sequence_number =
        13;  // a retry of the list changes what added entries inherit, and only them
    auto read = read_manifest(bytes, info);
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read->size(), 3u);
    EXPECT_EQ((*read)[0].sequence_number, 13);
    EXPECT_EQ((*read)[1].sequence_number, 3);
    EXPECT_EQ((*read)[1].file_sequence_number, 4);
    EXPECT_EQ((*read)[2].status, EntryStatus::deleted);
    const DataFile& file = (*read)[0].file;
    const DataFile expected = full_file();
    EXPECT_EQ(file.path, expected.path);
    EXPECT_EQ(file.partition, expected.partition);
    EXPECT_EQ(file.column_sizes, expected.column_sizes);
    EXPECT_EQ(file.null_value_counts, expected.null_value_counts);
    EXPECT_EQ(file.nan_value_counts, expected.nan_value_counts);
    EXPECT_EQ(file.lower_bounds, expected.lower_bounds);
    EXPECT_EQ(file.split_offsets, expected.split_offsets);
    EXPECT_EQ(file.sort_order_id, 0);
    EXPECT_EQ(file.spec_id, 1);
}

TEST(ManifestTest, HeaderIsWhatJavaWrites) {
    ManifestHeader head = header();
    head.content = ManifestContent::deletes;
    ManifestFile info;
    const std::string bytes =
        write_manifest(head, partition_types(head.spec, {head.schema}), {}, &info);
    auto file = codec::AvroFileReader::open(bytes);
    ASSERT_TRUE(file.ok());
    const auto& metadata = file->metadata();
    EXPECT_EQ(metadata.at("schema"), schema_json(head.schema));
    EXPECT_EQ(metadata.at("schema-id"), "0");
    EXPECT_EQ(metadata.at("partition-spec-id"), "1");
    EXPECT_EQ(metadata.at("format-version"), "2");
    EXPECT_EQ(metadata.at("content"), "deletes");
    EXPECT_EQ(metadata.at("partition-spec").substr(0, 2), "[{");
    EXPECT_EQ(file->schema().name, "manifest_entry");
    ASSERT_EQ(file->schema().fields.size(), 5u);
    EXPECT_EQ(file->schema().fields[0].field_id, 0);
    EXPECT_EQ(file->schema().fields[0].schema->kind, codec::AvroSchema::Kind::int_);
    const auto& data_file = file->schema().fields[4];
    EXPECT_EQ(data_file.name, "data_file");
    EXPECT_EQ(data_file.schema->name, "r2");
    EXPECT_EQ(data_file.schema->fields[3].schema->name, "r102");
    // A dot is no letter of an Avro name.
    EXPECT_EQ(data_file.schema->fields[3].schema->fields[3].name, "shop_x2Ename");
    std::vector<int> ids;
    for (const auto& field : data_file.schema->fields) ids.push_back(field.field_id);
    EXPECT_EQ(ids, (std::vector<int>{134, 100, 101, 102, 103, 104, 108, 109, 110, 137, 125, 128,
                                     131, 132, 135, 140, 143}));
}

TEST(ManifestTest, ListRoundTrip) {
    ManifestFile file;
    file.path = "s3://lake/x/m0.avro";
    file.length = 5000;
    file.spec_id = 2;
    file.content = ManifestContent::deletes;
    file.sequence_number = 9;
    file.min_sequence_number = 4;
    file.added_snapshot_id = 77;
    file.added_files = 1;
    file.existing_files = 2;
    file.deleted_files = 3;
    file.added_rows = 10;
    file.existing_rows = 20;
    file.deleted_rows = 30;
    file.partitions = {{true, false, std::string("a"), std::string("b")}, {false, {}, {}, {}}};
    Snapshot snapshot;
    snapshot.snapshot_id = 77;
    snapshot.sequence_number = 9;
    auto read = read_manifest_list(write_manifest_list(snapshot, {file, file}));
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read->size(), 2u);
    const ManifestFile& back = (*read)[1];
    EXPECT_EQ(back.path, file.path);
    EXPECT_EQ(back.content, ManifestContent::deletes);
    EXPECT_EQ(back.min_sequence_number, 4);
    EXPECT_EQ(back.deleted_rows, 30);
    ASSERT_EQ(back.partitions.size(), 2u);
    EXPECT_EQ(back.partitions[0].upper_bound, "b");
    EXPECT_EQ(back.partitions[0].contains_nan, false);
    EXPECT_EQ(back.partitions[1].contains_nan, std::nullopt);
}

TEST(ManifestTest, DamagedFilesAreErrors) {
    const ManifestHeader head = header();
    ManifestFile info;
    std::vector<ManifestEntry> entries(40, {EntryStatus::added, 99, 12, 12, full_file()});
    const std::string bytes =
        write_manifest(head, partition_types(head.spec, {head.schema}), entries, &info);
    size_t short_files_ok = 0;
    for (size_t size = 0; size < bytes.size(); size += 11)
        short_files_ok += read_manifest(bytes.substr(0, size), info).ok();
    EXPECT_LE(short_files_ok, 1u);  // cut right after the header it is a file without records
    for (size_t at = 0; at < bytes.size(); at += 5) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x41);
        (void)read_manifest(flipped, info).ok();
        (void)read_manifest_list(flipped).ok();
    }
}

}  // namespace
}  // namespace tarn::tables

// Any text as a table's metadata. What was read can be written, and read again.
#include "base/assert.h"
#include "base/fuzz.h"
#include "tables/metadata.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::tables;
    TableMetadata table;
    table.table_uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
    table.location = "s3://lake/main/t-9c12d441";
    table.last_column_id = 5;
    Field list{2, "l", Type::list(3, Type::of(TypeId::string), false), false, "doc"};
    Field nested{4, "s", Type::structure({{5, "x", Type::decimal(38, 9), true, {}}}), false, {}};
    table.schemas = {{0, {{1, "id", Type::of(TypeId::int64), true, {}}, list, nested}, {1}}};
    PartitionSpec spec;
    spec.fields = {{1, 1000, "id_bucket", {Transform::Kind::bucket, 16, ""}}};
    table.specs = {spec};
    table.last_partition_id = 1000;
    table.sort_orders = {{0, {}}, {1, {{1, {}, false, true}}}};
    table.properties = {{"write.format.default", "parquet"}};
    const std::string empty = metadata_json(table);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->snapshot_id = 7;
    snapshot->sequence_number = 1;
    snapshot->timestamp_ms = 1'750'000'000'000;
    snapshot->manifest_list = "s3://lake/main/t/metadata/snap-7.avro";
    snapshot->summary = {{"operation", "append"}, {"total-records", "1"}};
    snapshot->schema_id = 0;
    table.snapshots = {snapshot};
    table.current_snapshot_id = 7;
    table.last_sequence_number = 1;
    table.refs = {{"main", {7, "branch", 1, 2, 3}}};
    table.snapshot_log = {{1'750'000'000'000, 7}};
    table.metadata_log = {{1, "s3://lake/main/t/metadata/0.metadata.json"}};
    return {empty, metadata_json(table)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::tables;
    const auto metadata = parse_metadata_json(tarn::fuzz_text(data, size));
    if (!metadata.ok()) return 0;
    const auto again = parse_metadata_json(metadata_json(*metadata));
    TARN_ASSERT(again.ok());
    TARN_ASSERT(metadata_json(*again) == metadata_json(*metadata));
    (void)metadata->schema();
    (void)metadata->spec();
    (void)metadata->sort_order();
    (void)metadata->snapshot_at({1'750'000'000'000'000});
    return 0;
}

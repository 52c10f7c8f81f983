// Any bytes as a manifest and as a list of manifests.
#include "base/fuzz.h"
#include "tables/metadata.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::tables;
    ManifestHeader header;
    header.schema = {
        0,
        {{1, "id", Type::of(TypeId::int64), true, {}}, {2, "d", Type::of(TypeId::date), false, {}}},
        {}};
    header.spec.fields = {{2, 1000, "d_day", {Transform::Kind::day, 0, ""}}};
    ManifestEntry entry;
    entry.snapshot_id = 7;
    entry.file.path = "s3://lake/main/t/data/a.parquet";
    entry.file.partition = {Literal::integer(20'000)};
    entry.file.record_count = 3;
    entry.file.file_size_bytes = 1000;
    entry.file.column_sizes = {{1, 10}, {2, 20}};
    entry.file.lower_bounds = {{1, encode_bound(Type::of(TypeId::int64), Literal::integer(1))}};
    entry.file.upper_bounds = {{1, encode_bound(Type::of(TypeId::int64), Literal::integer(9))}};
    entry.file.split_offsets = {4};
    ManifestEntry removed = entry;
    removed.status = EntryStatus::deleted;
    removed.file.content = FileContent::position_deletes;
    removed.file.referenced_data_file = "s3://lake/main/t/data/b.parquet";
    ManifestFile info;
    const auto types = partition_types(header.spec, {header.schema});
    const std::string manifest = write_manifest(header, types, {entry, removed}, &info);
    info.path = "s3://lake/main/t/metadata/m.avro";
    Snapshot snapshot;
    snapshot.snapshot_id = 7;
    return {manifest, write_manifest_list(snapshot, {info, info})};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::tables;
    const auto bytes = tarn::fuzz_text(data, size);
    (void)read_manifest(bytes, ManifestFile()).ok();
    (void)read_manifest_list(bytes).ok();
    return 0;
}

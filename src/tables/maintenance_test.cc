#include "tables/maintenance.h"

#include <gtest/gtest.h>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;

ExpireOptions all_but(int keep, const Lake& lake) {
    return {lake.clock.now().plus(std::chrono::hours(1)), keep};
}

TEST(MaintenanceTest, ExpiryLeavesExactlyWhatIsNeeded) {
    Lake lake;
    const TablePtr table =
        lake.create("t", shop_columns(), {}, {{"write.metadata.previous-versions-max", "2"}});
    std::vector<DataFile> files;
    for (int i = 0; i < 12; ++i) {
        files.push_back(lake.file(table, 1));
        lake.files.put(files.back().path, "rows");
        ASSERT_TRUE(lake.append(table, {files.back()}).ok());
        lake.clock.advance(std::chrono::seconds(1));
    }
    TableChange change;
    change.table = lake.again(table);
    change.remove_files = {files[0].path, files[1].path};
    ASSERT_TRUE(lake.commit(change).ok());
    auto report =
        expire_snapshots(lake.catalog, lake.committer, lake.caller, table, all_but(2, lake));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->snapshots, 11u);
    EXPECT_EQ(lake.again(table)->metadata->snapshots.size(), 2u);
    lake.clock.advance(std::chrono::seconds(700));
    ASSERT_TRUE(lake.catalog.purge().ok());
    EXPECT_EQ(lake.files.all().count(files[0].path), 1u);  // the one before last still has it
    ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());
    ASSERT_TRUE(
        expire_snapshots(lake.catalog, lake.committer, lake.caller, table, all_but(1, lake)).ok());
    EXPECT_EQ(lake.files.all().count(files[0].path), 1u);  // the grace
    lake.clock.advance(std::chrono::seconds(700));
    ASSERT_TRUE(lake.catalog.purge().ok());
    EXPECT_EQ(lake.files.all().count(files[0].path), 0u);
    EXPECT_EQ(lake.files.all().count(files[2].path), 1u);
    // A reader without our cache finds everything, and nothing is left over.
    Catalog fresh(lake.store, lake.files, lake.clock);
    auto plan = plan_scan(fresh, *fresh.snapshot().load_table("shop", "t"));
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_EQ(plan->records, 11);
    EXPECT_EQ(
        find_orphans(lake.catalog, table, lake.clock.now().plus(std::chrono::hours(1)))->size(),
        0u);
    EXPECT_LE(lake.again(table)->metadata->metadata_log.size(), 2u);
}

TEST(MaintenanceTest, RefsAndPropertiesKeepSnapshots) {
    Lake lake;
    const TablePtr table =
        lake.create("t", shop_columns(), {}, {{"history.expire.min-snapshots-to-keep", "3"}});
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());
    EXPECT_EQ(expire_snapshots(lake.catalog, lake.committer, lake.caller, table, all_but(1, lake))
                  ->snapshots,
              3u);
    TableChange change;
    change.table = lake.again(table);
    change.expire_snapshots = {*change.table->metadata->current_snapshot_id};
    EXPECT_EQ(lake.commit(change).error().code, Code::invalid_argument);
}

TEST(MaintenanceTest, CompactionGivesWayToWriters) {
    Lake lake;
    const TablePtr table =
        lake.create("t", shop_columns(), {{3, 0, "", *parse_transform("identity")}});
    std::vector<DataFile> files;
    for (int i = 0; i < 20; ++i) files.push_back(lake.file(table, 10, {Literal::integer(i % 2)}));
    ASSERT_TRUE(lake.append(table, files).ok());
    bool interfere = true;
    const FileRewriter rewrite =
        [&](const CompactionGroup& group) -> Result<std::vector<DataFile>> {
        EXPECT_EQ(group.files.size(), 10u);
        EXPECT_TRUE(lake.append(table, {lake.file(table, 7, {Literal::integer(0)})})
                        .ok());  // appends are no matter
        if (interfere) {
            interfere = false;
            TableChange change;
            change.table = lake.again(table);
            change.position_deletes = {lake.deletes(*group.files[0].file, table, 1)};
            change.deletes_from = {group.files[0].file->path};
            EXPECT_TRUE(lake.commit(change).ok());
        }
        DataFile merged = lake.file(table, 100, group.partition);
        merged.spec_id = group.spec_id;
        lake.files.put(merged.path, "rows");
        return std::vector<DataFile>{merged};
    };
    auto report = compact(lake.catalog, lake.committer, lake.caller, table, rewrite);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->groups, 1u);
    EXPECT_EQ(report->groups_overtaken, 1u);
    EXPECT_EQ(report->files_before, 10u);
    EXPECT_EQ(lake.records(table), 214);
    EXPECT_EQ(lake.again(table)->current_snapshot()->operation(), "replace");
    EXPECT_EQ(lake.again(table)->current_snapshot()->summary_number("total-records"), 214);
    auto orphans = find_orphans(lake.catalog, table, lake.clock.now().plus(std::chrono::hours(1)));
    EXPECT_EQ(orphans->size(), 0u);  // the files of the group that lost are gone
}

TEST(MaintenanceTest, ManifestsAreMerged) {
    CommitterOptions options;
    options.manifests_merge_count = 10;
    Lake lake(options);
    const TablePtr table = lake.create("t", shop_columns());
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());
    auto list = lake.catalog.load_manifest_list(lake.again(table)->current_snapshot());
    EXPECT_LE((*list)->size(), 11u);
    Catalog fresh(lake.store, lake.files, lake.clock);
    auto plan = plan_scan(fresh, *fresh.snapshot().load_table("shop", "t"));
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->records, 60);
    for (int i = 0; i < 60; ++i)
        EXPECT_EQ(plan->tasks[static_cast<size_t>(i)].sequence_number, i + 1);
    ASSERT_TRUE(
        expire_snapshots(lake.catalog, lake.committer, lake.caller, table, all_but(1, lake)).ok());
    lake.clock.advance(std::chrono::seconds(700));
    ASSERT_TRUE(lake.catalog.purge().ok());
    Catalog again(lake.store, lake.files, lake.clock);
    EXPECT_EQ(plan_scan(again, *again.snapshot().load_table("shop", "t"))->records, 60);
    EXPECT_EQ(
        find_orphans(lake.catalog, table, lake.clock.now().plus(std::chrono::hours(1)))->size(),
        0u);
}

}  // namespace
}  // namespace tarn::tables

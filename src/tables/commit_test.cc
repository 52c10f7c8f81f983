#include "tables/commit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;

std::string reason(const Result<CommitResult>& result) {
    return result.ok() ? "" : result.error().reason;
}

TEST(CommitTest, AppendsMakeSnapshots) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    auto result = lake.append(table, {lake.file(table, 5), lake.file(table, 7)});
    ASSERT_TRUE(result.ok()) << result.error().message;
    const SnapshotPtr snapshot = result->tables[0]->current_snapshot();
    EXPECT_EQ(snapshot->operation(), "append");
    EXPECT_EQ(snapshot->summary_number("added-data-files"), 2);
    EXPECT_EQ(snapshot->summary_number("total-records"), 12);
    EXPECT_EQ(snapshot->sequence_number, 1);
    ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());  // from an old state: rebased
    const TablePtr now = lake.again(table);
    EXPECT_EQ(now->current_snapshot()->summary_number("total-records"), 13);
    EXPECT_EQ(now->current_snapshot()->parent_snapshot_id, snapshot->snapshot_id);
    EXPECT_EQ(now->metadata->metadata_log.size(), 2u);
    EXPECT_EQ(lake.records(table), 13);
    EXPECT_EQ(*known_row_count(lake.catalog, now).value(), 13);
    // What the cache holds is what the files say.
    Catalog fresh(lake.store, lake.files, lake.clock);
    auto plan = plan_scan(fresh, *fresh.snapshot().load_table("shop", "orders"));
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->records, 13);
    EXPECT_EQ(plan->tasks[0].sequence_number, 1);
    EXPECT_EQ(plan->tasks[2].sequence_number, 2);
}

TEST(CommitTest, ThreadsAppendWithoutFailure) {
    Lake lake;
    const TablePtr table = lake.create("events", shop_columns());
    constexpr int kThreads = 16, kAppends = 25;
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < kAppends; ++i) {
                meta::Batch extra;
                extra.put("test/" + std::to_string(t) + "/" + std::to_string(i), "x");
                extra.append("log/", 1, "record");
                auto result = lake.append(table, {lake.file(table, 1)}, std::move(extra));
                if (!result.ok() || result->offsets.size() != 1) ++failed;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(lake.records(table), kThreads * kAppends);
    const TablePtr now = lake.again(table);
    EXPECT_EQ(now->current_snapshot()->summary_number("total-data-files"), kThreads * kAppends);
    EXPECT_LE(now->metadata->snapshots.size(), static_cast<size_t>(kThreads * kAppends));
    auto manifests = lake.catalog.load_manifest_list(now->current_snapshot());
    EXPECT_LE((*manifests)->size(), 110u);  // merged on the way
}

TEST(CommitTest, AnotherServerMayBeFaster) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    Catalog other_catalog(lake.store, lake.files, lake.clock);
    Committer other(other_catalog, lake.metrics);
    int races = 3;
    lake.store.before_commit = [&] {
        if (races == 0) return;
        const int left = races;
        races = 0;  // the other one's commits run undisturbed
        ASSERT_TRUE(
            other.commit(lake.caller, {TableChange::append_to(table, {lake.file(table, 10)})})
                .ok());
        races = left - 1;
    };
    auto result = lake.append(table, {lake.file(table, 1)});
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(lake.records(table), 31);
}

TEST(CommitTest, AGroupSurvivesTheOneThatDoesNotHold) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    std::atomic<int> ok{0}, refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t)
        threads.emplace_back([&, t] {
            meta::Batch extra;
            if (t % 3 == 0)
                extra.require_present("nothing", Error(Code::precondition_failed, "no", "mine"));
            auto result = lake.append(table, {lake.file(table, 1)}, std::move(extra));
            if (result.ok())
                ++ok;
            else if (result.error().reason == "mine")
                ++refused;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(ok, 8);
    EXPECT_EQ(refused, 4);
    EXPECT_EQ(lake.records(table), 8);
}

TEST(CommitTest, OnePositionIsTakenOnce) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    const SourcePosition position{"pos", "sales/0", table->info.uuid};
    std::atomic<int> ok{0}, moved{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            meta::Batch extra;
            stage_position(extra, position, std::nullopt, "17");
            auto result = lake.append(table, {lake.file(table, 1)}, std::move(extra));
            if (result.ok())
                ++ok;
            else if (result.error().reason == "position_moved")
                ++moved;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(ok, 1);
    EXPECT_EQ(moved, 7);
    EXPECT_EQ(lake.records(table), 1);
    EXPECT_EQ(load_position(lake.store, position).value(), "17");
}

TEST(CommitTest, SeveralTablesOrNone) {
    Lake lake;
    const TablePtr a = lake.create("a", shop_columns()), b = lake.create("b", shop_columns());
    std::vector<TableChange> changes = {TableChange::append_to(a, {lake.file(a, 1)}),
                                        TableChange::append_to(b, {lake.file(b, 2)})};
    const size_t before = lake.store.commits();
    ASSERT_TRUE(lake.committer.commit(lake.caller, changes).ok());
    EXPECT_EQ(lake.store.commits(), before + 1);
    EXPECT_EQ(lake.records(a) + lake.records(b), 3);
    changes = {TableChange::append_to(a, {lake.file(a, 1)}),
               TableChange::append_to(b, {lake.file(a, 2)})};
    EXPECT_FALSE(lake.committer.commit(lake.caller, changes).ok());  // b's file lies under a
    meta::Batch extra;
    extra.require_present("nothing", Error(Code::precondition_failed, "no", "mine"));
    changes = {TableChange::append_to(a, {lake.file(a, 1)}),
               TableChange::append_to(b, {lake.file(b, 2)})};
    EXPECT_EQ(reason(lake.committer.commit(lake.caller, changes, extra)), "mine");
    EXPECT_EQ(lake.records(a) + lake.records(b), 3);
    EXPECT_FALSE(lake.committer.commit(lake.caller, {changes[0], changes[0]}).ok());
}

TEST(CommitTest, ThreadsChangeTwoTablesInEitherOrder) {
    Lake lake;
    const TablePtr a = lake.create("a", shop_columns()), b = lake.create("b", shop_columns());
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                const auto& first = t % 2 == 0 ? a : b;
                const auto& second = t % 2 == 0 ? b : a;
                EXPECT_TRUE(lake.committer
                                .commit(lake.caller,
                                        {TableChange::append_to(first, {lake.file(first, 1)}),
                                         TableChange::append_to(second, {lake.file(second, 1)})})
                                .ok());
                EXPECT_TRUE(lake.append(a, {lake.file(a, 1)}).ok());
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(lake.records(a), 160);
    EXPECT_EQ(lake.records(b), 80);
}

TableChange deletion(Lake& lake, const TablePtr& base, const DataFile& from, int64_t rows) {
    TableChange change;
    change.table = base;
    change.position_deletes = {lake.deletes(from, base, rows)};
    change.deletes_from = {from.path};
    return change;
}

TEST(CommitTest, FirstCommitterWinsOnRows) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    const DataFile one = lake.file(table, 5), two = lake.file(table, 5);
    ASSERT_TRUE(lake.append(table, {one, two}).ok());
    const TablePtr base = lake.again(table);
    ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());
    ASSERT_TRUE(lake.commit(deletion(lake, base, one, 2)).ok());  // appends do not matter
    EXPECT_EQ(reason(lake.commit(deletion(lake, base, one, 1))), "rows_changed");
    ASSERT_TRUE(lake.commit(deletion(lake, base, two, 1)).ok());  // another file
    TableChange rewrite;
    rewrite.table = base;
    rewrite.remove_files = {one.path};
    rewrite.append = {lake.file(table, 5)};
    EXPECT_EQ(reason(lake.commit(rewrite)), "rows_changed");  // deleted from meanwhile
    rewrite.table = lake.again(table);
    auto done = lake.commit(rewrite);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->tables[0]->current_snapshot()->operation(), "overwrite");
    EXPECT_EQ(done->tables[0]->current_snapshot()->summary_number("removed-delete-files"), 1);
    EXPECT_EQ(reason(lake.commit(rewrite)), "rows_changed");  // gone
    EXPECT_EQ(reason(lake.commit(deletion(lake, base, one, 1))), "rows_changed");
}

TEST(CommitTest, WhatIsDecidedByTheBaseWantsItAsItWas) {
    Lake lake;
    const TablePtr base = lake.create("orders", shop_columns());
    TableChange change = TableChange::append_to(base, {lake.file(base, 1)});
    change.decided_by_base = true;
    ASSERT_TRUE(lake.append(base, {lake.file(base, 1)}).ok());
    EXPECT_EQ(reason(lake.commit(change)), "rows_changed");  // an append matters
    change.table = lake.again(base);
    EXPECT_TRUE(lake.commit(change).ok());
    EXPECT_EQ(reason(lake.commit(change)), "rows_changed");  // its own, too
}

/// Whoever writes one key in a transaction does not lose to the lake's own housekeeping.
TEST(CommitTest, CompactionIsNoChangeToWhatTheBaseDecides) {
    Lake lake;
    const TablePtr made = lake.create("orders", shop_columns());
    const DataFile one = lake.file(made, 5), two = lake.file(made, 5);
    ASSERT_TRUE(lake.append(made, {one, two}).ok());
    const TablePtr base = lake.again(made);
    TableChange change = TableChange::append_to(base, {lake.file(base, 1)});
    change.decided_by_base = true;
    TableChange packed;
    packed.table = base;
    packed.replace = true;
    packed.remove_files = {one.path, two.path};
    packed.append = {lake.file(base, 10)};
    ASSERT_TRUE(lake.commit(packed).ok());
    EXPECT_TRUE(lake.commit(change).ok());
    EXPECT_EQ(reason(lake.commit(change)), "rows_changed");
    change.table = lake.again(made);
    ASSERT_TRUE(lake.commit(deletion(lake, change.table, packed.append[0], 1)).ok());
    EXPECT_EQ(reason(lake.commit(change)), "rows_changed");
}

TEST(CommitTest, DeletesApplyToOlderDataOnly) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    const DataFile one = lake.file(table, 5);
    ASSERT_TRUE(lake.append(table, {one}).ok());
    ASSERT_TRUE(lake.commit(deletion(lake, lake.again(table), one, 2)).ok());
    auto plan = plan_scan(lake.catalog, lake.again(table));
    ASSERT_EQ(plan->tasks.size(), 1u);
    ASSERT_EQ(plan->tasks[0].deletes.size(), 1u);
    EXPECT_EQ(plan->tasks[0].deletes[0]->record_count, 2);
    EXPECT_EQ(known_row_count(lake.catalog, lake.again(table)).value(), std::nullopt);
    EXPECT_EQ(lake.again(table)->current_snapshot()->operation(), "delete");
    // An update writes rows and deletes of its own base in one change; deletes of its own new file
    // apply as well.
    const DataFile added = lake.file(table, 3);
    TableChange update = deletion(lake, lake.again(table), one, 1);
    update.append = {added};
    update.position_deletes.push_back(lake.deletes(added, table, 1));
    update.deletes_from.push_back(added.path);
    ASSERT_TRUE(lake.commit(update).ok());
    plan = plan_scan(lake.catalog, lake.again(table));
    ASSERT_EQ(plan->tasks.size(), 2u);
    EXPECT_EQ(plan->tasks[0].deletes.size(), 2u);
    EXPECT_EQ(plan->tasks[1].deletes.size(), 1u);
}

TEST(CommitTest, SchemaChangesByFieldId) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    TableChange change;
    change.table = table;
    change.schema = {SchemaStep::add("price", Type::of(TypeId::float32), "in euros"),
                     SchemaStep::rename(2, "title"),
                     SchemaStep::drop(3),
                     SchemaStep::move_first(4),
                     SchemaStep::widen(4, Type::of(TypeId::float64)),
                     SchemaStep::make_optional(1)};
    change.set_properties = {{"a", "b"}};
    auto result = lake.commit(change);
    ASSERT_TRUE(result.ok()) << result.error().message;
    const Schema& schema = result->tables[0]->schema();
    ASSERT_EQ(schema.fields.size(), 3u);
    EXPECT_EQ(schema.fields[0].name, "price");
    EXPECT_EQ(schema.fields[0].id, 4);
    EXPECT_EQ(schema.fields[0].type.id, TypeId::float64);
    EXPECT_EQ(schema.fields[2].name, "title");
    EXPECT_FALSE(schema.fields[1].required);
    EXPECT_EQ(result->tables[0]->metadata->last_column_id, 4);
    EXPECT_EQ(result->tables[0]->metadata->properties.at("a"), "b");
    EXPECT_EQ(result->tables[0]->current_snapshot(), nullptr);
    // A dropped column's id never comes back, and an old schema is used again under its own.
    change.schema = {SchemaStep::add("day", Type::of(TypeId::date))};
    result = lake.commit(change);
    EXPECT_EQ(result->tables[0]->schema().find("day")->id, 5);
    change.schema = {SchemaStep::drop(5)};
    result = lake.commit(change);
    EXPECT_EQ(result->tables[0]->metadata->schemas.size(), 3u);
    EXPECT_EQ(result->tables[0]->metadata->current_schema_id, 1);
    for (const auto& bad : {SchemaStep::drop(99), SchemaStep::rename(2, "PRICE"),
                            SchemaStep::widen(2, Type::of(TypeId::int32))}) {
        change.schema = {bad};
        EXPECT_EQ(lake.commit(change).error().code, Code::invalid_argument);
    }
    change.schema = {SchemaStep::rename(2, "title")};
    change.set_properties.clear();
    const size_t commits = lake.store.commits();
    ASSERT_TRUE(lake.commit(change).ok());
    EXPECT_EQ(lake.again(table)->metadata_location,
              result->tables[0]->metadata_location);  // nothing to do
    EXPECT_LE(lake.store.commits(), commits + 1);
}

TEST(CommitTest, PartitioningEvolves) {
    Lake lake;
    const TablePtr table =
        lake.create("orders", shop_columns(), {{3, 0, "", *parse_transform("month")}});
    EXPECT_EQ(table->metadata->spec().fields[0].name, "day_month");
    EXPECT_EQ(table->metadata->spec().fields[0].field_id, 1000);
    EXPECT_FALSE(lake.append(table, {lake.file(table, 1)}).ok());  // no partition value
    EXPECT_FALSE(lake.append(table, {lake.file(table, 1, {Literal::text("x")})}).ok());
    ASSERT_TRUE(lake.append(table, {lake.file(table, 1, {Literal::integer(5)})}).ok());
    TableChange change;
    change.table = table;
    change.partition = {{3, 0, "", *parse_transform("month")},
                        {1, 0, "", *parse_transform("bucket[4]")}};
    auto result = lake.commit(change);
    ASSERT_TRUE(result.ok());
    const TablePtr now = result->tables[0];
    EXPECT_EQ(now->metadata->default_spec_id, 1);
    EXPECT_EQ(now->metadata->spec().fields[0].field_id, 1000);
    EXPECT_EQ(now->metadata->spec().fields[1].field_id, 1001);
    ASSERT_TRUE(lake.append(now, {lake.file(now, 2, {Literal::null(), Literal::integer(3)})}).ok());
    EXPECT_EQ(lake.records(table), 3);
    change.partition = std::vector<PartitionField>();
    EXPECT_EQ(lake.commit(change)->tables[0]->metadata->default_spec_id, 2);
    change.partition = {{3, 0, "", *parse_transform("month")}};
    EXPECT_EQ(lake.commit(change)->tables[0]->metadata->default_spec_id, 0);
    change.partition.reset();
    change.schema = {SchemaStep::drop(3)};
    EXPECT_FALSE(lake.commit(change).ok());
}

TEST(CommitTest, TimeTravel) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    std::vector<Timestamp> times;
    std::vector<int64_t> ids;
    for (int i = 1; i <= 5; ++i) {
        lake.clock.advance(std::chrono::seconds(10));
        auto result = lake.append(table, {lake.file(table, i)});
        times.push_back(lake.clock.now());
        ids.push_back(result->tables[0]->current_snapshot()->snapshot_id);
    }
    const TablePtr now = lake.again(table);
    ScanOptions options;
    options.as_of = times[2].plus(std::chrono::seconds(5));
    EXPECT_EQ(plan_scan(lake.catalog, now, options)->records, 6);
    options.as_of = Timestamp{1};
    EXPECT_EQ(plan_scan(lake.catalog, now, options).error().code, Code::not_found);
    options.as_of.reset();
    options.snapshot_id = ids[0];
    EXPECT_EQ(plan_scan(lake.catalog, now, options)->records, 1);
    options.snapshot_id = 1;
    EXPECT_EQ(plan_scan(lake.catalog, now, options).error().reason, "no_such_snapshot");
}

TEST(CommitTest, TablesAreCreatedWithTheirRows) {
    Lake lake;
    CreateTable spec{"shop", "made", {0, shop_columns(), {}}, {}, {}, {}, ""};
    auto staged = lake.catalog.stage_create_table(lake.caller, spec);
    ASSERT_TRUE(staged.ok());
    EXPECT_EQ(lake.catalog.snapshot().load_table("shop", "made").error().reason, "no_such_table");
    TableChange change = TableChange::append_to(*staged, {lake.file(*staged, 4)});
    change.create = true;
    ASSERT_TRUE(lake.commit(change).ok());
    EXPECT_EQ(lake.records(lake.load("made")), 4);
    EXPECT_EQ(lake.load("made")->metadata->metadata_log.size(), 0u);
    EXPECT_EQ(lake.commit(change).error().reason, "relation_exists");
    // Database, table and the end of an older table in one batch.
    meta::Batch batch;
    ASSERT_TRUE(
        lake.catalog.stage_create_database(lake.caller, {"lab", "", {}, false}, batch).ok());
    ASSERT_TRUE(lake.catalog.stage_drop_table(lake.load("made")->info, batch).ok());
    auto in_lab = lake.catalog.stage_create_table(
        lake.caller, {"lab", "made", {0, shop_columns(), {}}, {}, {}, {}, ""});
    auto in_shop = lake.catalog.stage_create_table(lake.caller, spec);
    TableChange one, two;
    one.table = *in_lab;
    two.table = *in_shop;
    one.create = two.create = true;
    auto result = lake.committer.commit(lake.caller, {one, two}, std::move(batch));
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(lake.catalog.snapshot().load_table("lab", "made").ok());
    EXPECT_EQ(lake.load("made")->info.uuid, (*in_shop)->info.uuid);
}

TEST(CommitTest, DroppedTablesTakeNoCommit) {
    Lake lake;
    const TablePtr table = lake.create("orders", shop_columns());
    ASSERT_TRUE(lake.catalog.drop_table(lake.caller, table->info).ok());
    EXPECT_EQ(reason(lake.append(table, {lake.file(table, 1)})), "no_such_table");
}

}  // namespace
}  // namespace tarn::tables

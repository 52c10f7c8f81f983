#include "tables/catalog.h"

#include <gtest/gtest.h>

#include <set>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;

TEST(CatalogTest, Names) {
    for (const char* good :
         {"a", "_x", "orders_2", "a23456789012345678901234567890123456789012345678901234567890123"})
        EXPECT_TRUE(check_name("table", good).ok()) << good;
    for (const char* bad : {"", "A", "1a", "a.b", "a/b", "..", "a b", "\xc3\xa4",
                            "a234567890123456789012345678901234567890123456789012345678901234"})
        EXPECT_EQ(check_name("table", bad).error().reason, "invalid_name") << bad;
}

TEST(CatalogTest, DatabasesAndRelations) {
    Lake lake;
    EXPECT_EQ(lake.catalog.create_database(lake.caller, {"shop", "", {}, false}).error().reason,
              "database_exists");
    EXPECT_TRUE(lake.catalog.create_database(lake.caller, {"shop", "", {}, true}).ok());
    ASSERT_TRUE(
        lake.catalog.create_database(lake.caller, {"lab", "for trials", {{"k", "v"}}, false}).ok());
    const TablePtr orders = lake.create("orders", shop_columns());
    CreateTable elsewhere{"nowhere", "t", {0, shop_columns(), {}}, {}, {}, {}, ""};
    EXPECT_EQ(lake.catalog.create_table(lake.caller, elsewhere).error().reason, "no_such_database");
    elsewhere.database = "shop";
    elsewhere.name = "orders";
    EXPECT_EQ(lake.catalog.create_table(lake.caller, elsewhere).error().reason, "relation_exists");

    CreateView spec{"shop", "view",   "select 1", {{"x", Type::of(TypeId::int32), "one"}},
                    "root", "a view", false};
    auto view = lake.catalog.create_view(lake.caller, spec);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(lake.catalog.create_view(lake.caller, spec).error().reason, "relation_exists");
    spec.replace = true;
    spec.sql = "select 2";
    EXPECT_EQ(lake.catalog.create_view(lake.caller, spec)->oid, view->oid);
    spec.name = "orders";
    EXPECT_EQ(lake.catalog.create_view(lake.caller, spec).error().reason, "relation_exists");

    const CatalogSnapshot now = lake.catalog.snapshot();
    auto databases = now.databases();
    ASSERT_EQ(databases->size(), 2u);
    EXPECT_EQ((*databases)[0].comment, "for trials");
    auto relations = now.relations("shop");
    ASSERT_EQ(relations->size(), 2u);
    EXPECT_EQ((*relations)[1].sql, "select 2");
    EXPECT_EQ((*relations)[1].columns[0].type.id, TypeId::int32);
    std::set<Oid> oids = {(*databases)[0].oid, (*databases)[1].oid, (*relations)[0].oid,
                          (*relations)[1].oid};
    EXPECT_EQ(oids.size(), 4u);
    EXPECT_GE(*oids.begin(), 16384u);
    EXPECT_EQ(now.load_table("shop", "view").error().reason, "no_such_table");

    EXPECT_EQ(lake.catalog.drop_database(lake.caller, "shop").error().reason, "database_not_empty");
    EXPECT_EQ(lake.catalog.drop_view(lake.caller, orders->info).error().reason, "no_such_view");
    ASSERT_TRUE(lake.catalog.drop_view(lake.caller, *view).ok());
    ASSERT_TRUE(lake.catalog.drop_table(lake.caller, orders->info).ok());
    EXPECT_EQ(lake.catalog.drop_table(lake.caller, orders->info).error().reason, "no_such_table");
    ASSERT_TRUE(lake.catalog.drop_database(lake.caller, "shop").ok());
    EXPECT_EQ(lake.catalog.drop_database(lake.caller, "shop").error().reason, "no_such_database");
    EXPECT_EQ(now.relations("shop")->size(), 2u);  // a snapshot keeps what it saw
}

TEST(CatalogTest, RenamingKeepsIdentity) {
    Lake lake;
    ASSERT_TRUE(lake.catalog.create_database(lake.caller, {"lab", "", {}, false}).ok());
    const TablePtr table = lake.create("orders", shop_columns());
    ASSERT_TRUE(lake.append(table, {lake.file(table, 3)}).ok());
    ASSERT_TRUE(lake.catalog.set_comment(lake.caller, table->info, "what was bought").ok());
    ASSERT_TRUE(lake.catalog.rename(lake.caller, table->info, "lab", "sales").ok());
    auto renamed = lake.catalog.snapshot().load_table("lab", "sales");
    ASSERT_TRUE(renamed.ok());
    EXPECT_EQ((*renamed)->info.oid, table->info.oid);
    EXPECT_EQ((*renamed)->info.comment, "what was bought");
    EXPECT_EQ(lake.catalog.snapshot().load_table("shop", "orders").error().code, Code::not_found);
    ASSERT_TRUE(lake.append(table, {lake.file(table, 2)}).ok());  // by identity, not by name
    EXPECT_EQ(plan_scan(lake.catalog, *lake.catalog.snapshot().load_table("lab", "sales"))->records,
              5);
    EXPECT_EQ(lake.catalog.rename(lake.caller, table->info, "lab", "x").error().code,
              Code::not_found);
    EXPECT_EQ(lake.catalog.rename(lake.caller, (*renamed)->info, "none", "x").error().reason,
              "no_such_database");
}

TEST(CatalogTest, DroppedTablesFilesGoAfterTheGrace) {
    Lake lake;
    const TablePtr keep = lake.create("orders2", shop_columns());
    const TablePtr table = lake.create("orders", shop_columns());
    lake.files.put(lake.file(table, 1).path, "data");
    ASSERT_TRUE(lake.append(table, {lake.file(table, 1)}).ok());
    const size_t others = 1;
    ASSERT_GT(lake.files.all().size(), 4u);
    ASSERT_TRUE(lake.catalog.drop_table(lake.caller, table->info).ok());
    EXPECT_EQ(lake.catalog.purge().value(), 0u);
    lake.clock.advance(std::chrono::seconds(601));
    EXPECT_GT(lake.catalog.purge().value(), 3u);
    EXPECT_EQ(lake.files.all().size(), others);
    EXPECT_EQ(lake.files.all().begin()->first, keep->metadata_location);
    EXPECT_EQ(lake.catalog.purge().value(), 0u);
}

}  // namespace
}  // namespace tarn::tables

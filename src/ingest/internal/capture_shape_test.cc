// What became of a followed table's columns: told by the catalog's numbers where it agrees with the
// log, by the names that columns have or had where it is ahead, and not at all where neither helps.
#include "ingest/internal/capture_shape.h"

#include <gtest/gtest.h>

namespace tarn::ingest {
namespace {

using Kind = ShapeStep::Kind;

Relation relation(const std::vector<std::string>& names) {
    Relation out;
    out.oid = 1;
    out.schema = "public";
    out.name = "t";
    for (const auto& name : names) out.columns.push_back({name, 23, -1, name == "id"});
    return out;
}

struct Numbered {
    int number;
    std::string name;
    bool has_value = false;
};

PostgresTable catalog(const std::vector<Numbered>& columns) {
    PostgresTable out;
    for (const auto& one : columns) {
        PostgresColumn column;
        column.number = one.number;
        column.outside = column.name = one.name;
        column.has_value = one.has_value;
        out.columns.push_back(column);
    }
    return out;
}

std::vector<KnownColumn> known(const std::vector<Numbered>& columns) {
    std::vector<KnownColumn> out;
    for (const auto& one : columns) {
        KnownColumn column;
        column.number = one.number;
        column.outside = one.name;
        column.field_id = one.number;
        out.push_back(column);
    }
    return out;
}

std::vector<int> places(const ShapePlan& plan) {
    std::vector<int> out;
    for (const auto& place : plan.places) out.push_back(place ? static_cast<int>(*place) : -1);
    return out;
}

TEST(CaptureShapeTest, NothingChanged) {
    const auto now = catalog({{1, "id"}, {2, "a"}});
    const auto plan = plan_shape(relation({"id", "a"}), known({{1, "id"}, {2, "a"}}), &now);
    EXPECT_EQ(places(plan), (std::vector<int>{0, 1}));
    EXPECT_TRUE(plan.steps.empty());
    EXPECT_TRUE(plan.reload.empty());
}

TEST(CaptureShapeTest, AddedRenamedAndDroppedByNumber) {
    const auto now = catalog({{1, "id"}, {3, "name"}, {4, "extra"}});
    const auto plan = plan_shape(relation({"id", "name", "extra"}),
                                 known({{1, "id"}, {2, "old"}, {3, "b"}}), &now);
    EXPECT_EQ(places(plan), (std::vector<int>{0, 2, -1}));
    ASSERT_EQ(plan.steps.size(), 3u);
    EXPECT_EQ(plan.steps[0].kind, Kind::rename);
    EXPECT_EQ(plan.steps[0].known, 2u);
    EXPECT_EQ(plan.steps[1].kind, Kind::add);
    EXPECT_EQ(plan.steps[1].column->outside, "extra");
    EXPECT_EQ(plan.steps[2].kind, Kind::drop);
    EXPECT_EQ(plan.steps[2].known, 1u);
    EXPECT_TRUE(plan.reload.empty());
}

TEST(CaptureShapeTest, ADroppedColumnThatCameBackIsAnother) {
    const auto now = catalog({{1, "id"}, {7, "a"}});
    const auto plan = plan_shape(relation({"id", "a"}), known({{1, "id"}, {2, "a"}}), &now);
    EXPECT_EQ(places(plan), (std::vector<int>{0, -1}));
    ASSERT_EQ(plan.steps.size(), 2u);
    EXPECT_EQ(plan.steps[0].kind, Kind::add);
    EXPECT_EQ(plan.steps[1].kind, Kind::drop);
}

TEST(CaptureShapeTest, ValuesForOldRowsNeedALoad) {
    const auto now = catalog({{1, "id"}, {2, "a", true}});
    const auto plan = plan_shape(relation({"id", "a"}), known({{1, "id"}}), &now);
    EXPECT_NE(plan.reload.find("column a"), std::string::npos);
}

TEST(CaptureShapeTest, ADescriptionOfBeforeIsMetAgainByTheNamesOfBefore) {
    // Read again from the position: the lake has the rename already, the log tells it from before.
    auto columns = known({{1, "id"}, {2, "name"}, {3, "extra"}});
    columns[1].before = {"b"};
    const auto now = catalog({{1, "id"}, {2, "name"}, {3, "extra"}});
    const auto plan = plan_shape(relation({"id", "b"}), columns, &now);
    EXPECT_EQ(places(plan), (std::vector<int>{0, 1}));
    EXPECT_TRUE(plan.steps.empty());
    EXPECT_TRUE(plan.reload.empty());
    EXPECT_TRUE(plan_shape(relation({"id", "b"}), columns, nullptr).reload.empty());
}

TEST(CaptureShapeTest, WhatNeitherCatalogNorNamesTellNeedsALoad) {
    const auto now = catalog({{1, "id"}, {2, "c"}});
    EXPECT_FALSE(
        plan_shape(relation({"id", "b"}), known({{1, "id"}, {2, "a"}}), &now).reload.empty());
    // The table is gone by now, and the log has a name that was never seen.
    EXPECT_FALSE(
        plan_shape(relation({"id", "b"}), known({{1, "id"}, {2, "a"}}), nullptr).reload.empty());
}

TEST(CaptureShapeTest, WhatTheUserMayNotReadIsNotKept) {
    const auto now = catalog({{1, "id"}, {3, "a"}});
    const auto plan =
        plan_shape(relation({"id", "secret", "a"}), known({{1, "id"}, {3, "a"}}), &now);
    EXPECT_EQ(places(plan), (std::vector<int>{0, -1, 1}));
    EXPECT_TRUE(plan.steps.empty());
}

TEST(CapturePositionTest, BackAndForth) {
    const CapturePosition position{"tarn_1_erp", "7391", 0x16B374D848, 0, {}};
    const auto back = CapturePosition::decode(position.encode());
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->slot, "tarn_1_erp");
    EXPECT_EQ(back->system, "7391");
    EXPECT_EQ(back->lsn, position.lsn);
    EXPECT_FALSE(CapturePosition::decode("{}").ok());
    EXPECT_FALSE(CapturePosition::decode("nothing").ok());

    CaptureTable table;
    table.lsn = 77;
    table.pause = CaptureTable::Pause::person;
    table.why = "a \"word\"";
    table.columns = known({{1, "id"}, {2, "a"}});
    table.columns[1].before = {"b", "c"};
    table.columns[1].gone = true;
    const auto same = CaptureTable::decode(table.encode());
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->encode(), table.encode());
    EXPECT_EQ(same->columns, table.columns);
    EXPECT_EQ(same->pause, CaptureTable::Pause::person);
    // The position of a table that was read by a growing column.
    EXPECT_FALSE(CaptureTable::decode(R"({"by":"n","high":"7"})").has_value());
}

}  // namespace
}  // namespace tarn::ingest

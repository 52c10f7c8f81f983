// What became of a followed table's columns: certain where the log's description and the catalog
// fit in one way only, and a reload where they do not.
#include "ingest/internal/capture_shape.h"

#include <gtest/gtest.h>

#include "ingest/internal/capture_schema.h"
#include "ingest/internal/test_catalog.h"

namespace tarn::ingest {
namespace {

using Kind = ShapeStep::Kind;

constexpr uint32_t kInt = 23, kText = 25, kBigint = 20;

struct Numbered {
    int number;
    std::string name;  // nothing: dropped
    uint32_t type = kInt;
    uint32_t changed_by = 10;  // transaction
};

/// A followed table as the lake knows it and as the catalog has it now.
struct Case {
    CaptureTable known;
    PostgresTable now;
    Case(const std::vector<Numbered>& before, const std::vector<Numbered>& after) {
        for (const auto& one : before) {
            KnownColumn column;
            column.number = one.number;
            column.outside = one.name;
            column.field_id = one.number;
            column.type = one.type;
            known.columns.push_back(column);
            known.numbers = one.number;
        }
        known.storage = "here";
        now.storage = "here";
        now.next_xid = 1000;
        for (const auto& one : after)
            add_column(now, one.number, one.name, one.type, one.changed_by);
    }
    ShapePlan plan(const std::vector<std::pair<std::string, uint32_t>>& log, uint32_t xid = 500) {
        relation = {};
        for (const auto& [name, type] : log) relation.columns.push_back({name, type, -1, false});
        return plan_shape({relation, known, &now, xid, {lsn, 0}, some_columns});
    }
    bool note(const std::vector<std::pair<std::string, uint32_t>>& log) {
        const auto numbers = plan(log).numbers;
        return note_told(known, {relation, known, &now, 500, {lsn++, 0}}, numbers);
    }
    /// The log had all columns that are known.
    void tell() {
        for (auto& column : known.columns) column.told = {10, 0};
    }
    Lsn lsn = 50;
    bool some_columns = false;
    Relation relation;
};

std::vector<int> places(const ShapePlan& plan) {
    std::vector<int> out;
    for (const auto& place : plan.places) out.push_back(place ? static_cast<int>(*place) : -1);
    return out;
}

TEST(CaptureShapeTest, NothingChanged) {
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "a"}});
    const auto plan = one.plan({{"id", kInt}, {"a", kInt}});
    EXPECT_EQ(places(plan), (std::vector<int>{0, 1}));
    EXPECT_TRUE(plan.steps.empty() && plan.later.empty());
    EXPECT_EQ(plan.reload, "");
}

TEST(CaptureShapeTest, AddedRenamedAndDroppedByNumber) {
    Case one({{1, "id"}, {2, "old"}, {3, "b"}}, {{1, "id"}, {2, ""}, {3, "name"}, {4, "extra"}});
    const auto plan = one.plan({{"id", kInt}, {"name", kInt}, {"extra", kInt}});
    EXPECT_EQ(places(plan), (std::vector<int>{0, 2, -1}));
    ASSERT_EQ(plan.steps.size(), 3u);
    EXPECT_EQ(plan.steps[0].kind, Kind::rename);
    EXPECT_EQ(plan.steps[0].known, 2u);
    EXPECT_EQ(plan.steps[1].kind, Kind::add);
    EXPECT_EQ(plan.steps[1].column->outside, "extra");
    EXPECT_EQ(plan.steps[2].kind, Kind::drop);
    EXPECT_EQ(plan.steps[2].known, 1u);
    EXPECT_EQ(plan.reload, "");
}

TEST(CaptureShapeTest, ACatalogThatIsAheadOfTheLog) {
    // ADD b, RENAME a TO c, ADD d, DROP b, and the log is between the first two.
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "c"}, {3, ""}, {4, "d"}});
    const auto plan = one.plan({{"id", kInt}, {"a", kInt}, {"b", kText}});
    EXPECT_EQ(places(plan), (std::vector<int>{0, 1, -1}));
    ASSERT_EQ(plan.steps.size(), 2u);  // what is sure to come, at once; what came and went, never
    EXPECT_EQ(plan.steps[0].kind, Kind::rename);
    EXPECT_EQ(plan.steps[0].column->outside, "c");
    EXPECT_EQ(plan.steps[1].kind, Kind::add);
    EXPECT_EQ(plan.steps[1].column->outside, "d");
    EXPECT_EQ(plan.reload, "");
}

TEST(CaptureShapeTest, NamesThatWereExchangedAreToldByTheirPlace) {
    Case one({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, "b"}, {3, "a"}});
    const auto before = one.plan({{"id", kInt}, {"a", kInt}, {"b", kInt}});
    const auto between = one.plan({{"id", kInt}, {"aside", kInt}, {"a", kInt}});
    const auto after = one.plan({{"id", kInt}, {"b", kInt}, {"a", kInt}});
    for (const auto* plan : {&before, &between, &after}) {
        EXPECT_EQ(places(*plan), (std::vector<int>{0, 1, 2}));
        EXPECT_EQ(plan->steps.size(), 2u);
        EXPECT_EQ(plan->reload, "");
    }
}

TEST(CaptureShapeTest, ANameThatNobodyKnowsIsTakenByItsTypeAndPlace) {
    // RENAME a TO x, b TO a, and at the end x TO a again; c came and went, d came.
    Case one({{1, "id"}, {2, "a"}, {3, "x", kText}, {4, "", 0}, {5, "d", kText}},
             {{1, "id"}, {2, "a"}, {3, "x", kText}, {4, ""}, {5, "d", kText}});
    one.known.columns[3].gone = true;
    EXPECT_EQ(one.plan({{"id", kInt}, {"x", kInt}, {"a", kText}, {"c", kInt}}).numbers,
              (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(one.plan({{"id", kInt}, {"aside", kInt}, {"a", kText}}).numbers,
              (std::vector<int>{1, 2, 3}));
}

TEST(CaptureShapeTest, ADroppedColumnThatCameBackIsAnother) {
    // Of another type: the description says which of the two it has.
    Case typed({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, ""}, {3, "a", kText}});
    EXPECT_EQ(places(typed.plan({{"id", kInt}, {"a", kText}})), (std::vector<int>{0, -1}));
    EXPECT_EQ(places(typed.plan({{"id", kInt}, {"a", kInt}})), (std::vector<int>{0, 1}));
    // Of the same type: only what happened before the transaction began to write is sure.
    Case same({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "", 0, 400}, {3, "a", kInt, 400}});
    const auto later = same.plan({{"id", kInt}, {"a", kInt}}, 500);
    EXPECT_EQ(places(later), (std::vector<int>{0, -1}));
    ASSERT_EQ(later.steps.size(), 2u);
    EXPECT_EQ(later.steps[1].kind, Kind::drop);
    EXPECT_EQ(later.reload, "");
    EXPECT_NE(same.plan({{"id", kInt}, {"a", kInt}}, 400).reload, "");
    EXPECT_NE(same.plan({{"id", kInt}, {"a", kInt}}, 300).reload, "");
    // Transactions' numbers go around.
    same.now.next_xid = 7;
    EXPECT_EQ(same.plan({{"id", kInt}, {"a", kInt}}, 3).reload, "");
    // A column in between is known by its place.
    Case placed({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, ""}, {3, "b"}, {4, "a"}});
    placed.tell();
    EXPECT_EQ(places(placed.plan({{"id", kInt}, {"a", kInt}, {"b", kInt}}, 1)),
              (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(places(placed.plan({{"id", kInt}, {"b", kInt}, {"a", kInt}}, 1)),
              (std::vector<int>{0, 2, -1}));
}

TEST(CaptureShapeTest, ARenameIsNoDropAndAdd) {
    Case renamed({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "b"}});
    EXPECT_EQ(places(renamed.plan({{"id", kInt}, {"b", kInt}})), (std::vector<int>{0, 1}));
    Case replaced({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, ""}, {3, "b"}});
    EXPECT_EQ(places(replaced.plan({{"id", kInt}, {"b", kInt}})), (std::vector<int>{0, -1}));
    // The first, before it was dropped; or the second, which was called b later.
    EXPECT_NE(replaced.plan({{"id", kInt}, {"a", kInt}}).reload, "");
}

TEST(CaptureShapeTest, ValuesOfOldRowsComeFromTheCatalog) {
    Case one({{1, "id"}}, {{1, "id"}, {2, "a"}});
    one.now.columns[1].has_default = true;
    // A default that came after the column: the rows that were there have NULL.
    EXPECT_EQ(one.plan({{"id", kInt}, {"a", kInt}}).reload, "");
    // All rows were written anew: each may have a value of its own.
    one.known.storage = "elsewhere";
    EXPECT_NE(one.plan({{"id", kInt}, {"a", kInt}}).reload.find("column a"), std::string::npos);
    // Not so when the catalog has the value.
    one.now.columns[1].missing = "7";
    EXPECT_EQ(one.plan({{"id", kInt}, {"a", kInt}}).reload, "");
    // A record of before that: what has a default has values.
    one.known.storage = "";
    EXPECT_EQ(one.plan({{"id", kInt}, {"a", kInt}}).reload, "");
    one.now.columns[1].missing.reset();
    EXPECT_NE(one.plan({{"id", kInt}, {"a", kInt}}).reload, "");
    // Partitions that do not agree.
    one.known.storage = "here";
    one.now.columns[1].missing_differs = true;
    EXPECT_NE(one.plan({{"id", kInt}, {"a", kInt}}).reload, "");
}

TEST(CaptureShapeTest, RowsOfBeforeAColumnAreToldFromThoseWithoutIt) {
    Case one({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, "a"}, {3, "b"}});
    EXPECT_EQ(one.plan({{"id", kInt}, {"a", kInt}}).later, (std::vector<size_t>{2}));
    EXPECT_TRUE(one.plan({{"id", kInt}, {"a", kInt}}).steps.empty());
    Case dropped({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, "a"}, {3, ""}});
    const auto plan = dropped.plan({{"id", kInt}, {"a", kInt}});
    EXPECT_TRUE(plan.later.empty());
    EXPECT_EQ(plan.steps.size(), 1u);
}

TEST(CaptureShapeTest, AColumnThatWasComputedBeforeHasValuesThatNobodySent) {
    Case one({{1, "id"}, {3, "b"}}, {{1, "id"}, {2, "was_computed"}, {3, "b"}});
    EXPECT_EQ(one.plan({{"id", kInt}, {"b", kInt}}).reload, "");
    EXPECT_NE(one.plan({{"id", kInt}, {"was_computed", kInt}, {"b", kInt}}).reload, "");
}

TEST(CaptureShapeTest, ADescriptionOfBeforeIsMetAgain) {
    // Read again from the position: the lake has the rename and the drop already.
    Case one({{1, "id"}, {2, "name"}, {3, "gone"}, {4, "extra"}},
             {{1, "id"}, {2, "name"}, {3, ""}, {4, "extra"}});
    one.tell();
    one.known.columns[1].before = {"b"};
    one.known.columns[2].gone = true;
    one.known.columns[2].told_gone = one.known.columns[3].told = {60, 0};
    const auto plan = one.plan({{"id", kInt}, {"b", kInt}, {"gone", kInt}});
    EXPECT_EQ(places(plan), (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(plan.later, (std::vector<size_t>{3}));
    EXPECT_TRUE(plan.steps.empty());
    EXPECT_EQ(plan.reload, "");
    // The table itself is gone by now.
    EXPECT_EQ(plan_shape({one.relation, one.known, nullptr, 1, {}}).reload, "");
}

TEST(CaptureShapeTest, WhatTheLogHasDroppedDoesNotComeBack) {
    // The last column was called c when the log was there; or the second one was, before it went.
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, ""}, {3, "b"}});
    EXPECT_NE(one.plan({{"id", kInt}, {"c", kInt}}).reload, "");
    one.tell();
    EXPECT_TRUE(one.note({{"id", kInt}}));
    EXPECT_EQ(places(one.plan({{"id", kInt}, {"c", kInt}})), (std::vector<int>{0, -1}));
    EXPECT_FALSE(one.note({{"id", kInt}}));
    // Before that the second one was there, whatever it was called.
    one.lsn = 49;
    EXPECT_EQ(places(one.plan({{"id", kInt}, {"c", kInt}})), (std::vector<int>{0, 1}));
}

TEST(CaptureShapeTest, WhatTheLogHadIsThereUntilItIsDropped) {
    // Without its word the last one could be of after the description.
    Case one({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, ""}, {3, "x"}, {4, "c"}});
    EXPECT_NE(one.plan({{"id", kInt}, {"b", kInt}}).reload, "");
    one.tell();
    EXPECT_EQ(places(one.plan({{"id", kInt}, {"b", kInt}})), (std::vector<int>{0, 2}));
    EXPECT_EQ(places(one.plan({{"id", kInt}, {"unseen", kInt}})), (std::vector<int>{0, 2}));
}

TEST(CaptureShapeTest, WhatNothingTellsNeedsALoad) {
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, ""}, {3, ""}});
    EXPECT_NE(one.plan({{"id", kInt}, {"b", kInt}, {"c", kInt}, {"d", kInt}}).reload, "");
    const Relation strange = one.relation;
    EXPECT_NE(plan_shape({strange, one.known, nullptr, 1, {}}).reload, "");
}

TEST(CaptureShapeTest, WhatTheUserMayNotReadIsNotKept) {
    Case one({{1, "id"}, {3, "a"}}, {{1, "id"}, {2, "secret"}, {3, "a"}});
    one.now.attributes[1].readable = false;
    one.now.columns.erase(one.now.columns.begin() + 1);
    const auto plan = one.plan({{"id", kInt}, {"secret", kInt}, {"a", kInt}});
    EXPECT_EQ(places(plan), (std::vector<int>{0, -1, 1}));
    EXPECT_TRUE(plan.steps.empty());
    // A publication by hand that has some of the columns only.
    one.some_columns = true;
    EXPECT_EQ(places(one.plan({{"a", kInt}})), (std::vector<int>{1}));
}

// -- the same as changes of the lake's table -----------------------------------------------------

tables::Schema schema_of(const CaptureTable& known) {
    tables::Schema schema;
    for (const auto& column : known.columns) {
        tables::Field field;
        field.id = column.field_id;
        field.name = column.outside;
        field.type = *iceberg_type(type_of_postgres(column.type, -1));
        schema.fields.push_back(field);
    }
    return schema;
}

SchemaPlan changes_of(Case& one, const std::vector<std::pair<std::string, uint32_t>>& log,
                      tables::Schema schema) {
    const auto plan = one.plan(log);
    EXPECT_EQ(plan.reload, "");
    std::vector<query::Type> types;
    for (const auto& column : log) types.push_back(type_of_postgres(column.second, -1));
    auto made = plan_schema({one.relation, one.known, &one.now, 500, {}}, plan, schema, types);
    EXPECT_TRUE(made.ok());
    return *made;
}

/// "add c, rename 2 b"
std::string words(const SchemaPlan& plan) {
    using StepKind = tables::SchemaStep::Kind;
    std::string out;
    for (const auto& step : plan.steps) {
        out += out.empty() ? "" : ", ";
        if (step.kind == StepKind::add) out += "add " + step.name;
        if (step.kind == StepKind::rename)
            out += "rename " + std::to_string(step.field_id) + " " + step.name;
        if (step.kind == StepKind::widen) out += "widen " + std::to_string(step.field_id);
    }
    return out;
}

TEST(CaptureSchemaTest, ExchangedNames) {
    Case one({{1, "id"}, {2, "a"}, {3, "b"}}, {{1, "id"}, {2, "b"}, {3, "a"}});
    const auto plan =
        changes_of(one, {{"id", kInt}, {"b", kInt}, {"a", kInt}}, schema_of(one.known));
    EXPECT_EQ(words(plan), "rename 3 b_3, rename 2 b, rename 3 a");
    EXPECT_EQ(plan.next.columns[1].outside, "b");
    EXPECT_EQ(plan.next.columns[1].before, (std::vector<std::string>{"a"}));
}

TEST(CaptureSchemaTest, ANewColumnPushesTheDroppedOneOfItsNameAside) {
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, ""}, {3, "a", kText}});
    one.now.columns[1].missing = "x";
    const auto plan = changes_of(one, {{"id", kInt}, {"a", kText}}, schema_of(one.known));
    EXPECT_EQ(words(plan), "rename 2 a_2, add a");
    EXPECT_TRUE(plan.next.columns[1].gone);
    EXPECT_TRUE(plan.fill && plan.next.columns[2].unfilled);
    EXPECT_EQ(plan.next.columns[2].initial, "x");
    EXPECT_EQ(plan.next.numbers, 3);
    ASSERT_EQ(plan.added.size(), 1u);
    EXPECT_EQ(plan.added[0], (std::pair<size_t, std::string>{2, "a"}));
}

TEST(CaptureSchemaTest, AColumnThatCameAndWentIsRememberedWhileTheLogMayHaveIt) {
    Case one({{1, "id"}}, {{1, "id"}, {2, ""}, {3, "b", kText}});
    one.known = changes_of(one, {{"id", kInt}, {"short", kInt}}, schema_of(one.known)).next;
    EXPECT_EQ(one.known.numbers, 3);
    EXPECT_EQ(one.plan({{"id", kInt}, {"short", kInt}}).numbers, (std::vector<int>{1, 2}));
    EXPECT_EQ(one.plan({{"id", kInt}, {"b", kText}}).reload, "");
}

TEST(CaptureSchemaTest, AColumnThatWasAddedBeforeACrashIsTaken) {
    Case one({{1, "id"}}, {{1, "id"}, {2, "a"}});
    auto known = one.known;
    KnownColumn made;
    made.outside = "a";
    made.field_id = 9;
    made.type = kInt;
    known.columns.push_back(made);
    const auto plan = changes_of(one, {{"id", kInt}, {"a", kInt}}, schema_of(known));
    EXPECT_EQ(words(plan), "");
    EXPECT_EQ(plan.added.size(), 1u);
}

TEST(CaptureSchemaTest, WidenedAndImpossibleTypes) {
    Case one({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "a", kBigint}});
    EXPECT_EQ(words(changes_of(one, {{"id", kInt}, {"a", kBigint}}, schema_of(one.known))),
              "widen 2");
    Case text({{1, "id"}, {2, "a"}}, {{1, "id"}, {2, "a", kText}});
    const auto plan = changes_of(text, {{"id", kInt}, {"a", kText}}, schema_of(text.known));
    EXPECT_NE(plan.person.find("column a"), std::string::npos);
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
    table.columns.resize(2);
    table.columns[0].outside = "id";
    table.columns[1].outside = "a";
    table.columns[1].before = {"b", "c"};
    table.columns[1].gone = true;
    table.columns[1].type = 4'000'000'000;
    table.columns[1].initial = "";
    table.columns[1].unfilled = true;
    table.numbers = 7;
    table.storage = "00ff";
    table.touched = "11ee";
    table.published = 16'400;
    table.fills = 2;
    const auto same = CaptureTable::decode(table.encode());
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->encode(), table.encode());
    EXPECT_EQ(same->columns, table.columns);
    EXPECT_EQ(same->numbers, 7);
    EXPECT_EQ(same->storage, "00ff");
    EXPECT_EQ(same->touched, "11ee");
    EXPECT_EQ(same->published, 16'400u);
    EXPECT_EQ(same->fills, 2);
    EXPECT_EQ(same->pause, CaptureTable::Pause::person);
    // The position of a table that was read by a growing column.
    EXPECT_FALSE(CaptureTable::decode(R"({"by":"n","high":"7"})").has_value());
}

}  // namespace
}  // namespace tarn::ingest

// A part of a table made anew on request: only that part changes, and what runs later stays right.
#include "flows/internal/flow_lake.h"

namespace tarn::flows {
namespace {

using ::testing::HasSubstr;

class BackfillTest : public FlowLake {
 protected:
    BackfillTest() {
        clock_.set(*parse_time("2026-03-10T12:00:00Z"));
        sql("create table sales (day date, units int)");
        sql("insert into sales select date '2026-02-01' + i::int, i from range(38) r(i)");
        spec_ = table("daily", "select day, sum(units) as units from sales group by day", {"day"});
    }
    void manual() { spec_.refresh.kind = Refresh::Kind::manual; }
    void windowed() {
        spec_.refresh.kind = Refresh::Kind::daily;
        spec_.refresh.minute_of_day = 120;
        spec_.refresh.window = std::chrono::hours(24 * 3);
    }
    std::string difference() {
        return ask("select count(*) from ((" + spec_.sql + ") except all (select * from daily))") +
               " missing, " +
               ask("select count(*) from ((select * from daily) except all (" + spec_.sql + "))") +
               " too many";
    }
    RunRecord last_run() { return last("tables.daily"); }

    TableSpec spec_;
    const TimeRange range_{"2026-02-10", "2026-02-15"};
};

TEST_F(BackfillTest, OnlyTheRangeIsComputedAgain) {
    manual();
    must(declare({spec_}));
    must(graph_->run_now("tables.daily"));
    EXPECT_EQ(graph_->run_due(), 1u);
    // Somebody's hand in the table shows what was touched.
    sql("update daily set units = -1");
    must(graph_->backfill("tables.daily", range_));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last_run().mode, "range from 2026-02-10 to before 2026-02-15");
    EXPECT_EQ(last_run().error, "");
    EXPECT_EQ(last_run().result.rows_written, 5u);
    EXPECT_EQ(ask("select min(day)::text, max(day)::text, count(*) from daily where units >= 0"),
              "2026-02-10,2026-02-14,5");
    EXPECT_EQ(ask("select count(*), count(distinct day) from daily"), "38,38");
}

TEST_F(BackfillTest, RowsThatCameInSinceAreNotLost) {
    manual();
    must(declare({spec_}));
    must(graph_->run_now("tables.daily"));
    graph_->run_due();
    sql("insert into sales values (date '2026-02-12', 1000), (date '2026-03-20', 7)");
    must(graph_->backfill("tables.daily", range_));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last_run().mode, "from scratch") << "without a window only the whole is right";
    EXPECT_EQ(difference(), "0 missing, 0 too many");
    must(graph_->run_now("tables.daily"));
    graph_->run_due();
    EXPECT_EQ(difference(), "0 missing, 0 too many");
}

TEST_F(BackfillTest, TheWindowGoesWithTheRangeWhenItIsDue) {
    windowed();
    must(declare({spec_}));
    graph_->run_due();
    sql("update sales set units = units + 100");
    must(graph_->backfill("tables.daily", range_));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last_run().error, "");
    EXPECT_EQ(ask("select count(*) from daily where units >= 100 and day < '2026-02-20'"), "5");
    EXPECT_EQ(ask("select min(day)::text from daily where units >= 100 and day > '2026-02-20'"),
              "2026-03-07");
    EXPECT_EQ(ask("select count(*), count(distinct day) from daily"), "38,38");
}

TEST_F(BackfillTest, ARangeThatCannotBeIsSaidAndNotTriedAgain) {
    manual();
    must(declare({spec_}));
    must(graph_->run_now("tables.daily"));
    graph_->run_due();
    must(graph_->backfill("tables.daily", {"2026-02-15", "2026-02-10"}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_THAT(last_run().error, HasSubstr("the range is empty"));
    clock_.advance(std::chrono::seconds(2));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last_run().outcome, RunOutcome::done);
    EXPECT_EQ(ask("select count(*) from daily"), "38");
    EXPECT_EQ(graph_->backfill("tables.nobody", range_).error().code, Code::not_found);
    spec_.key.clear();
    must(declare({spec_}));
    EXPECT_EQ(graph_->backfill("tables.daily", range_).error().code, Code::invalid_argument);
    spec_.key = {"units"};
    must(declare({spec_}));
    graph_->run_due();
    must(graph_->backfill("tables.daily", range_));
    graph_->run_due();
    EXPECT_THAT(last_run().error, HasSubstr("no column of the key is a date"));
}

TEST_F(BackfillTest, ARunKeepsWhatItDid) {
    manual();
    must(declare({spec_}));
    must(graph_->run_now("tables.daily"));
    graph_->run_due();
    open_graph();  // from the store
    must(declare({spec_}));
    std::string log;
    for (const auto& line : last_run().log) log += line.text + ";";
    EXPECT_EQ(log, "computes: from scratch;computing rows;committing;");
    EXPECT_EQ(last_run().log[0].at, clock_.now());
}

}  // namespace
}  // namespace tarn::flows

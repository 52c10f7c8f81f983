// SQL tables: whatever way a run chose to compute, the table equals its SELECT.
#include "flows/inspect.h"
#include "flows/internal/flow_lake.h"

namespace tarn::flows {
namespace {

using ::testing::HasSubstr;

class TablesTest : public FlowLake {
 protected:
    static Check check(const std::string& expression, Consequence consequence) {
        return {expression, consequence};
    }
    std::string mode(const std::string& name) { return last("tables." + name).mode; }
    std::string error(const std::string& name) { return last("tables." + name).error; }
    /// Empty when the table has exactly the rows of its SELECT.
    std::string difference(const std::string& name, const std::string& select) {
        const std::string missing =
            ask("select count(*) from ((" + select + ") except all (select * from " + name + "))");
        const std::string surplus =
            ask("select count(*) from ((select * from " + name + ") except all (" + select + "))");
        return missing == "0" && surplus == "0"
                   ? ""
                   : missing + " rows missing, " + surplus + " too many";
    }
};

TEST_F(TablesTest, MadeAtFirstRunAndKeptUpToDate) {
    sql("create table sales (day date, shop int, units bigint)");
    sql("insert into sales values ('2026-01-01', 1, 5), ('2026-01-02', 2, 7)");
    auto spec =
        table("daily",
              "select day, shop, sum(units) as units, 5/2 as half from sales group by day, shop;",
              {"day", "shop"});
    spec.partition = "month(day)";
    must(declare({spec}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(error("daily"), "");
    EXPECT_EQ(ask("select * from daily order by 1"), "2026-01-01,1,5,2;2026-01-02,2,7,2");
    EXPECT_EQ(
        must(lake_.catalog->snapshot().load_table("main", "daily"))->metadata->spec().fields.size(), 1u);
    EXPECT_EQ(mode("daily"), "from scratch");
    sql("insert into sales values ('2026-01-02', 2, 1)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(ask("select * from daily order by 1"), "2026-01-01,1,5,2;2026-01-02,2,8,2");
    const auto run = last("tables.daily");
    EXPECT_EQ(run.result.rows_written, 2u);
    EXPECT_EQ(run.result.rows_read, 3u);
    EXPECT_GT(run.result.bytes_written, 0u);
    ASSERT_EQ(run.inputs.size(), 1u);
    EXPECT_NE(run.inputs[0].before, run.inputs[0].now);
    EXPECT_EQ(
        run.output_snapshot,
        must(lake_.catalog->snapshot().load_table("main", "daily"))->current_snapshot()->snapshot_id);
    EXPECT_EQ(graph_->run_due(), 0u);
}

TEST_F(TablesTest, AddedRowsAloneAreComputedWhereThatIsRight) {
    sql("create table readings (shelf int, read_at timestamp, grams double)");
    sql("create table shelves (shelf int, tare double)");
    sql("insert into shelves values (1, 10), (2, 20)");
    sql("insert into readings values (1, '2026-01-01', 100)");
    must(declare(
        {table("levels",
               "with r as (select * from readings) select shelf, read_at, grams - tare as net "
               "from r join shelves using (shelf)",
               {"shelf", "read_at"})}));
    graph_->run_due();
    ASSERT_EQ(error("levels"), "");
    sql("insert into readings values (2, '2026-01-01', 200), (3, '2026-01-01', 1)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("levels"), "added rows");
    EXPECT_EQ(last("tables.levels").result.rows_read, 2u);
    EXPECT_EQ(last("tables.levels").result.rows_written, 1u);
    EXPECT_EQ(ask("select * from levels order by 1"),
              "1,2026-01-01 00:00:00,90;2,2026-01-01 00:00:00,180");
    EXPECT_EQ(
        must(lake_.catalog->snapshot().load_table("main", "levels"))->current_snapshot()->operation(),
        "append");
    sql("insert into shelves values (3, 0)");  // inner join: its new rows only add, too
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("levels"), "added rows");
    sql("update shelves set tare = 11 where shelf = 1");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("levels"), "from scratch");
    sql("insert into readings values (1, '2026-01-02', 50)");
    sql("insert into shelves values (4, 0)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("levels"), "from scratch");
    EXPECT_EQ(ask("select * from levels order by 1, 2"),
              "1,2026-01-01 00:00:00,89;1,2026-01-02 00:00:00,39;2,2026-01-01 "
              "00:00:00,180;3,2026-01-01 00:00:00,1");
}

TEST_F(TablesTest, InspectKnowsWhatIsRowWise) {
    sql("create table a (x int, y int)");
    sql("create table b (x int, z int)");
    sql("create view v as select x from a where y > 0");
    const auto row_wise = [&](const std::string& select) {
        const auto seen = must(inspect_sql(*lake_.engine, select));
        std::string text = seen.bindable ? "" : "!" + seen.problem.message;
        for (const auto& input : seen.inputs)
            text += input.name.table + (input.row_wise ? "+" : "-");
        return text;
    };
    EXPECT_EQ(row_wise("select x + 1, upper('a') from a where y between 1 and 3 order by x"), "a+");
    EXPECT_EQ(row_wise("select * from a join b using (x)"), "a+b+");
    EXPECT_EQ(row_wise("select * from a, b where a.x = b.x"), "a+b+");
    EXPECT_EQ(row_wise("select * from a left join b using (x)"), "a+b-");
    EXPECT_EQ(row_wise("select * from a right join b using (x)"), "a-b+");
    EXPECT_EQ(row_wise("select * from a full join b using (x)"), "a-b-");
    EXPECT_EQ(row_wise("select * from a where x in (select x from b)"), "a+b-");
    EXPECT_EQ(row_wise("select *, (select max(z) from b where b.x = a.x) from a"), "a+b-");
    EXPECT_EQ(row_wise("select * from a asof join b on a.x >= b.x"), "a+b-");
    EXPECT_EQ(
        row_wise("select a.x from a join (select x, sum(z) as s from b group by x) s using (x)"),
        "a+b-");
    EXPECT_EQ(row_wise("select count(*) from a"), "a-");
    EXPECT_EQ(row_wise("select distinct x from a"), "a-");
    EXPECT_EQ(row_wise("select x, row_number() over (order by x) from a"), "a-");
    EXPECT_EQ(row_wise("select x from a limit 3"), "a-");
    EXPECT_EQ(row_wise("select x from a union all select x from b"), "a+b+");
    EXPECT_EQ(row_wise("select x from a union select x from b"), "a-b-");
    EXPECT_EQ(row_wise("select x from a except all select x from b"), "a-b-");
    EXPECT_EQ(row_wise("select p.x from a p join a q using (x)"), "a-");
    EXPECT_EQ(row_wise("select x, now() from a"), "a-");
    EXPECT_EQ(row_wise("select x from a where random() > 0.5"), "a-");
    EXPECT_EQ(row_wise("select x from a where y > extract(year from current_date)"), "a-");
    EXPECT_EQ(row_wise("select * from v"), "a+");
    EXPECT_EQ(row_wise("with c as (select x from a) select * from c"), "a+");
    EXPECT_EQ(row_wise("with c as (select x from a) select p.x from c p join c q using (x)"), "a-");
    EXPECT_EQ(
        row_wise(
            "with c as materialized (select max(x) as x from a) select * from c join b using (x)"),
        "a-b+");
    EXPECT_THAT(row_wise("select * from nobody join a using (x)"), HasSubstr("a-nobody-"));
    EXPECT_FALSE(inspect_sql(*lake_.engine, "delete from a").ok());
    EXPECT_FALSE(inspect_sql(*lake_.engine, "select 1; select 2").ok());
    EXPECT_FALSE(inspect_sql(*lake_.engine, "selekt").ok());
    const auto seen = must(inspect_sql(*lake_.engine, "select x, y::decimal(10,2) as price from a"));
    ASSERT_EQ(seen.columns.size(), 2u);
    EXPECT_EQ(seen.columns[1].type, query::Type::decimal(10, 2));
}

TEST_F(TablesTest, WindowReplacesItsRowsAndKeepsTheRest) {
    clock_.set(*parse_time("2026-03-10T12:00:00Z"));
    sql("create table sales (day date, units int)");
    sql("insert into sales select date '2026-02-01' + i::int, i from range(38) r(i)");
    auto spec = table("daily", "select day, sum(units) as units from sales group by day", {"day"});
    spec.refresh.kind = Refresh::Kind::daily;
    spec.refresh.minute_of_day = 120;
    spec.refresh.window = std::chrono::hours(24 * 7);
    must(declare({spec}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("daily"), "from scratch");
    EXPECT_EQ(ask("select count(*) from daily"), "38");
    sql("update sales set units = units + 100");
    EXPECT_EQ(graph_->run_due(), 0u);
    clock_.set(*parse_time("2026-03-11T02:00:00Z"));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(error("daily"), "");
    EXPECT_EQ(mode("daily"), "window");
    EXPECT_EQ(ask("select min(day)::text, count(*) from daily where units >= 100"), "2026-03-03,8");
    EXPECT_EQ(ask("select count(*), count(distinct day) from daily"), "38,38");
    must(graph_->run_now("tables.daily", true));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(difference("daily", spec.sql), "");
    // A month later: days that came while nothing ran are not left out, though the clock's window
    // does not reach them.
    clock_.set(*parse_time("2026-04-12T02:00:00Z"));
    sql("insert into sales select date '2026-03-11' + i::int, i from range(20) r(i)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("daily"), "window");
    EXPECT_EQ(difference("daily", spec.sql), "");
    clock_.set(*parse_time("2026-04-13T02:00:00Z"));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(mode("daily"), "nothing new");
    spec.key = {"units"};
    must(declare({spec}));
    graph_->run_due();
    EXPECT_THAT(error("daily"), HasSubstr("no column of the key is a date"));
}

TEST_F(TablesTest, ColumnsThatChangeMakeANewTableAtOnce) {
    sql("create table raw (a int, b text)");
    sql("insert into raw values (1, 'x')");
    must(declare({table("made", "select a from raw")}));
    graph_->run_due();
    must(declare({table("made", "select a, b from raw")}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(ask("select * from made"), "1,x");
    must(declare({table("made", "select b as a from raw")}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(ask("select * from made"), "x");
    sql("drop table made");  // by someone else: made again
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(ask("select * from made"), "x");
    sql("drop table raw");
    sql("create table raw (a int, b text)");  // another table of the same name, empty
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(ask("select count(*) from made"), "0");
}

TEST_F(TablesTest, SomeoneElsesTableIsNotTouched) {
    sql("create table raw (a int)");
    sql("create table mine (a int)");
    sql("insert into mine values (42)");
    must(declare({table("mine", "select a from raw")}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_THAT(error("mine"), HasSubstr("was not made from the lakefile"));
    EXPECT_EQ(ask("select * from mine"), "42");
}

TEST_F(TablesTest, DaysAreLocal) {
    zone_ = "America/Bogota";
    open_graph();
    sql("create table raw (read_at timestamptz)");
    sql("insert into raw values ('2026-01-02T03:00:00Z')");
    must(declare({table(
        "days", "select read_at::date as day, date_trunc('day', read_at) as midnight from raw")}));
    graph_->run_due();
    EXPECT_EQ(error("days"), "");
    EXPECT_EQ(ask("select * from days"), "2026-01-01,2026-01-01 05:00:00+00");
    must(graph_->set_time_zone("UTC"));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(ask("select * from days"), "2026-01-02,2026-01-02 00:00:00+00");
}

TEST_F(TablesTest, DeclarationsAreReadAtOnce) {
    EXPECT_THAT(declare({table("x", "delete from y")}).error().message,
                HasSubstr("not one SELECT"));
    EXPECT_THAT(declare({table("x", "select 1; select 2")}).error().message,
                HasSubstr("one SELECT"));
    EXPECT_THAT(declare({table("x", "  ")}).error().message, HasSubstr("empty"));
    auto spec = table("x", "select 1 as a");
    spec.checks = {{"unique(key)", Consequence::stop}};
    EXPECT_THAT(declare({spec}).error().message, HasSubstr("has no key"));
    spec.checks = {{"a between", Consequence::stop}};
    EXPECT_FALSE(declare({spec}).ok());
    EXPECT_EQ(
        declare({table("p", "select * from q"), table("q", "select * from p")}).error().reason,
        "cycle");
}

TEST_F(TablesTest, ChecksOfRows) {
    sql("create table raw (a int, b text)");
    sql("insert into raw values (1, 'x'), (600, 'y'), (null, 'z')");
    auto spec = table("made", "select a, b from raw", {"b"});
    spec.checks = {check("a between 0 and 500", Consequence::stop)};
    auto reader = table("reader", "select count(*) as n from made");
    must(declare({spec, reader}));
    graph_->run_due();
    EXPECT_THAT(
        error("made"),
        HasSubstr(
            "check \"a between 0 and 500\" failed: 1 of 3 rows, such as {\"a\":600,\"b\":\"y\"}"));
    EXPECT_THAT(ask("select * from made"), HasSubstr("does not exist"));
    EXPECT_EQ(status("tables.reader").state, StepState::blocked);

    spec.checks = {check("a between 0 and 500", Consequence::warn)};
    must(declare({spec, reader}));
    graph_->run_due();
    ASSERT_EQ(last("tables.made").result.warnings.size(), 1u);
    EXPECT_EQ(ask("select count(*) from made"), "3");
    EXPECT_EQ(ask("select n from reader"), "3");

    spec.checks = {check("a between 0 and 500", Consequence::set_aside),
                   check("b <> 'w'", Consequence::set_aside)};
    must(declare({spec, reader}));
    graph_->run_due();
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(last("tables.made").result.rows_set_aside, 1u);
    EXPECT_EQ(last("tables.made").result.rows_written, 2u);
    EXPECT_EQ(ask("select a, b from made order by b"), "1,x;NULL,z");
    EXPECT_EQ(ask("select reason, row from made_rejected"),
              "a between 0 and 500,{\"a\":600,\"b\":\"y\"}");
    sql("insert into raw values (700, 'v'), (8, 'w'), (9, 'u')");
    graph_->run_due();
    EXPECT_EQ(mode("made"), "added rows");
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(ask("select a, b from made order by b"), "9,u;1,x;NULL,z");
    EXPECT_EQ(ask("select count(*) from made_rejected"), "3");
    EXPECT_EQ(
        must(lake_.catalog->snapshot().load_table("main", "made"))->current_snapshot()->operation(),
        "append");
    must(graph_->run_now("tables.made", true));
    graph_->run_due();
    EXPECT_EQ(ask("select count(*) from made_rejected"), "3");  // computed anew, not added
    spec.checks = {check("sum(a) > 3", Consequence::set_aside)};
    must(declare({spec, reader}));
    graph_->run_due();
    EXPECT_THAT(error("made"), HasSubstr("about the whole table"));
    EXPECT_EQ(status("tables.reader").state, StepState::blocked);
    EXPECT_EQ(status("tables.reader").blocked_by, "tables.made");
    spec.checks = {check("nonsense > 3", Consequence::stop)};
    must(declare({spec, reader}));
    graph_->run_due();
    EXPECT_THAT(error("made"), HasSubstr("nonsense"));
    EXPECT_EQ(ask("select count(*) from made"), "3");
}

TEST_F(TablesTest, ChecksOfKeysAndWholeTables) {
    clock_.set(*parse_time("2026-03-01T12:00:00Z"));
    sql("create table raw (k int, v int, read_at timestamp)");
    sql("insert into raw values (1, 1, '2026-03-01 11:55'), (1, 2, '2026-03-01 11:55'), (2, 3, "
        "'2026-03-01 11:55')");
    auto spec = table("made", "select k, v, read_at from raw", {"k"});
    spec.checks = {check("unique(key)", Consequence::stop)};
    must(declare({spec}));
    graph_->run_due();
    EXPECT_THAT(error("made"), HasSubstr("1 keys more than once, such as [1]"));
    spec.checks = {check("unique( key )", Consequence::set_aside),
                   check("newest(read_at) within 10m", Consequence::stop),
                   check("sum(v) = (select sum(v) from raw) - 2", Consequence::stop)};
    must(declare({spec}));
    graph_->run_due();
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(ask("select k, v from made order by k"), "1,1;2,3");
    EXPECT_EQ(ask("select row from made_rejected"),
              "{\"k\":1,\"v\":2,\"read_at\":\"2026-03-01 11:55:00\"}");
    spec.checks.pop_back();
    must(declare({spec}));
    graph_->run_due();
    sql("insert into raw values (2, 9, '2026-03-01 11:56'), (3, 1, '2026-03-01 11:56'), (3, 2, "
        "'2026-03-01 11:56')");
    graph_->run_due();
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(mode("made"), "added rows");
    EXPECT_EQ(ask("select k, v from made order by k"), "1,1;2,3;3,1");  // what was there stays
    spec.checks = {check("sum(v) = (select sum(v) from raw)", Consequence::stop)};
    must(declare({table("sums", "select v from made"), spec}));
    must(declare({spec}));
    sql("insert into raw values (4, 1, '2026-03-01 11:56')");
    graph_->run_due();
    EXPECT_EQ(error("made"), "");
    EXPECT_EQ(ask("select count(*) from made"), "7");
    spec.checks = {check("count(*) < 3", Consequence::stop)};
    must(declare({spec}));
    graph_->run_due();
    EXPECT_THAT(error("made"), HasSubstr("7 < 3 is false"));
    clock_.advance(std::chrono::minutes(30));
    spec.checks = {check("newest(read_at) within 10m", Consequence::warn)};
    must(declare({spec}));
    graph_->run_due();
    ASSERT_EQ(last("tables.made").result.warnings.size(), 1u);
    EXPECT_THAT(last("tables.made").result.warnings[0],
                HasSubstr("the newest is 2026-03-01 11:56:00"));
}

/// Random changes to the sources between runs; a chain of two tables; restarts and rewrites of
/// files in between.
TEST_F(TablesTest, EveryModeGivesWhatTheSelectGives) {
    for (const uint64_t seed : {1, 2}) {
        Random random(seed);
        const std::string n = std::to_string(seed);
        sql("create table s" + n + " (k int, g int, v int)");
        sql("create table d" + n + " (g int, f int)");
        const std::string wise = "select s.k, s.g, s.v * d.f as w from s" + n + " s left join d" +
                                 n + " d using (g) where s.v <> 3";
        const std::string sums = "select g, sum(w) as w, count(*) as n from m" + n + " group by g";
        const std::string copy = "select k, w from m" + n + " where w > 10";
        std::vector<TableSpec> specs = {table("m" + n, wise, {"k"}), table("g" + n, sums, {"g"}),
                                        table("c" + n, copy)};
        must(declare(specs));
        std::set<std::string> modes;
        int k = 0;
        for (int round = 0; round < 14; ++round) {
            for (uint64_t changes = random.below(3) + (round == 0 ? 1 : 0); changes > 0; --changes)
                switch (random.below(8)) {
                    case 0:
                        sql("delete from s" + n +
                            " where k % 7 = " + std::to_string(random.below(7)));
                        break;
                    case 1:
                        sql("update s" + n +
                            " set v = v + 1 where k % 5 = " + std::to_string(random.below(5)));
                        break;
                    case 2:
                        sql("insert into d" + n + " values (" + std::to_string(random.below(4)) +
                            ", " + std::to_string(random.below(9)) + ")");
                        break;
                    default: {
                        const auto count = 1 + random.below(20);
                        sql("insert into s" + n + " select i, i % 4, i % 11 from range(" +
                            std::to_string(k) + ", " + std::to_string(k + static_cast<int>(count)) +
                            ") r(i)");
                        k += static_cast<int>(count);
                    }
                }
            if (random.one_in(6)) {
                open_graph();
                must(declare(specs));
            }
            graph_->run_due();
            for (const auto& run : must(graph_->runs("", 3))) {
                modes.insert(run.mode);
                ASSERT_EQ(run.error, "");
            }
            ASSERT_EQ(difference("m" + n, wise), "") << "seed " << seed << " round " << round;
            ASSERT_EQ(difference("g" + n, sums), "") << "seed " << seed << " round " << round;
            ASSERT_EQ(difference("c" + n, copy), "") << "seed " << seed << " round " << round;
        }
        EXPECT_TRUE(modes.contains("added rows"));
        EXPECT_TRUE(modes.contains("from scratch"));
    }
}

/// The process dies at every commit in turn, with that commit kept or lost.
TEST_F(TablesTest, DyingAnywhereLosesNothingAndRepeatsNothing) {
    const std::string wise = "select k, v * 2 as w from s";
    const std::string sums = "select count(*) as n, sum(w) as w from m";
    auto first = table("m", wise, {"k"});
    first.checks = {check("w <> 8", Consequence::set_aside)};
    const std::vector<TableSpec> specs = {first, table("g", sums)};
    sql("create table s (k int, v int)");
    must(declare(specs));
    const std::string kept = "select * from (" + wise + ") where w <> 8";
    int k = 0;
    bool died = true;
    // Until it lives through a whole run.
    for (int at = 1; died && at <= 40; ++at)
        for (const bool last_kept : {false, true}) {
            sql("insert into s select i, i % 7 from range(" + std::to_string(k) + ", " +
                std::to_string(k + 5) + ") r(i)");
            k += 5;
            store_->arm(at, last_kept);
            graph_->run_due();
            died = store_->dead();
            store_->heal();
            open_graph();
            must(declare(specs));
            graph_->run_due();
            ASSERT_EQ(difference("m", kept), "") << at << last_kept << died;
            ASSERT_EQ(difference("g", sums), "") << at << last_kept << died;
            ASSERT_EQ(ask("select count(*) from m_rejected"),
                      ask("select count(*) from (" + wise + ") where w = 8"));
            for (const auto& run : must(graph_->runs()))
                ASSERT_NE(run.outcome, RunOutcome::running);
        }
}

}  // namespace
}  // namespace tarn::flows

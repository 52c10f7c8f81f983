// The graph with steps made for the test.
#include <thread>

#include "flows/internal/flow_lake.h"
#include "flows/internal/order.h"

namespace tarn::flows {
namespace {

/// Runs a function; makes nothing unless that does.
class TestStep final : public Step {
 public:
    TestStep(std::string name, std::vector<TableRef> inputs, std::optional<TableRef> output = {})
        : name_(std::move(name)), inputs_(std::move(inputs)), output_(std::move(output)) {}
    const std::string& name() const override { return name_; }
    const std::string& fingerprint() const override { return print; }
    const std::vector<TableRef>& inputs() const override { return inputs_; }
    std::optional<TableRef> output() const override { return output_; }
    const Refresh& refresh() const override { return when; }
    bool quiet() const override { return is_quiet; }
    std::chrono::seconds at_least_every() const override { return least; }
    Result<StepResult> run(StepRun& run) override {
        ++runs;
        if (body) return body(run);
        return StepResult{};
    }

    std::string print = "1";
    Refresh when;
    bool is_quiet = false;
    std::chrono::seconds least{0};
    std::atomic<int> runs{0};
    std::function<Result<StepResult>(StepRun&)> body;

 private:
    std::string name_;
    std::vector<TableRef> inputs_;
    std::optional<TableRef> output_;
};

TableRef t(const std::string& name) {
    return {"main", name};
}
std::shared_ptr<TestStep> step(const std::string& name, std::vector<TableRef> inputs,
                               std::optional<TableRef> output = {}) {
    return std::make_shared<TestStep>(name, std::move(inputs), std::move(output));
}

TEST(Order, InputsComeFirst) {
    const auto ordered =
        order_steps({step("c", {t("b"), t("a")}, t("c")), step("b", {t("a")}, t("b")),
                     step("a", {t("raw")}, t("a")), step("d", {t("c"), t("b")})});
    ASSERT_TRUE(ordered.ok());
    std::string names;
    for (const auto& each : *ordered) names += each.step->name();
    EXPECT_EQ(names, "abcd");
    EXPECT_EQ((*ordered)[3].upstream, (std::vector<size_t>{1, 2}));
}

TEST(Order, RefusesCirclesWithTheirPath) {
    const auto ordered = order_steps(
        {step("a", {t("c")}, t("a")), step("b", {t("a")}, t("b")), step("c", {t("b")}, t("c"))});
    ASSERT_FALSE(ordered.ok());
    EXPECT_EQ(ordered.error().reason, "cycle");
    EXPECT_THAT(ordered.error().message, ::testing::HasSubstr("a reads c reads b reads a"));
    EXPECT_EQ(order_steps({step("a", {t("a")}, t("a"))}).error().reason, "cycle");
    EXPECT_EQ(order_steps({step("a", {}), step("a", {})}).error().reason, "name_twice");
    EXPECT_EQ(order_steps({step("a", {}, t("x")), step("b", {}, t("x"))}).error().reason,
              "output_twice");
}

class GraphTest : public FlowLake {};

TEST_F(GraphTest, RunsOnChangeAndOnlyThen) {
    sql("create table raw (a int)");
    const auto reader = step("reader", {t("raw")});
    must(graph_->configure({reader}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(graph_->run_due(), 0u);
    sql("insert into raw values (1)");
    reader->body = [](StepRun& run) -> Result<StepResult> {
        EXPECT_FALSE(run.inputs()[0].snapshot_before.has_value());
        EXPECT_TRUE(run.inputs()[0].changed());
        return StepResult{};
    };
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("reader").cause, Cause::input);
    EXPECT_EQ(last("reader").outcome, RunOutcome::done);
    open_graph();  // a restart forgets nothing
    must(graph_->configure({reader}));
    EXPECT_EQ(graph_->run_due(), 0u);
    reader->print = "2";
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("reader").cause, Cause::definition);
    EXPECT_EQ(must(graph_->runs("reader")).size(), 3u);
}

TEST_F(GraphTest, WaitsForATableThatIsNotThereYet) {
    const auto reader = step("reader", {t("raw")});
    must(graph_->configure({reader}));
    EXPECT_EQ(graph_->run_due(), 0u);
    EXPECT_EQ(status("reader").state, StepState::waiting);
    EXPECT_EQ(status("reader").waits_for, "table main.raw");
    sql("create table raw (a int)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(status("reader").state, StepState::idle);
}

TEST_F(GraphTest, FailuresPauseLongerAndBlockWhatFollows) {
    sql("create table raw (a int)");
    sql("create table made (a int)");
    const auto maker = step("maker", {t("raw")}, t("made"));
    const auto reader = step("reader", {t("made"), t("raw")});
    bool broken = true;
    maker->body = [&](StepRun&) -> Result<StepResult> {
        if (broken) return Error{Code::internal, "no luck"};
        return StepResult{};
    };
    must(graph_->configure({reader, maker}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(status("maker").state, StepState::failed);
    EXPECT_EQ(last("maker").error, "no luck");
    EXPECT_EQ(status("reader").state, StepState::blocked);
    EXPECT_EQ(status("reader").blocked_by, "maker");
    // 1 s, 2 s, 4 s ... at most 5 min
    clock_.advance(std::chrono::milliseconds(999));
    EXPECT_EQ(graph_->run_due(), 0u);
    clock_.advance(std::chrono::milliseconds(1));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("maker").cause, Cause::retry);
    clock_.advance(std::chrono::milliseconds(1999));
    EXPECT_EQ(graph_->run_due(), 0u);
    for (int i = 0; i < 12; ++i) {
        clock_.advance(std::chrono::minutes(5));
        EXPECT_EQ(graph_->run_due(), 1u);
    }
    EXPECT_EQ(graph_->run_due(), 0u);
    sql("insert into raw values (1)");  // something new: at once
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("maker").cause, Cause::input);
    broken = false;
    EXPECT_EQ(reader->runs, 0);
    must(graph_->run_now("maker"));
    EXPECT_EQ(graph_->run_due(), 2u);
    EXPECT_EQ(reader->runs, 1);
    EXPECT_EQ(status("maker").failures, 0);
    EXPECT_EQ(graph_->run_now("nobody").error().code, Code::not_found);
}

TEST_F(GraphTest, SchedulesRunOnceForAllTheyMissed) {
    const auto nightly = step("nightly", {});
    nightly->when.kind = Refresh::Kind::daily;
    nightly->when.minute_of_day = 120;
    clock_.set(*parse_time("2026-03-01T12:00:00Z"));
    must(graph_->configure({nightly}));
    EXPECT_EQ(graph_->run_due(), 1u);  // never computed: now
    EXPECT_EQ(status("nightly").next, *parse_time("2026-03-02T02:00:00Z"));
    clock_.set(*parse_time("2026-03-02T01:59:59Z"));
    EXPECT_EQ(graph_->run_due(), 0u);
    graph_.reset();
    clock_.set(*parse_time("2026-03-09T12:00:00Z"));  // a week off
    open_graph();
    must(graph_->configure({nightly}));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("nightly").cause, Cause::schedule);
    must(graph_->set_time_zone("America/Bogota"));
    clock_.set(*parse_time("2026-03-10T06:59:00Z"));
    EXPECT_EQ(graph_->run_due(), 0u);
    clock_.set(*parse_time("2026-03-10T07:00:00Z"));
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_FALSE(graph_->set_time_zone("Nowhere").ok());
}

TEST_F(GraphTest, QuietStepsLeaveNoTraceOfNothing) {
    sql("create table raw (a int)");
    const auto alert = step("alert", {t("raw")});
    alert->is_quiet = true;
    alert->least = std::chrono::seconds(5);
    must(graph_->configure({alert}));
    EXPECT_EQ(graph_->run_due(), 1u);
    sql("insert into raw values (1)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(graph_->run_due(), 0u);
    clock_.advance(std::chrono::seconds(5));
    EXPECT_EQ(graph_->run_due(), 1u);  // time alone
    EXPECT_EQ(graph_->run_due(), 0u);
    EXPECT_TRUE(must(graph_->runs("alert")).empty());
    alert->body = [](StepRun&) -> Result<StepResult> {
        StepResult result;
        result.rows_written = 1;
        return result;
    };
    sql("insert into raw values (2)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(must(graph_->runs("alert")).size(), 1u);
    alert->body = [](StepRun&) -> Result<StepResult> { return Error{Code::internal, "broken"}; };
    sql("insert into raw values (3)");
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(last("alert").outcome, RunOutcome::failed);
}

TEST_F(GraphTest, AHeavyStepRestsAndItsReadersWaitForIt) {
    sql("create table raw (a int)");
    sql("create table made (a int)");
    const auto heavy = step("heavy", {t("raw")}, t("made"));
    const auto reader = step("reader", {t("made"), t("raw")});
    heavy->body = [&](StepRun&) -> Result<StepResult> {
        clock_.advance(std::chrono::seconds(10));
        return StepResult{};
    };
    must(graph_->configure({heavy, reader}));
    EXPECT_EQ(graph_->run_due(), 2u);
    sql("insert into raw values (1)");
    EXPECT_EQ(graph_->run_due(), 2u);  // the first run was nobody's fault
    sql("insert into raw values (2)");
    EXPECT_EQ(graph_->run_due(), 0u);
    EXPECT_THAT(status("heavy").waits_for, ::testing::HasSubstr("pause"));
    EXPECT_EQ(status("reader").waits_for, "heavy");
    EXPECT_FALSE(graph_->quiescent());
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(graph_->run_due(), 2u);
}

TEST_F(GraphTest, AClockThatIsSetBackStopsNothing) {
    sql("create table raw (a int)");
    const auto reader = step("reader", {t("raw")});
    must(graph_->configure({reader}));
    for (int i = 0; i < 2; ++i) {  // the second time because of its input: it rests after that
        sql("insert into raw values (1)");
        EXPECT_EQ(graph_->run_due(), 1u);
    }
    clock_.advance(-std::chrono::hours(48));
    sql("insert into raw values (2)");
    graph_->run_due();
    clock_.advance(std::chrono::seconds(31));
    graph_->run_due();
    EXPECT_EQ(must(graph_->runs("reader")).size(), 3u);
    reader->body = [](StepRun&) -> Result<StepResult> {
        return Error{Code::internal, "no luck"};
    };
    sql("insert into raw values (3)");
    EXPECT_EQ(graph_->run_due(), 1u);
    clock_.advance(-std::chrono::hours(48));
    reader->body = nullptr;
    graph_->run_due();
    clock_.advance(std::chrono::minutes(6));
    graph_->run_due();
    EXPECT_EQ(last("reader").outcome, RunOutcome::done);
}

TEST_F(GraphTest, HistoryIsBoundedAndNewestFirst) {
    const auto each = step("each", {});
    each->when.kind = Refresh::Kind::manual;
    must(graph_->configure({each}));
    EXPECT_EQ(graph_->run_due(), 0u);
    for (int i = 0; i < 30; ++i) {
        must(graph_->run_now("each"));
        EXPECT_EQ(graph_->run_due(), 1u);
    }
    const auto runs = must(graph_->runs("each"));
    ASSERT_EQ(runs.size(), 20u);
    EXPECT_EQ(runs.front().number, 30u);
    EXPECT_EQ(runs.back().number, 11u);
    EXPECT_EQ(must(graph_->runs("", 5)).size(), 5u);
}

TEST_F(GraphTest, ACommittedRunTakesItsExtrasAlong) {
    sql("create table raw (a int)");
    const auto writer = step("writer", {t("raw")});
    writer->body = [](StepRun& run) -> Result<StepResult> {
        meta::Batch extra;
        extra.put("zz/test", "here");
        TARN_CHECK_OK(run.commit({}, std::move(extra)));
        EXPECT_FALSE(run.commit({}, {}).ok());
        return StepResult{};
    };
    must(graph_->configure({writer}));
    store_->arm(2, false);  // the start's line passes, the commit does not
    EXPECT_EQ(graph_->run_due(), 1u);
    store_->heal();
    EXPECT_FALSE(must(store_->get("zz/test")).has_value());
    open_graph();
    must(graph_->configure({writer}));
    EXPECT_EQ(last("writer").outcome, RunOutcome::interrupted);
    EXPECT_EQ(graph_->run_due(), 1u);
    EXPECT_EQ(must(store_->get("zz/test"))->value, "here");
    EXPECT_EQ(last("writer").number, 2u);
}

TEST_F(GraphTest, ThreadsWakeSoonAndStopCancels) {
    sql("create table raw (a int)");
    const auto reader = step("reader", {t("raw")});
    std::atomic<bool> entered{false}, ended{false};
    must(graph_->configure({reader}));
    open_graph(true);
    must(graph_->configure({reader}));
    const auto wait_for = [&](auto&& condition) {
        for (int i = 0; i < 2000 && !condition(); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return condition();
    };
    ASSERT_TRUE(wait_for([&] { return reader->runs == 1 && graph_->quiescent(); }));
    reader->body = [&](StepRun& run) -> Result<StepResult> {
        entered = true;
        while (!run.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ended = true;
        return Error{Code::cancelled, "stopped"};
    };
    sql("insert into raw values (1)");
    ASSERT_TRUE(wait_for([&] { return entered.load(); }));
    EXPECT_EQ(status("reader").state, StepState::running);
    graph_->stop();
    EXPECT_TRUE(ended);
    EXPECT_EQ(last("reader").outcome, RunOutcome::cancelled);
    graph_->stop();
}

}  // namespace
}  // namespace tarn::flows

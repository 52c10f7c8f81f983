// Tests only: a whole lake in a folder with a graph over it, on a clock that stands still, over a
// store whose commits can be made to fail as if the process had died there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows/graph.h"
#include "query/test_lake.h"

namespace tarn::flows {

using query::must;

/// Dies at the n-th commit from arm(): that one and all after it fail. The dying one is in the log
/// or not.
class DyingStore final : public meta::Store {
 public:
    explicit DyingStore(meta::Store& store) : store_(store) {}

    void arm(int commits, bool last_one_kept) {
        left_ = commits;
        kept_ = last_one_kept;
    }
    void heal() { left_ = -1; }
    bool dead() const { return left_ == 0; }
    int commits() const { return commits_; }

    Result<std::optional<meta::Record>> get(std::string_view key) const override {
        return store_.get(key);
    }
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override {
        return store_.scan(std::move(range));
    }
    std::shared_ptr<const meta::Snapshot> snapshot() const override { return store_.snapshot(); }
    Result<meta::Commit> commit(meta::Batch batch) override {
        ++commits_;
        if (left_ == 0) return gone();
        if (left_ > 0 && --left_ == 0) {
            if (kept_) static_cast<void>(store_.commit(std::move(batch)));
            return gone();
        }
        return store_.commit(std::move(batch));
    }
    void commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) override {
        done(commit(std::move(batch)));
    }
    meta::Version last_version() const override { return store_.last_version(); }
    bool healthy() const override { return !dead(); }

 private:
    static Error gone() { return {Code::io, "the process died"}; }

    meta::Store& store_;
    int left_ = -1;
    bool kept_ = false;
    int commits_ = 0;
};

class FlowLake : public ::testing::Test {
 protected:
    FlowLake() { open_graph(); }

    static security::Caller caller() {
        return query::test_caller("system", security::Principal::Kind::system);
    }
    /// A new graph over what there is: as after a restart.
    void open_graph(bool threads = false) {
        graph_.reset();
        GraphOptions options;
        options.start_threads = threads;
        options.runs_kept = 20;
        graph_ = std::make_unique<Graph>(
            Parts{*store_, *lake_.catalog, *lake_.committer, *lake_.engine, clock_, lake_.metrics, caller(), zone_},
            options);
    }
    /// Declares tables; nothing runs yet.
    Status declare(const std::vector<TableSpec>& tables,
                   std::vector<std::shared_ptr<Step>> more = {}) {
        for (const auto& table : tables) {
            TARN_TRY(step, make_table_step(table, {*lake_.catalog, *lake_.engine, caller(), zone_}));
            more.push_back(std::move(step));
        }
        return graph_->configure(std::move(more));
    }
    static TableSpec table(const std::string& name, const std::string& sql,
                           std::vector<std::string> key = {}) {
        TableSpec spec;
        spec.name = {"main", name};
        spec.sql = sql;
        spec.key = std::move(key);
        return spec;
    }
    uint64_t sql(const std::string& text) {
        if (!session_) session_ = must(lake_.engine->connect(caller()));
        return must(session_->run(text));
    }
    /// Rows as "a,b;c,d", or "!message".
    std::string ask(const std::string& text) {
        if (!session_) session_ = must(lake_.engine->connect(caller()));
        const auto rows = session_->query(text);
        if (!rows.ok()) return "!" + rows.error().message;
        return query::text_of(*rows);
    }
    RunRecord last(const std::string& step) {
        const auto runs = must(graph_->runs(step, 1));
        return runs.empty() ? RunRecord{} : runs.front();
    }
    StepStatus status(const std::string& step) {
        for (auto& each : graph_->status())
            if (each.name == step) return each;
        return {};
    }

    ManualClock clock_;
    std::string zone_ = "UTC";
    query::TestFolder folder_{"flows"};
    query::TestLake lake_{folder_.path(), clock_, {.owner = caller(), .around = [](meta::Store& store) {
                              return std::make_unique<DyingStore>(store);
                          }}};
    DyingStore* const store_ = static_cast<DyingStore*>(lake_.around.get());
    std::unique_ptr<query::Session> session_;
    std::unique_ptr<Graph> graph_;
};

}  // namespace tarn::flows

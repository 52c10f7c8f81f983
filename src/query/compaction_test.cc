// Compaction by the real engine: rows that are deleted while files are written again stay deleted.
#include "query/compaction.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "query/test_lake.h"

namespace tarn::query {
namespace {

class EngineCompaction : public ::testing::Test {
 protected:
    tables::TablePtr table() { return must(lake_.catalog->snapshot().load_table("main", "t")); }
    std::string rows() { return text_of(must(session_->query("select k, v from t order by k"))); }

    SystemClock clock_;
    TestFolder folder_{"compaction"};
    TestLake lake_{folder_.path(), clock_};
    std::unique_ptr<Session> session_ = lake_.session();
};

/// The engine's tools with a writer that comes in between.
struct Interrupted final : tables::CompactionTools {
    Interrupted(tables::CompactionTools& t, std::function<void()> w)
        : tools(t), write(std::move(w)) {}
    Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup& group) override {
        auto written = tools.rewrite(group);
        write();
        return written;
    }
    Result<std::vector<tables::DataFile>> carry_deletes(
        const tables::CompactionGroup& group, const std::vector<tables::DataFile>& written,
        const std::vector<tables::ScanTask>& now) override {
        auto files = tools.carry_deletes(group, written, now);
        if (times++ == 0) write();  // and once more before the commit
        return files;
    }
    Result<tables::DataFile> merge_deletes(const tables::TablePtr& table,
                                           const tables::ScanTask& task) override {
        auto file = tools.merge_deletes(table, task);
        write();
        return file;
    }
    tables::CompactionTools& tools;
    std::function<void()> write;
    int times = 0;
};

TEST_F(EngineCompaction, RowsEqualAModelWhateverComesMeanwhile) {
    must(session_->run("create table t(k bigint, v bigint)"));
    std::map<int64_t, int64_t> model;
    std::mt19937 random(7);
    int64_t changes = 0;
    const auto write = [&] {
        ++changes;
        const int64_t modulo = 3 + static_cast<int64_t>(random() % 40);
        const int64_t rest = static_cast<int64_t>(random()) % modulo;
        if (random() % 3 == 0) {
            must(session_->run("delete from t where k % " + std::to_string(modulo) + " = " +
                               std::to_string(rest)));
            std::erase_if(model, [&](const auto& row) { return row.first % modulo == rest; });
            return;
        }
        must(session_->run("update t set v = " + std::to_string(changes) + " where k % " +
                           std::to_string(modulo) + " = " + std::to_string(rest)));
        for (auto& [k, v] : model)
            if (k % modulo == rest) v = changes;
    };
    const auto expected = [&] {
        std::string out;
        for (const auto& [k, v] : model)
            out += (out.empty() ? "" : ";") + std::to_string(k) + "," + std::to_string(v);
        return out;
    };
    must(session_->run("insert into t select i, 0 from range(5000) r(i)"));
    for (int64_t k = 0; k < 5000; ++k) model[k] = 0;
    const auto tools = compaction_tools(*lake_.engine);
    tables::CompactionPolicy policy;
    policy.merge_min = 3;
    int rebased = 0, merges = 0;
    for (int round = 0; round < 12; ++round) {
        write();
        write();
        policy.merge_min = round % 3 == 0 ? 2 : 1000;
        const auto step = must(tables::next_compaction(*lake_.catalog, table(), policy));
        if (!step) continue;
        merges += step->merges.empty() ? 0 : 1;
        Interrupted interrupted(*tools, write);
        const auto outcome =
            must(tables::run_compaction(*lake_.catalog, *lake_.committer, lake_.owner, *step, interrupted));
        rebased += outcome.rebased;
        ASSERT_EQ(rows(), expected()) << "round " << round;
    }
    EXPECT_GT(rebased, 3);
    EXPECT_GT(merges, 0);
    while (true) {
        const auto step = must(tables::next_compaction(*lake_.catalog, table(), {}));
        if (!step) break;
        ASSERT_TRUE(must(tables::run_compaction(*lake_.catalog, *lake_.committer, lake_.owner, *step, *tools)).done);
    }
    EXPECT_EQ(rows(), expected());
    EXPECT_LE(must(tables::plan_scan(*lake_.catalog, table())).tasks.size(), 3u);
}

TEST_F(EngineCompaction, FilesOfSeveralThousandRowsInSeveralFiles) {
    must(session_->run("create table t(k bigint, v bigint)"));
    for (int i = 0; i < 5; ++i)
        must(session_->run("insert into t select i, i from range(" + std::to_string(i * 30000) +
                           ", " + std::to_string(i * 30000 + 30000) + ") r(i)"));
    must(session_->run("delete from t where k % 7 = 0"));
    const auto tools = compaction_tools(*lake_.engine);
    tables::CompactionPolicy policy;
    const auto step = must(tables::next_compaction(*lake_.catalog, table(), policy));
    ASSERT_TRUE(step);
    Interrupted interrupted(*tools, [&] { must(session_->run("delete from t where k % 11 = 3")); });
    const auto outcome =
        must(tables::run_compaction(*lake_.catalog, *lake_.committer, lake_.owner, *step, interrupted));
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.rebased, 1);
    EXPECT_EQ(text_of(must(session_->query("select count(*), sum(k) = (select sum(i) from "
                                           "range(150000) r(i) where i % 7 <> 0 and i % 11 <> 3) "
                                           "from t"))),
              "116882,t");
}

}  // namespace
}  // namespace tarn::query

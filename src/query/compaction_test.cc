// Compaction by the real engine: rows that are deleted while files are written again stay deleted.
#include "query/compaction.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "base/random.h"
#include "io/disk.h"
#include "objects/store.h"
#include "query/test_rows.h"
#include "tables/object_files.h"

namespace tarn::query {
namespace {

struct Everything final : AccessProvider {
    Result<TableAccess> table_access(const security::Principal&, const std::string&,
                                     const std::string&) const override {
        return TableAccess::everything();
    }
    Result<DatabaseAccess> database_access(const security::Principal&,
                                           const std::string&) const override {
        return DatabaseAccess{};
    }
    Result<bool> may_create_database(const security::Principal&) const override { return true; }
};

class EngineCompaction : public ::testing::Test {
 protected:
    EngineCompaction()
        : directory_(std::filesystem::temp_directory_path() / ("compaction-" + random_hex(6))) {
        std::filesystem::create_directories(directory_);
        root_.principal.name = "root";
        root_.principal.kind = security::Principal::Kind::root;
        meta::LocalStoreOptions store;
        store.directory = directory_ / "meta";
        store.free_bytes_min = 0;
        store_ = must(meta::LocalStore::open(disk_, clock_, metrics_, store));
        objects::LocalBytesOptions bytes;
        bytes.directory = directory_ / "extents";
        bytes.lake_id = store_->lake_id();
        bytes.free_bytes_min = 0;
        bytes_ = must(objects::open_local_bytes(disk_, *store_, metrics_, bytes));
        objects_ = must(objects::ObjectStore::open(*store_, *bytes_, clock_, metrics_, {}));
        files_ = std::make_unique<tables::ObjectFiles>(*objects_, root_);
        catalog_ = std::make_unique<tables::Catalog>(*store_, *files_, clock_);
        committer_ = std::make_unique<tables::Committer>(*catalog_, metrics_);
        EngineOptions options;
        options.temp_directory = directory_ / "spill";
        options.memory_bytes = 512 << 20;
        engine_ = must(
            Engine::open(options, {*objects_, *catalog_, *committer_, access_, clock_, metrics_}));
        session_ = must(engine_->connect(root_));
    }
    ~EngineCompaction() override {
        session_.reset();
        engine_.reset();
        committer_.reset();
        catalog_.reset();
        files_.reset();
        objects_.reset();
        bytes_.reset();
        store_.reset();
        std::filesystem::remove_all(directory_);
    }

    tables::TablePtr table() { return must(catalog_->snapshot().load_table("main", "t")); }
    std::string rows() { return text_of(must(session_->query("select k, v from t order by k"))); }

    io::RealDisk disk_;
    SystemClock clock_;
    Metrics metrics_;
    Everything access_;
    security::Caller root_;
    const std::filesystem::path directory_;
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<objects::BytesBackend> bytes_;
    std::unique_ptr<objects::ObjectStore> objects_;
    std::unique_ptr<tables::ObjectFiles> files_;
    std::unique_ptr<tables::Catalog> catalog_;
    std::unique_ptr<tables::Committer> committer_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Session> session_;
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
    const auto tools = compaction_tools(*engine_);
    tables::CompactionPolicy policy;
    policy.merge_min = 3;
    int rebased = 0, merges = 0;
    for (int round = 0; round < 12; ++round) {
        write();
        write();
        policy.merge_min = round % 3 == 0 ? 2 : 1000;
        const auto step = must(tables::next_compaction(*catalog_, table(), policy));
        if (!step) continue;
        merges += step->merges.empty() ? 0 : 1;
        Interrupted interrupted(*tools, write);
        const auto outcome =
            must(tables::run_compaction(*catalog_, *committer_, root_, *step, interrupted));
        rebased += outcome.rebased;
        ASSERT_EQ(rows(), expected()) << "round " << round;
    }
    EXPECT_GT(rebased, 3);
    EXPECT_GT(merges, 0);
    while (true) {
        const auto step = must(tables::next_compaction(*catalog_, table(), {}));
        if (!step) break;
        ASSERT_TRUE(must(tables::run_compaction(*catalog_, *committer_, root_, *step, *tools)).done);
    }
    EXPECT_EQ(rows(), expected());
    EXPECT_LE(must(tables::plan_scan(*catalog_, table())).tasks.size(), 3u);
}

TEST_F(EngineCompaction, FilesOfSeveralThousandRowsInSeveralFiles) {
    must(session_->run("create table t(k bigint, v bigint)"));
    for (int i = 0; i < 5; ++i)
        must(session_->run("insert into t select i, i from range(" + std::to_string(i * 30000) +
                           ", " + std::to_string(i * 30000 + 30000) + ") r(i)"));
    must(session_->run("delete from t where k % 7 = 0"));
    const auto tools = compaction_tools(*engine_);
    tables::CompactionPolicy policy;
    const auto step = must(tables::next_compaction(*catalog_, table(), policy));
    ASSERT_TRUE(step);
    Interrupted interrupted(*tools, [&] { must(session_->run("delete from t where k % 11 = 3")); });
    const auto outcome =
        must(tables::run_compaction(*catalog_, *committer_, root_, *step, interrupted));
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.rebased, 1);
    EXPECT_EQ(text_of(must(session_->query("select count(*), sum(k) = (select sum(i) from "
                                           "range(150000) r(i) where i % 7 <> 0 and i % 11 <> 3) "
                                           "from t"))),
              "116882,t");
}

}  // namespace
}  // namespace tarn::query

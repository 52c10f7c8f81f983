// Compaction beside writers, on files whose rows are lines of text: whatever happens at whatever
// point, the rows equal a model's.
#include "tables/compaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;
using Numbers = std::vector<int64_t>;

std::string text_of(const Numbers& numbers) {
    std::string out;
    for (const int64_t number : numbers) out += std::to_string(number) + "\n";
    return out;
}

/// One server on the lake's store: what it has in memory is gone with it.
struct Server {
    explicit Server(Lake& l) : lake(l), catalog(l.store, l.files, l.clock) {}

    TablePtr table() { return *catalog.snapshot().load_table("shop", "t"); }
    Numbers numbers(const std::string& path) const {
        std::istringstream in(*lake.files.read(path, 1 << 20));
        return {std::istream_iterator<int64_t>(in), {}};
    }
    std::set<int64_t> deleted(const ScanTask& task) const {
        std::set<int64_t> rows;
        for (const auto& file : task.deletes)
            for (const int64_t row : numbers(file->path)) rows.insert(row);
        return rows;
    }
    DataFile write(const TablePtr& to, const Numbers& ids) {
        DataFile file = lake.file(to, static_cast<int64_t>(ids.size()));
        lake.files.put(file.path, text_of(ids));
        return file;
    }
    DataFile write_deletes(const TablePtr& to, const DataFile& of, const Numbers& rows) {
        DataFile file = lake.deletes(of, to, static_cast<int64_t>(rows.size()));
        lake.files.put(file.path, text_of(rows));
        return file;
    }
    Result<CommitResult> commit(TableChange change) {
        return committer.commit(lake.caller, {std::move(change)});
    }

    Lake& lake;
    Metrics metrics;
    Catalog catalog;
    Committer committer{catalog, metrics};
};

/// Writes rows anew as the engine does, and lets a test in at each point.
class TextTools final : public CompactionTools {
 public:
    explicit TextTools(Server& server) : server_(server) {}
    std::function<void()> at_point = [] {};
    size_t rows_per_file = 50;

    Result<std::vector<DataFile>> rewrite(const CompactionGroup& group) override {
        Numbers live;
        for (const auto& task : group.files) {
            const auto deleted = server_.deleted(task);
            const auto rows = server_.numbers(task.file->path);
            for (size_t i = 0; i < rows.size(); ++i)
                if (deleted.count(static_cast<int64_t>(i)) == 0) live.push_back(rows[i]);
        }
        at_point();
        std::vector<DataFile> files;
        for (size_t at = 0; at < live.size(); at += rows_per_file) {
            const auto begin = live.begin() + static_cast<std::ptrdiff_t>(at);
            const auto end = live.begin() +
                             static_cast<std::ptrdiff_t>(std::min(live.size(), at + rows_per_file));
            files.push_back(server_.write(group.table, {begin, end}));
        }
        at_point();
        return files;
    }

    Result<std::vector<DataFile>> carry_deletes(const CompactionGroup& group,
                                                const std::vector<DataFile>& written,
                                                const std::vector<ScanTask>& now) override {
        at_point();
        std::map<size_t, Numbers> gone;
        size_t live = 0;
        for (size_t i = 0; i < group.files.size(); ++i) {
            const auto before = server_.deleted(group.files[i]);
            const auto after = server_.deleted(now[i]);
            for (int64_t row = 0; row < group.files[i].file->record_count; ++row) {
                if (before.count(row) > 0) continue;
                if (after.count(row) > 0)
                    gone[live / rows_per_file].push_back(
                        static_cast<int64_t>(live % rows_per_file));
                ++live;
            }
        }
        std::vector<DataFile> files;
        for (const auto& [file, rows] : gone)
            files.push_back(server_.write_deletes(group.table, written[file], rows));
        at_point();
        return files;
    }

    Result<DataFile> merge_deletes(const TablePtr& table, const ScanTask& task) override {
        const auto rows = server_.deleted(task);
        at_point();
        return server_.write_deletes(table, *task.file, {rows.begin(), rows.end()});
    }

 private:
    Server& server_;
};

struct Killed {};

class Compaction : public ::testing::Test {
 protected:
    Compaction() { lake.create("t", shop_columns()); }

    static CompactionPolicy policy() {
        CompactionPolicy policy;
        policy.file_cost = 300;  // files here have 100 bytes a row
        policy.delete_file_cost = 100;
        policy.target_file_bytes = 5000;
        policy.merge_min = 3;
        policy.files_min = 3;
        return policy;
    }

    std::multiset<int64_t> rows() {
        Server reader(lake);
        auto plan = plan_scan(reader.catalog, reader.table());
        EXPECT_TRUE(plan.ok());
        std::multiset<int64_t> found;
        for (const auto& task : plan->tasks) {
            const auto deleted = reader.deleted(task);
            const auto ids = reader.numbers(task.file->path);
            for (size_t i = 0; i < ids.size(); ++i)
                if (deleted.count(static_cast<int64_t>(i)) == 0) found.insert(ids[i]);
        }
        return found;
    }

    /// One committed change by a writer: some rows go, some come.
    void write_something(Server& writer) {
        writing = true;
        write_some(writer);
        writing = false;
    }
    void write_some(Server& writer) {
        TableChange change;
        change.table = writer.table();
        auto plan = plan_scan(writer.catalog, change.table);
        std::multiset<int64_t> after = model;
        for (const auto& task : plan->tasks) {
            if (random() % 3 == 0) continue;
            const auto deleted = writer.deleted(task);
            const auto ids = writer.numbers(task.file->path);
            Numbers gone;
            const bool all = random() % 40 == 0;
            for (size_t i = 0; i < ids.size(); ++i)
                if (deleted.count(static_cast<int64_t>(i)) == 0 && (all || random() % 8 == 0)) {
                    gone.push_back(static_cast<int64_t>(i));
                    after.erase(after.find(ids[i]));
                }
            if (all)
                change.remove_files.push_back(task.file->path);
            else if (!gone.empty())
                change.position_deletes.push_back(
                    writer.write_deletes(change.table, *task.file, gone));
        }
        Numbers fresh;
        for (size_t i = random() % (model.size() < 200 ? 30 : 5); i > 0; --i)
            fresh.push_back(++last_id);
        for (const int64_t id : fresh) after.insert(id);
        if (!fresh.empty()) change.append.push_back(writer.write(change.table, fresh));
        if (!change.makes_snapshot()) return;
        const auto done = writer.commit(change);
        ASSERT_TRUE(done.ok()) << done.error().message;
        model = after;
    }

    Lake lake;
    std::mt19937 random{20261121};
    std::multiset<int64_t> model;
    int64_t last_id = 0;
    bool writing = false;
};

TEST_F(Compaction, WritersAtEveryPoint) {
    Server writer(lake), keeper(lake);
    uint64_t done = 0, rebased = 0, overtaken = 0;
    for (int round = 0; round < 80; ++round) {
        for (size_t i = random() % 4; i > 0; --i) write_something(writer);
        auto now = policy();
        if (random() % 4 != 0) now.merge_min = 1000;
        const auto step = next_compaction(keeper.catalog, keeper.table(), now);
        ASSERT_TRUE(step.ok());
        if (!step->has_value()) continue;
        TextTools tools(keeper);
        const size_t chance = 1 + random() % 6;
        int writes = 0;
        tools.at_point = [&] {
            if (random() % chance == 0 && writes++ < 4) write_something(writer);
        };
        // Between the look at the newest state and the commit on it.
        lake.store.before_commit = [&] {
            if (!writing && random() % chance == 0 && writes++ < 4) write_something(writer);
        };
        const auto outcome =
            run_compaction(keeper.catalog, keeper.committer, lake.caller, **step, tools);
        lake.store.before_commit = nullptr;
        ASSERT_TRUE(outcome.ok()) << outcome.error().message;
        done += outcome->done ? 1 : 0;
        overtaken += outcome->done ? 0 : 1;
        rebased += static_cast<uint64_t>(outcome->rebased);
        ASSERT_EQ(rows(), model) << "round " << round;
    }
    EXPECT_GT(done, 20u);
    EXPECT_GT(rebased, 15u);
    EXPECT_GE(overtaken, 1u);  // a file was removed as a whole
    RecordProperty("rebased", static_cast<int>(rebased));
}

TEST_F(Compaction, KilledAtEveryPoint) {
    Server writer(lake);
    for (int round = 0; round < 60; ++round) {
        for (int i = 0; i < 3; ++i) write_something(writer);
        Server keeper(lake);  // a process of its own each time
        const auto step = next_compaction(keeper.catalog, keeper.table(), policy());
        ASSERT_TRUE(step.ok());
        if (!step->has_value()) continue;
        TextTools tools(keeper);
        auto left = static_cast<int>(random() % 8);
        const auto maybe_die = [&] {
            if (left-- == 0) throw Killed();
        };
        tools.at_point = maybe_die;
        lake.store.before_commit = maybe_die;
        try {
            ASSERT_TRUE(
                run_compaction(keeper.catalog, keeper.committer, lake.caller, **step, tools).ok());
        } catch (const Killed&) {
        }
        lake.store.before_commit = nullptr;
        ASSERT_EQ(rows(), model) << "round " << round;
    }
}

TEST_F(Compaction, ManyDeleteFilesBecomeOneAndWritersDoNotNotice) {
    Server writer(lake), keeper(lake);
    const DataFile data = writer.write(writer.table(), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    ASSERT_TRUE(writer.commit(TableChange::append_to(writer.table(), {data})).ok());
    const auto remove_row = [&](const TablePtr& base, int64_t row) {
        TableChange change;
        change.table = base;
        change.position_deletes = {writer.write_deletes(base, data, {row})};
        change.deletes_from = {data.path};
        return writer.commit(change);
    };
    for (int64_t row = 0; row < 3; ++row) ASSERT_TRUE(remove_row(writer.table(), row).ok());
    const auto base = writer.table();
    const auto step = next_compaction(keeper.catalog, keeper.table(), policy());
    ASSERT_TRUE(step.ok() && step->has_value());
    ASSERT_EQ((*step)->merges.size(), 1u);
    TextTools tools(keeper);
    // One deletion comes while the files are merged, one from a writer that began before that.
    tools.at_point = [&] { ASSERT_TRUE(remove_row(writer.table(), 3).ok()); };
    const auto outcome =
        run_compaction(keeper.catalog, keeper.committer, lake.caller, **step, tools);
    ASSERT_TRUE(outcome.ok() && outcome->done);
    EXPECT_EQ(outcome->files_before, 3u);
    EXPECT_EQ(rows(), (std::multiset<int64_t>{5, 6, 7, 8, 9, 10}));
    const auto late = remove_row(base, 4);
    EXPECT_EQ(late.error().reason, "rows_changed");  // of the deletion of row 3
    const auto plan = plan_scan(keeper.catalog, keeper.table());
    EXPECT_EQ(plan->tasks[0].deletes.size(), 2u);

    const auto before_merge = writer.table();
    ASSERT_TRUE(remove_row(before_merge, 4).ok());
    const auto known = writer.table();
    const auto again = next_compaction(keeper.catalog, keeper.table(), policy());
    ASSERT_TRUE(again.ok() && again->has_value());
    tools.at_point = [] {};
    ASSERT_TRUE(
        run_compaction(keeper.catalog, keeper.committer, lake.caller, **again, tools)->done);
    EXPECT_TRUE(remove_row(known, 5).ok());  // merging is no change of rows
    EXPECT_EQ(rows(), (std::multiset<int64_t>{7, 8, 9, 10}));
}

TEST_F(Compaction, FilesAreWrittenAgainWithThoseOfTheirSize) {
    Server writer(lake);
    const auto add = [&](int64_t records) {
        ASSERT_TRUE(writer
                        .commit(TableChange::append_to(writer.table(),
                                                       {lake.file(writer.table(), records)}))
                        .ok());
    };
    const CompactionPolicy usual;
    const auto best = [&] {
        auto step = next_compaction(writer.catalog, writer.table(), usual);
        EXPECT_TRUE(step.ok());
        return step->has_value() ? (*step)->group.files.size() : 0;
    };
    add(900'000);  // 90 MB
    for (int i = 0; i < 3; ++i) add(1000);
    EXPECT_EQ(best(), 0u);
    add(1000);
    EXPECT_EQ(best(), 4u);  // not the large one
    for (int i = 0; i < 4; ++i) add(900'000);
    EXPECT_EQ(best(), 4u);
}

TEST_F(Compaction, DeletedRowsGoOnceTheyAreATenth) {
    Server writer(lake);
    const DataFile data = lake.file(writer.table(), 1'000'000);
    ASSERT_TRUE(writer.commit(TableChange::append_to(writer.table(), {data})).ok());
    const auto remove_rows = [&](int64_t count) {
        TableChange change;
        change.table = writer.table();
        change.position_deletes = {lake.deletes(data, change.table, count)};
        change.deletes_from = {data.path};
        ASSERT_TRUE(writer.commit(change).ok());
    };
    remove_rows(60'000);
    EXPECT_FALSE(next_compaction(writer.catalog, writer.table())->has_value());
    remove_rows(60'000);
    const auto step = next_compaction(writer.catalog, writer.table());
    ASSERT_TRUE(step.ok() && step->has_value());
    EXPECT_EQ((*step)->group.files.size(), 1u);
}

}  // namespace
}  // namespace tarn::tables

// A stream, its table, and a server that dies at seeded moments: the store stops at a commit, done
// or not done, and everything is opened again over what is on disk.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/random.h"
#include "ingest/internal/runner.h"
#include "ingest/routes.h"
#include "query/test_lake.h"
#include "streams/streams.h"

namespace tarn::ingest {
namespace {

using query::must;

/// From its n-th commit on it is dead: that one happens or not, nobody is told; none comes after.
class MortalStore final : public meta::Store {
 public:
    explicit MortalStore(meta::Store& inner) : inner_(inner) {}

    void die_at(int commits, bool done) {
        done_ = done;
        left_ = commits;
    }
    bool dead() const { return left_ < 0; }

    Result<std::optional<meta::Record>> get(std::string_view key) const override {
        return inner_.get(key);
    }
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override {
        return inner_.scan(std::move(range));
    }
    std::shared_ptr<const meta::Snapshot> snapshot() const override { return inner_.snapshot(); }
    Result<meta::Commit> commit(meta::Batch batch) override {
        const int left = left_--;
        if (left > 0) return inner_.commit(std::move(batch));
        if (left == 0 && done_) (void)inner_.commit(std::move(batch));
        return Error(Code::io, "the server died");
    }
    void commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) override {
        const int left = left_--;
        if (left > 0) return inner_.commit(std::move(batch), std::move(done));
        if (left == 0 && done_) (void)inner_.commit(std::move(batch));
        done(Error(Code::io, "the server died"));
    }
    meta::Version last_version() const override { return inner_.last_version(); }
    bool healthy() const override { return true; }

 private:
    meta::Store& inner_;
    std::atomic<int> left_{1 << 30};
    std::atomic<bool> done_{false};
};

security::Caller root() {
    return query::test_caller();
}

/// One life of a server.
struct Server {
    explicit Server(const std::filesystem::path& folder)
        : lake(folder, clock, {.around = [](meta::Store& inner) {
                   return std::make_unique<MortalStore>(inner);
               }}) {}
    ~Server() {
        if (runner) runner->stop();
    }

    void run(const SourceSpec& spec) {
        runner = make_mqtt_runner(spec, parts);
        runner->start();
    }
    TableStatus table_status() const {
        const auto status = runner->status();
        return status.tables.empty() ? TableStatus{} : status.tables.front();
    }
    /// False: not within a good while.
    bool wait_until(const std::function<bool()>& holds) const {
        for (int i = 0; i < 10'000; ++i) {
            if (holds()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return false;
    }
    bool wait_for_records(uint64_t taken) const {
        return wait_until([&] {
            const auto status = runner->status();
            return !status.tables.empty() && status.tables.front().backlog == 0 &&
                   status.tables.front().position.starts_with(std::to_string(taken) + " of");
        });
    }
    std::string ask(const std::string& sql) { return lake.ask(sql); }
    MortalStore& store() { return static_cast<MortalStore&>(*lake.around); }

    SystemClock clock;
    query::TestLake lake;
    std::unique_ptr<streams::Streams> streams =
        std::make_unique<streams::Streams>(lake.store(), clock, lake.metrics);
    SourcesParts parts{lake.store(), *lake.objects, *streams, *lake.catalog, *lake.committer,
                       *lake.engine, clock, lake.metrics, [] { return root(); }, nullptr};
    std::unique_ptr<Runner> runner;
};

class MqttRunnerTest : public ::testing::Test {
 protected:
    void restart() {
        server_.reset();
        server_ = std::make_unique<Server>(folder_.path());
    }

    static SourceSpec shelves(std::vector<std::string> key) {
        MqttSource from;
        from.topic = "stores/{store_id}/shelves/{shelf_id}";
        from.columns = {{"seq", query::Kind::int64},
                        {"read_at", query::Kind::timestamptz},
                        {"grams", query::Kind::float64}};
        from.key = std::move(key);
        from.commit = std::chrono::milliseconds(10);
        return {"shelves", "main", from};
    }
    static streams::NewRecord reading(int shelf, int64_t seq, double grams = 1.5) {
        return {
            fmt::format("stores/{}/shelves/s{}", shelf % 3, shelf),
            fmt::format(R"({{"seq":{},"read_at":"2026-11-20T10:00:00Z","grams":{}}})", seq, grams)};
    }
    Result<uint64_t> publish(std::vector<streams::NewRecord> records) {
        return server_->streams->append(stream_of_source("shelves"), std::move(records));
    }

    const query::TestFolder folder_{"mqtt"};
    std::unique_ptr<Server> server_ = std::make_unique<Server>(folder_.path());
};

TEST_F(MqttRunnerTest, RowsAndRejectedRowsLandTogether) {
    server_->run(shelves({}));
    ASSERT_TRUE(
        server_->wait_until([&] { return server_->ask("select count(*) from shelves") == "0"; }));
    must(publish({reading(1, 1), {"stores/1/shelves/s1", "{\"seq\":x}"}, reading(2, 1)}));
    must(publish({{"stores/1/shelves/s1", "\xff"}, reading(1, 1)}));
    ASSERT_TRUE(server_->wait_for_records(5));
    EXPECT_EQ(server_->ask("select store_id, shelf_id, seq, read_at, grams from shelves "
                           "order by shelf_id"),
              "1,s1,1,2026-11-20 10:00:00+00,1.5;1,s1,1,2026-11-20 10:00:00+00,1.5;"
              "2,s2,1,2026-11-20 10:00:00+00,1.5");
    EXPECT_EQ(server_->ask("select source, place, line, text, reason from shelves_rejected "
                           "where line = 4"),
              "shelves,stores/1/shelves/s1,4,\\xff,the payload is not UTF-8");
    EXPECT_EQ(server_->ask("select count(rejected_at) from shelves_rejected"), "2");
    const auto status = server_->table_status();
    EXPECT_EQ(status.rows, 3u);
    EXPECT_EQ(status.rows_rejected, 2u);
    EXPECT_EQ(status.newest.micros, 1'795'168'800'000'000);
    EXPECT_GT(status.last_commit.micros, 0);
    // What is in the table is no longer in the stream, but for its newest block.
    EXPECT_EQ(must(server_->streams->begin(stream_of_source("shelves"))), 3u);
}

TEST_F(MqttRunnerTest, AKeyMakesAResentReadingTheSameRow) {
    server_->run(shelves({"shelf_id", "seq"}));
    must(publish({reading(1, 1, 5), reading(1, 1, 6), reading(1, 2, 7)}));
    ASSERT_TRUE(server_->wait_for_records(3));
    must(publish({reading(1, 2, 8), {"stores/1/shelves/s1", "{\"grams\":1}"}}));
    ASSERT_TRUE(server_->wait_for_records(5));
    EXPECT_EQ(server_->ask("select seq, grams from shelves order by seq"), "1,6;2,8");
    EXPECT_EQ(server_->ask("select reason from shelves_rejected"),
              "seq is part of the key and missing");
}

TEST_F(MqttRunnerTest, TwoRunnersOfOneSourceDoNotDouble) {
    server_->run(shelves({}));
    auto other = make_mqtt_runner(shelves({}), server_->parts);
    other->start();
    for (int i = 0; i < 60; ++i) must(publish({reading(i, 1), reading(i, 2)}));
    EXPECT_TRUE(server_->wait_until(
        [&] { return server_->ask("select count(*) >= 120 from shelves") == "t"; }));
    other->stop();
    server_->runner->stop();
    EXPECT_EQ(server_->ask("select count(*), count(distinct (shelf_id, seq)) from shelves"),
              "120,120");
}

TEST_F(MqttRunnerTest, ATableThatIsDroppedComesAgain) {
    server_->run(shelves({}));
    must(publish({reading(1, 1)}));
    ASSERT_TRUE(server_->wait_for_records(1));
    ASSERT_EQ(server_->ask("drop table shelves"), "");
    must(publish({reading(1, 2)}));
    // The newest block of a stream is never trimmed, so that reading comes again too.
    EXPECT_TRUE(server_->wait_until([&] {
        return server_->ask("select string_agg(seq::text, ',' order by seq) from shelves") == "1,2";
    }));
}

TEST_F(MqttRunnerTest, AnotherTypeInTheTableIsSaid) {
    EXPECT_EQ(server_->ask("create table shelves(seq varchar)"), "");
    server_->run(shelves({}));
    ASSERT_TRUE(server_->wait_until(
        [&] { return server_->runner->status().state == SourceStatus::State::failed; }));
    EXPECT_NE(server_->runner->status().last_error.find("column seq"), std::string::npos);
}

TEST_F(MqttRunnerTest, OneRowPerRecordWheneverItDies) {
    Random random(11);
    std::multiset<int64_t> acknowledged, attempted;
    uint64_t records = 0;
    int64_t next = 0;
    for (int life = 0; life < 25; ++life) {
        restart();
        server_->run(shelves({}));
        server_->store().die_at(static_cast<int>(random.below(24)), random.one_in(2));
        for (int i = 0; i < 40 && !server_->store().dead(); ++i) {
            const int64_t seq = next++;
            attempted.insert(seq);
            if (publish({reading(1, seq)}).ok()) acknowledged.insert(seq);
            if (random.one_in(4)) std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
        server_->wait_until([&] {
            return server_->store().dead() || server_->runner->status().tables.empty() ||
                   server_->table_status().backlog == 0;
        });
    }
    restart();
    records = must(server_->streams->end(stream_of_source("shelves")));
    server_->run(shelves({}));
    ASSERT_TRUE(server_->wait_for_records(records));
    EXPECT_EQ(server_->ask("select count(*), count(distinct seq) from shelves"),
              fmt::format("{0},{0}", records));
    ASSERT_GE(records, acknowledged.size());
    ASSERT_LE(records, attempted.size());
    EXPECT_GT(acknowledged.size(), 100u);
    std::set<int64_t> present;
    auto session = must(server_->lake.engine->connect(root()));
    const auto rows = must(session->query("select seq from shelves", {}));
    for (size_t row = 0; row < rows.rows(); ++row) present.insert(rows.columns[0].number(row));
    EXPECT_TRUE(
        std::includes(present.begin(), present.end(), acknowledged.begin(), acknowledged.end()));
    EXPECT_TRUE(std::includes(attempted.begin(), attempted.end(), present.begin(), present.end()));
}

TEST_F(MqttRunnerTest, OneRowPerKeyWheneverItDies) {
    Random random(12);
    int64_t next = 0;
    const auto spec = shelves({"shelf_id", "seq"});
    for (int life = 0; life < 15; ++life) {
        restart();
        server_->run(spec);
        server_->store().die_at(static_cast<int>(random.below(60)), random.one_in(2));
        for (int i = 0; i < 40 && !server_->store().dead(); ++i) {
            // A client without an answer sends it again: here in the next life.
            if (!publish({reading(1, next)}).ok()) break;
            if (random.one_in(3)) (void)publish({reading(1, next)});
            ++next;
            if (random.one_in(4)) std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
    }
    restart();
    must(publish({reading(1, next)}));
    server_->run(spec);
    ASSERT_TRUE(
        server_->wait_for_records(must(server_->streams->end(stream_of_source("shelves")))));
    EXPECT_GT(next, 50);
    EXPECT_EQ(server_->ask("select count(*), count(distinct seq), max(seq) from shelves"),
              fmt::format("{0},{0},{1}", next + 1, next));
}

TEST_F(MqttRunnerTest, ThePreviewShowsWhatWasPublishedAndKeepsNothing) {
    must(server_->streams->append(std::string(kDefaultStream),
                                  {reading(1, 1), {"other", "{}"}, reading(1, 2)}));
    must(publish({reading(1, 3), {"stores/1/shelves/s1", "x"}}));
    const auto preview = must(preview_mqtt(shelves({"seq"}), server_->parts, 3));
    ASSERT_EQ(preview.tables.size(), 1u);
    const auto& table = preview.tables[0];
    EXPECT_EQ(table.columns.size(), 5u);
    ASSERT_EQ(table.rows.rows(), 2u);
    EXPECT_EQ(table.rows.columns[2].number(0), 2);
    EXPECT_EQ(table.rows.columns[2].number(1), 3);
    EXPECT_EQ(table.rejected.size(), 1u);
    EXPECT_EQ(server_->ask("select count(*) from shelves").substr(0, 1), "!");
}

/// Not a test: how fast a backlog is worked off, and what a commit costs on a large table.
TEST_F(MqttRunnerTest, DISABLED_Speed) {
    const auto seconds = [](auto begin) {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    constexpr int kBacklog = 400'000;
    for (const bool keyed : {false, true}) {
        restart();
        const std::string name = keyed ? "keyed" : "plain";
        for (int i = 0; i < kBacklog; i += 100) {
            std::vector<streams::NewRecord> records;
            for (int j = i; j < i + 100; ++j) records.push_back(reading(j % 1000, j / 1000));
            must(server_->streams->append(stream_of_source(name), std::move(records)));
        }
        auto spec = keyed ? shelves({"shelf_id", "seq"}) : shelves({});
        spec.name = name;
        const auto begin = std::chrono::steady_clock::now();
        server_->run(spec);
        ASSERT_TRUE(server_->wait_for_records(kBacklog));
        fmt::print("{}: {:.0f} rows/s\n", name, kBacklog / seconds(begin));
    }
    server_->runner->stop();
    auto session = must(server_->lake.engine->connect(root()));
    must(
        session->run("create table big as select 's'||(i%1000) as shelf_id, (i//1000)::bigint as "
                     "seq, now() as read_at, 1.5::double as grams from range(5000000) r(i)"));
    for (int round = 0; round < 8; ++round) {
        query::Chunk rows;
        rows.columns = {query::Column(query::Kind::text), query::Column(query::Kind::int64)};
        const int64_t seq = round < 4 ? 5000 + round : 2500 + round;
        for (int i = 0; i < 1000; ++i) {
            rows.columns[0].append_text("s" + std::to_string(i));
            rows.columns[1].append_number(seq);
        }
        const auto begin = std::chrono::steady_clock::now();
        auto change = must(
            server_->lake.engine->upsert("main", "big", {"shelf_id", "seq"}, rows, {"shelf_id", "seq"}));
        const double made = seconds(begin);
        std::vector<tables::TableChange> changes;
        changes.push_back(std::move(change));
        must(server_->lake.committer->commit(root(), std::move(changes)));
        fmt::print("1,000 {} keys into 5 M rows: {:.0f} ms, of which the commit {:.0f} ms\n",
                   round < 4 ? "new" : "old", seconds(begin) * 1e3, (seconds(begin) - made) * 1e3);
    }
}

/// Not a test: what a commit of one reading costs as the table's history grows.
TEST_F(MqttRunnerTest, DISABLED_ManyCommits) {
    server_->run(shelves({"shelf_id", "seq"}));
    auto begin = std::chrono::steady_clock::now();
    for (int i = 1; i <= 1000; ++i) {
        must(publish({reading(i % 10, i)}));
        ASSERT_TRUE(server_->wait_for_records(static_cast<uint64_t>(i)));
        if (i % 100 != 0) continue;
        const auto now = std::chrono::steady_clock::now();
        uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
            if (entry.is_regular_file()) bytes += entry.file_size();
        fmt::print("{} commits: {:.1f} ms each of the last 100, {} MiB on disk\n", i,
                   std::chrono::duration<double, std::milli>(now - begin).count() / 100,
                   bytes >> 20);
        begin = now;
    }
}

}  // namespace
}  // namespace tarn::ingest

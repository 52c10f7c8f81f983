// What a change costs: upserts by key into tables of 100,000 and of 10 million rows, and what
// indexing a table costs. Processor time of the whole process, commits included.
#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <fstream>
#include <map>

#include "base/random.h"
#include "ingest/internal/change_apply.h"
#include "ingest/internal/key_index.h"
#include "ingest/internal/test_folder_lake.h"

namespace tarn::ingest {
namespace {

using query::Kind;

double cpu_seconds() {
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
    return of(use.ru_utime) + of(use.ru_stime);
}

double resident_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
    return 0;
}

/// pgbench's accounts, as they are in the lake.
struct Accounts {
    explicit Accounts(int64_t rows)
        : folder(std::filesystem::temp_directory_path() / ("change-bench-" + random_hex(6))) {
        std::filesystem::create_directories(folder);
        lake = std::make_unique<TestLake>(folder);
        TargetTable wanted;
        wanted.database = "bench";
        wanted.name = "accounts";
        wanted.columns = {{"aid", Kind::int64, false, ""},
                          {"bid", Kind::int32, false, ""},
                          {"abalance", Kind::int32, false, ""},
                          {"filler", Kind::text, false, ""}};
        wanted.key = {"aid"};
        table = must(ensure_table(lake->parts, wanted));
        for (const auto& column : wanted.columns) {
            shape.columns.push_back({column.name, column.type});
            shape.field_ids.push_back(table->schema().find(column.name)->id);
        }
        shape.key = {0};
        auto writer = must(lake->engine->write_rows_of(table));
        for (int64_t at = 0; at < rows;) {
            query::Chunk chunk;
            for (const auto& column : writer->columns()) chunk.columns.emplace_back(column.type);
            for (int i = 0; i < 100'000 && at < rows; ++i, ++at) {
                chunk.columns[0].append_number(at);
                chunk.columns[1].append_number(at / 100'000);
                chunk.columns[2].append_number(0);
                chunk.columns[3].append_text(filler);
            }
            must(writer->append(chunk));
        }
        table = must(lake->committer->commit(
                         root(), {tables::TableChange::append_to(table, must(writer->finish()))}))
                    .tables.front();
        count = rows;
        index = must(KeyIndex::open({(folder / "index").string(), *lake->catalog, *lake->engine}));
    }
    ~Accounts() {
        apply.reset();
        index.reset();
        lake.reset();
        std::filesystem::remove_all(folder);
    }
    void begin() {
        apply =
            std::make_unique<ChangeApply>(ChangeApply::Parts{lake->parts, *index}, table, shape);
    }
    void update(int64_t id) {
        const std::string key = std::to_string(id), bid = std::to_string(id / 100'000),
                          balance = std::to_string(random.below(100'000));
        cells[0] = {Cell::Kind::text, key};
        cells[1] = {Cell::Kind::text, bid};
        cells[2] = {Cell::Kind::text, balance};
        cells[3] = {Cell::Kind::text, filler};
        must(apply->update(transaction, Before::none, {}, cells));
    }
    void commit() {
        auto changes = must(apply->finish());
        table = must(lake->committer->commit(root(), std::move(changes))).tables.front();
        must(apply->committed(table));
    }

    const std::string filler = std::string(84, ' ');
    std::filesystem::path folder;
    std::unique_ptr<TestLake> lake;
    tables::TablePtr table;
    ChangeShape shape;
    int64_t count = 0;
    std::unique_ptr<KeyIndex> index;
    std::unique_ptr<ChangeApply> apply;
    Random random{7};
    Cells cells = Cells(4);
    TransactionInfo transaction{1, 1, 1, Timestamp{1}};
};

/// Arguments: rows of the table, upserts of one commit.
void bm_upserts(benchmark::State& state) {
    Accounts accounts(state.range(0));
    const double before = cpu_seconds();
    accounts.begin();
    accounts.update(0);
    accounts.commit();
    state.counters["index_ns_per_row"] = (cpu_seconds() - before) * 1e9 / double(state.range(0));
    const double begin = cpu_seconds();
    uint64_t done = 0;
    for (auto _ : state) {
        for (int64_t i = 0; i < state.range(1); ++i)
            accounts.update(int64_t(accounts.random.below(uint64_t(accounts.count))));
        accounts.commit();
        done += uint64_t(state.range(1));
    }
    state.counters["cpu_us_per_upsert"] = (cpu_seconds() - begin) * 1e6 / double(done);
    state.counters["peak_MiB"] = resident_mib();
    state.SetItemsProcessed(int64_t(done));
}
BENCHMARK(bm_upserts)
    ->Args({100'000, 2'000})
    ->Args({10'000'000, 2'000})
    ->Args({100'000, 200'000})
    ->Args({10'000'000, 200'000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(10);

/// One transaction of five million rows.
void bm_large_transaction(benchmark::State& state) {
    Accounts accounts(1'000'000);
    accounts.begin();
    const double begin = cpu_seconds();
    for (auto _ : state) {
        for (int64_t i = 0; i < 5'000'000; ++i) accounts.update(i);
        accounts.commit();
    }
    state.counters["cpu_us_per_upsert"] = (cpu_seconds() - begin) * 1e6 / 5e6;
    state.counters["peak_MiB"] = resident_mib();
}
BENCHMARK(bm_large_transaction)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace tarn::ingest

// 64 writers, each waiting for its durable 4 KiB put-if-absent, beside the limit: the same bytes
// through a log whose index does nothing.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/disk.h"
#include "meta/keys.h"
#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {
namespace {

constexpr int kWriters = 64;
const std::string kValue(250, 'v');

class NoIndex final : public wal::Index {
 public:
    Result<wal::Resolved> resolve(const wal::Change& change, wal::Sequence) override {
        return wal::Resolved{change.intent, {}};
    }
    Status apply(const std::vector<wal::Logged>&) override { return {}; }
    void abandon() override {}
    wal::Sequence durable_sequence() const override { return 0; }
};

/// A folder, and what is opened in it; made by the first writer, taken down by the last.
struct Place {
    std::string directory =
        std::filesystem::temp_directory_path() / ("tarn_bench_" + random_hex(8));
    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    NoIndex no_index;
    std::unique_ptr<wal::Log> log;
    std::unique_ptr<LocalStore> store;

    ~Place() {
        log.reset();
        store.reset();
        std::filesystem::remove_all(directory);
    }
};
std::unique_ptr<Place> place;

template <typename T>
T must(Result<T> result) {
    if (!result.ok()) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::abort();
    }
    return std::move(result).value();
}

void open_log(const benchmark::State&) {
    place = std::make_unique<Place>();
    wal::LogOptions options;
    options.directory = place->directory;
    options.lake_id = random_hex(16);
    place->log =
        must(wal::Log::open(place->disk, place->no_index, place->clock, place->metrics, options));
}

void open_store(const benchmark::State&) {
    place = std::make_unique<Place>();
    LocalStoreOptions options;
    options.directory = place->directory;
    place->store = must(LocalStore::open(place->disk, place->clock, place->metrics, options));
}

void close(const benchmark::State&) {
    place.reset();
}

std::string key_of(const benchmark::State& state, uint64_t i) {
    return Key("o").text("bucket").number(state.thread_index() * 2'654'435'761ull).number(i);
}

void bare_log(benchmark::State& state) {
    const auto body = Random(1).bytes(static_cast<size_t>(state.range(0)));
    uint64_t i = 0;
    for (auto _ : state) {
        wal::Change change{key_of(state, i++) + kValue, {}};
        if (!body.empty()) change.bodies.push_back(body);
        must(place->log->commit(std::move(change)));
    }
    state.SetItemsProcessed(state.iterations());
}

void put_if_absent(benchmark::State& state) {
    const auto body = Random(1).bytes(static_cast<size_t>(state.range(0)));
    const Error otherwise(Code::already_exists, "there is one");
    uint64_t i = 0;
    for (auto _ : state) {
        const auto key = key_of(state, i++);
        Batch batch;
        batch.require_absent(key, otherwise);
        body.empty() ? batch.put(key, kValue) : batch.put(key, kValue, body);
        must(place->store->commit(std::move(batch)));
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(bare_log)
    ->Setup(open_log)
    ->Teardown(close)
    ->Arg(0)
    ->Arg(4096)
    ->Threads(kWriters)
    ->UseRealTime()
    ->MinTime(3);
BENCHMARK(put_if_absent)
    ->Setup(open_store)
    ->Teardown(close)
    ->Arg(0)
    ->Arg(4096)
    ->Threads(kWriters)
    ->UseRealTime()
    ->MinTime(3);

}  // namespace
}  // namespace tarn::meta

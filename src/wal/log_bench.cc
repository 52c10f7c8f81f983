// The log against the least that a group commit can cost: the same queue and the same gathering
// write and fdatasync, without conditions, checksums, frames and index. 64 writers that wait for
// durability. TARN_BENCH_DIR names the folder.
#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <semaphore>
#include <thread>

#include "base/random.h"
#include "wal/log.h"

namespace tarn::wal {
namespace {

constexpr int kWriters = 64;

std::string scratch_folder() {
    const char* folder = std::getenv("TARN_BENCH_DIR");
    return std::string(folder == nullptr ? "/var/tmp" : folder) + "/tarn_log_bench_" +
           random_hex(6);
}

/// Keeps nothing.
class NoIndex final : public Index {
 public:
    Result<Resolved> resolve(const Change& change, Sequence) override {
        return Resolved{change.intent, {}};
    }
    Status apply(const std::vector<Logged>&) override { return {}; }
    void abandon() override {}
    Sequence durable_sequence() const override { return 0; }
};

/// The limit.
class BareLog {
 public:
    BareLog(io::Disk& disk, const std::string& path)
        : file_(std::move(disk.open(path, io::OpenMode::create)).value()) {
        if (!file_->preallocate(1ull << 30).ok()) std::abort();
        thread_ = std::thread([this] { run(); });
    }
    ~BareLog() {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    void commit(std::string_view head, std::string_view body) {
        Waiter waiter{head, body};
        {
            std::lock_guard lock(mutex_);
            queue_.push_back(&waiter);
        }
        changed_.notify_one();
        waiter.done.acquire();
    }

 private:
    struct Waiter {
        std::string_view head, body;
        std::binary_semaphore done{0};
    };
    void run() {
        std::vector<Waiter*> group;
        std::vector<std::string_view> pieces;
        while (true) {
            group.clear();
            pieces.clear();
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return !queue_.empty() || stopping_; });
                if (queue_.empty()) return;
                group.swap(queue_);
            }
            uint64_t bytes = 0;
            for (const auto* waiter : group) {
                pieces.push_back(waiter->head);
                pieces.push_back(waiter->body);
                bytes += waiter->head.size() + waiter->body.size();
            }
            if (end_ + bytes > 1ull << 30) end_ = 0;
            if (!file_->write(end_, pieces).ok() || !file_->sync().ok()) std::abort();
            end_ += bytes;
            for (auto* waiter : group) waiter->done.release();
        }
    }

    std::unique_ptr<io::File> file_;
    uint64_t end_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Waiter*> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

/// Each writer commits `each` times; seconds.
template <typename Commit>
void run_writers(benchmark::State& state, Commit commit) {
    constexpr int kEach = 300;
    for (auto _ : state) {
        std::vector<std::thread> writers;
        for (int i = 0; i < kWriters; ++i)
            writers.emplace_back([&] {
                for (int k = 0; k < kEach; ++k) commit();
            });
        for (auto& writer : writers) writer.join();
    }
    state.SetItemsProcessed(state.iterations() * kWriters * kEach);
}

void bare_log(benchmark::State& state) {
    io::RealDisk disk;
    const std::string folder = scratch_folder();
    if (!disk.make_directories(folder).ok()) std::abort();
    {
        BareLog log(disk, folder + "/log");
        const std::string head(250, 'm'), body(static_cast<size_t>(state.range(0)), 'b');
        run_writers(state, [&] {
            // Each caller brings bytes of its own, as it does to the log.
            const std::string own_head = head, own_body = body;
            log.commit(own_head, own_body);
        });
    }
    static_cast<void>(disk.remove_tree(folder).ok());
}

void tarn_log(benchmark::State& state) {
    io::RealDisk disk;
    SystemClock clock;
    Metrics metrics;
    NoIndex index;
    LogOptions options;
    options.directory = scratch_folder();
    options.lake_id = random_hex(16);
    {
        auto log = std::move(Log::open(disk, index, clock, metrics, options)).value();
        const std::string head(250, 'm'), body(static_cast<size_t>(state.range(0)), 'b');
        run_writers(state, [&] {
            Change own{head, {}};
            own.bodies.push_back(body);
            if (!log->commit(std::move(own)).ok()) std::abort();
        });
    }
    static_cast<void>(disk.remove_tree(options.directory).ok());
}

BENCHMARK(bare_log)->Arg(0)->Arg(4096)->Arg(65536)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(tarn_log)->Arg(0)->Arg(4096)->Arg(65536)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tarn::wal

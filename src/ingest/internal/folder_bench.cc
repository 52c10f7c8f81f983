// How fast a dropped CSV file becomes a typed Iceberg table, original kept and all committed: rows
// per second of CPU.
#include <benchmark/benchmark.h>

#include <fstream>

#include "base/random.h"
#include "ingest/internal/folder_load.h"
#include "ingest/internal/test_folder_lake.h"

namespace tarn::ingest {
namespace {

constexpr int kRows = 1'000'000;

/// Seven columns, about 116 bytes a row.
void write_file(const std::string& path) {
    std::ofstream out(path, std::ios::binary);
    out << "id,customer,product,note,quantity,amount,sold_at\n";
    uint64_t state = 42;
    char row[256];
    for (int i = 0; i < kRows; ++i) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const unsigned r = static_cast<unsigned>(state >> 33);
        const int length =
            std::snprintf(row, sizeof(row),
                          "%d,customer-%06u,product with a name %04u,delivered to the back door of "
                          "store %03u,%u,%u.%02u,"
                          "2026-%02u-%02u %02u:%02u:%02u\n",
                          i, r % 200'000, r % 4000, r % 500, r % 24 + 1, r % 900 + 1, r % 100,
                          r % 12 + 1, r % 28 + 1, r % 24, r % 60, r / 7 % 60);
        out.write(row, length);
    }
}

void bm_csv_to_iceberg(benchmark::State& state) {
    const auto folder = std::filesystem::temp_directory_path() / ("folder-bench-" + random_hex(6));
    std::filesystem::create_directories(folder / "drop");
    write_file(folder / "drop" / "rows.csv");
    {
        TestLake lake(folder);
        StopFlag stop;
        int run = 0;
        for (auto _ : state) {
            SourceSpec spec;
            spec.name = "rows" + std::to_string(run++);
            FolderSource from;
            from.path = folder / "drop";
            spec.from = from;
            FileLoader loader(spec, lake.parts, stop);
            const auto place = must(parse_drop_path(from.path));
            const auto record = must(loader.load(place, must(list_drop_folder(place)).at(0)));
            if (record.rows != kRows || record.rejected != 0)
                state.SkipWithError("rows are missing");
        }
        state.SetItemsProcessed(state.iterations() * kRows);
    }
    std::filesystem::remove_all(folder);
}
BENCHMARK(bm_csv_to_iceberg)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace tarn::ingest

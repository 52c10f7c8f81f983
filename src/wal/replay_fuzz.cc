#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/fuzz.h"
#include "base/metrics.h"
#include "base/time.h"
#include "io/faulty_disk.h"
#include "wal/internal/map_index.h"
#include "wal/log.h"

std::vector<std::string> tarn::fuzz_seeds() {
    return {std::string("\x00\x10\x01", 3), std::string("\x10\x10\xff\xff", 4),
            std::string("\x00\x00TARN", 6), std::string("\x48\x11", 2) + std::string(300, 'x')};
}

// A log whose segment is damaged by the input: start-up answers with an error or with a prefix of
// what was logged.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn;
    using namespace tarn::wal;
    SystemClock clock;
    Metrics metrics;
    LogOptions options;
    options.directory = "/wal";
    options.lake_id = "00112233445566778899aabbccddeeff";
    options.segment_bytes = 16 << 10;
    static const auto intact = [&] {
        io::FaultyDisk disk;
        MapIndex index;
        auto log = std::move(Log::open(disk, index, clock, metrics, options)).value();
        for (int i = 0; i < 8; ++i)
            if (!log->commit({std::to_string(i), {"body", std::string(200, 'b')}}).ok())
                std::abort();
        log.reset();
        return disk.copy();
    }();
    const auto disk = intact->copy();
    {
        // The first two bytes say where the rest is written over.
        auto file = std::move(disk->open("/wal/00000001.wal", io::OpenMode::read_write)).value();
        if (size < 3) return 0;
        const uint64_t at = (data[0] | data[1] << 8) % 8192u;
        if (!file->write(at, {reinterpret_cast<const char*>(data) + 2, size - 2}).ok())
            std::abort();
    }
    MapIndex index;
    auto log = Log::open(*disk, index, clock, metrics, options);
    if (!log.ok()) return 0;
    for (size_t i = 0; i < index.entries().size(); ++i)
        if (index.entries()[i].record != std::to_string(i)) std::abort();
    return 0;
}

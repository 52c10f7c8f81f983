// For tests and benchmarks: a whole lake in a folder.
#pragma once

#include <filesystem>
#include <memory>

#include "ingest/sources.h"
#include "query/test_lake.h"
#include "streams/streams.h"

namespace tarn::ingest {

using query::must;

inline security::Caller root() {
    return query::test_caller();
}

struct TestClock {
    SystemClock clock;
};

/// A lake with what sources need; opening it again over the same folder and disk is a restart.
struct TestLake : TestClock, query::TestLake {
    /// `extents`: the disk under large bodies; nullptr: the real one.
    explicit TestLake(const std::filesystem::path& folder, io::Disk* extents = nullptr)
        : query::TestLake(folder, clock, {.extents_disk = extents}) {}

    std::unique_ptr<streams::Streams> streams =
        std::make_unique<streams::Streams>(store(), clock, metrics);
    SourcesParts parts{store(), *objects, *streams, *catalog, *committer, *engine, clock, metrics,
                       root};
};

}  // namespace tarn::ingest

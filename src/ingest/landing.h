// Changes of followed databases as files, for those who read folders and not tables: CSV or Parquet
// in the bucket `landing`, laid out as AWS DMS lays out its S3 target. What is written comes from
// the tables' history, in its order; the files of a turn and how far they go are one batch, so that
// a crash neither loses nor doubles a change. Wiring owns one Landing beside Sources.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "ingest/sources.h"

namespace tarn::ingest {

/// One thread. All calls are thread safe. Lane: any but a loop.
class Landing {
 public:
    /// What is given outlives it.
    explicit Landing(SourcesParts parts);
    ~Landing();  // stop()
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

    /// As Sources::configure.
    void configure(const std::vector<SourceSpec>& specs);
    /// At most two seconds. Idempotent.
    void stop();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::ingest

// What a copy of the store is made of, while the store goes on: the files of its index, the
// segments of its log, and one state in which both end (src/archive makes copies of them).
// docs/formats/meta.md says how they belong together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {

/// Keeps files from being removed for as long as it lives.
using Hold = std::shared_ptr<const void>;

struct IndexFile {
    std::string name;     // within the folder of the index
    uint64_t bytes = 0;   // the file may grow: only these belong to the copy
    bool fixed = false;   // never written again under this name while the process lives
    std::string content;  // not empty: these bytes in place of the file's
};

struct HeldIndex {
    std::vector<IndexFile> files;
    Hold hold;
};

/// One state, and where it ends in the log.
struct Cut {
    std::shared_ptr<const Snapshot> state;
    /// Ascending. Their bytes end with the change that is the state's version: what stands behind
    /// it in the last file is not of this state.
    std::vector<wal::Log::SegmentInfo> segments;
};

/// The side of a local store that copies see. Lane: background.
class Copying {
 public:
    virtual ~Copying() = default;
    /// Holds wal/, index/ and lake-id.
    virtual const std::string& directory() const = 0;
    /// No segment from `from` on is removed. Waits for a removal that is under way.
    virtual Hold hold_segments(wal::SegmentId from) = 0;
    /// Flushes. The index is then durable up to some change; replaying the segments of a later
    /// cut() from there gives the state of that cut.
    virtual Result<HeldIndex> hold_index() = 0;
    /// unavailable: the log did not stand still for the moment that it takes; try again.
    virtual Result<Cut> cut() const = 0;
};

/// `store` is what LocalStore::open() gave.
Copying& copying(LocalStore& store);

}  // namespace tarn::meta

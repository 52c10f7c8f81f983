// Reading the local store: bodies in the log, walks over the index, snapshots of both.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "meta/internal/database.h"
#include "meta/internal/record.h"
#include "meta/internal/segments.h"
#include "meta/store.h"
#include "wal/log.h"

namespace tarn::meta {

/// What readers need; owned by the store, which outlives them.
struct ReadSources {
    const Database* database = nullptr;
    const PinnedSegments* segments = nullptr;
    const wal::Log* log = nullptr;
};

/// A record for a caller. nullopt: its body's segment is not among `files`. corrupted: the bytes
/// are no record.
Result<std::optional<Record>> make_record(const ReadSources& sources,
                                          const PinnedSegments::Files& files,
                                          std::string_view bytes);

/// The record of now.
Result<std::optional<Record>> get_now(const ReadSources& sources, std::string_view key);
std::unique_ptr<Iterator> scan_now(const ReadSources& sources, Range range);
std::shared_ptr<const Snapshot> snapshot_now(const ReadSources& sources);

}  // namespace tarn::meta

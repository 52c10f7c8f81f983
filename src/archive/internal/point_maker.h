// Whole points in time: every file of the lake as it is at one change, of which only what the
// destination does not have is read and sent.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/destination.h"
#include "archive/internal/extent_copy.h"
#include "archive/internal/manifest.h"
#include "archive/internal/sender.h"
#include "archive/progress.h"
#include "archive/source.h"
#include "meta/copying.h"

namespace tarn::archive {

/// One thread at a time. Everything that it is given outlives it.
class PointMaker {
 public:
    PointMaker(const Source& source, Destination& destination, Identity identity,
               Progress& progress, const std::atomic<bool>& cancel);

    struct Made {
        Manifest manifest;
        meta::Cut cut;
        meta::Hold segments;  // keeps the log from the cut's last segment on
    };
    struct Options {
        Kind kind = Kind::backup;
        bool full = false;                  // trusts nothing that is there: sends all of it again
        const SentExtents* sent = nullptr;  // by tails since the last point that this one made
    };
    /// The point is there, whole, when it returns. After an error it is not, and pieces that nobody
    /// names may be (retention.h removes them).
    Result<Made> make(const Options& options);

    void set_identity(Identity identity) { identity_ = std::move(identity); }

 private:
    using Files = std::map<std::string, FileEntry>;
    struct Work;

    Status find_previous(bool trusted);
    const FileEntry* previous(const std::string& path) const;
    Status may_go_on() const;
    Status add_index(Work& work, const meta::HeldIndex& index);
    Status add_segments(Work& work, const meta::Cut& cut);
    Status add_segment(Work& work, const wal::Log::SegmentInfo& segment, const std::string& token);
    Status add_extents(Work& work, const meta::Snapshot& state);
    Status add_extent_file(Work& work, const meta::Snapshot& state, uint64_t id);
    Result<std::vector<Range>> known_ranges(const Work& work, const std::string& path, uint64_t id);
    /// Sends [from, to) of a file in pieces of their own.
    Status send_file(Work& work, const std::string& path, uint64_t from, uint64_t to,
                     std::vector<Range>& out);
    Status pack_file(Work& work, const std::string& path, std::string_view bytes);

    const Source& source_;
    Destination& destination_;
    Identity identity_;
    Progress& progress_;
    const std::atomic<bool>& cancel_;

    bool looked_ = false;  // for a previous point
    bool failed_ = false;  // the last make(): its pieces may be there
    Timestamp newest_;     // as the newest point's id says
    std::optional<Manifest> previous_;
    bool previous_here_ = false;  // made by this object: files have not changed behind it
    std::map<std::string, std::string> extent_sets_;  // of previous_, by path: what is named
};

/// The points of one history, oldest first: ids and sizes as listed.
Result<std::vector<Listed>> list_point_objects(Destination& destination,
                                               const std::string& history);
/// corrupted: also when it says that it is another one.
Result<Manifest> load_point(Destination& destination, const std::string& history,
                            const std::string& id);

}  // namespace tarn::archive

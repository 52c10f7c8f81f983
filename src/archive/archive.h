// Kept copies of a running lake: a backup when somebody asks for one, and the archive, which
// follows the log and is a second or two behind. Both are points in time at a destination, of one
// format; restore.h has them again. docs/guides/what-is-protected.md is the user's side.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "archive/destination.h"
#include "archive/source.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"

namespace tarn::archive {

struct ArchiveOptions {
    std::string history_file;        // made when absent: a restored folder has none
    std::string root_key;            // 32 bytes; a secret
    std::optional<Place> archive;    // follow the log to here
    std::string archive_passphrase;  // seals the root key in the archive's points; empty: left out
    uint64_t archive_keep_days = 7;
};

struct BackupRequest {
    Place place;
    std::string passphrase;  // empty: the root key is left out
    bool full = false;       // send all, whatever is there
    uint64_t keep = 0;       // backups that stay at the destination; 0: all
};

struct BackupState {
    std::string to;
    bool running = false;
    Timestamp started;
    std::optional<Timestamp> finished;
    std::string error;  // not empty: it failed
    uint64_t bytes_total = 0, bytes_done = 0, bytes_sent = 0;
    // Once it is done:
    std::string point;
    bool has_key = false;
    std::vector<std::string> damage;
};

struct ArchiveState {
    std::string to;
    bool following = false;  // a first point is there, and the log is followed from it
    /// What losing the machine now would lose: the age of the oldest change that may not be there.
    double lag_seconds = 0;
    uint64_t shipped_sequence = 0;
    uint64_t bytes_sent = 0;  // since the start
    std::string point;        // the newest one's id
    bool has_key = false;
    std::string error;  // of the last try; empty when it went well
    std::optional<Timestamp> last_success;
};

/// Owner: wiring. Stopped before the lake's stores.
class Archive {
 public:
    /// `source` and `metrics` outlive it. Nothing runs yet. Errors of the archive's destination are
    /// in its state, not here: a lake whose archive is away goes on.
    static Result<std::unique_ptr<Archive>> open(Source source, Metrics& metrics,
                                                 ArchiveOptions options);
    /// stop().
    virtual ~Archive() = default;

    virtual void start() = 0;
    /// Ships what is still missing from the archive, for a few seconds at most; gives up all else
    /// that is under way. Idempotent. The store must still be open.
    virtual void stop() = 0;

    /// Begins; backup() tells how it goes. conflict: one is running. invalid_argument: a passphrase
    /// or place that can't be used.
    virtual Status start_backup(BackupRequest request) = 0;
    /// The last one asked for since the start; nullopt: none.
    virtual std::optional<BackupState> backup() const = 0;
    /// nullopt: no archive is configured.
    virtual std::optional<ArchiveState> archive() const = 0;
};

/// 32 bytes that only this root key gives, and that tell nothing of it.
std::string key_check_of(const std::string& root_key);
/// unauthenticated: the wrong passphrase, or another lake's key.
Result<std::string> open_root_key(const std::string& sealed_key, const std::string& passphrase,
                                  const std::string& key_check);

}  // namespace tarn::archive
